"""get_files, put_files, get_logs, get_state, state."""

from __future__ import annotations

import json
import os
from pathlib import PurePosixPath
from typing import Any, cast

import pytest

from incus_sdk import Client, IncusArgumentError, IncusNotFoundError, Instance

from .support import MIB, Server, call

CONTENTS = {
    "text": b"hello\n",
    "empty": b"",
    "every byte": bytes(range(256)) * 3,
    "looks like a form": b"a=1&b=2",
    "looks like JSON": b'{"type": "error", "error_code": 500}',
    "big": os.urandom(5 * MIB),
}


@pytest.mark.parametrize("content", CONTENTS.values(), ids=CONTENTS.keys())
async def test_bytes_come_back_as_they_were(client: Client, server: Server, content: bytes) -> None:
    answer = await call(client.instances.put_files(server.box, "/tmp/content", content))
    assert (answer.id, answer.done, answer["type"]) == ("", True, "sync")
    assert await call(client.instances.get_files(server.box, "/tmp/content")) == content


@pytest.mark.parametrize("content", ["text: ü €", bytearray(b"array"), memoryview(b"view")])
async def test_other_kinds_of_content(client: Client, server: Server, content: Any) -> None:
    await call(client.instances.put_files(server.box, PurePosixPath("/tmp/kinds"), content))
    expected = content.encode() if isinstance(content, str) else bytes(content)
    assert await call(client.instances.get_files(server.box, PurePosixPath("/tmp/kinds"))) == expected


NAMES = ["a b", "a?b", "a#b", "a%2fb", "a%b", "ü漢🙂", "a\nb", "a+b", "a&path=x", "..x", "a\\b", "-rf", "'\""]


async def test_file_names(client: Client, running: Instance) -> None:
    await call(running_client(client, running, ["mkdir", "/tmp/names"]))
    for file in NAMES:
        await call(client.instances.put_files(running.name, f"/tmp/names/{file}", file.encode()))
    for file in NAMES:
        assert await call(client.instances.get_files(running.name, f"/tmp/names/{file}")) == file.encode(), file
    listed = await call(client.instances.get_files(running.name, "/tmp/names"))
    assert sorted(json.loads(listed)) == sorted(NAMES)


def running_client(client: Client, instance: Instance, command: list[str]) -> Any:
    """Begin a command with a recorded output."""
    return client.instances.execute(instance.name, command, record_output=True, wait=True)


async def _stat(client: Client, server: Server, path: str) -> str:
    command = ["stat", "-c", "%a %u %g %s", path]
    result = await call(client.instances.execute(server.box, command, record_output=True, wait=True))
    return result.stdout.strip()


async def test_owner_and_mode(client: Client, server: Server, name: str) -> None:
    put = client.instances.put_files
    await call(put(server.box, f"/tmp/{name}-a", b"xyz", uid=1000, gid=1, mode=0o640))
    assert await _stat(client, server, f"/tmp/{name}-a") == "640 1000 1 3"
    await call(put(server.box, f"/tmp/{name}-b", b""))
    assert await _stat(client, server, f"/tmp/{name}-b") == "644 0 0 0"
    await call(put(server.box, f"/tmp/{name}-c", b"", uid=0, gid=0, mode=0o7))
    assert await _stat(client, server, f"/tmp/{name}-c") == "7 0 0 0"


async def test_a_file_that_exists_keeps_owner_and_mode(client: Client, server: Server, name: str) -> None:
    path = f"/tmp/{name}"
    await call(client.instances.put_files(server.box, path, b"long content", uid=1000, mode=0o600))
    await call(client.instances.put_files(server.box, path, b"short", uid=0, mode=0o644))
    assert await _stat(client, server, path) == "600 1000 0 5"


async def test_append(client: Client, server: Server, name: str) -> None:
    path = f"/tmp/{name}"
    with pytest.raises(IncusNotFoundError):
        await call(client.instances.put_files(server.box, path, b"x", append=True))
    await call(client.instances.put_files(server.box, path, b"one,"))
    await call(client.instances.put_files(server.box, path, b"two", append=True))
    assert await call(client.instances.get_files(server.box, path)) == b"one,two"


