"""Storage volumes: every verb, and how each fails."""

from __future__ import annotations

import asyncio
import threading
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest

from incus_sdk import (
    Client,
    IncusArgumentError,
    IncusBadRequestError,
    IncusConflictError,
    IncusMissingExtensionError,
    IncusNotFoundError,
    IncusOperationBadRequestError,
    IncusOperationConflictError,
    IncusOperationError,
    IncusOperationNotFoundError,
    IncusPreconditionFailedError,
    StorageVolume,
)
from incus_sdk.models import StorageVolumeBody, StorageVolumePut
from incus_sdk.sync import StorageVolume as SyncStorageVolume

from .support import Face, Server, call, entered


async def test_an_empty_one(client: Client, face: Face, name: str, volume: StorageVolume) -> None:
    volumes = client.storage_pools.volumes("default")
    made = await call(volumes.create(f"{name}-b", config={"user.on": True}, description="made"))
    assert isinstance(made, SyncStorageVolume) is face.blocking
    assert (made.type, made.content_type, made.project) == ("custom", "filesystem", "default")
    assert (made.config, made.description) == ({"user.on": "true"}, "made")
    assert {name, f"{name}-b"} <= set(await call(volumes.names()))
    state = await call(made.get_state())
    assert state == await call(volumes.state(made.name))
    await call(made.delete())
    assert not await call(volumes.exists(made.name))
    assert await call(volumes.exists(name))
    with pytest.raises(IncusNotFoundError):
        await call(made.refresh())


async def test_a_block_volume(client: Client, volume: StorageVolume) -> None:
    volumes = client.storage_pools.volumes("default")
    made = await call(volumes.create(f"{volume.name}-b", content_type="block", config={"size": "1MiB"}))
    assert (made.content_type, made.config["size"]) == ("block", "1MiB")


async def test_lists(client: Client, admin: Client, server: Server, volume: StorageVolume, project: str) -> None:
    """Also with a snapshot, which Incus 6.0 lists among the volumes."""
    await admin.storage_pools.volumes("default").snapshots(volume.name).create("before", wait=True)
    pool = (await call(client.storage_pools.get("default"))).name
    volumes = client.storage_pools.volumes(pool)
    mine = [each for each in await call(volumes.list()) if each.name.startswith(volume.name)]
    assert [each.to_dict() for each in mine] == [volume.to_dict()]
    names = await call(volumes.names())
    assert volume.name in names
    assert "before" not in names
    assert await call(volumes.list(filter={"name": volume.name, "config.user.origin": "fixture"})) == mine
    every = await call(volumes.list(all_types=True, all_projects=True))
    assert {"custom", "container", "image"} >= {each.type for each in every} > {"custom"}
    box = next(each for each in every if each.name == server.box)
    assert (await call(box.refresh())).type == "container"
    assert box in await call(client.storage_pools.volumes(pool, "container").list())


async def test_other_projects(client: Client, admin: Client, volume: StorageVolume, project: str) -> None:
    """The fixture's project shares images and profiles, but has volumes of its own."""
    theirs = client.use_project(project).storage_pools.volumes("default")
    made = await call(theirs.create(volume.name))
    assert made.project == project
    both = await call(client.storage_pools.volumes("default").list(all_projects=True, filter={"name": volume.name}))
    assert {each.project for each in both} == {"default", project}
    other = next(each for each in both if each.project == project)
    await call(other.update({"description": "theirs"}))
    assert (await call(theirs.get(volume.name))).description == "theirs"
    assert (await call(client.storage_pools.volumes("default").get(volume.name))).description == "of a test"
    await call(made.delete())
    assert await call(theirs.list()) == []
    with pytest.raises(IncusNotFoundError, match="Project not found"):
        await call(client.use_project("no-such").storage_pools.volumes("default").list())


async def test_full(client: Client, admin: Client, server: Server, volume: StorageVolume) -> None:
    await admin.storage_pools.volumes("default").snapshots(volume.name).create("before", wait=True)
    volumes = client.storage_pools.volumes("default")
    read = await call(volumes.get(volume.name))
    assert (read.snapshots, read.state, read.backups) == (None, None, None)
    if server.version == "6.0":
        for attempt in (lambda: volumes.get(volume.name, full=True), lambda: volumes.list(full=True)):
            untyped: Any = attempt
            with pytest.raises(IncusMissingExtensionError, match="storage_volume_full"):
                await call(untyped())
        return
    full = await call(read.refresh(full=True))
    assert [each.name for each in full.snapshots or ()] == ["before"]
    assert full.state is not None
    assert full in await call(volumes.list(full=True))
    assert full in await call(volumes.list(full=True, all_types=True))


