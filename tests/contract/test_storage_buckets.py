"""Storage buckets, their keys and backups: Incus 7.0 serves them itself, 6.0 needs programs that are not here."""

from __future__ import annotations

import socket
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest

from incus_sdk import (
    Client,
    IncusAPIError,
    IncusBadRequestError,
    IncusConflictError,
    IncusConnectionError,
    IncusMissingExtensionError,
    IncusNotFoundError,
    IncusOperationBadRequestError,
    IncusOperationConflictError,
    IncusOperationError,
    IncusPreconditionFailedError,
    StorageBucket,
)
from incus_sdk.sync import StorageBucket as SyncStorageBucket

from .support import Face, Server, call, entered


@pytest.fixture
async def bucket(admin: Client, server: Server, name: str) -> AsyncGenerator[StorageBucket]:
    """A bucket of this test's own, of the async face."""
    if server.version == "6.0":
        pytest.skip("Incus 6.0 needs MinIO for buckets, which Debian does not have; test_refusal has what it says")
    buckets = admin.storage_pools.buckets("default")
    yield await buckets.create(name, description="of a test")
    for each in await buckets.list():
        if each.name.startswith(name):
            await each.delete()


@pytest.fixture
async def listener(admin: Client, bucket: StorageBucket) -> AsyncGenerator[None]:
    """A server that listens for S3 clients."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    await admin.api.patch("/1.0", {"config": {"core.storage_buckets_address": address}})
    yield
    await admin.api.patch("/1.0", {"config": {"core.storage_buckets_address": ""}})


async def test_refusal(client: Client, server: Server, name: str) -> None:
    buckets = client.storage_pools.buckets("default")
    assert name not in await call(buckets.names())
    with pytest.raises(IncusBadRequestError, match="Bucket name must be"):
        await call(buckets.create("x"))
    if server.version == "6.0":
        with pytest.raises(IncusAPIError, match="MinIO"):
            await call(buckets.create(name))
        with pytest.raises(IncusMissingExtensionError, match="storage_bucket_full"):
            await call(buckets.list(full=True))
        with pytest.raises(IncusMissingExtensionError, match="storage_bucket_full"):
            await call(buckets.get(name, full=True))
        with pytest.raises(IncusMissingExtensionError, match="direct_backup"):
            await call(buckets.backups(name).direct("unwritten"))


async def test_buckets(client: Client, face: Face, bucket: StorageBucket) -> None:
    buckets = client.storage_pools.buckets("default")
    made = await call(buckets.create(f"{bucket.name}-b", config={"user.x": 1}))
    assert isinstance(made, SyncStorageBucket) is face.blocking
    assert (made.config, made.project, made.keys, made.backups) == ({"user.x": "1"}, "default", None, None)
    assert {bucket.name, made.name} <= set(await call(buckets.names()))
    assert made in await call(buckets.list(filter={"config.user.x": 1}))
    assert made in await call(buckets.list(all_projects=True))
    full = await call(made.refresh(full=True))
    assert ([key.name for key in full.keys or ()], full.backups) == (["admin"], [])
    assert full in await call(buckets.list(full=True))
    await call(made.delete())
    assert not await call(buckets.exists(made.name))
    with pytest.raises(IncusConflictError):
        await call(buckets.create(bucket.name))


async def test_buckets_change(client: Client, admin: Client, bucket: StorageBucket) -> None:
    buckets = client.storage_pools.buckets("default")
    await call(buckets.update(bucket.name, {"config": {"user.x": 1}}))
    changed = await call(buckets.get(bucket.name))
    assert (changed.config, changed.description) == ({"user.x": "1"}, "of a test")
    await call(changed.modify(lambda draft: draft.update({"description": "new"})))
    with pytest.raises(IncusPreconditionFailedError):
        await _edit_while_another_does(buckets.edit(bucket.name), admin, bucket.name)
    await call(changed.refresh())
    assert (changed.config, changed.description) == ({"user.x": "1", "user.theirs": "1"}, "new")
    await call(buckets.replace(bucket.name, {"description": "newest"}))
    assert (await call(changed.refresh())).config == {}
    with pytest.raises(IncusBadRequestError, match="Invalid option"):
        await call(changed.update({"config": {"no.such": "1"}}))


async def _edit_while_another_does(editing: Any, admin: Client, name: str) -> None:
    async with entered(editing) as draft:
        draft["config"]["user.mine"] = "1"
        await admin.storage_pools.buckets("default").update(name, {"config": {"user.theirs": "1"}})


async def test_keys(client: Client, bucket: StorageBucket) -> None:
    keys = client.storage_pools.buckets("default").keys(bucket.name)
    (first,) = await call(keys.list())
    assert (first.name, first.role) == ("admin", "admin")
    made = await call(keys.create("reader", description="reads", access_key="a" * 20, secret_key="s" * 40))
    assert (made.role, made.access_key, made.secret_key) == ("read-only", "a" * 20, "s" * 40)
    assert "s" * 40 not in repr(made)
    bound = await call(client.storage_pools.buckets("default").get(bucket.name))
    chosen = await call(bound.create_key("writer", "admin", description="writes"))
    assert (chosen.role, chosen.description) == ("admin", "writes")
    assert await call(bound.get_keys()) == [first, made, chosen]
    assert chosen.access_key
    assert chosen.secret_key
    await call(keys.update("reader", {"role": "admin"}))
    await call(made.refresh())
    assert (made.role, made.description, made.secret_key) == ("admin", "reads", "s" * 40)
    await call(made.modify(lambda draft: draft.update({"secret-key": "t" * 40})))
    assert (await call(made.refresh())).secret_key == "t" * 40
    await call(made.replace({"role": "read-only"}))
    await call(made.refresh())
    assert (made.role, made.description) == ("read-only", "")
    assert made.access_key not in {"", "a" * 20}
    await call(chosen.delete())
    assert await call(keys.names()) == ["admin", "reader"]


async def _tried(group: Any, verb: str, *arguments: Any) -> Any:
    """Return what a method of the group returns."""
    return await call(getattr(group, verb)(*arguments))


async def test_how_keys_fail(client: Client, bucket: StorageBucket) -> None:
    keys = client.storage_pools.buckets("default").keys(bucket.name)
    with pytest.raises(IncusConflictError):
        await call(keys.create("admin"))
    with pytest.raises(IncusBadRequestError, match="Invalid key role"):
        await call(keys.create("x", "bogus"))
    for verb, arguments in (("get", []), ("delete", []), ("update", [{"role": "admin"}])):
        with pytest.raises(IncusNotFoundError):
            await _tried(keys, verb, "no-such", *arguments)
    assert not await call(keys.exists("no-such"))
    with pytest.raises(IncusNotFoundError, match="bucket not found"):
        await call(client.storage_pools.buckets("default").keys(f"{bucket.name}-b").exists("admin"))


@pytest.mark.usefixtures("listener")
async def test_backups(client: Client, bucket: StorageBucket, tmp_path: Path) -> None:
    buckets = client.storage_pools.buckets("default")
    backups = buckets.backups(bucket.name)
    bound = await call(buckets.get(bucket.name))
    assert bound.s3_url.startswith("https://127.0.0.1:")
    assert await call(bound.get_backups()) == []
    made = await call(backups.create("first", wait=True, compression_algorithm="none"))
    chosen = await call(bound.create_backup(wait=True))
    assert await call(backups.names()) == ["first", chosen.name]
    assert await call(backups.list()) == await call(bound.get_backups()) == [made, chosen]
    size = await call(made.export(tmp_path / "first.tar"))
    assert size == (tmp_path / "first.tar").stat().st_size > 0
    async with entered(made.stream_export()) as stream:
        assert await call(stream.read()) == (tmp_path / "first.tar").read_bytes()
    assert await call(backups.direct(tmp_path / "direct.tar", compression_algorithm="none")) > 0
    assert await call(bound.direct_backup(tmp_path / "again.tar", compression_algorithm="none")) > 0
    for streaming in (backups.stream_direct, bound.stream_direct_backup):
        async with entered(streaming(compression_algorithm="none")) as stream:
            assert await call(stream.read())
    with pytest.raises(IncusOperationConflictError):
        await call(backups.create("first", wait=True))
    with pytest.raises(IncusOperationConflictError):
        await call(buckets.import_backup(tmp_path / "first.tar", f"{bucket.name}-b", wait=True))  # its keys are in use
    attempts: list[Any] = [lambda: chosen.delete(wait=True), lambda: made.rename("second", wait=True)]
    for attempt in attempts:
        with pytest.raises(IncusOperationError, match=r"not found|no such file"):
            await call(attempt())  # Incus 7.0 looks in the wrong places
    await call(client.storage_pools.buckets("default").delete(bucket.name))
    again = await call(buckets.import_backup(tmp_path / "first.tar", wait=True))
    assert (again.name, again.description) == (bucket.name, bucket.description)


def _files(folder: Path) -> list[str]:
    return [file.name for file in folder.iterdir()]


async def test_backups_without_a_listener(client: Client, bucket: StorageBucket, tmp_path: Path) -> None:
    """The server breaks off what it has begun to send: there is no file then."""
    backups = client.storage_pools.buckets("default").backups(bucket.name)
    with pytest.raises(IncusOperationBadRequestError, match=r"Set core\.storage_buckets_address"):
        await call(backups.create(wait=True))
    with pytest.raises(IncusConnectionError, match="broke"):
        await call(backups.direct(tmp_path / "backup.tar"))
    assert _files(tmp_path) == []
    with pytest.raises(IncusNotFoundError):
        await call(backups.get("no-such"))
    with pytest.raises(IncusNotFoundError):
        await call(backups.export("no-such", tmp_path / "no-such"))
    with pytest.raises(IncusBadRequestError, match="Unsupported compression"):
        await call(client.storage_pools.buckets("default").import_backup(b"no backup", f"{bucket.name}-b"))
    assert _files(tmp_path) == []


async def test_what_does_not_exist(client: Client, name: str) -> None:
    buckets = client.storage_pools.buckets("default")
    changes: list[tuple[str, Any]] = [
        ("get", []),
        ("delete", []),
        ("update", [{"description": "x"}]),
        ("replace", [{}]),
    ]
    for verb, arguments in changes:
        with pytest.raises(IncusNotFoundError):
            await _tried(buckets, verb, name, *arguments)
    for group in (buckets.keys(name), buckets.backups(name)):
        for verb, *names in (["list"], ["names"], ["create", "x"], ["exists", "x"]):
            with pytest.raises(IncusNotFoundError, match="bucket not found"):
                await _tried(group, verb, *names)
    for verb, *names in (["list"], ["names"], ["create", name], ["exists", "x"]):
        with pytest.raises(IncusNotFoundError, match="pool not found"):
            await _tried(client.storage_pools.buckets(name), verb, *names)
    with pytest.raises(IncusNotFoundError, match="Project not found"):
        await call(client.use_project(name).storage_pools.buckets("default").list())
