"""Symbolic links in an instance: what they lead to is what is read."""

from __future__ import annotations

import json

import pytest

from incus_sdk import Client, IncusArgumentError, IncusError, IncusNotFoundError
from incus_sdk.api._files import HOPS

from .support import Server, call

SCRIPT = r"""
mkdir -p "$1/folder" && cd "$1" || exit 1
printf content > folder/file
ln -s folder/file relative
ln -s "$1/relative" absolute
ln -s folder to-folder
ln -s to-folder/file through-folder
ln -s nowhere dangling
ln -s dangling to-dangling
ln -s circle-2 circle-1
ln -s circle-1 circle-2
ln -s itself itself
printf odd > "$(printf 'a\377b')"
ln -s "$(printf 'a\377b')" to-odd
ln -s folder/file hop-1
for n in $(seq 2 41); do ln -s hop-$((n - 1)) hop-$n; done
"""


@pytest.fixture
async def folder(admin: Client, server: Server, name: str) -> str:
    """A folder with links in the shared instance."""
    folder = f"/tmp/{name}"
    made = await admin.instances.execute(server.box, ["sh", "-c", SCRIPT, "sh", folder], record_output=True, wait=True)
    assert (made.returncode, made.stderr) == (0, "")
    return folder


async def test_links(client: Client, server: Server, folder: str) -> None:
    async def read(name: str) -> bytes:
        return await call(client.instances.get_files(server.box, f"{folder}/{name}"))

    for link in ("relative", "absolute", "through-folder", "to-folder/file", "hop-1", f"hop-{HOPS}"):
        assert await read(link) == b"content", link
    assert json.loads(await read("to-folder")) == ["file"]
    assert await read("to-odd") == b"odd"


@pytest.mark.parametrize("link", ["dangling", "to-dangling"])
async def test_links_to_nothing(client: Client, server: Server, folder: str, link: str) -> None:
    with pytest.raises(IncusNotFoundError) as caught:
        await call(client.instances.get_files(server.box, f"{folder}/{link}"))
    said = str(caught.value)
    assert f"path={folder}/nowhere: Not Found" in said
    assert f"the symbolic link '{folder}/{link}' leads there" in said


@pytest.mark.parametrize("link", ["circle-1", "itself", f"hop-{HOPS + 1}"])
async def test_links_without_an_end(client: Client, server: Server, folder: str, link: str) -> None:
    with pytest.raises(IncusError, match=rf"{folder}/{link}' leads through more than {HOPS} symbolic links") as caught:
        await call(client.instances.get_files(server.box, f"{folder}/{link}"))
    assert not isinstance(caught.value, IncusArgumentError)


async def test_writing_goes_through_a_link(client: Client, server: Server, folder: str) -> None:
    await call(client.instances.put_files(server.box, f"{folder}/relative", b"new"))
    for path in ("relative", "folder/file", "absolute"):
        assert await call(client.instances.get_files(server.box, f"{folder}/{path}")) == b"new"
