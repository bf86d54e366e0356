"""What is below instances: requests as they are sent, and what virtual machines answered, recorded on Incus 7.0.2."""

from __future__ import annotations

import io
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from incus_sdk import (
    IncusAPIError,
    IncusArgumentError,
    IncusConnectionError,
    IncusMissingExtensionError,
    IncusPreconditionFailedError,
    IncusProtocolError,
    InstancesAPI,
)
from incus_sdk.api.instance_nvram import InstanceNVRAMAPI
from incus_sdk.models import BackupTarget

from .daemon import SUCCESS, Daemon, Request, error, operation, reply, started, sync
from .transport.scripted.server import Peer

NVRAM: dict[str, Any] = json.loads((Path(__file__).parent / "data/7.0/instance-nvram.json").read_text())
GUID = "8be4df61-93ca-11d2-aa0d-00e098032b8c"
ALL = (
    "direct_backup",
    "backup_override_config",
    "instance_nbd",
    "instance_nvram",
    "instance_nvram_bulk_update",
    "instance_port_forward",
    "instances_debug_repair",
    "storage_volume_nbd",
    "instance_refresh_migration",
    "dependent",
)
EXTENSIONS = sync({"api_extensions": ALL})
EMPTY = sync({})


# -- UEFI variables ---------------------------------------------------------------------------------------------------


@pytest.fixture
def nvram(daemon: Daemon) -> InstanceNVRAMAPI:
    daemon.will(EXTENSIONS)
    return daemon.client().instances.nvram("vm")


async def test_vendors_and_names(daemon: Daemon, nvram: InstanceNVRAMAPI) -> None:
    urls = [f"/1.0/instances/vm/nvram/{guid}" for guid in NVRAM]
    daemon.will(sync(urls), sync(None), sync([f"{urls[1]}/Boot0001", f"{urls[1]}/Timeout?project=shop"]))
    assert await nvram.guids() == list(NVRAM)
    assert await nvram.guids() == []
    assert await nvram.names(GUID) == ["Boot0001", "Timeout"]
    assert daemon.targets[1:] == ["GET /1.0/instances/vm/nvram"] * 2 + [f"GET /1.0/instances/vm/nvram/{GUID}"]


async def test_variables(daemon: Daemon, nvram: InstanceNVRAMAPI) -> None:
    daemon.will(sync(NVRAM), sync(None), sync(NVRAM[GUID]), sync(NVRAM[GUID]["Timeout"]))
    variables = (await nvram.list_all())[GUID]
    assert (variables["Timeout"].data, variables["Timeout"].binary) == (9, b"\x09\x00")
    assert (variables["Lang"].data, variables["BootOrder"].data[0]) == ("eng", "Boot0001")
    assert variables["Boot0001"].data["description"] == "UEFI QEMU QEMU HARDDISK "
    assert (variables["Raw4"].data, variables["Raw4"].binary) == (None, b"raw?")
    assert variables["Raw4"].timestamp == datetime(1970, 1, 1, 0, 2, 3, tzinfo=UTC)
    assert await nvram.list_all() == {}
    assert await nvram.list(GUID) == variables
    assert await nvram.get(GUID, "Timeout") == variables["Timeout"]
    root = "GET /1.0/instances/vm/nvram"
    deep = f"{root}?recursion=2"
    assert daemon.targets[1:] == [deep, deep, f"{root}/{GUID}?recursion=1", f"{root}/{GUID}/Timeout"]


async def test_bytes_of_a_variable(daemon: Daemon, nvram: InstanceNVRAMAPI) -> None:
    headers = {"Content-Type": "application/octet-stream", "X-Incus-attributes": "7"}
    daemon.will(reply(b"\x09\x00", 200, headers), error(404, "Variable not found"))
    assert await nvram.read(GUID, "Timeout") == b"\x09\x00"
    assert daemon.last.headers["accept"] == "application/octet-stream"
    with pytest.raises(IncusAPIError, match="Variable not found"):
        await nvram.read(GUID, "Nope")


