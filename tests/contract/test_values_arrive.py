"""Values that people write naturally arrive at the server, and wrong ones say what is wrong with them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any, cast

import pytest

from incus_sdk import Client, IncusArgumentError, IncusNotFoundError, Instance

from .support import NOTHING, Server, call, entered


class Number:
    """A whole number of another library."""

    def __init__(self, value: int) -> None:
        self.value = value

    def __index__(self) -> int:
        return self.value


class Word(str):
    """A text that prints itself as something else, as members of a `str` enumeration do."""

    __slots__ = ()

    def __str__(self) -> str:
        return "another word"


async def _definition(client: Client, name: str) -> dict[str, Any]:
    return cast("dict[str, Any]", (await call(client.api.get(f"/1.0/instances/{name}")))["metadata"])


async def test_create_and_update(client: Client, name: str) -> None:
    untyped: Any = client.instances
    config = {"limits.cpu": Number(2), "user.path": Path("/srv"), "user.word": Word("word")}
    await call(untyped.create(name, NOTHING, config, description=Word("text"), profiles=(Word("default"),), wait=True))
    found = await _definition(client, name)
    assert {key: found["config"][key] for key in config} == {
        "limits.cpu": "2",
        "user.path": "/srv",
        "user.word": "word",
    }
    assert (found["description"], found["profiles"]) == ("text", ["default"])
    await call(untyped.update(name, {"user.path": PurePosixPath("/a"), Word("user.key"): True, "description": ""}))
    found = await _definition(client, name)
    assert (found["config"]["user.path"], found["config"]["user.key"]) == ("/a", "true")
    assert (found["description"], "another word" in found["config"]) == ("", False)


async def test_edit(client: Client, empty: Instance) -> None:
    async with entered(client.instances.edit(empty.name)) as draft:
        draft["description"] = Word("text")
        draft["config"].update({"user.number": Number(3), "user.path": Path("/srv")})
        draft["devices"]["none"] = {"type": Word("none")}
    found = await _definition(client, empty.name)
    assert (found["description"], found["devices"]["none"]) == ("text", {"type": "none"})
    assert (found["config"]["user.number"], found["config"]["user.path"]) == ("3", "/srv")


async def test_replace_with_what_was_read(client: Client, empty: Instance) -> None:
    found = await _definition(client, empty.name)
    replaced: Any = {**found, "description": "replaced"}
    await call(client.instances.replace(empty.name, replaced, wait=True))
    typed: Any = (await call(client.instances.get(empty.name))).to_dict()
    assert typed["description"] == "replaced"
    replaced = {**typed, "description": "again"}
    await call(client.instances.replace(empty.name, replaced, wait=True))
    assert (await _definition(client, empty.name))["description"] == "again"


async def test_execute(client: Client, server: Server) -> None:
    untyped: Any = client.instances
    command = [Path("/bin/sh"), b"-c", 'id -u; pwd; echo "$1 $N"', Word("sh"), "ü".encode()]
    options: dict[str, Any] = {"cwd": PurePosixPath("/etc"), "user": Number(5), "environment": {"N": Number(7)}}
    result = await call(untyped.execute(server.box, command, record_output=True, wait=True, **options))
    assert result.stdout.splitlines() == ["5", "/etc", "ü 7"]


async def test_owner_and_mode(client: Client, server: Server, name: str) -> None:
    untyped: Any = client.instances
    path = PurePosixPath(f"/tmp/{name}")
    await call(untyped.put_files(server.box, path, b"", uid=Number(5), gid=Number(6), mode=Number(0o600)))
    command = ["stat", "-c", "%u %g %a", path]
    result = await call(untyped.execute(server.box, command, record_output=True, wait=True))
    assert result.stdout.split() == ["5", "6", "600"]


async def test_file_names_that_are_no_utf8(client: Client, running: Instance) -> None:
    get, put = client.instances.get_files, client.instances.put_files
    await call(put(running.name, b"/tmp/a\xffb", b"content"))
    for path in (b"/tmp/a\xffb", "/tmp/a\udcffb", os.fsdecode(b"/tmp/a\xffb"), PurePosixPath("/tmp/a\udcffb")):
        assert await call(get(running.name, path)) == b"content"
    await call(put(running.name, "/tmp/a\udcffb", b"other"))
    assert await call(get(running.name, b"/tmp/a\xffb")) == b"other"
    command = ["sh", "-c", "ls /tmp | od -An -c"]
    listed = await call(client.instances.execute(running.name, command, record_output=True, wait=True))
    assert listed.stdout.split() == ["a", "?", "b", "\\n"]  # busybox shows no other bytes
    assert await call(get(running.name, "/tmp")) == '["a\ufffdb"]'.encode()  # JSON cannot carry the name
    with pytest.raises(IncusNotFoundError, match=r"files\?path=/tmp/%FE"):
        await call(get(running.name, b"/tmp/\xfe"))


async def test_errors_name_the_file(client: Client, server: Server) -> None:
    with pytest.raises(IncusNotFoundError, match=rf"{server.box}/files\?path=/no/such/file: Not Found"):
        await call(client.instances.get_files(server.box, "/no/such/file"))
    with pytest.raises(IncusNotFoundError, match=rf"{server.box}/files\?path=/no/such/folder/file: "):
        await call(client.instances.put_files(server.box, "/no/such/folder/file", b""))


async def test_what_is_refused_changes_nothing(client: Client, empty: Instance, name: str) -> None:
    untyped: Any = client.instances
    before = await _definition(client, empty.name)
    attempts: list[Callable[[], Any]] = [
        lambda: untyped.create(f"{name}-x", NOTHING, project="no-such-project"),
        lambda: untyped.create(f"{name}-x", NOTHING, target="no-such-member"),
        lambda: untyped.create(f"{name}-x", NOTHING, type="virtual-machine"),
        lambda: untyped.create(f"{name}-x", NOTHING, profile=["no-such-profile"]),
        lambda: untyped.create(f"{name}-x", NOTHING, profiles=[1]),
        lambda: untyped.launch("busybox", f"{name}-x", desription="x"),
        lambda: untyped.update(name, {"description": None}),
        lambda: untyped.update(name, {1: "x"}),
        lambda: untyped.replace(name, {"descripton": "x"}),
        lambda: untyped.stop(name, timeout=float("inf")),
    ]
    for attempt in attempts:
        with pytest.raises((IncusArgumentError, TypeError)):
            await call(attempt())
    assert await _definition(client, empty.name) == before
    assert not await call(client.instances.exists(f"{name}-x"))


async def test_launch_by_fingerprint_with_the_server_s_prefix(client: Client, name: str) -> None:
    alias = await call(client.api.get("/1.0/images/aliases/busybox"))
    fingerprint = alias["metadata"]["target"]
    launched = await call(client.instances.launch(f"local:{fingerprint[:12]}", name))
    assert launched.config["volatile.base_image"] == fingerprint
