"""What volumes have: snapshots, backups, files, streams, bitmaps."""

from __future__ import annotations

import io
import tarfile
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from incus_sdk import (
    Client,
    IncusArgumentError,
    IncusBadRequestError,
    IncusConflictError,
    IncusError,
    IncusMissingExtensionError,
    IncusNotFoundError,
    IncusOperationConflictError,
    IncusOperationError,
    IncusOperationNotFoundError,
    StorageVolume,
)
from incus_sdk.models import BackupTarget
from incus_sdk.sync.api.storage_volume_backups import StorageVolumeBackup as SyncStorageVolumeBackup

from .support import Face, Server, call, entered

LATER = datetime(2031, 5, 6, 7, 8, 9, tzinfo=UTC)


async def _tried(group: Any, verb: str, *arguments: Any) -> Any:
    """Return what a method of the group returns."""
    return await call(getattr(group, verb)(*arguments))


# -- snapshots ---------------------------------------------------------------------------------------------------------


async def test_snapshots(client: Client, volume: StorageVolume) -> None:
    snapshots = client.storage_pools.volumes("default").snapshots(volume.name)
    assert await call(snapshots.list()) == []
    made = await call(snapshots.create("before", LATER, wait=True))
    assert (made.name, made.expires_at, made.description) == ("before", LATER, "of a test")
    assert made.config == volume.config
    chosen = await call(snapshots.create(wait=True))
    assert chosen.name == "snap0"
    operation = await call(snapshots.create("third"))
    await call(operation.wait())
    assert await call(snapshots.names()) == ["before", "snap0", "third"]
    listed = await call(snapshots.list())
    assert [each.name for each in listed] == ["before", "snap0", "third"]
    await call(listed[0].refresh())
    assert listed[0] == made
    assert await call(snapshots.exists("third"))
    await call(listed[2].delete(wait=True))
    assert not await call(snapshots.exists("third"))
    await call(made.rename("renamed", wait=True))
    assert await call(snapshots.names()) == ["renamed", "snap0"]


async def test_a_snapshot_changes(client: Client, volume: StorageVolume) -> None:
    snapshots = client.storage_pools.volumes("default").snapshots(volume.name)
    made = await call(snapshots.create("before", LATER, wait=True))
    await call(snapshots.update("before", {"description": "first"}))
    await call(made.refresh())
    assert (made.description, made.expires_at) == ("first", LATER)
    async with entered(made.edit()) as draft:
        draft["description"] = "second"
    await call(made.refresh())
    assert (made.description, made.expires_at) == ("second", LATER)
    await call(made.modify(lambda draft: draft.update({"description": "third"})))
    await call(made.replace({"description": "fourth"}))
    await call(made.refresh())
    assert (made.description, made.expires_at) == ("fourth", None)


async def test_restore(client: Client, server: Server, volume: StorageVolume) -> None:
    volumes = client.storage_pools.volumes("default")
    bound = await call(volumes.get(volume.name))
    made = await call(bound.create_snapshot("before", LATER, wait=True))
    assert (made.name, made.expires_at) == ("before", LATER)
    assert [each.name for each in await call(bound.get_snapshots())] == ["before"]
    await call(volumes.restore(volume.name, "before"))
    await call(bound.refresh())
    assert bound.to_dict() == volume.to_dict()
    for restore in (partial(bound.restore, "before"), made.restore):
        if server.version != "6.0":  # which does not show what is in it
            await call(bound.put_files("/later", b"x"))
        await call(restore())
        if server.version != "6.0":
            assert await call(bound.get_files("/")) == b"[]"
    with pytest.raises(IncusNotFoundError, match="Snapshot not found"):
        await call(bound.restore("no-such"))
    with pytest.raises(IncusNotFoundError, match="Snapshot not found"):
        await call(volumes.snapshots(volume.name).restore("no-such"))
    with pytest.raises(IncusArgumentError, match="cannot be a name"):
        await call(volumes.restore(volume.name, ""))


