"""Names: whatever is in them, they never address another object, and what cannot be a name is not sent."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from incus_sdk import (
    Client,
    IncusAPIError,
    IncusArgumentError,
    IncusBadRequestError,
    IncusError,
    Instance,
    StorageVolume,
)

from .conftest import ROOT_DISK
from .support import NOTHING, Face, Server, call

IMPOSSIBLE = ["", ".", "..", "\ud800", "a\0b", "web\0"]
"""They would address something else (servers take a NUL for the end of a name), or cannot be written."""

STRANGE = ["a/b", "a?recursion=1", "a#b", "a%2fb", "ü", "x" * 10_000, "a b", "a\nb", "-", "a\\b"]
"""A server may refuse them, but must be asked about them and nothing else."""

Verb = Callable[[Client, str], Awaitable[Any]]

VERBS: dict[str, Verb] = {
    "get": lambda client, name: client.instances.get(name),
    "exists": lambda client, name: client.instances.exists(name),
    "create": lambda client, name: client.instances.create(name, NOTHING, wait=True),
    "launch": lambda client, name: client.instances.launch("busybox", name),
    "update": lambda client, name: client.instances.update(name, {"user.x": "1"}),
    "replace": lambda client, name: client.instances.replace(name, {}),
    "rename": lambda client, name: client.instances.rename(name, "other"),
    "delete": lambda client, name: client.instances.delete(name),
    "start": lambda client, name: client.instances.start(name),
    "execute": lambda client, name: client.instances.execute(name, ["true"]),
    "state": lambda client, name: client.instances.state(name),
    "get_state": lambda client, name: client.instances.get_state(name),
    "get_logs": lambda client, name: client.instances.get_logs(name),
    "get_files": lambda client, name: client.instances.get_files(name, "/"),
    "put_files": lambda client, name: client.instances.put_files(name, "/x", b""),
}


@pytest.mark.parametrize("verb", VERBS)
async def test_impossible_names_are_not_sent(face: Face, verb: str) -> None:
    """Nobody listens at the client's address: an attempt to send would be a connection error."""
    client = face.client("unix:///nonexistent")
    for name in IMPOSSIBLE:
        with pytest.raises(IncusArgumentError, match="cannot be a name"):
            await call(VERBS[verb](client, name))
    wrong: list[Any] = [1, b"web", ["web"], *([] if verb == "launch" else [None])]  # which asks for one there
    for other in wrong:
        with pytest.raises(TypeError, match="a name must be a str"):
            await call(VERBS[verb](client, other))


@pytest.mark.parametrize("verb", [verb for verb in VERBS if verb not in {"create", "launch", "exists"}])
async def test_strange_names_are_nobodys(client: Client, verb: str) -> None:
    for name in STRANGE:
        with pytest.raises(IncusAPIError) as caught:
            await call(VERBS[verb](client, name))
        assert caught.value.status_code in {400, 404, 414, 431}, name


@pytest.mark.parametrize("verb", ["create", "launch"])
async def test_strange_names_are_not_given(client: Client, verb: str) -> None:
    before = await call(client.instances.names())
    for name in STRANGE:
        with pytest.raises(IncusError, match=r"[Nn]ame|reserved"):
            await call(VERBS[verb](client, name))
    assert await call(client.instances.names()) == before


async def test_no_name_reaches_another_object(client: Client, name: str, empty: Instance) -> None:
    """A hundred ways to write something else behind the name of an instance."""
    marks = "/?#%&=;:@!$'()*+,~`|^<>[]{}\"\\ \t\r\n.ÄßЖ漢🙂\0\x7f\u200b\u2028\u202e"
    forms = [f"{name}{mark}" for mark in marks] + [f"{mark}{name}" for mark in marks]
    forms += [f"{name}?recursion=1", f"{name}/state", f"../instances/{name}", f"./{name}", f"{name}/..", f"{name}/."]
    forms += [f"x/../{name}", f"{name}?project=default", f"%2e%2e/{name}", f"{name}%00", name.upper(), f"{name}\0x"]
    assert len(forms) >= 100
    for form in forms:
        with contextlib.suppress(IncusBadRequestError, IncusArgumentError):  # some of them are not even looked up
            assert await call(client.instances.exists(form)) is False, form
        with pytest.raises(IncusError):
            await call(client.instances.update(form, {"user.touched": "1"}))
        with pytest.raises(IncusError):
            await call(client.instances.delete(form, wait=True))
    assert (await call(client.instances.get(name))).to_dict() == empty.to_dict()


ODD = ["s#1", "s%41", "s?1"]
"""Names that servers take for some objects, but 7.0 not the last one; they do not quote all of them in lists."""


async def _listed(group: Any) -> list[str]:
    """Return the names that a group lists, having made sure that its objects have the same."""
    names = await call(group.names())
    listed: Any = await call(group.list())
    assert sorted(names) == sorted([each.name for each in listed])
    return sorted(names)


async def test_names_below_an_instance(client: Client, server: Server, project: str, name: str) -> None:
    instances = client.use_project(project).instances
    await call(instances.create(name, NOTHING, wait=True, profiles=[], devices=ROOT_DISK))
    snapshots, backups = instances.snapshots(name), instances.backups(name)
    for odd in ODD:
        await call((await call(backups.create(odd))).wait())
        with contextlib.suppress(IncusBadRequestError):
            await call((await call(snapshots.create(odd))).wait())
    assert await _listed(snapshots) == ["s#1", "s%41"]
    assert await _listed(backups) == ODD


async def test_names_below_a_volume(client: Client, server: Server, name: str, volume: StorageVolume) -> None:
    volumes = client.storage_pools.volumes("default")
    given = ODD if server.version == "6.0" else ODD[:2]
    for odd in [f"{name}{odd}" for odd in given]:
        await call(volumes.create(odd))
        groups: tuple[Any, ...] = (volumes.snapshots(odd), volumes.backups(odd))
        for group in groups:
            for each in given:
                assert (await call(group.create(each, wait=True))).name == each
            chosen = await call(group.create(wait=True))
            assert await _listed(group) == sorted([*given, chosen.name])
    assert await _listed(volumes) == [name, *[f"{name}{odd}" for odd in given]]


async def test_names_of_pools(client: Client, name: str) -> None:
    before = await _listed(client.storage_pools)
    for odd in ODD[:2]:
        pool = await call(client.storage_pools.create(f"{name}{odd}", "dir"))
        try:
            assert await _listed(client.storage_pools) == sorted([*before, f"{name}{odd}"])
        finally:
            await call(pool.delete())