async def test_writing_variables(daemon: Daemon, nvram: InstanceNVRAMAPI) -> None:
    daemon.will(EMPTY, reply({"type": "sync", "metadata": None}, 201), EMPTY, EMPTY, EMPTY)
    body: Any = {"data": 5, "attributes": ["NON_VOLATILE"]}
    await nvram.replace(GUID, "Timeout", body)
    assert (daemon.last.method, daemon.last.json) == ("PUT", body)
    names = ["NON_VOLATILE", "RUNTIME_ACCESS", "TIME_BASED_AUTHENTICATED_WRITE_ACCESS"]
    await nvram.write(GUID, "Mine", b"\x01", attributes=names, timestamp=datetime(1970, 1, 1, 0, 2, 3, tzinfo=UTC))
    sent = daemon.last.headers
    assert (sent["x-incus-attributes"], sent["x-incus-timestamp"], daemon.last.body) == ("37", "123", b"\x01")
    assert sent["content-type"] == "application/octet-stream"
    await nvram.write(GUID, "Mine", "x")
    assert not any(name.startswith("x-incus") for name in daemon.last.headers)
    await nvram.update({GUID: {"Mine": None, "Timeout": body}})
    assert (daemon.last.method, daemon.last.json) == ("PATCH", {GUID: {"Mine": None, "Timeout": body}})
    await nvram.delete(GUID, "Mine")
    assert daemon.targets[-1] == f"DELETE /1.0/instances/vm/nvram/{GUID}/Mine"


async def test_an_attribute_that_there_is_not(daemon: Daemon) -> None:
    with pytest.raises(IncusArgumentError, match=r"no attribute 'NONVOLATILE' \(did you mean 'NON_VOLATILE'\?\)"):
        await daemon.client().instances.nvram("vm").write(GUID, "x", b"", attributes=["NONVOLATILE"])


async def test_editing_a_variable(daemon: Daemon, nvram: InstanceNVRAMAPI) -> None:
    known = sync(NVRAM[GUID]["Timeout"], {"ETag": '"tag"'})
    refusal = error(412, "ETag doesn't match")
    daemon.will(known, EMPTY, known, refusal, known, refusal, known, EMPTY)
    async with nvram.edit(GUID, "Timeout") as draft:
        draft["data"] = 5
    assert (daemon.last.method, daemon.last.headers["if-match"]) == ("PUT", '"tag"')
    assert daemon.last.json == {**NVRAM[GUID]["Timeout"], "data": 5}
    with pytest.raises(IncusPreconditionFailedError):
        async with nvram.edit(GUID, "Timeout") as draft:
            draft["data"] = 5
    await nvram.modify(GUID, "Timeout", lambda draft: draft.update({"data": 6}))
    assert daemon.last.json["data"] == 6


# -- memory, screen, disks --------------------------------------------------------------------------------------------

CHUNKED = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
"""The server has no type for a dump of memory."""


async def test_memory(daemon: Daemon, tmp_path: Path) -> None:
    dump = CHUNKED + b"4\r\n\x7fELF\r\n3\r\nabc\r\n0\r\n\r\n"
    daemon.will(dump, dump)
    api, target = daemon.client().instances, tmp_path / "memory"
    assert await api.dump_memory("vm", target) == 7
    assert target.read_bytes() == b"\x7fELFabc"
    async with api.stream_memory("vm", "kdump-zlib") as stream:
        assert await stream.read() == b"\x7fELFabc"
    assert [request.query["format"] for request in daemon.requests] == ["elf", "kdump-zlib"]


async def test_a_refusal_with_a_status_of_success(daemon: Daemon) -> None:
    """The headers of a dump are out before QEMU looks at the format."""
    text = "GenericError: Parameter 'format' does not accept value 'bogus'"
    daemon.will(error(500, text, 200), error(500, text, 200))
    api, target = daemon.client().instances, io.BytesIO()
    with pytest.raises(IncusAPIError, match="does not accept value 'bogus'"):
        await api.dump_memory("vm", target, "bogus")
    with pytest.raises(IncusAPIError, match="does not accept value 'bogus'"):
        async with api.stream_memory("vm", "bogus"):
            pytest.fail("there is nothing to read")
    assert target.getvalue() == b""


