"""What the documentation shows works, and prints what it says that it prints."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest

from incus_sdk import Client
from incus_sdk.testing import PrivateIncus

from .blocks import PAGES, ROOT, Block, blocks_of, fits, run_fragment, run_program

PAGES_WITH_CODE = [page for page in PAGES if blocks_of(page)]


def substituted(code: str, daemon: PrivateIncus) -> str:
    """Put what is at hand in the place of what is on the internet."""
    code = code.replace("images:debian/13", PrivateIncus.IMAGE)
    return code.replace("https://incus.example.com:8443", daemon.https)


@pytest.mark.parametrize("page", PAGES_WITH_CODE, ids=lambda page: str(page.relative_to(ROOT)))
async def test_code_of_a_page_works(
    page: Path,
    daemon: PrivateIncus,
    client: Client,
    folder: Path,
    environ: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.setenv("INCUS_ENDPOINT", daemon.endpoint)
    names: dict[str, Any] = {"client": client}
    for block in blocks_of(page):
        if block.reason:
            continue
        code = substituted(block.code, daemon)
        async with asyncio.timeout(90):
            if block.is_program:
                printed = await asyncio.to_thread(run_program, code, environ, folder)
            else:
                printed = await run_fragment(block, code, names)
        assert block.output is None or fits(printed, block.output), f"{block} prints:\n{printed}"
    assert await client.instances.names() == [], f"{page.name} leaves instances behind"


@pytest.mark.parametrize("name", ["README.md", "CHANGELOG.md"])
def test_links_lead_somewhere(name: str) -> None:
    """Sphinx sees to the links between pages; these two are read elsewhere."""
    targets = re.findall(r"\]\(([^)#:]+)\)", (ROOT / name).read_text())
    assert targets
    assert [target for target in targets if not (ROOT / target).exists()] == []


def test_few_blocks_are_left_out() -> None:
    left_out = [block for page in PAGES for block in blocks_of(page) if block.reason]
    assert len(left_out) <= 3, ", ".join(map(str, left_out))


def test_every_python_fence_is_seen() -> None:
    fences = sum(page.read_text().count("\n```python") for page in PAGES)
    assert fences == sum(len(blocks_of(page)) for page in PAGES)


def test_output_is_compared() -> None:
    """What decides over all pages must not let everything through."""
    assert fits("Incus 6.0.4\n", "Incus 6...")
    assert not fits("Incus 7.0.2\n", "Incus 6...")
    assert not fits("one\ntwo\n", "one\n")


def test_blocks_are_told_apart(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# T\n\n<!-- not run: why -->\n```python\na\n```\n\n```python\nb\n```\n\n```text\nB\n```\n")
    first, second = blocks_of(page)
    assert first == Block(page, 5, "a\n", None, "why")
    assert second == Block(page, 9, "b\n", "B\n", None)
