"""Instances that are moved, made anew, offered to others, and changed all at once."""

from __future__ import annotations

from typing import Any, cast

import pytest

from incus_sdk import (
    Client,
    IncusArgumentError,
    IncusBadRequestError,
    IncusError,
    IncusNotFoundError,
    IncusOperationBadRequestError,
    IncusOperationConflictError,
    IncusOperationError,
    IncusOperationNotFoundError,
    Instance,
)

from .conftest import ROOT_DISK
from .support import NOTHING, Server, call, cancelled


async def test_move_to_another_project(client: Client, project: str, name: str, empty: Instance) -> None:
    mine = await call(client.instances.get(name))
    await call(mine.create_snapshot("s", wait=True))
    changes: dict[str, Any] = {"config": {"user.n": 3}, "devices": ROOT_DISK, "profiles": []}
    await call(mine.move(f"{name}-b", True, project=project, **changes))
    moved = await call(client.use_project(project).instances.get(f"{name}-b"))
    assert (moved.config["user.n"], moved.devices, moved.profiles) == ("3", ROOT_DISK, [])
    assert [snapshot.name for snapshot in await call(moved.get_snapshots())] == ["s"]
    assert not await call(client.instances.exists(name))


async def test_moves_that_fail(client: Client, server: Server, name: str, empty: Instance) -> None:
    move = client.instances.move
    with pytest.raises(IncusArgumentError, match="does not say where to"):
        await call(move(name, live=True))
    with pytest.raises(IncusOperationNotFoundError):
        await call(move(name, pool="no-such-pool", wait=True))
    with pytest.raises(IncusOperationBadRequestError, match="same as current"):
        await call(move(name, pool="default", wait=True))
    with pytest.raises((IncusOperationNotFoundError, IncusBadRequestError), match="Project not found"):
        await call(move(name, project="no-such-project", wait=True))
    with pytest.raises(IncusBadRequestError, match="only allowed when clustered"):
        await call(move(name, target="member"))
    with pytest.raises(IncusNotFoundError):
        await call(move(f"{name}-b", pool="default"))
    with pytest.raises(TypeError, match="wait must be True or False"):
        await call(move(name, "b", cast("Any", 30)))


async def test_migrate(client: Client, name: str, empty: Instance) -> None:
    operation = await call((await call(client.instances.get(name))).migrate(instance_only=True))
    assert operation["metadata"]["class"] == "websocket"
    assert {"control", "fs"} <= set(operation["metadata"]["metadata"])
    await cancelled(operation)
    nobody = {"operation": "https://127.0.0.1:1/1.0/operations/x", "secrets": {"control": "x", "fs": "y"}}
    with pytest.raises(IncusOperationError, match="connection refused"):
        await call(client.instances.migrate(name, nobody, True))
    with pytest.raises(IncusNotFoundError):
        await call(client.instances.migrate(f"{name}-b"))


async def test_rebuild(client: Client, name: str, empty: Instance) -> None:
    mine, image = await call(client.instances.get(name)), {"type": "image", "alias": "busybox"}
    operation = await call(mine.rebuild(image))
    assert (await call(operation.wait())).status == "Success"
    assert (await call(mine.refresh())).config["image.os"] == "Busybox"
    await call(mine.rebuild(NOTHING, wait=True))
    assert "image.os" not in (await call(mine.refresh())).config
    with pytest.raises(IncusOperationNotFoundError, match="Image not provided"):
        await call(mine.rebuild({"type": "image", "alias": "no-such-image"}, wait=True))
    with pytest.raises(IncusBadRequestError, match="Must specify"):
        await call(mine.rebuild({"type": "image"}))
    with pytest.raises(TypeError, match="source must be a mapping"):
        await call(mine.rebuild(cast("Any", "busybox")))
    await call(mine.create_snapshot(wait=True))
    with pytest.raises(IncusOperationConflictError, match="Delete its snapshots first"):
        await call(mine.rebuild(NOTHING, wait=True))


async def test_rebuild_what_runs(client: Client, server: Server) -> None:
    with pytest.raises(IncusBadRequestError, match="must be stopped"):
        await call(client.instances.rebuild(server.box, NOTHING))


async def test_all_at_once(client: Client, admin: Client, project: str, name: str) -> None:
    theirs, inner = client.use_project(project).instances, admin.use_project(project).instances
    for suffix in ("a", "b"):
        await inner.create(
            f"{name}-{suffix}",
            {"type": "image", "alias": "busybox", "project": "default"},
            devices=ROOT_DISK,
            profiles=[],
            wait=True,
        )
    for action, status in (("start", "Running"), ("start", "Running"), ("freeze", "Frozen"), ("stop", "Stopped")):
        await call(theirs.change_all(action, force=action == "stop", wait=True))
        assert [instance.status for instance in await call(theirs.list())] == [status] * 2
    with pytest.raises(IncusOperationError, match=f"{name}-b: Stateful start requires"):
        await call(theirs.change_all("start", stateful=True, wait=True))
    with pytest.raises(IncusError, match="unknown action 'halt'"):
        await call(theirs.change_all("halt"))
