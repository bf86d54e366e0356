"""Storage pools: every verb, and how each fails."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest

from incus_sdk import (
    Client,
    IncusArgumentError,
    IncusBadRequestError,
    IncusConflictError,
    IncusNotFoundError,
    IncusPreconditionFailedError,
)
from incus_sdk.models import StoragePoolBody
from incus_sdk.sync import StoragePool as SyncStoragePool

from .support import Face, Server, call, entered


@pytest.fixture
async def pool(admin: Client, name: str) -> AsyncGenerator[str]:
    """A name for a pool, which is removed."""
    yield name
    if await admin.storage_pools.exists(name):
        await admin.storage_pools.delete(name)


async def test_from_creation_to_the_end(client: Client, face: Face, pool: str) -> None:
    made = await call(client.storage_pools.create(pool, "dir", config={"user.on": True}, description="made by a test"))
    assert isinstance(made, SyncStoragePool) is face.blocking
    assert (made.name, made.driver, made.description, made.status) == (pool, "dir", "made by a test", "Created")
    assert made.config["user.on"] == "true"
    assert pool in await call(client.storage_pools.names())
    assert [each.name for each in await call(client.storage_pools.list(filter={"name": pool}))] == [pool]
    assert await call(client.storage_pools.exists(pool))
    for resources in (await call(made.resources()), await call(client.storage_pools.resources(pool))):
        assert resources.space.total >= resources.space.used > 0
    await call(made.delete())
    assert not await call(client.storage_pools.exists(pool))
    with pytest.raises(IncusNotFoundError, match=f"GET /1.0/storage-pools/{pool}"):
        await call(made.refresh())


async def test_changes(client: Client, admin: Client, pool: str) -> None:
    made = await admin.storage_pools.create(pool, "dir", config={"user.a": "1"}, description="old")
    await call(client.storage_pools.update(pool, {"config": {"user.b": 2}}))
    changed = await call(client.storage_pools.get(pool))
    assert changed.config == {**made.config, "user.b": "2"}
    assert changed.description == "old"
    async with entered(client.storage_pools.edit(pool)) as draft:
        del draft["config"]["user.a"]
    await call(changed.modify(lambda draft: draft.update({"description": "new"})))
    await call(changed.refresh())
    source = {"source": made.config["source"]}
    assert (changed.config, changed.description) == ({**source, "user.b": "2"}, "new")
    await call(changed.replace({"config": source}))
    assert (await call(changed.refresh())).description == ""


async def _edit_while_another_does(
    editing: AbstractAsyncContextManager[StoragePoolBody], admin: Client, pool: str
) -> None:
    async with entered(editing) as draft:
        draft["config"]["user.mine"] = "1"
        await admin.storage_pools.update(pool, {"config": {"user.theirs": "2"}})


async def test_edit_under_somebody_elses_change(client: Client, admin: Client, pool: str) -> None:
    await admin.storage_pools.create(pool, "dir")
    with pytest.raises(IncusPreconditionFailedError):
        await _edit_while_another_does(client.storage_pools.edit(pool), admin, pool)
    assert "user.mine" not in (await admin.storage_pools.get(pool)).config


async def test_what_does_not_exist(client: Client, name: str) -> None:
    for make in (client.storage_pools.get, client.storage_pools.delete, client.storage_pools.resources):
        untyped: Any = make
        with pytest.raises(IncusNotFoundError):
            await call(untyped(name))
    with pytest.raises(IncusNotFoundError):
        await call(client.storage_pools.update(name, {"description": "x"}))
    with pytest.raises(IncusNotFoundError):
        await call(client.storage_pools.replace(name, {"description": "x"}))
    with pytest.raises(IncusNotFoundError, match="project"):
        await call(client.use_project(name).storage_pools.exists(name))


async def test_what_the_server_refuses(client: Client, server: Server, name: str) -> None:
    with pytest.raises(IncusConflictError):
        await call(client.storage_pools.create("default", "dir"))
    with pytest.raises(IncusBadRequestError, match="Unknown driver"):
        await call(client.storage_pools.create(name, "bogus"))
    with pytest.raises(IncusBadRequestError, match=r'Invalid option "no\.such"'):
        await call(client.storage_pools.create(name, "dir", config={"no.such": "1"}))
    with pytest.raises(IncusBadRequestError, match="currently in use"):
        await call(client.storage_pools.delete("default"))
    with pytest.raises(IncusArgumentError, match="no field 'descripton'"):
        await call(client.storage_pools.create(name, "dir", descripton="x"))  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue] - a slip
    assert name not in await call(client.storage_pools.names())