async def test_a_copy_of_a_snapshot(client: Client, volume: StorageVolume) -> None:
    volumes = client.storage_pools.volumes("default")
    await call(volumes.snapshots(volume.name).create("before", wait=True))
    copy = await call(volumes.copy(f"{volume.name}/before", f"{volume.name}-b", wait=True))
    assert copy.config == volume.config
    whole = await call(volumes.copy(volume.name, f"{volume.name}-c", wait=True))
    assert await call(volumes.snapshots(whole.name).names()) == ["before"]
    bare = await call(volumes.copy(volume.name, f"{volume.name}-d", wait=True, volume_only=True))
    assert await call(volumes.snapshots(bare.name).names()) == []
    await call(volumes.copy(volume.name, bare.name, wait=True, refresh=True))
    assert await call(volumes.snapshots(bare.name).names()) == ["before"]


async def test_a_snapshot_for_another_server(client: Client, volume: StorageVolume) -> None:
    snapshots = client.storage_pools.volumes("default").snapshots(volume.name)
    made = await call(snapshots.create("before", wait=True))
    offered = await call(made.migrate())
    assert set(offered["metadata"]["metadata"]) == {"control", "fs"}


async def test_how_snapshots_fail(client: Client, name: str, volume: StorageVolume) -> None:
    snapshots = client.storage_pools.volumes("default").snapshots(name)
    for snapshot in ("one", "two"):
        await call(snapshots.create(snapshot, wait=True))
    with pytest.raises(IncusConflictError):
        await call(snapshots.create("one"))
    with pytest.raises(IncusOperationConflictError):
        await call(snapshots.rename("one", "two", True))
    with pytest.raises(IncusOperationNotFoundError):
        await call(snapshots.rename("no-such", "x", True))
    changes: list[tuple[str, Any]] = [
        ("get", []),
        ("delete", []),
        ("update", [{"description": "x"}]),
        ("replace", [{}]),
    ]
    for verb, arguments in changes:
        with pytest.raises(IncusNotFoundError):
            await _tried(snapshots, verb, "no-such", *arguments)
    elsewhere = client.storage_pools.volumes("default").snapshots(f"{name}-b")
    for verb, *names in (["list"], ["names"], ["create"], ["exists", "one"]):
        with pytest.raises(IncusNotFoundError, match="volume not found"):
            await _tried(elsewhere, verb, *names)


# -- backups -----------------------------------------------------------------------------------------------------------


async def test_backups(client: Client, face: Face, volume: StorageVolume, tmp_path: Path) -> None:
    volumes = client.storage_pools.volumes("default")
    backups = volumes.backups(volume.name)
    assert await call(backups.list()) == []
    made = await call(backups.create("first", wait=True, compression_algorithm="none", expires_at=LATER))
    assert isinstance(made, SyncStorageVolumeBackup) is face.blocking
    assert (made.name, made.expires_at, made.volume_only) == ("first", LATER, False)
    size = await call(made.export(tmp_path / "backup.tar"))
    assert size == (tmp_path / "backup.tar").stat().st_size
    with tarfile.open(tmp_path / "backup.tar") as archive:
        assert "backup/index.yaml" in archive.getnames()
    memory = io.BytesIO()
    assert await call(backups.export("first", memory)) == size
    assert memory.getvalue() == (tmp_path / "backup.tar").read_bytes()
    assert await _streamed(face, backups.stream_export("first")) == memory.getvalue()
    assert await _streamed(face, made.stream_export()) == memory.getvalue()
    bound = await call(volumes.get(volume.name))
    assert await call(bound.get_backups()) == [made]
    chosen = await call(bound.create_backup(wait=True, volume_only=True))
    assert (chosen.name, chosen.volume_only) == ("backup0", True)
    await call(chosen.rename("second", wait=True))
    assert sorted(await call(backups.names())) == ["first", "second"]
    await call(backups.delete("second", wait=True))
    assert await call(backups.list()) == [await call(made.refresh())]
    for source, name in ((tmp_path / "backup.tar", f"{volume.name}-b"), (memory.getvalue(), f"{volume.name}-c")):
        again = await call(volumes.import_backup(source, name, wait=True))
        assert (again.name, again.config, again.description) == (name, volume.config, volume.description)