async def test_changes(client: Client, volume: StorageVolume) -> None:
    volumes = client.storage_pools.volumes("default")
    await call(volumes.update(volume.name, {"config": {"user.x": 1}}))
    changed = await call(volumes.get(volume.name))
    assert (changed.config, changed.description) == ({"user.origin": "fixture", "user.x": "1"}, "of a test")
    async with entered(changed.edit()) as draft:
        del draft["config"]["user.origin"]
    await call(volumes.modify(volume.name, lambda draft: draft.update({"description": "new"})))
    await call(changed.refresh())
    assert (changed.config, changed.description) == ({"user.x": "1"}, "new")
    await call(changed.replace({"description": "newest"}))
    await call(changed.refresh())
    assert (changed.config, changed.description) == ({}, "newest")


async def test_edit_keeps_what_it_does_not_know(client: Client, admin: Client, volume: StorageVolume) -> None:
    path = f"/1.0/storage-pools/default/volumes/custom/{volume.name}"
    sent = (await admin.api.get(path))["metadata"]
    async with entered(client.storage_pools.volumes("default").edit(volume.name)) as draft:
        assert dict(draft) == sent
        draft["config"]["user.new"] = "1"
    after = (await admin.api.get(path))["metadata"]
    assert after == {**sent, "config": {**sent["config"], "user.new": "1"}}


async def _edit_while_another_does(
    editing: AbstractAsyncContextManager[StorageVolumeBody], admin: Client, name: str, theirs: StorageVolumePut
) -> None:
    async with entered(editing) as draft:
        draft["config"]["user.mine"] = "1"
        await admin.storage_pools.volumes("default").update(name, theirs)


async def test_two_at_once(client: Client, admin: Client, volume: StorageVolume) -> None:
    volumes = client.storage_pools.volumes("default")
    changes: list[StorageVolumePut] = [{"config": {"user.theirs": "1"}}, {"description": "theirs"}]
    for theirs in changes:  # the server's ETag does not cover the description
        with pytest.raises(IncusPreconditionFailedError, match=r"PUT /1\.0/storage-pools/default/volumes/custom"):
            await _edit_while_another_does(volumes.edit(volume.name), admin, volume.name, theirs)
    assert (await call(volumes.get(volume.name))).description == "theirs"
    seen: list[str] = []

    def change(draft: Any) -> None:
        seen.append(draft["config"]["user.theirs"])
        draft["config"]["user.mine"] = "2"
        if len(seen) == 1:
            _interfere(client.api.endpoint, volume.name)

    await call(volumes.modify(volume.name, change))
    assert seen == ["1", "2"]
    expected = {"user.origin": "fixture", "user.theirs": "2", "user.mine": "2"}
    assert (await call(volumes.get(volume.name))).config == expected


def _interfere(endpoint: str, name: str) -> None:
    """Change the volume as somebody else would, while the caller's event loop stands still."""

    async def change() -> None:
        async with Client(endpoint) as somebody:
            await somebody.storage_pools.volumes("default").update(name, {"config": {"user.theirs": "2"}})

    thread = threading.Thread(target=lambda: asyncio.run(change()))
    thread.start()
    thread.join()


async def test_copy_and_move(client: Client, volume: StorageVolume, project: str) -> None:
    volumes = client.storage_pools.volumes("default")
    copy = await call(volumes.copy(volume.name, f"{volume.name}-b", wait=True))
    assert (copy.config, copy.description) == (volume.config, volume.description)
    away = await call(copy.copy(wait=True, project=project))
    assert (away.name, away.project) == (copy.name, project)
    back = await call(away.move(f"{volume.name}-c", True, project="default"))
    assert back.done
    assert await call(client.use_project(project).storage_pools.volumes("default").names()) == []
    await call(volumes.rename(f"{volume.name}-c", f"{volume.name}-d"))
    again = await call(volumes.create(f"{volume.name}-e", {"type": "copy", "pool": "default", "name": volume.name}))
    await call(again.wait())
    assert {f"{volume.name}-{x}" for x in "bde"} <= set(await call(volumes.names()))
    with pytest.raises(IncusConflictError):
        await call(copy.rename(volume.name))
    with pytest.raises(IncusConflictError):
        await call(volumes.copy(volume.name, copy.name))
    with pytest.raises(IncusNotFoundError):
        await call(copy.move(pool="no-such-pool"))
    with pytest.raises(IncusArgumentError, match="on no member of a cluster"):
        await call(copy.move(target="two"))
    with pytest.raises(IncusOperationNotFoundError):
        await call(volumes.copy("no-such-volume", f"{volume.name}-f", wait=True))


