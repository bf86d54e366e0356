"""The code blocks of the documentation, and how they are run.

What those who write pages have to know:

- Every block that is fenced as `python` is run. Those of a page run in order and share their names; `client` is a
  connected `Client`, and `await` stands where a coroutine would have it.
- A block that calls `asyncio.run` or uses `incus_sdk.sync` is a program of its own.
- A block fenced as `text` right below is what it prints; `...` in it stands for anything.
- `<!-- not run: REASON -->` right above a block says why it cannot run here.
"""

from __future__ import annotations

import ast
import contextlib
import inspect
import io
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])

_BLOCK = re.compile(
    r"(?:^<!-- not run: (?P<reason>[^\n]+) -->\n)?"
    r"^```python\n(?P<code>.*?)^```$"
    r"(?:\n\n^```text\n(?P<output>.*?)^```$)?",
    re.MULTILINE | re.DOTALL,
)
_PROGRAM = re.compile(r"asyncio\.run\(|from incus_sdk\.sync import")


@dataclass(frozen=True)
class Block:
    """One block of code.

    Attributes:
        page: The file that it is in.
        line: Line of its first statement.
        code: The code.
        output: What it must print; `None` where the page does not say.
        reason: Why it is not run, if it is not.
    """

    page: Path
    line: int
    code: str
    output: str | None
    reason: str | None

    @property
    def is_program(self) -> bool:
        return bool(_PROGRAM.search(self.code))

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def blocks_of(page: Path) -> list[Block]:
    """All Python blocks of a page."""
    text = page.read_text()
    return list(_find(page, text))


def _find(page: Path, text: str) -> Iterator[Block]:
    for match in _BLOCK.finditer(text):
        line = text.count("\n", 0, match.start("code")) + 1
        yield Block(page, line, match["code"], match["output"], match["reason"])


async def run_fragment(block: Block, code: str, names: dict[str, Any]) -> str:
    """Run a block in the names of its page; return what it prints."""
    padded = "\n" * (block.line - 1) + code  # so that tracebacks show the line in the page
    compiled = compile(padded, str(block.page), "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        waiting = eval(compiled, names)
        if inspect.isawaitable(waiting):
            await waiting
    return printed.getvalue()


def run_program(code: str, environ: dict[str, str], folder: Path) -> str:
    """Run a block as a program; return what it prints."""
    command = [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(command, env=environ, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    return done.stdout


def fits(printed: str, wanted: str) -> bool:
    """Whether the output is the one in the page, where `...` stands for anything."""
    pattern = ".*".join(re.escape(part) for part in wanted.strip().split("..."))
    return re.fullmatch(pattern, printed.strip(), re.DOTALL) is not None
