"""What the documentation shows works, and prints what it says that it prints."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest

from docs.snippets import with_tabs
from incus_sdk import Client
from incus_sdk.sync import Client as SyncClient
from incus_sdk.testing import PrivateIncus

from .blocks import PAGES, ROOT, blocks_of, fits, run

PAGES_WITH_CODE = [page for page in PAGES if blocks_of(page)]


def substituted(code: str, daemon: PrivateIncus) -> str:
    """Put what is at hand in the place of what is on the internet."""
    code = code.replace("images:debian/13", PrivateIncus.IMAGE)
    if "incus.example.com" in code:
        host, _, port = daemon.https.removeprefix("https://").rpartition(":")
        code = code.replace("incus.example.com:8443", f"{host}:{port}")
        code = code.replace('("incus.example.com", 8443)', f'("{host}", {port})')
    return code


@pytest.mark.parametrize("face", ["async", "sync"])
@pytest.mark.parametrize("page", PAGES_WITH_CODE, ids=lambda page: str(page.relative_to(ROOT)))
async def test_code_of_a_page_works(
    page: Path,
    face: str,
    daemon: PrivateIncus,
    client: Client,
    folder: Path,
    environ: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.setenv("INCUS_ENDPOINT", daemon.endpoint)
    with SyncClient(daemon.endpoint) as blocking:
        names: dict[str, Any] = {"client": client if face == "async" else blocking}
        for block in blocks_of(page):
            if block.reason or face not in block.code:
                continue
            async with asyncio.timeout(90):
                printed = await run(substituted(block.code[face], daemon), block, names, environ, folder)
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
    assert len(left_out) <= 2, ", ".join(map(str, left_out))


def test_every_python_fence_is_seen() -> None:
    for page in PAGES:
        fences = page.read_text().count("```python")
        found = blocks_of(page)
        shown = with_tabs(page.read_text())
        assert fences <= shown.count("```python"), page
        assert sum(len(block.code) for block in found) >= fences >= len(found), page


def test_output_is_compared() -> None:
    """What decides over all pages must not let everything through."""
    assert fits("Incus 6.0.4\n", "Incus 6...")
    assert not fits("Incus 7.0.2\n", "Incus 6...")
    assert not fits("one\ntwo\n", "one\n")
