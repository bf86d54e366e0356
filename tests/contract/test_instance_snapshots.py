"""Snapshots of instances, and going back to them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from incus_sdk import (
    Client,
    IncusArgumentError,
    IncusBadRequestError,
    IncusConflictError,
    IncusMissingExtensionError,
    IncusNotFoundError,
    IncusOperationConflictError,
    IncusOperationNotFoundError,
    IncusPreconditionFailedError,
    Instance,
)
from incus_sdk.api.instance_snapshots import InstanceSnapshot, InstanceSnapshotsAPI

from .support import Server, call, entered

NEVER = "0001-01-01T00:00:00Z"
THEN = datetime(2099, 1, 1, tzinfo=UTC)


async def test_the_life_of_a_snapshot(client: Client, name: str, empty: Instance) -> None:
    group = client.instances.snapshots(name)
    assert (await call(group.list()), await call(group.names())) == ([], [])
    snapshot = await call(group.create("s", expires_at=THEN, wait=True))
    assert (snapshot.name, snapshot.expires_at, snapshot.stateful) == ("s", THEN, False)
    assert snapshot.config["volatile.uuid"] == empty.config["volatile.uuid"]
    operation = await call(group.create())
    assert (await call(operation.wait())).resources["instances_snapshots"] == [f"/1.0/instances/{name}/snapshots/snap0"]
    assert await call(group.names()) == ["s", "snap0"]
    assert [item.name for item in await call(group.list())] == ["s", "snap0"]
    await call(group.rename("snap0", "t", wait=True))
    assert (await call(group.exists("snap0")), await call(group.exists("t"))) == (False, True)
    with pytest.raises(IncusConflictError, match="already in use"):
        await call(snapshot.rename("t", wait=True))
    await call(snapshot.delete(wait=True))
    with pytest.raises(IncusNotFoundError):
        await call(snapshot.refresh())
    with pytest.raises(IncusNotFoundError):
        await call(group.delete("s", wait=True))


async def test_a_name_from_the_server(client: Client, empty: Instance) -> None:
    made = await call((await call(client.instances.get(empty.name))).create_snapshot(wait=True))
    assert made.name == "snap0"
    mine = await call(client.instances.get(empty.name))
    assert [item.name for item in await call(mine.get_snapshots())] == ["snap0"]


async def test_what_cannot_be_created(client: Client, server: Server, name: str, empty: Instance) -> None:
    group = client.instances.snapshots(name)
    await call(group.create("s", wait=True))
    with pytest.raises(IncusOperationConflictError):
        await call(group.create("s", wait=True))
    with pytest.raises(IncusBadRequestError, match="Invalid snapshot name"):
        await call(group.create("a/b"))
    with pytest.raises(IncusArgumentError):
        await call(group.create(""))
    with pytest.raises(IncusNotFoundError, match="Instance not found"):
        await call(client.instances.snapshots(f"{name}-b").create("s"))


async def test_without_the_instance_nothing_is_empty(client: Client, name: str) -> None:
    """Servers say that what does not exist has no snapshots."""
    group = client.instances.snapshots(name)
    for verb in (group.list, group.names, lambda: group.exists("s")):
        with pytest.raises(IncusNotFoundError, match="Instance not found"):
            await call(cast("Any", verb)())


async def test_expiry(client: Client, name: str, empty: Instance) -> None:
    snapshot = await call(client.instances.snapshots(name).create("s", wait=True))
    await call(snapshot.update({"expires_at": THEN}, wait=True))
    assert (await call(snapshot.refresh())).expires_at == THEN
    await call(snapshot.replace({"expires_at": NEVER}, wait=True))
    assert (await call(snapshot.refresh())).expires_at is None
    with pytest.raises(IncusArgumentError, match="no field 'expiry'"):
        await call(snapshot.update(cast("Any", {"expiry": NEVER})))
    with pytest.raises(IncusNotFoundError):
        await call(client.instances.snapshots(name).update("nope", {"expires_at": NEVER}))


async def test_two_who_edit(client: Client, admin: Client, name: str, empty: Instance) -> None:
    snapshot = await call(client.instances.snapshots(name).create("s", wait=True))
    theirs = admin.instances.snapshots(name)
    async with entered(snapshot.edit()) as draft:
        draft["expires_at"] = "2098-01-01T00:00:00Z"
    with pytest.raises(IncusPreconditionFailedError):
        await _edit_while_another_does(snapshot, theirs)
    assert (await call(snapshot.refresh())).expires_at == THEN
    await call(snapshot.modify(lambda draft: draft.update({"expires_at": NEVER})))
    assert (await call(snapshot.refresh())).expires_at is None


async def _edit_while_another_does(snapshot: InstanceSnapshot, theirs: InstanceSnapshotsAPI) -> None:
    async with entered(snapshot.edit()) as draft:
        draft["expires_at"] = NEVER
        await theirs.update(snapshot.name, {"expires_at": THEN}, wait=True)


async def test_restore(client: Client, server: Server, name: str, empty: Instance) -> None:
    group = client.instances.snapshots(name)
    snapshot = await call(group.create("s", wait=True))
    mine = await call(client.instances.get(name))
    ways: list[Callable[[], Awaitable[object]]] = [
        lambda: snapshot.restore(wait=True),
        lambda: mine.restore("s", wait=True),
    ]
    for restore in ways:
        await call(client.instances.update(name, {"user.x": "1"}))
        await call(restore())
        assert "user.x" not in (await call(client.instances.get(name))).config
    with pytest.raises(IncusOperationNotFoundError, match="nope"):
        await call(group.restore("nope", wait=True))
    await call(client.instances.update(name, {"user.x": "1"}))
    if server.version == "6.0":
        with pytest.raises(IncusMissingExtensionError, match="instance_snapshot_disk_only_restore"):
            await call(group.restore("s", disk_only=True))
    else:
        await call(group.restore("s", disk_only=True, wait=True))
        assert (await call(client.instances.get(name))).config["user.x"] == "1"


async def test_migrate(client: Client, name: str, empty: Instance) -> None:
    """It waits for another server, which is not there; the instance's own can be called off."""
    snapshot = await call(client.instances.snapshots(name).create("s", wait=True))
    operation = await call(snapshot.migrate())
    assert operation["metadata"]["class"] == "websocket"
    assert {"control", "fs"} <= set(operation["metadata"]["metadata"])
    with pytest.raises(IncusNotFoundError):
        await call(client.instances.snapshots(name).migrate("nope"))


async def test_in_another_project(client: Client, project: str, name: str) -> None:
    """What is below an instance is in its project, wherever the instance was found."""
    theirs = client.use_project(project)
    await call(theirs.instances.create(name, {"type": "none"}, wait=True))
    found = next(item for item in await call(client.instances.list(all_projects=True)) if item.project == project)
    snapshot = await call(found.create_snapshot("s", wait=True))
    await call(snapshot.update({"expires_at": THEN}, wait=True))
    assert (await call(theirs.instances.snapshots(name).get("s"))).expires_at == THEN
    with pytest.raises(IncusNotFoundError):
        await call(client.instances.snapshots(name).list())
