"""What else is below an instance: logs, recorded output, metadata, templates; the console, files, and streams."""

from __future__ import annotations

import io
import struct
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, cast

import pytest

from incus_sdk import (
    Client,
    IncusAPIError,
    IncusArgumentError,
    IncusBadRequestError,
    IncusConflictError,
    IncusConnectionError,
    IncusError,
    IncusMissingExtensionError,
    IncusNotFoundError,
    Instance,
)
from incus_sdk import IncusPreconditionFailedError as Conflict
from incus_sdk.api.instance_metadata import InstanceMetadataAPI
from incus_sdk.models import ImageMetadataBody

from .support import MIB, Server, call, cancelled, entered, names

Editing = AbstractAsyncContextManager[ImageMetadataBody]

IMAGE = {"type": "image", "alias": "busybox"}


@pytest.fixture
async def box(client: Client, server: Server) -> Instance:
    """The shared instance, of the tested face."""
    return await call(client.instances.get(server.box))


# -- logs -------------------------------------------------------------------------------------------------------------


async def test_logs(client: Client, box: Instance, name: str) -> None:
    logs = box.logs()
    assert "lxc.log" in await call(logs.names())
    text, file = await call(logs.read("lxc.log")), io.BytesIO()
    assert await call(logs.download("lxc.log", file)) == len(file.getvalue())
    assert file.getvalue().decode(errors="replace").startswith(text)
    async with entered(logs.stream("lxc.log")) as stream:
        assert (await call(stream.read())).startswith(text.encode())
    with pytest.raises(IncusBadRequestError, match="not valid"):
        await call(logs.read_bytes("passwd"))
    with pytest.raises(IncusBadRequestError, match="may be deleted"):
        await call(logs.delete("lxc.log"))
    with pytest.raises(IncusNotFoundError):
        await call(logs.delete("snapshot_x.log"))
    with pytest.raises(IncusNotFoundError):
        await call(client.instances.logs(name).names())


async def test_recorded_output(client: Client, box: Instance, name: str) -> None:
    """As `execute` leaves it to those who look after it themselves."""
    command = {"command": ["echo", "hello"], "record-output": True}
    operation = await call(client.api.operation("POST", f"/1.0/instances/{box.name}/exec", command))
    await call(operation.wait())
    output, id = box.exec_output(), operation.id
    assert {f"exec_{id}.stdout", f"exec_{id}.stderr"} <= set(await call(output.names()))
    assert await call(output.read(f"exec_{id}.stdout")) == "hello\n"
    assert await call(output.read_bytes(f"exec_{id}.stderr")) == b""
    for stream in ("stdout", "stderr"):
        await call(output.delete(f"exec_{id}.{stream}"))
        with pytest.raises(IncusNotFoundError):
            await call(output.read(f"exec_{id}.{stream}"))
    with pytest.raises(IncusBadRequestError, match="not valid"):
        await call(output.read("passwd"))
    with pytest.raises(IncusNotFoundError, match="Instance not found"):
        await call(client.instances.exec_output(name).names())


# -- metadata and templates -------------------------------------------------------------------------------------------


@pytest.fixture
async def metadata(client: Client, admin: Client, name: str) -> InstanceMetadataAPI:
    """The metadata of an instance of this test alone, of the tested face."""
    await admin.instances.create(name, IMAGE, wait=True)
    return client.instances.metadata(name)


async def test_metadata(client: Client, name: str, metadata: InstanceMetadataAPI) -> None:
    before = await call(metadata.get())
    assert (before.architecture, before.templates["/etc/hostname"].template) == ("x86_64", "hostname.tpl")
    await call(metadata.update({"properties": {"x": "1"}, "expiry_date": 5}))
    after = await call(metadata.get())
    assert (after.properties, after.expiry_date) == ({**before.properties, "x": "1"}, 5)
    assert after.templates == before.templates
    await call(metadata.replace({"properties": {"y": "2"}}))
    replaced = await call(metadata.get())
    assert (replaced.properties, replaced.architecture, replaced.templates) == ({"y": "2"}, "", {})
    for verb in (metadata.update, metadata.replace):
        with pytest.raises(IncusArgumentError, match="no field 'propertys'"):
            await call(cast("Any", verb)({"propertys": {}}))
    with pytest.raises(IncusNotFoundError, match="Instance not found"):
        await call(client.instances.metadata(f"{name}-b").get())