async def test_to_another_server(client: Client, volume: StorageVolume) -> None:
    """Both sides, as far as one server goes: each waits for the other, who does not come."""
    volumes = client.storage_pools.volumes("default")
    sent = await call(volumes.migrate(volume.name))
    assert set(sent["metadata"]["metadata"]) == {"control", "fs"}
    assert sent["metadata"]["class"] == "websocket"
    secret = sent["metadata"]["metadata"]["control"]
    assert secret not in repr(sent)
    awaited = await call(volumes.create(f"{volume.name}-b", {"type": "migration", "mode": "push"}))
    assert set(awaited["metadata"]["metadata"]) == {"control", "fs"}
    nobody = {"operation": "https://127.0.0.1:1/1.0/operations/x", "secrets": {"control": "x", "fs": "y"}}
    with pytest.raises(IncusOperationError, match="connection refused"):
        await call(volumes.migrate(volume.name, nobody, wait=True))


async def test_what_the_server_refuses(client: Client, volume: StorageVolume) -> None:
    volumes = client.storage_pools.volumes("default")
    with pytest.raises(IncusConflictError):
        await call(volumes.create(volume.name))
    with pytest.raises(IncusBadRequestError, match=r"no\.such"):
        await call(volumes.create(f"{volume.name}-b", config={"no.such": 1}))
    with pytest.raises(IncusBadRequestError, match=r"no\.such"):
        await call(volumes.update(volume.name, {"config": {"no.such": 1}}))
    with pytest.raises(IncusBadRequestError, match="Currently not allowed to create"):
        await call(client.storage_pools.volumes("default", "container").create(f"{volume.name}-b"))
    with pytest.raises(IncusBadRequestError, match="volume type"):
        await call(client.storage_pools.volumes("default", "bogus").list())


async def test_what_does_not_exist(client: Client, name: str) -> None:
    volumes: Any = client.storage_pools.volumes("default")
    for verb, *arguments in (["get"], ["delete"], ["state"], ["rename", "x"], ["restore", "x"], ["move", "x"]):
        with pytest.raises(IncusNotFoundError):
            await call(getattr(volumes, verb)(name, *arguments))
    with pytest.raises(IncusNotFoundError):
        await call(volumes.replace(name, {"description": "x"}))
    for attempt in ("list", "names"):
        with pytest.raises(IncusNotFoundError, match="Storage pool not found"):
            await call(getattr(client.storage_pools.volumes(name), attempt)())
    with pytest.raises(IncusNotFoundError, match="Storage pool not found"):
        await call(client.storage_pools.volumes(name).exists("x"))


async def test_rebuild(client: Client, admin: Client, server: Server, volume: StorageVolume) -> None:
    volumes = client.storage_pools.volumes("default")
    if server.version == "6.0":
        with pytest.raises(IncusMissingExtensionError, match="storage_volumes_rebuild"):
            await call(volumes.rebuild(volume.name))
        return
    await call(volumes.put_files(volume.name, "/kept", b"until now"))
    await call(volumes.rebuild(volume.name, wait=True))
    assert await call(volumes.get_files(volume.name, "/")) == b"[]"
    await admin.storage_pools.volumes("default").snapshots(volume.name).create(wait=True)
    bound = await call(volumes.get(volume.name))
    with pytest.raises(IncusOperationBadRequestError, match="with snapshots"):
        await call(bound.rebuild(wait=True))


async def test_iso(client: Client, volume: StorageVolume, tmp_path: Path) -> None:
    image = tmp_path / "image.iso"
    image.write_bytes(bytes(100_000))
    volumes = client.storage_pools.volumes("default")
    made = await call(volumes.import_iso(f"{volume.name}-iso", image, wait=True))
    assert (made.content_type, made.config["size"]) == ("iso", "100000")
    with pytest.raises(IncusOperationConflictError, match="already exists"):
        await call(volumes.import_iso(made.name, bytes(100), True))
    untyped: Any = volumes.import_iso
    with pytest.raises(TypeError, match="source must be"):
        await call(untyped(made.name, None))
