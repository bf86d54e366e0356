"""Backups of instances: made, fetched, and turned into instances."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path
from typing import Any, cast

import pytest

from incus_sdk import (
    Client,
    IncusArgumentError,
    IncusBadRequestError,
    IncusMissingExtensionError,
    IncusNotFoundError,
    IncusOperationConflictError,
    IncusOperationError,
    Instance,
)
from incus_sdk.models import BackupTarget

from .support import Server, call, entered, names


def members(content: bytes) -> list[str]:
    """Names in a tar file, which must be whole."""
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        return archive.getnames()


async def test_the_life_of_a_backup(client: Client, name: str, empty: Instance) -> None:
    group = client.instances.backups(name)
    assert (await call(group.list()), await call(group.names())) == ([], [])
    backup = await call(group.create("b", instance_only=True, wait=True))
    assert (backup.name, backup.instance_only, backup.expires_at) == ("b", True, None)
    operation = await call(group.create(compression_algorithm="none", expires_at="2099-01-01T00:00:00Z"))
    await call(operation.wait())
    assert sorted(await call(group.names())) == ["b", "backup0"]
    assert {item.name: str(item.expires_at)[:4] for item in await call(group.list())} == {
        "b": "None",
        "backup0": "2099",
    }
    await call(backup.rename("c", wait=True))
    assert (await call(group.exists("b")), await call(group.exists("c"))) == (False, True)
    await call(group.delete("c", wait=True))
    for verb in (backup.refresh, backup.delete, lambda: group.rename("b", "d")):
        with pytest.raises(IncusNotFoundError, match="backup not found"):
            await call(cast("Any", verb)())


async def test_what_cannot_be_created(client: Client, name: str, empty: Instance) -> None:
    group = client.instances.backups(name)
    await call(group.create("b", wait=True))
    with pytest.raises(IncusOperationConflictError, match="already exists"):
        await call(group.create("b", wait=True))
    with pytest.raises(IncusBadRequestError, match="slashes"):
        await call(group.create("a/b"))
    with pytest.raises(IncusBadRequestError, match="Compression algorithm"):
        await call(group.create(compression_algorithm="bogus"))
    untyped: Any = group.create
    with pytest.raises(IncusArgumentError, match="did you mean 'instance_only'"):
        await call(untyped(instanceonly=True))


async def test_without_the_instance_nothing_is_empty(client: Client, name: str) -> None:
    group = client.instances.backups(name)
    for verb in (group.list, group.names, group.create, lambda: group.exists("b")):
        with pytest.raises(IncusNotFoundError, match="Instance not found"):
            await call(cast("Any", verb)())


async def test_a_backup_becomes_an_instance(client: Client, name: str, empty: Instance, tmp_path: Path) -> None:
    await call(client.instances.update(name, {"user.x": "kept"}))
    backup = await call((await call(client.instances.get(name))).create_backup(wait=True))
    file = tmp_path / "backup.tar.gz"
    assert await call(backup.export(file)) == file.stat().st_size
    async with entered(backup.stream_export()) as stream:
        assert stream.content_length == file.stat().st_size
        content = await call(stream.read())
    assert content == file.read_bytes()
    assert "backup/index.yaml" in members(content)
    again = await call(client.instances.import_backup(file, f"{name}-b", "default", wait=True))
    assert (again.name, again.status, again.config["user.x"]) == (f"{name}-b", "Stopped", "kept")
    with pytest.raises(IncusOperationConflictError, match="already exists"):
        await call(client.instances.import_backup(content, f"{name}-b", wait=True))
    await call(client.instances.delete(name, wait=True))
    operation = await call(client.instances.import_backup(content))
    assert (await call(operation.wait())).resources["instances"] == [f"/1.0/instances/{name}"]


async def test_an_export_that_fails_leaves_no_file(client: Client, name: str, empty: Instance, tmp_path: Path) -> None:
    with pytest.raises(IncusNotFoundError, match="backup not found"):
        await call(client.instances.backups(name).export("nope", tmp_path / "file"))
    assert names(tmp_path) == []
    with pytest.raises(IncusNotFoundError):
        async with entered(client.instances.backups(name).stream_export("nope")):
            pytest.fail("there is nothing to read")


async def test_import_with_changes(client: Client, server: Server, name: str, empty: Instance) -> None:
    backup = await call(client.instances.backups(name).create(wait=True))
    file = io.BytesIO()
    await call(backup.export(file))
    disk: Any = {"x": {"type": "disk", "source": "/tmp", "path": "/x"}}
    given: Any = {"config": {"user.n": 1, "user.list": "a=b,c"}, "devices": disk}
    untyped: Any = client.instances.import_backup
    if server.version == "6.0":
        with pytest.raises(IncusMissingExtensionError, match="backup_override_config"):
            await call(untyped(file.getvalue(), f"{name}-b", **given))
        return
    await call(untyped(file.getvalue(), f"{name}-b", wait=True, **given))
    made = await call(client.instances.get(f"{name}-b"))
    assert (made.config["user.n"], made.config["user.list"]) == ("1", "a=b,c")
    assert made.devices["x"] == disk["x"]
    with pytest.raises(IncusArgumentError, match=r"'user\.x' cannot be changed by an import to a value with spaces"):
        await call(client.instances.import_backup(b"x", name, config={"user.x": "a b"}))


async def test_what_is_no_backup(client: Client, name: str) -> None:
    with pytest.raises(IncusBadRequestError, match="no backup"):
        await call(client.instances.import_backup(b"garbage" * 100, name))
    for source in (None, {"type": "none"}):
        with pytest.raises(TypeError, match="source must be bytes"):
            await call(client.instances.import_backup(source, name))


async def test_upload(client: Client, server: Server, name: str, empty: Instance) -> None:
    """There is nothing to upload to: the server gets as far as the protocol, or that nobody answers."""
    target: BackupTarget = {"protocol": "S3", "url": "http://127.0.0.1:1", "bucket_name": "b", "path": "p"}
    mine, group = await call(client.instances.get(name)), client.instances.backups(name)
    if server.version == "6.0":
        for upload in (mine.upload_backup, group.upload):
            with pytest.raises(IncusMissingExtensionError, match="backup_s3_upload"):
                await call(upload(target))
        return
    with pytest.raises(IncusOperationError, match='Unsupported backup target protocol "S3"'):
        await call(mine.upload_backup(target, wait=True, instance_only=True))
    keys: BackupTarget = {"access_key": "a", "secret_key": "s"}
    operation = await call(group.upload({**target, **keys, "protocol": "s3"}))
    with pytest.raises(IncusOperationError, match="connection refused"):
        await call(operation.wait())
    assert await call(group.names()) == []


async def test_direct(client: Client, server: Server, name: str, empty: Instance, tmp_path: Path) -> None:
    mine, group, file = await call(client.instances.get(name)), client.instances.backups(name), tmp_path / "b.tar"
    if server.version == "6.0":
        with pytest.raises(IncusMissingExtensionError, match="direct_backup"):
            await call(group.direct(file))
        with pytest.raises(IncusMissingExtensionError, match="direct_backup"):
            async with entered(mine.stream_direct_backup()):
                pytest.fail("6.0 would make a backup and keep it")
        return
    size = await call(mine.direct_backup(file, compression_algorithm="none", instance_only=True))
    assert size == file.stat().st_size
    assert "backup/index.yaml" in members(file.read_bytes())
    async with entered(group.stream_direct()) as stream:
        assert "backup/index.yaml" in members(await call(stream.read()))
    assert await call(group.names()) == []
    with pytest.raises(IncusBadRequestError, match="Compression algorithm"):
        await call(group.direct(tmp_path / "c", compression_algorithm="bogus"))
    assert names(tmp_path) == [file.name]
