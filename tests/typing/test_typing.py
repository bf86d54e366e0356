"""Both faces are put to the same questions; it is the type checkers that answer them."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath

from codegen import sync

HERE = Path(__file__).parent

_AWAITED = re.compile(r"(?<![\w\])])\(([\w.]+\([^()]*\))\)\.")
"""A call with parentheses around it, which it needs only as long as it is awaited."""


def lines(face: str) -> list[str]:
    return (HERE / f"{face}_face.py").read_text(encoding="utf-8").splitlines()


def test_the_questions_are_the_same() -> None:
    converted = sync.words("\n".join(lines("async")), PurePosixPath("async_face.py"), set())
    text = converted.replace("asynchronous", "synchronous")
    for module in (" ", ".api."):
        text = text.replace(f"from incus_sdk{module}", f"from incus_sdk.sync{module}")
    expected, written = (_AWAITED.sub(r"\1.", face).splitlines() for face in (text, "\n".join(lines("sync"))))
    # Only the imports are in another order: linters want them sorted.
    start = next(number for number, line in enumerate(lines("async")) if "def " in line)
    assert sorted(expected[:start]) == sorted(written[:start])
    assert expected[start:] == written[start:]