async def _streamed(face: Face, manager: Any) -> bytes:
    """Return what a stream holds, read in pieces."""
    pieces: list[bytes] = []
    async with entered(manager) as stream:
        if face.blocking:
            pieces.extend(stream)
        else:
            pieces.extend([piece async for piece in stream])
    return b"".join(pieces)


def _files(folder: Path) -> list[str]:
    return [file.name for file in folder.iterdir()]


async def test_how_backups_fail(client: Client, volume: StorageVolume, tmp_path: Path) -> None:
    volumes = client.storage_pools.volumes("default")
    backups = volumes.backups(volume.name)
    for backup in ("one", "two"):
        await call(backups.create(backup, wait=True, compression_algorithm="none"))
    await call(backups.export("one", tmp_path / "one"))
    with pytest.raises(IncusOperationConflictError):
        await call(backups.create("one", wait=True))
    with pytest.raises(IncusOperationConflictError):
        await call(backups.rename("one", "two", True))
    with pytest.raises(IncusBadRequestError):
        await call(backups.create("three", compression_algorithm="no-such"))
    with pytest.raises(IncusOperationConflictError):
        await call(volumes.import_backup(tmp_path / "one", wait=True))  # by the name that it had
    with pytest.raises(IncusBadRequestError):
        await call(volumes.import_backup(b"no backup at all", f"{volume.name}-b"))
    for verb, *names in (["get"], ["delete"], ["rename", "x"]):
        with pytest.raises(IncusNotFoundError):
            await _tried(backups, verb, "no-such", *names)
    with pytest.raises(IncusNotFoundError):
        await call(backups.export("no-such", tmp_path / "no-such"))
    elsewhere = volumes.backups(f"{volume.name}-b")
    for verb, *names in (["list"], ["names"], ["create"], ["exists", "one"]):
        with pytest.raises(IncusNotFoundError, match="volume not found"):
            await _tried(elsewhere, verb, *names)
    assert _files(tmp_path) == ["one"]


async def test_straight_to_a_file(
    client: Client, face: Face, server: Server, volume: StorageVolume, tmp_path: Path
) -> None:
    volumes = client.storage_pools.volumes("default")
    backups = volumes.backups(volume.name)
    if server.version == "6.0":
        with pytest.raises(IncusMissingExtensionError, match="direct_backup"):
            await call(backups.direct(tmp_path / "backup.tar"))
        assert (await call(backups.names()), _files(tmp_path)) == ([], [])
        return
    size = await call(backups.direct(tmp_path / "backup.tar", compression_algorithm="none"))
    assert size == (tmp_path / "backup.tar").stat().st_size
    assert len(await _streamed(face, backups.stream_direct(compression_algorithm="none"))) == size
    assert await call(backups.names()) == []
    again = await call(volumes.import_backup(tmp_path / "backup.tar", f"{volume.name}-b", wait=True))
    assert again.config == volume.config
    assert await call(again.direct_backup(tmp_path / "again.tar", compression_algorithm="none")) > 0
    assert len(await _streamed(face, again.stream_direct_backup(compression_algorithm="none"))) > 0
    with pytest.raises(IncusNotFoundError):
        await call(volumes.backups(f"{volume.name}-c").direct(tmp_path / "no-such"))
    assert not (tmp_path / "no-such").exists()


async def test_an_upload(client: Client, server: Server, volume: StorageVolume) -> None:
    """There is nothing to upload to, so that the server only gets as far as to look at the protocol."""
    backups = client.storage_pools.volumes("default").backups(volume.name)
    target: BackupTarget = {"protocol": "S3", "url": "http://127.0.0.1:1", "bucket_name": "b", "path": "p"}
    bound = await call(client.storage_pools.volumes("default").get(volume.name))
    if server.version == "6.0":
        with pytest.raises(IncusMissingExtensionError, match="backup_s3_upload"):
            await call(backups.upload(target))
        with pytest.raises(IncusMissingExtensionError, match="backup_s3_upload"):
            await call(bound.upload_backup(target))
        return
    with pytest.raises(IncusOperationError, match='Unsupported backup target protocol "S3"'):  # it is s3
        await call(bound.upload_backup(target, wait=True, volume_only=True))
    assert await call(backups.names()) == []