async def test_editing_metadata(admin: Client, name: str, metadata: InstanceMetadataAPI) -> None:
    """Servers check the ETag of a PATCH alone, and that cannot remove anything."""
    theirs, before = admin.instances.metadata(name), await call(metadata.get())
    async with entered(metadata.edit()) as draft:
        draft["properties"]["x"] = "1"
        draft["templates"]["/etc/hostname"]["when"] = ["start"]
    after = await call(metadata.get())
    assert (after.properties["x"], after.templates["/etc/hostname"].when) == ("1", ["start"])
    assert after.templates["/etc/hostname"].template == before.templates["/etc/hostname"].template
    async with entered(metadata.edit()) as draft:
        del draft["properties"]["x"]
        draft["templates"] = {}
    after = await call(metadata.get())
    assert (after.properties, after.templates) == (before.properties, {})
    await call(metadata.modify(lambda draft: draft["properties"].update({"x": "2"})))
    for change in ({"x": "3"}, {"y": "1"}, None):
        with pytest.raises(Conflict):
            await _edit_while_another_does(metadata.edit(), theirs, change)
        assert (await call(metadata.get())).properties == {**before.properties, "x": "2", "theirs": f"{change}"}


async def _edit_while_another_does(
    editing: Editing, theirs: InstanceMetadataAPI, change: dict[str, str] | None
) -> None:
    """Change a property, or add one, while somebody else does, too; or remove all."""
    async with entered(editing) as draft:
        if change is None:
            draft["properties"].clear()
        else:
            draft["properties"].update(change)
        await theirs.update({"properties": {"theirs": f"{change}"}})


async def test_templates(client: Client, server: Server, name: str, metadata: InstanceMetadataAPI) -> None:
    templates = client.instances.templates(name)
    assert await call(templates.names()) == ["hostname.tpl"]
    await call(templates.write("ü x.tpl", "text: ü"))
    assert await call(templates.read("ü x.tpl")) == "text: ü"
    await call(templates.write("ü x.tpl", b"\0\xff"))
    file = io.BytesIO()
    assert (await call(templates.download("ü x.tpl", file)), file.getvalue()) == (2, b"\0\xff")
    async with entered(templates.stream("ü x.tpl")) as stream:
        assert await call(stream.read()) == b"\0\xff"
    assert await call(templates.names()) == ["hostname.tpl", "ü x.tpl"]
    await call(templates.delete("ü x.tpl"))
    for verb in (templates.read, templates.delete):
        with pytest.raises(IncusNotFoundError, match="not found"):
            await call(cast("Any", verb)("ü x.tpl"))
    with pytest.raises(IncusBadRequestError, match="Invalid template filename"):
        await call(templates.write("../x.tpl", "x"))
    if server.version == "7.0":
        with pytest.raises(IncusBadRequestError, match="too large"):
            await call(templates.write("big.tpl", b"x" * 2 * MIB))
    with pytest.raises(TypeError, match="content must be bytes or str"):
        await call(templates.write("x.tpl", cast("Any", 5)))


# -- the console ------------------------------------------------------------------------------------------------------


async def test_the_console(client: Client, running: Instance) -> None:
    mine = await call(client.instances.get(running.name))
    assert type(await call(mine.console_log())) is str
    await call(mine.clear_console_log())
    assert await call(mine.console_log()) == ""
    operation = await call(mine.attach_console(width=80, height=24))
    assert set(operation["metadata"]["metadata"]["fds"]) == {"0", "control"}
    await cancelled(operation)
    with pytest.raises(IncusBadRequestError, match="only supported by virtual machines"):
        await call(mine.attach_console("vga"))
    with pytest.raises(IncusError, match="only running virtual machines"):
        await call(mine.screenshot())


async def test_the_console_of_what_does_not_run(client: Client, name: str, empty: Instance) -> None:
    with pytest.raises(IncusBadRequestError, match="not running"):
        await call(client.instances.attach_console(name))
    for verb in (client.instances.console_log, client.instances.clear_console_log, client.instances.screenshot):
        with pytest.raises(IncusNotFoundError, match="Instance not found"):
            await call(cast("Any", verb)(f"{name}-b"))


# -- files ------------------------------------------------------------------------------------------------------------


async def test_what_is_known_of_files(box: Instance) -> None:
    await call(box.put_files("/tmp/stat", b"12345", uid=7, gid=8, mode=0o640))
    file = await call(box.stat_files("/tmp/stat"))
    assert (file.type, file.size, file.mode, file.uid, file.gid) == ("file", 5, 0o640, 7, 8)
    assert file.modified is not None
    assert file.modified.tzinfo is not None
    folder, link = await call(box.stat_files("/etc")), await call(box.stat_files("/bin/sh"))
    assert (folder.type, folder.size, folder.mode, link.type) == ("directory", None, 0o755, "symlink")
    with pytest.raises(IncusNotFoundError, match="/nope"):
        await call(box.stat_files("/nope"))