async def test_memory_that_breaks_off(daemon: Daemon, tmp_path: Path) -> None:
    async def cut(peer: Peer, _: Request) -> None:
        await peer.send(CHUNKED + b"4\r\n\x7fELF\r\n")
        peer.cut()

    daemon.will(cut)
    with pytest.raises(IncusConnectionError, match="cut off"):
        await daemon.client(retries=0).instances.dump_memory("vm", tmp_path / "memory")
    assert not [path for path in tmp_path.iterdir() if path.name != "socket"]  # noqa: ASYNC240 - in a test


async def test_screen(daemon: Daemon) -> None:
    daemon.will(reply(b"\x89PNG", 200, {"Content-Type": "image/png"}))
    assert await daemon.client().instances.screenshot("vm") == b"\x89PNG"
    assert daemon.targets == ["GET /1.0/instances/vm/console?type=vga"]


async def test_screen_in_a_file(daemon: Daemon, tmp_path: Path) -> None:
    daemon.will(*[reply(b"\x89PNG", 200, {"Content-Type": "image/png"})] * 2)
    file, path = io.BytesIO(), tmp_path / "screen.png"
    for target in (file, path):
        assert await daemon.client().instances.screenshot("vm", target) == b"\x89PNG"
    assert file.getvalue() == path.read_bytes() == b"\x89PNG"


async def test_console(daemon: Daemon) -> None:
    daemon.will(started(), started())
    api = daemon.client().instances
    await api.attach_console("vm", "vga", force=True)
    assert daemon.last.json == {"type": "vga", "force": True}
    await api.attach_console("web", width=80, height=24)
    assert daemon.last.json == {"type": "console", "width": 80, "height": 24}
    with pytest.raises(IncusArgumentError, match="width cannot be -1"):
        await api.attach_console("web", width=-1)


async def test_disks_and_repairs(daemon: Daemon) -> None:
    daemon.will(EXTENSIONS, EMPTY, EMPTY)
    api = daemon.client().instances
    await api.create_bitmaps("vm", "nightly", granularity=65536, persistent=True)
    assert daemon.last.json == {"name": "nightly", "granularity": 65536, "persistent": True}
    await api.repair("vm", "rebuild-nvram")
    assert (daemon.targets[-1], daemon.last.json) == (
        "POST /1.0/instances/vm/debug/repair",
        {"action": "rebuild-nvram"},
    )


async def test_nbd(daemon: Daemon) -> None:
    upgraded = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: nbd\r\nConnection: Upgrade\r\n\r\nNBDMAGIC"
    daemon.will(EXTENSIONS, upgraded, upgraded)
    api = daemon.client().instances
    for reuse in (False, True):
        stream = await api.open_nbd("vm", reuse=reuse)
        assert await stream.readexactly(8) == b"NBDMAGIC"
        stream.abort()
    assert daemon.targets[1:] == ["GET /1.0/instances/vm/nbd", "GET /1.0/instances/vm/nbd?reuse=1"]


# -- moves, snapshots, backups ----------------------------------------------------------------------------------------


async def test_move(daemon: Daemon) -> None:
    daemon.will(started(), EXTENSIONS, started(), SUCCESS)
    api = daemon.client().instances
    await api.move("web", target="@fast", live=True, config={"user.n": 1}, devices={"x": {"a": 2}}, profiles=[])
    assert daemon.targets[0] == "POST /1.0/instances/web?target=%40fast"
    body: dict[str, Any] = {"Config": {"user.n": "1"}, "Devices": {"x": {"a": "2"}}, "Profiles": []}
    assert daemon.last.json == {"migration": True, "live": True, **body}
    await api.move("web", "www", True, pool="ssd", refresh=True)
    assert daemon.requests[2].json == {"migration": True, "name": "www", "pool": "ssd", "refresh": True}


