"""Storage: what is sent where a machine of the tests cannot follow, and answers that no daemon can be made to give."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from incus_sdk import (
    IncusArgumentError,
    IncusConnectionError,
    IncusNotFoundError,
    IncusProtocolError,
    StorageVolumesAPI,
)

from .daemon import SUCCESS, Daemon, Request, error, operation, reply, started, sync
from .transport.scripted.server import Peer

EXTENSIONS = sync(
    {"api_extensions": ["storage_volume_nbd", "direct_backup", "backup_s3_upload", "storage_bucket_full"]}
)
DATA = {"name": "data", "type": "custom", "project": "default", "config": None}
ROOT = "/1.0/storage-pools/fast"
BITMAP = {"name": "monday", "recording": True, "persistent": True, "granularity": 65536, "count": 131072}


def volumes(daemon: Daemon, **options: Any) -> StorageVolumesAPI:
    return daemon.client(**options).storage_pools.volumes("fast")


# -- bitmaps, which only virtual machines have (the answers are those of one) ------------------------------------------


async def test_bitmaps(daemon: Daemon) -> None:
    daemon.will(
        EXTENSIONS, sync({}), sync(BITMAP), sync([BITMAP]), sync([f"{ROOT}/volumes/custom/data/bitmaps/monday"])
    )
    bitmaps = volumes(daemon).bitmaps("data")
    made = await bitmaps.create("monday", granularity=65536, persistent=True)
    assert daemon.requests[1].json == {"name": "monday", "granularity": 65536, "persistent": True}
    assert (made.name, made.recording, made.count, made.busy) == ("monday", True, 131072, False)
    assert await bitmaps.list() == [made]
    assert await bitmaps.names() == ["monday"]
    daemon.will(sync({}), error(400, 'Bitmap "monday" not found'), sync({}))
    await made.delete()
    assert not await bitmaps.exists("monday")
    assert daemon.targets[1:] == [
        f"POST {ROOT}/volumes/custom/data/bitmaps",
        f"GET {ROOT}/volumes/custom/data/bitmaps/monday",
        f"GET {ROOT}/volumes/custom/data/bitmaps?recursion=1",
        f"GET {ROOT}/volumes/custom/data/bitmaps?recursion=0",
        f"DELETE {ROOT}/volumes/custom/data/bitmaps/monday",
        f"GET {ROOT}/volumes/custom/data/bitmaps/monday",
        f"GET {ROOT}/volumes/custom/data",
    ]


# -- moving ------------------------------------------------------------------------------------------------------------


async def test_a_move_to_another_member(daemon: Daemon) -> None:
    """What the server answers with ends when the transfer begins, which is an operation of its own."""
    data = f"{ROOT}/volumes/custom/data"
    transfer = {"class": "websocket", "location": "one", "resources": {"storage_volumes": [f"{data}?project=default"]}}
    other = {"storage_volumes": [f"{data}-b"]}
    listed = [
        {**transfer, "id": "before", "created_at": "2026-01-01T00:00:00Z"},
        {**transfer, "id": "this", "created_at": "2026-01-01T00:00:01Z"},
        {**transfer, "id": "elsewhere", "created_at": "2026-01-01T00:00:02Z", "location": "two"},
        {**transfer, "id": "other", "created_at": "2026-02-01T00:00:00Z", "resources": other},
        {"class": "task", "id": "task", "location": "one", "resources": transfer["resources"]},
    ]
    done = sync(operation("Success", 200, location="one"))
    daemon.will(sync({"location": "one"}), started(location="one"), done, sync({"running": listed}), SUCCESS)
    one = daemon.client().use_target("one").storage_pools.volumes("fast")
    await one.move("data", wait=True, target="two")
    assert daemon.targets[:2] == [f"GET {data}?target=one", f"POST {data}?target=two"]
    assert daemon.requests[1].json == {
        "name": "data",
        "pool": "fast",
        "migration": True,
        "source": {"location": "one"},
    }
    assert "/1.0/operations/this/wait" in daemon.targets[-1]


async def test_a_move_that_began(daemon: Daemon) -> None:
    daemon.will(sync({"location": "one"}), started())
    await volumes(daemon).move("data", "x", pool="slow", target="two")
    assert daemon.last.json == {"name": "x", "pool": "slow", "migration": True, "source": {"location": "one"}}


@pytest.mark.parametrize("location", ["none", ""])
async def test_no_move_from_no_member(daemon: Daemon, location: str) -> None:
    daemon.will(sync({"location": location}))
    with pytest.raises(IncusArgumentError, match="on no member of a cluster"):
        await volumes(daemon).move("data", target="two")
    assert [request.method for request in daemon.requests] == ["GET"]


@pytest.mark.parametrize(
    ("options", "body"),
    [
        ({"pool": "slow"}, {"name": "data", "pool": "slow"}),
        ({"project": "shop"}, {"name": "data", "pool": "fast", "project": "shop"}),
        ({"new_name": "other"}, {"name": "other"}),
    ],
)
async def test_moves(daemon: Daemon, options: dict[str, Any], body: dict[str, Any]) -> None:
    daemon.will(started())
    await volumes(daemon).move("data", **options)
    assert daemon.last.json == body


async def test_sending_to_another_server(daemon: Daemon) -> None:
    daemon.will(started(), started())
    target = {"operation": "https://other:8443/1.0/operations/x", "secrets": {"control": "a", "fs": "b"}}
    await volumes(daemon).migrate("data", target, volume_only=True)
    assert daemon.last.json == {"name": "data", "migration": True, "target": target, "volume_only": True}
    await volumes(daemon).snapshots("data").migrate("before", target)
    assert daemon.last.target == f"{ROOT}/volumes/custom/data/snapshots/before"
    assert daemon.last.json == {"name": "before", "migration": True, "target": target}


async def test_an_offer_that_nobody_would_end_the_waiting_for(daemon: Daemon) -> None:
    api = daemon.client()
    groups: list[Any] = [
        api.instances,
        api.instances.snapshots("web"),
        volumes(daemon),
        volumes(daemon).snapshots("data"),
    ]
    for group in groups:
        with pytest.raises(IncusArgumentError, match=r"migrate\(\) of 'x' without a target"):
            await group.migrate("x", wait=True)
        with pytest.raises(IncusArgumentError, match=r"the target has no field 'secret' \(did you mean 'secrets'"):
            await group.migrate("x", {"secret": {}})
        with pytest.raises(TypeError, match="target must be a mapping, not str"):
            await group.migrate("x", "https://other")
        with pytest.raises(TypeError, match="wait must be True or False"):
            await group.migrate("x", None, 30)
    assert daemon.requests == []


async def test_an_offer_is_waited_for(daemon: Daemon) -> None:
    api, target = daemon.client(), {"operation": "https://other:8443/1.0/operations/x"}
    groups: list[Any] = [
        api.instances,
        api.instances.snapshots("web"),
        volumes(daemon),
        volumes(daemon).snapshots("data"),
    ]
    for group in groups:
        daemon.will(started(), SUCCESS)
        assert (await group.migrate("x", target, True)).done


@pytest.mark.parametrize(
    ("source", "kind", "message"),
    [
        ({"type": "copy", "name": "data", "volume_olny": True}, IncusArgumentError, "did you mean 'volume_only'"),
        ("data", TypeError, "^source must be a mapping, not str$"),
    ],
)
async def test_sources_that_cannot_be(daemon: Daemon, source: Any, kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        await volumes(daemon).create("copy", source)
    assert daemon.requests == []


async def test_a_copy_from_another_project(daemon: Daemon) -> None:
    daemon.will(started(), started())
    await volumes(daemon, project="shop").copy("data", pool="slow", project="store", refresh=True)
    assert daemon.last.target == "/1.0/storage-pools/slow/volumes/custom?project=store"
    source = {"type": "copy", "name": "data", "pool": "fast", "refresh": True, "project": "shop"}
    assert daemon.last.json == {"name": "data", "type": "custom", "source": source}
    await volumes(daemon).copy("data", project="store")
    assert daemon.last.json["source"]["project"] == "default"


# -- backups -----------------------------------------------------------------------------------------------------------


async def cut(peer: Peer, _: Request) -> None:
    """Begin to send a backup, and hang up."""
    await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + b"x" * 400)
    peer.cut()


async def cut_in_chunks(peer: Peer, _: Request) -> None:
    """Do so where nobody knows the length."""
    await peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n190\r\n" + b"x" * 400 + b"\r\n")
    peer.cut()


@pytest.mark.parametrize("group", ["volumes", "buckets"])
async def test_an_export_that_breaks_off_leaves_no_file(daemon: Daemon, tmp_path: Path, group: str) -> None:
    pools = daemon.client(retries=0).storage_pools
    backups = pools.volumes("fast").backups("data") if group == "volumes" else pools.buckets("fast").backups("data")
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "kept").write_bytes(b"an older backup")
    daemon.will(cut)
    with pytest.raises(IncusConnectionError):
        await backups.export("nightly", folder / "kept")
    daemon.will(EXTENSIONS, cut_in_chunks)
    with pytest.raises(IncusConnectionError):
        await backups.direct(folder / "new")
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == {"kept": b"an older backup"}


async def test_straight_to_a_file(daemon: Daemon, tmp_path: Path) -> None:
    daemon.will(EXTENSIONS, reply(b"a backup"))
    size = await volumes(daemon).backups("data").direct(tmp_path / "backup", volume_only=True)
    assert (size, (tmp_path / "backup").read_bytes()) == (8, b"a backup")
    assert (daemon.last.method, daemon.last.json) == ("POST", {"volume_only": True})
    assert daemon.last.headers["accept"] == "application/octet-stream"


async def test_an_upload_to_s3(daemon: Daemon) -> None:
    daemon.will(EXTENSIONS, started(), SUCCESS)
    target: Any = {"protocol": "s3", "url": "https://s3", "bucket_name": "b", "access_key": "a", "secret_key": "s"}
    answer = await volumes(daemon).backups("data").upload(target, wait=True, compression_algorithm="zstd")
    assert answer.done
    assert daemon.requests[1].json == {"compression_algorithm": "zstd", "target": target}
    untyped: Any = volumes(daemon).backups("data").create
    with pytest.raises(IncusArgumentError, match="no field 'target'"):
        await untyped(target=target)


async def test_a_backup_that_the_server_does_not_name(daemon: Daemon) -> None:
    daemon.will(started(), sync(operation("Success", 200, resources=None)))
    with pytest.raises(IncusProtocolError, match="does not say which of the backups it makes"):
        await volumes(daemon).backups("data").create(wait=True)


# -- uploads -----------------------------------------------------------------------------------------------------------


async def pieces() -> AsyncIterator[bytes]:
    yield b"an "
    yield b"image"


async def test_uploads_are_streamed(daemon: Daemon, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"an image")
    for source, framing in ((tmp_path / "file", "content-length"), (pieces(), "transfer-encoding")):
        daemon.will(started())
        await volumes(daemon).import_iso("install", source)
        assert daemon.last.target == f"{ROOT}/volumes/custom"
        assert daemon.last.body == b"an image"
        assert framing in daemon.last.headers
        named = {key: value for key, value in daemon.last.headers.items() if key.startswith("x-incus")}
        assert named == {"x-incus-name": "install", "x-incus-type": "iso"}
        assert daemon.last.headers["content-type"] == "application/octet-stream"


async def test_a_name_that_no_header_can_carry(daemon: Daemon) -> None:
    with pytest.raises(IncusArgumentError, match="X-Incus-name is not printable ASCII"):
        await volumes(daemon).import_iso("größe", b"an image")
    with pytest.raises(IncusArgumentError, match="cannot be a name"):
        await volumes(daemon).import_backup(b"a backup", "")


# -- lists -------------------------------------------------------------------------------------------------------------


async def test_volumes_of_other_types_act_in_their_own_group(daemon: Daemon) -> None:
    box = {"name": "box", "type": "container", "project": "shop"}
    daemon.will(sync([DATA, {**DATA, "name": "data/before"}, box]))
    data, other = await volumes(daemon).list(all_types=True, all_projects=True)
    assert daemon.last.target == f"{ROOT}/volumes?recursion=1&all-projects=true"
    daemon.will(sync({}), sync(box))
    await data.delete()
    await other.refresh()
    assert daemon.targets[1:] == [
        f"DELETE {ROOT}/volumes/custom/data",
        f"GET {ROOT}/volumes/container/box?project=shop",
    ]
    assert repr(other) == "<StorageVolume container/box project=shop>"


async def test_names_are_quoted(daemon: Daemon) -> None:
    daemon.will(sync({"usage": {"used": 5}}), sync([]))
    odd = daemon.client().storage_pools.volumes("a pool", "virtual-machine")
    state = await odd.state("50%/x")
    assert state.usage is not None
    assert state.usage.used == 5
    await odd.snapshots("a b").list()
    root = "GET /1.0/storage-pools/a%20pool/volumes/virtual-machine"
    assert daemon.targets == [f"{root}/50%25%2Fx/state", f"{root}/a%20b/snapshots?recursion=1"]


async def test_a_bucket_that_has_gone_has_no_backups(daemon: Daemon) -> None:
    """Incus 7.0 lists those of a bucket that does not exist, as an empty list."""
    daemon.will(sync([]), error(404, "Storage bucket not found"))
    with pytest.raises(IncusNotFoundError, match="bucket not found"):
        await daemon.client().storage_pools.buckets("fast").backups("gone").names()


async def test_keys_are_not_shown(daemon: Daemon) -> None:
    daemon.will(sync({"name": "k", "role": "admin", "access-key": "AKEY", "secret-key": "hidden"}))
    key = await daemon.client().storage_pools.buckets("fast").keys("photos").get("k")
    assert (key.access_key, key.secret_key) == ("AKEY", "hidden")
    assert "hidden" not in repr(key)