# -- files and streams -------------------------------------------------------------------------------------------------


async def test_files(client: Client, server: Server, volume: StorageVolume) -> None:
    volumes = client.storage_pools.volumes("default")
    if server.version == "6.0":
        for verb, *content in (["get_files"], ["put_files", "x"], ["delete_files"], ["stat_files"]):
            with pytest.raises(IncusMissingExtensionError, match="file_storage_volume"):
                await _tried(volumes, verb, volume.name, "/x", *content)
        return
    answer = await call(volumes.put_files(volume.name, "/a b", "text: ü", uid=5, mode=0o600))
    assert (answer.id, answer.done) == ("", True)
    bound = await call(volumes.get(volume.name))
    assert await call(bound.get_files("/a b")) == "text: ü".encode()
    status = await call(bound.stat_files("/a b"))
    assert (status.type, status.size, status.mode, status.uid) == ("file", 8, 0o600, 5)
    await call(bound.put_files("/a b", b"!", append=True))
    assert await call(volumes.get_files(volume.name, "/a b")) == "text: ü!".encode()
    assert await call(volumes.get_files(volume.name, "/")) == b'["a b"]'
    await call(volumes.delete_files(volume.name, "/a b"))
    for attempt in (bound.get_files, bound.stat_files, bound.delete_files):
        with pytest.raises(IncusNotFoundError):
            await call(attempt("/a b"))
    with pytest.raises(IncusNotFoundError, match="volume not found"):
        await call(volumes.get_files(f"{volume.name}-b", "/"))


async def test_sftp(client: Client, server: Server, volume: StorageVolume) -> None:
    bound = await call(client.storage_pools.volumes("default").get(volume.name))
    if server.version == "6.0":
        with pytest.raises(IncusMissingExtensionError, match="custom_volume_sftp"):
            await call(bound.open_sftp())
        return
    async with entered(await call(bound.open_sftp())) as stream:
        await call(stream.write(b"\0\0\0\x05\x01\0\0\0\x03"))  # a greeting: version 3
        greeting = await call(stream.readexactly(9))
    assert greeting[4:] == b"\x02\0\0\0\x03"
    with pytest.raises(IncusNotFoundError):
        await call(client.storage_pools.volumes("default").open_sftp(f"{volume.name}-b"))


async def _greeting(block: StorageVolume) -> bytes:
    """Return how the server begins, or the program that it lacks: not every machine has it."""
    try:
        async with entered(await call(block.open_nbd(writable=True))) as stream:
            return await call(stream.readexactly(8))
    except IncusBadRequestError as error:
        return b"qemu-nbd" if "qemu" in str(error) else b""


async def test_nbd(client: Client, server: Server, volume: StorageVolume) -> None:
    volumes = client.storage_pools.volumes("default")
    if server.version == "6.0":
        with pytest.raises(IncusMissingExtensionError, match="storage_volume_nbd"):
            await call(volumes.open_nbd(volume.name))
        return
    block = await call(volumes.create(f"{volume.name}-b", content_type="block", config={"size": "1MiB"}))
    assert await _greeting(block) in {b"NBDMAGIC", b"qemu-nbd"}
    with pytest.raises(IncusBadRequestError, match="qemu-nbd failed"):
        await call(volumes.open_nbd(volume.name))


async def test_bitmaps(client: Client, server: Server, volume: StorageVolume) -> None:
    """They need a virtual machine, so that all a server can do here is to say so."""
    volumes = client.storage_pools.volumes("default")
    block = await call(volumes.create(f"{volume.name}-b", content_type="block", config={"size": "1MiB"}))
    refusal: tuple[type[IncusError], str] = (IncusBadRequestError, "not attached to running instance")
    if server.version == "6.0":
        refusal = (IncusMissingExtensionError, "storage_volume_nbd")
    for bitmaps in (volumes.bitmaps(block.name), block.bitmaps()):
        for verb, *names in (["create", "one"], ["get", "one"], ["delete", "one"], ["list"], ["names"]):
            with pytest.raises(refusal[0], match=refusal[1]):
                await _tried(bitmaps, verb, *names)