async def test_offers_to_another_server(daemon: Daemon) -> None:
    daemon.will(started(), started())
    api, target = daemon.client().instances, {"operation": "https://b/1.0/operations/x", "secrets": {"control": "s"}}
    await api.migrate("web", target=target, live=True)
    assert daemon.last.json == {"migration": True, "live": True, "target": target}
    await api.snapshots("web").migrate("s", target=target)
    assert daemon.last.json == {"migration": True, "target": target}
    assert daemon.targets[-1] == "POST /1.0/instances/web/snapshots/s"


CREATIONS: dict[str, Callable[[InstancesAPI], Awaitable[object]]] = {
    "snapshot": lambda api: api.snapshots("web").create(wait=True),
    "backup": lambda api: api.backups("web").create(wait=True),
    "instance": lambda api: api.import_backup(b"x", wait=True),
}


@pytest.mark.parametrize("what", CREATIONS)
async def test_what_the_server_does_not_name(daemon: Daemon, what: str) -> None:
    daemon.will(started(), sync(operation("Success", 200, resources=None)))
    with pytest.raises(IncusProtocolError, match=f"does not say which of the {what}s it makes"):
        await CREATIONS[what](daemon.client().instances)


async def test_direct_backup(daemon: Daemon) -> None:
    daemon.will(EXTENSIONS, reply(b"backup", 200, {"Content-Type": "application/octet-stream"}))
    file = io.BytesIO()
    assert await daemon.client().instances.backups("web").direct(file, root_only=True) == 6
    assert daemon.last.headers["accept"] == "application/octet-stream"
    assert daemon.last.json == {"root_only": True}


async def test_upload_of_a_backup(daemon: Daemon) -> None:
    daemon.will(sync({"api_extensions": ["backup_s3_upload"]}), started(), sync(operation("Success", 200)))
    backups = daemon.client().instances.backups("web")
    target: BackupTarget = {"protocol": "s3", "url": "https://s3", "bucket_name": "b", "secret_key": "s"}
    assert (await backups.upload(target, wait=True, instance_only=True)).done
    assert daemon.requests[1].json == {"instance_only": True, "target": target}
    untyped: Any = backups
    for wrong, kind, message in (
        ({"bucket": "b"}, IncusArgumentError, r"the target has no field 'bucket' \(did you mean 'bucket_name'\?\)"),
        ("b.tar.gz", TypeError, "target must say where to upload it, as a mapping, not str"),
        (None, TypeError, "not NoneType"),
    ):
        with pytest.raises(kind, match=message):
            await untyped.upload(wrong)
    with pytest.raises(IncusArgumentError, match="no field 'target'"):
        await untyped.create(target=target)


async def test_direct_backup_of_an_older_server(daemon: Daemon) -> None:
    """It would make a backup, keep it, and say so in JSON."""
    daemon.will(sync({"api_extensions": [], "environment": {"server_version": "6.0.4"}}))
    with pytest.raises(IncusMissingExtensionError, match=r"backups\) needs .*'direct_backup'.* \(Incus 6"):
        await daemon.client().instances.backups("web").direct(io.BytesIO())


async def test_import(daemon: Daemon, tmp_path: Path) -> None:
    file = tmp_path / "backup"
    file.write_bytes(b"backup")
    daemon.will(EXTENSIONS, started())
    changes: dict[str, Any] = {
        "config": {"user.a": 1, "user.b": True},
        "devices": {"root": {"type": "disk", "size": 5}},
    }
    await daemon.client().instances.import_backup(file, "web", "ssd", **changes)
    sent = daemon.last.headers
    assert {name: value for name, value in sent.items() if name.startswith("x-incus")} == {
        "x-incus-name": "web",
        "x-incus-pool": "ssd",
        "x-incus-config": "user.a=1 user.b=true",
        "x-incus-devices": "root,type=disk root,size=5",
    }
    assert (sent["content-type"], sent["content-length"], daemon.last.body) == (
        "application/octet-stream",
        "6",
        b"backup",
    )
