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


async def left_behind(client: Client) -> list[str]:
    """Return the names of all that a daemon does not have from its start, as the next page counts on that."""
    found = {
        "instances": await client.instances.names(),
        "images": [image.fingerprint for image in await client.images.list() if not image.aliases],
        "aliases": await client.images.aliases.names(),
        "profiles": await client.profiles.names(),
        "projects": await client.projects.names(),
        "pools": await client.storage_pools.names(),
        "volumes": await client.storage_pools.volumes("default").names(),
        "networks": [network.name for network in await client.networks.list() if network.managed],
        "acls": await client.network_acls.names(),
    }
    always = {PrivateIncus.IMAGE, "default", "incusbr0"}
    return [f"{kind}: {name}" for kind, names in found.items() for name in names if name not in always]


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
    assert await left_behind(client) == [], f"{page.name} leaves this behind"


@pytest.mark.parametrize("name", ["README.md", "CHANGELOG.md"])
def test_links_lead_somewhere(name: str) -> None:
    """Sphinx sees to the links between pages; these two are read elsewhere."""
    targets = re.findall(r"\]\(([^)#:]+)\)", (ROOT / name).read_text())
    assert targets
    assert [target for target in targets if not (ROOT / target).exists()] == []


def test_tests_that_are_named_exist() -> None:
    """One page says which tests run on what."""
    named = set(re.findall(r"`(tests/[\w/]+(?:\.py)?)`", (ROOT / "docs/explanation/tested.md").read_text("utf-8")))
    assert len(named) > 20
    assert {path for path in named if not (ROOT / path).exists()} == set()


def test_few_blocks_are_left_out() -> None:
    left_out = [block for page in PAGES for block in blocks_of(page) if block.reason]
    assert len(left_out) <= 4, ", ".join(map(str, left_out))


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
