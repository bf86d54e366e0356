"""Pages are written once, for both faces."""

from __future__ import annotations

from pathlib import Path

import pytest

from codegen.sync import SyncError
from docs.snippets import Block, blocks_of, to_sync, with_tabs

PAGE = """\
# T

<!-- not run: why -->
```python
a = await b()
```

```python
c
```

```text
C
```

```python
async with asyncio.TaskGroup(): ...
```

```python sync
with ThreadPoolExecutor(): ...
```

```text
D
```

```python async
await d
```
"""


@pytest.fixture
def page(tmp_path: Path) -> Path:
    path = tmp_path / "page.md"
    path.write_text(PAGE)
    return path


def test_blocks_are_told_apart(page: Path) -> None:
    assert blocks_of(page) == [
        Block(page, 5, {"async": "a = await b()\n", "sync": "a = b()\n"}, None, "why"),
        Block(page, 9, {"async": "c\n", "sync": "c\n"}, "C\n", None),
        Block(
            page,
            17,
            {"async": "async with asyncio.TaskGroup(): ...\n", "sync": "with ThreadPoolExecutor(): ...\n"},
            "D\n",
            None,
        ),
        Block(page, 29, {"async": "await d\n"}, None, None),
    ]


def test_tabs_where_the_faces_differ(page: Path) -> None:
    shown = with_tabs(page.read_text())
    assert shown.count("{tab-set}") == 2
    assert shown.count("```python\n") == 6
    assert "```python\nc\n```\n\n```text\nC\n```\n" in shown
    assert "```python\nawait d\n```\n" in shown
    assert "python sync" not in shown
    assert "python async" not in shown


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("async with Client() as client:\n    await client.f()\n", "with Client() as client:\n    client.f()\n"),
        ("async for x in y: ...\n", "for x in y: ...\n"),
        ("from incus_sdk import Client, IncusError\n", "from incus_sdk.sync import Client, IncusError\n"),
        ("from incus_sdk.models import Model\n", "from incus_sdk.models import Model\n"),
        ("import asyncio\n\nasync def main(): ...\n\nasyncio.run(main())\n", "def main(): ...\n\nmain()\n"),
        ("import asyncio\nawait asyncio.sleep(1)\n", "import time\ntime.sleep(1)\n"),
    ],
)
def test_translation(one: str, other: str) -> None:
    assert to_sync(one) == other


@pytest.mark.parametrize("code", ["async with asyncio.timeout(1): ...\n", "async with AsyncExitStack(): ...\n"])
def test_what_needs_a_twin_is_refused(code: str) -> None:
    with pytest.raises(SyncError):
        to_sync(code)
