"""execute: what is refused, by this library before anything is sent, or by the server."""

from __future__ import annotations

from typing import Any, cast

import pytest

from incus_sdk import (
    Client,
    IncusArgumentError,
    IncusBadRequestError,
    IncusNotFoundError,
    IncusOperationBadRequestError,
    IncusOperationNotFoundError,
    Instance,
)

from .support import Server, call


@pytest.mark.parametrize("command", ["ls -l", b"ls", [bytearray(b"ls")], ["sleep", 1], ["ls", None]])
async def test_commands_of_a_wrong_type(client: Client, server: Server, command: object) -> None:
    with pytest.raises(TypeError, match="command"):
        await call(client.instances.execute(server.box, cast("list[str]", command), wait=True))


async def test_no_command(client: Client, server: Server) -> None:
    with pytest.raises(IncusArgumentError, match="command is empty"):
        await call(client.instances.execute(server.box, []))


@pytest.mark.parametrize(
    "options",
    [
        {"wait": True, "wait_for_websocket": True},
        {"record_output": True, "wait_for_websocket": True},
        {"record_output": True, "interactive": True},
        {"record_output": True, "interactive": True, "wait": True},
    ],
)
async def test_options_that_exclude_each_other(client: Client, admin: Client, server: Server, options: Any) -> None:
    before = await _operations(admin)
    with pytest.raises(IncusArgumentError, match=r"wait for each other|exclude each other"):
        await call(client.instances.execute(server.box, ["true"], **options))
    assert await _operations(admin) - before == set()


async def _operations(admin: Client) -> set[str]:
    """Return the executions that the server knows of; it remembers them for five seconds after their end."""
    by_status = (await admin.api.get("/1.0/operations", {"recursion": 1}))["metadata"]
    operations = [operation for listed in by_status.values() for operation in listed]
    return {operation["id"] for operation in operations if operation["description"] == "Executing command"}


@pytest.mark.parametrize("environment", [{"A": None}, {"A": ["x"]}])
async def test_environments_without_a_meaning(client: Client, server: Server, environment: Any) -> None:
    with pytest.raises(IncusArgumentError, match="'A'"):
        await call(client.instances.execute(server.box, ["env"], environment))


async def test_an_environment_of_a_wrong_type(client: Client, server: Server) -> None:
    for environment in ("A=1", ["A=1"], {1: "x"}):
        with pytest.raises(TypeError, match="environment"):
            await call(client.instances.execute(server.box, ["env"], cast("dict[str, str]", environment)))


async def test_wait_must_be_a_bool(client: Client, server: Server) -> None:
    with pytest.raises(TypeError, match="wait must be True or False"):
        await call(client.instances.execute(server.box, ["true"], wait=cast("bool", 1)))


@pytest.mark.parametrize("record", [True, False])
async def test_a_command_that_is_not_there(client: Client, server: Server, record: bool) -> None:
    answer = await call(client.instances.execute(server.box, ["no-such-command"], record_output=record))
    with pytest.raises(IncusOperationNotFoundError, match="Command not found") as caught:
        await call(answer.wait())
    assert caught.value.operation_id == answer.id
    with pytest.raises(IncusOperationNotFoundError, match="Command not found"):
        await call(client.instances.execute(server.box, ["/no/such/command"], record_output=record, wait=True))


async def test_a_command_that_is_no_program(client: Client, server: Server) -> None:
    with pytest.raises(IncusOperationBadRequestError, match="Command not executable"):
        await call(client.instances.execute(server.box, ["/etc/passwd"], wait=True))


async def test_an_instance_that_is_stopped(client: Client, empty: Instance) -> None:
    with pytest.raises(IncusBadRequestError, match=r"Instance is not running.*running instances only"):
        await call(client.instances.execute(empty.name, ["true"]))


async def test_an_instance_that_is_frozen(client: Client, server: Server) -> None:
    await call(client.instances.freeze(server.box, wait=True))
    try:
        with pytest.raises(IncusBadRequestError, match="Instance is frozen"):
            await call(client.instances.execute(server.box, ["true"]))
    finally:
        await call(client.instances.unfreeze(server.box, wait=True))


async def test_an_instance_that_is_not_there(client: Client, name: str) -> None:
    with pytest.raises(IncusNotFoundError, match="Instance not found"):
        await call(client.instances.execute(name, ["true"], wait=True))
