"""The server itself."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from incus_sdk import Client, IncusArgumentError, IncusBadRequestError, IncusPreconditionFailedError
from incus_sdk.models import ServerBody
from incus_sdk.sync import Client as SyncClient

from .support import Server, call, entered


@pytest.fixture
async def key(admin: Client, name: str) -> AsyncGenerator[str]:
    """A configuration key of this test's own, without a value."""
    yield f"user.{name}"
    config = (await admin.server.get()).config
    await admin.server.update({"config": {key: None for key in config if key.startswith(f"user.{name}")}})


async def test_get(client: Client, server: Server) -> None:
    found = await call(client.server.get())
    assert found.environment.server_version.startswith(server.version)
    assert (found.auth, found.api_version) == ("trusted", "1.0")
    assert "resources" in found.api_extensions
    assert await call(client.server.versions()) == ["/1.0"]
    assert repr(client.server) == "<ServerAPI /1.0>"


async def test_changes(client: Client, key: str) -> None:
    before = (await call(client.server.get())).config
    await call(client.server.update({"config": {key: 5}}))
    assert (await call(client.server.get())).config == {**before, key: "5"}
    await call(client.server.update({"config": {f"{key}.b": True}}))
    assert (await call(client.server.get())).config == {**before, key: "5", f"{key}.b": "true"}
    await call(client.server.update({"config": {key: None}}))
    await call(client.server.replace({"config": {**before, f"{key}.b": None, f"{key}.c": "x"}}))
    assert (await call(client.server.get())).config == {**before, f"{key}.c": "x"}
    await call(client.server.replace({"config": before}))  # which keeps what begins with user.
    assert (await call(client.server.get())).config == {**before, f"{key}.c": "x"}
    async with entered(client.server.edit()) as draft:
        del draft["config"][f"{key}.c"]
    assert (await call(client.server.get())).config == before
    update: Any = client.server.update
    with pytest.raises(IncusBadRequestError, match="unknown key"):
        await call(update({"config": {"no.such": "1"}}))
    with pytest.raises(IncusArgumentError, match="Server has no field 'confg'"):
        await call(update({"confg": {}}))


async def _edit_while_another_does(client: Client, admin: Client, key: str) -> None:
    async with entered(client.server.edit()) as draft:
        draft["config"][f"{key}.mine"] = 1
        await admin.server.update({"config": {f"{key}.theirs": "2"}})


async def test_two_at_once(client: Client, admin: Client, server: Server, key: str) -> None:
    before = (await call(client.server.get())).config
    with pytest.raises(IncusPreconditionFailedError):
        await _edit_while_another_does(client, admin, key)
    async with entered(client.server.edit()) as draft:
        draft["config"][key] = True
    rivals = iter(["3"])

    def change(draft: ServerBody) -> None:
        for value in rivals:
            with SyncClient(server.endpoint) as rival:
                rival.server.update({"config": {f"{key}.theirs": value}})
        draft["config"][f"{key}.mine"] = 1

    await call(client.server.modify(change))
    expected = {**before, key: "true", f"{key}.theirs": "3", f"{key}.mine": "1"}
    assert (await call(client.server.get())).config == expected


async def test_what_is_told_about_it(client: Client) -> None:
    resources = await call(client.server.resources())
    assert resources.cpu.total > 0
    assert resources.memory.total > 0
    configuration = await call(client.server.metadata_configuration())
    keys = {name for group in configuration.configs["instance"].values() for entry in group.keys for name in entry}
    assert "limits.memory" in keys


async def test_metrics(client: Client) -> None:
    assert (await call(client.server.metrics())).endswith("# EOF\n")
    async with entered(client.server.stream_metrics()) as response:
        assert b"incus_operations_total" in await call(response.read())


async def test_events(client: Client, admin: Client, name: str) -> None:
    socket = await call(client.server.connect_events(["lifecycle"]))
    await admin.profiles.create(name)
    await admin.profiles.delete(name)
    sources: list[str] = []
    while f"/1.0/profiles/{name}" not in sources:
        event = json.loads(await call(socket.recv()))
        assert event["type"] == "lifecycle"
        sources.append(event["metadata"]["source"])
    await call(socket.close())
    connect: Any = client.server.connect_events
    with pytest.raises(TypeError, match="types must be a list"):
        await call(connect("lifecycle"))
