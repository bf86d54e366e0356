"""Both faces are put to the same questions; it is the type checkers that answer them."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from codegen import sync

HERE = Path(__file__).parent


def lines(face: str) -> list[str]:
    return (HERE / f"{face}_face.py").read_text(encoding="utf-8").splitlines()


def test_the_questions_are_the_same() -> None:
    converted = sync.words("\n".join(lines("async")), PurePosixPath("async_face.py"), set())
    expected = converted.replace("asynchronous", "synchronous").replace(
        "from incus_sdk import", "from incus_sdk.sync import"
    )
    # Only the imports are in another order: linters want them sorted.
    start = next(number for number, line in enumerate(lines("async")) if "def " in line)
    assert sorted(expected.splitlines()[:start]) == sorted(lines("sync")[:start])
    assert expected.splitlines()[start:] == lines("sync")[start:]
