"""The Python on the documentation's pages: found, and turned into what users of the other face write.

Pages are plain Markdown that reads well anywhere. What those who write them have to know:

- A block that is fenced as `python` is async code, and is shown in two tabs, where the second one is the same for
  `incus_sdk.sync`, made here. Code that is the same on both faces gets no tabs.
- Where a translation word by word will not do, the block has a twin right below it, fenced as `python sync`. One that
  stands alone is for that face only, one fenced as `python async` for this one.
- The tests run every block, on a real daemon (`tests/docs`). Those of a page run in order and share their names;
  `client` is a connected `Client`, and `await` stands where a coroutine would have it. A block that calls `asyncio.run`
  is a program of its own, one that imports pytest is a file of tests.
- A block fenced as `text` below is what it prints; `...` in it stands for anything.
- `<!-- not run: REASON -->` right above a block says why it cannot run.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from codegen.sync import SyncError, words

ROOT = Path(__file__).parents[1]

_BLOCKS = re.compile(
    r"(?:^<!-- not run: (?P<reason>[^\n]+) -->\n)?"
    r"(?P<fences>^```python(?: (?P<only>async|sync))?\n(?P<code>.*?)^```$"
    r"(?:\n\n^```python sync\n(?P<twin>.*?)^```$)?)"
    r"(?:\n\n^```text\n(?P<output>.*?)^```$)?",
    re.MULTILINE | re.DOTALL,
)

_FACE = {
    r"\bfrom incus_sdk import\b": "from incus_sdk.sync import",
    r"^asyncio\.run\((.*)\)$": r"\1",
    r"\basyncio\.sleep\(": "time.sleep(",
}
_IMPORT = re.compile(r"^import asyncio\n", re.MULTILINE)

_TABS = """\
`````{{tab-set}}
:sync-group: face

````{{tab-item}} async
:sync: async
```python
{0}```
````

````{{tab-item}} sync
:sync: sync
```python
{1}```
````
`````"""


@dataclass(frozen=True)
class Block:
    """One block of code.

    Attributes:
        page: The file that it is in.
        line: Line of its first statement.
        code: For each face that it is for, `async` and `sync`, the code.
        output: What it must print; `None` where the page does not say.
        reason: Why it is not run, if it is not.
    """

    page: Path
    line: int
    code: dict[str, str]
    output: str | None
    reason: str | None

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def blocks_of(page: Path) -> list[Block]:
    """Return all Python blocks of a page."""
    return list(_find(page, page.read_text("utf-8")))


def with_tabs(text: str) -> str:
    """Return a page's text with both faces in tabs, as Sphinx takes it."""
    return _BLOCKS.sub(_shown, text)


def to_sync(code: str) -> str:
    """Return async code as `incus_sdk.sync` has it.

    Raises:
        SyncError: It takes more than a translation word by word.
    """
    code = words(code, PurePosixPath("a code block"), set())
    for pattern, replacement in _FACE.items():
        code = re.sub(pattern, replacement, code, flags=re.MULTILINE)
    code = _IMPORT.sub("import time\n" if "time.sleep(" in code else "", code).lstrip("\n")
    if "asyncio" in code:
        raise SyncError(f"asyncio is left, so this needs a twin, fenced as `python sync`:\n{code}")
    return code


def _find(page: Path, text: str) -> Iterator[Block]:
    for match in _BLOCKS.finditer(text):
        line = text.count("\n", 0, match.start("code")) + 1
        yield Block(page, line, _faces(match), match["output"], match["reason"])


def _faces(match: re.Match[str]) -> dict[str, str]:
    if match["only"]:
        return {match["only"]: match["code"]}
    return {"async": match["code"], "sync": match["twin"] or to_sync(match["code"])}


def _shown(match: re.Match[str]) -> str:
    faces = list(_faces(match).values())
    shown = _TABS.format(*faces) if len(set(faces)) == 2 else f"```python\n{faces[0]}```"
    return match[0].replace(match["fences"], shown)