async def test_a_folder_is_a_list_of_names(client: Client, server: Server) -> None:
    listed = await call(client.instances.get_files(server.box, "/etc"))
    assert type(listed) is bytes
    assert {"passwd", "group", "hostname"} <= set(json.loads(listed))
    command = ["mkdir", "-p", "/tmp/empty-folder"]
    await call(client.instances.execute(server.box, command, wait=True))
    assert json.loads(await call(client.instances.get_files(server.box, "/tmp/empty-folder"))) == []


async def test_what_is_not_there(client: Client, server: Server, name: str) -> None:
    with pytest.raises(IncusNotFoundError, match="/files"):
        await call(client.instances.get_files(server.box, "/no/such/file"))
    with pytest.raises(IncusNotFoundError):
        await call(client.instances.put_files(server.box, "/no/such/folder/file", b"x"))
    with pytest.raises(IncusNotFoundError, match="Instance not found"):
        await call(client.instances.get_files(name, "/etc/passwd"))
    with pytest.raises(IncusNotFoundError, match="Instance not found"):
        await call(client.instances.put_files(name, "/tmp/x", b"x"))


async def test_an_instance_that_is_stopped(client: Client, name: str) -> None:
    source = {"type": "image", "alias": "busybox"}
    await call(client.instances.create(name, source, wait=True))
    assert await call(client.instances.get_files(name, "/etc/hostname"))
    await call(client.instances.put_files(name, "/root/x", b"while it was stopped"))
    await call(client.instances.start(name, wait=True))
    assert await call(client.instances.get_files(name, "/root/x")) == b"while it was stopped"


async def test_arguments_that_are_refused(client: Client, server: Server) -> None:
    get, put = client.instances.get_files, client.instances.put_files
    for path in ("", "/tmp/a\0b"):
        with pytest.raises(IncusArgumentError, match="cannot be the path of a file"):
            await call(get(server.box, path))
        with pytest.raises(IncusArgumentError, match="cannot be the path of a file"):
            await call(put(server.box, path, b""))
    with pytest.raises(TypeError, match="path must be a str"):
        await call(get(server.box, cast("str", 5)))
    for content in (None, 5, ["x"], {"a": 1}):
        with pytest.raises(TypeError, match="content must be bytes or str"):
            await call(put(server.box, "/tmp/x", cast("bytes", content)))
    with pytest.raises(IncusArgumentError, match="mode cannot be"):
        await call(put(server.box, "/tmp/x", b"", mode=0o100644))


async def test_logs(client: Client, server: Server, empty: Instance) -> None:
    logs = await call(client.instances.get_logs(server.box))
    assert type(logs) is dict
    assert all(type(text) is str for text in logs.values())
    assert "lxc.log" in logs
    assert type(await call(client.instances.get_logs(empty.name))) is dict


async def test_logs_of_what_is_not_there(client: Client, name: str) -> None:
    with pytest.raises(IncusNotFoundError):
        await call(client.instances.get_logs(name))


async def test_state(client: Client, server: Server, empty: Instance) -> None:
    state = await call(client.instances.state(server.box))
    assert (state.status, state.status_code, state.pid > 0, state.processes > 0) == ("Running", 103, True, True)
    assert state.network is not None
    assert state.network["lo"].addresses[0].address == "127.0.0.1"
    stopped = await call(client.instances.state(empty.name))
    assert (stopped.status, stopped.pid) == ("Stopped", 0)
    assert not stopped.network


async def test_state_as_it_was_sent(client: Client, server: Server, name: str) -> None:
    state = await call(client.instances.get_state(server.box))
    assert type(state) is dict
    assert (state["status"], state["network"]["lo"]["type"]) == ("Running", "loopback")
    for verb in (client.instances.get_state, client.instances.state):
        with pytest.raises(IncusNotFoundError, match="Instance not found"):
            await call(cast("Any", verb)(name))