async def test_deleting_files(server: Server, box: Instance) -> None:
    command = "mkdir -p /tmp/d/e && echo x > /tmp/d/e/f && ln -s /etc/passwd /tmp/d/link"
    await call(box.execute(["sh", "-c", command], wait=True))
    await call(box.delete_files("/tmp/d/link"))
    assert (await call(box.stat_files("/etc/passwd"))).type == "file"
    with pytest.raises(IncusNotFoundError):
        await call(box.delete_files("/tmp/d/link"))
    with pytest.raises(IncusConflictError, match="force=True"):
        await call(box.delete_files("/tmp/d"))
    if server.version == "6.0":
        with pytest.raises(IncusMissingExtensionError, match="file_delete_force"):
            await call(box.delete_files("/tmp/d", force=True))
        for path in ("/tmp/d/e/f", "/tmp/d/e", "/tmp/d"):
            await call(box.delete_files(path))
    else:
        await call(box.delete_files("/tmp/d", force=True))
    with pytest.raises(IncusNotFoundError):
        await call(box.stat_files("/tmp/d"))


# -- streams ----------------------------------------------------------------------------------------------------------


async def test_sftp(client: Client, box: Instance, name: str) -> None:
    stream = await call(box.open_sftp())
    await call(stream.write(struct.pack(">IBI", 5, 1, 3)))
    assert struct.unpack(">IBI", await call(stream.readexactly(9)))[1:] == (2, 3)
    await call(stream.close())
    with pytest.raises(IncusNotFoundError, match="Instance not found"):
        await call(client.instances.open_sftp(name))


async def test_ports(server: Server, box: Instance) -> None:
    if server.version == "6.0":
        with pytest.raises(IncusMissingExtensionError, match="instance_port_forward"):
            async with entered(box.port_forward(80)):
                pytest.fail("this server has none")
        return
    await call(box.execute(["httpd", "-p", "127.0.0.1:7777", "-h", "/tmp"], wait=True))  # it listens when it returns
    await call(box.put_files("/tmp/hello", b"hello\n"))
    async with entered(box.port_forward(7777)) as stream:
        await call(stream.write(b"GET /hello HTTP/1.0\r\n\r\n"))
        assert (await call(stream.read())).endswith(b"hello\n")
    with pytest.raises(IncusConnectionError, match="stream"):
        await call(stream.write(b"more"))
    await call(box.execute(["sh", "-c", "kill $(pidof httpd)"], wait=True))
    for port, error, words in (
        (1, IncusAPIError, "connection refused"),
        (0, IncusArgumentError, "port cannot be 0"),
    ):
        with pytest.raises(error, match=words):
            async with entered(box.port_forward(port)):
                pytest.fail("nobody listens there")


# -- what is for virtual machines alone -------------------------------------------------------------------------------


async def test_a_container_is_no_virtual_machine(server: Server, box: Instance, tmp_path: Path) -> None:
    with pytest.raises(IncusBadRequestError, match="only supported for virtual machines"):
        await call(box.dump_memory(tmp_path / "memory"))
    with pytest.raises(IncusBadRequestError, match="only supported for virtual machines"):
        async with entered(box.stream_memory()):
            pytest.fail("there is nothing to read")
    assert names(tmp_path) == []
    nvram, guid = box.nvram(), "8be4df61-93ca-11d2-aa0d-00e098032b8c"
    verbs: dict[str, list[Any]] = {
        "instances_debug_repair": [lambda: box.repair("rebuild-nvram"), lambda: box.repair("rebuild-config-volume")],
        "storage_volume_nbd": [lambda: box.create_bitmaps("b", persistent=True)],
        "instance_nbd": [box.open_nbd],
        "instance_nvram": [
            nvram.guids,
            nvram.list_all,
            lambda: nvram.names(guid),
            lambda: nvram.list(guid),
            lambda: nvram.get(guid, "Timeout"),
            lambda: nvram.read(guid, "Timeout"),
            lambda: nvram.write(guid, "Timeout", b"\0\0"),
            lambda: nvram.replace(guid, "Timeout", {"data": 5, "attributes": ["NON_VOLATILE"]}),
            lambda: nvram.delete(guid, "Timeout"),
        ],
        "instance_nvram_bulk_update": [lambda: nvram.update({guid: {"Timeout": None}})],
    }
    for extension, several in verbs.items():
        for verb in several:
            with pytest.raises((IncusBadRequestError, IncusMissingExtensionError)) as caught:
                await call(verb())
            if server.version == "6.0":
                assert cast("IncusMissingExtensionError", caught.value).extension == extension
            else:
                assert isinstance(caught.value, IncusBadRequestError)


async def test_access(client: Client, box: Instance) -> None:
    assert await call(box.access()) == await call(client.instances.access(box.name))
