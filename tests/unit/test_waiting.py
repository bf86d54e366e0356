"""Waiting for operations: in all the ways in which servers tell how one ended, or that it has not."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest

from incus_sdk import (
    APIClient,
    IncusArgumentError,
    IncusConnectionError,
    IncusOperationCancelledError,
    IncusOperationConflictError,
    IncusOperationError,
    IncusOperationLostError,
    IncusOperationNotFoundError,
    IncusOperationTimeoutError,
    IncusProtocolError,
    IncusTimeoutError,
    _waiting,
)

from .daemon import (
    OPERATION,
    RUNNING,
    SUCCESS,
    UUID,
    WAIT,
    Daemon,
    Request,
    error,
    hang_up,
    operation,
    reply,
    silence,
    sync,
)
from .transport.scripted.server import Peer

FAILURE = sync(operation("Failure", 400, err="The instance is already running"))


@pytest.fixture
def api(daemon: Daemon) -> APIClient:
    return daemon.api()


@pytest.fixture(autouse=True)
def breath(monkeypatch: pytest.MonkeyPatch) -> None:
    """The scripted server answers at once what a real one takes a minute for."""
    monkeypatch.setattr(_waiting, "BREATH", 0)


def paths(daemon: Daemon) -> list[str]:
    return [request.path for request in daemon.requests]


async def test_success(daemon: Daemon, api: APIClient) -> None:
    daemon.will(SUCCESS)
    assert await api.wait(UUID) == operation("Success", 200)
    assert (daemon.last.path, daemon.last.query) == (WAIT, {"timeout": "60"})


async def test_it_goes_on_after_each_slice(daemon: Daemon, api: APIClient) -> None:
    daemon.will(RUNNING, sync(operation("Cancelling", 104)), sync(operation("Pending", 105)), SUCCESS)
    await api.wait(UUID)
    assert paths(daemon) == [WAIT] * 4


async def test_a_slice_on_older_servers(daemon: Daemon, api: APIClient) -> None:
    over = error(500, "context deadline exceeded", status=200)
    daemon.will(over, RUNNING, over, SUCCESS)
    assert (await api.wait(UUID))["status"] == "Success"
    assert paths(daemon) == [WAIT, OPERATION, WAIT, OPERATION]


async def test_a_server_that_does_not_wait_is_not_flooded(
    daemon: Daemon, api: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_waiting, "BREATH", 0.05)
    daemon.will(RUNNING, RUNNING, SUCCESS)
    clock = asyncio.get_running_loop().time
    started = clock()
    await api.wait(UUID)
    assert clock() - started >= 0.1


@pytest.mark.parametrize("code", [None, "OK", [200]])
async def test_an_operation_without_a_code_is_none(daemon: Daemon, api: APIClient, code: object) -> None:
    daemon.will(sync({**operation(), "status_code": code}))
    with pytest.raises(IncusProtocolError, match="the answer is no operation: its status_code is"):
        await api.wait(UUID)


async def test_the_path_of_an_operation_will_do(daemon: Daemon, api: APIClient) -> None:
    daemon.will(SUCCESS)
    await api.wait(OPERATION)
    assert daemon.last.path == WAIT


async def test_a_wait_ends_with_the_client_and_does_not_move_to_the_next_connection(
    daemon: Daemon, api: APIClient
) -> None:
    asked = asyncio.Event()

    async def hang(peer: Peer, request: Request) -> None:
        asked.set()
        await silence(peer, request)

    daemon.will(sync({}), hang, sync(["/1.0"]))
    await api.get("/1.0")
    task = asyncio.create_task(api.wait(UUID))
    await asked.wait()
    await api.disconnect()
    await api.connect()
    with pytest.raises(IncusConnectionError) as caught:
        await task
    assert caught.value.sent


async def test_failure(daemon: Daemon, api: APIClient) -> None:
    daemon.will(FAILURE)
    with pytest.raises(IncusOperationConflictError) as caught:
        await api.wait(UUID)
    assert str(caught.value).startswith("Starting instance web: The instance is already running")
    assert caught.value.operation_id == UUID
    assert caught.value.response == operation("Failure", 400, err="The instance is already running")


async def test_failure_on_older_servers(daemon: Daemon, api: APIClient) -> None:
    failed = operation(
        "Failure",
        400,
        description="Executing command",
        err="Command not found",
        metadata={"output": {"1": "/1.0/instances/web/logs/exec-output/exec_1.stdout"}, "return": 127},
    )
    daemon.will(error(400, "Command not found", status=200), sync(failed))
    with pytest.raises(IncusOperationNotFoundError, match="Executing command web: Command not found") as caught:
        await api.wait(UUID)
    assert paths(daemon) == [WAIT, OPERATION]
    assert caught.value.response == failed


async def test_failure_forgotten_before_it_could_be_looked_at(daemon: Daemon, api: APIClient) -> None:
    daemon.will(error(400, "Command not found", status=200), error(404, "Operation not found"))
    with pytest.raises(IncusOperationError, match="Command not found") as caught:
        await api.wait(UUID)
    assert not isinstance(caught.value, IncusOperationLostError)
    assert caught.value.operation_id == UUID


async def test_lost_between_two_slices_of_older_servers(daemon: Daemon, api: APIClient) -> None:
    daemon.will(error(500, "context deadline exceeded", status=200), error(404, "Operation not found"))
    with pytest.raises(IncusOperationLostError):
        await api.wait(UUID)


@pytest.mark.parametrize("text", ["", "operation was aborted"])
async def test_cancelled(daemon: Daemon, api: APIClient, text: str) -> None:
    daemon.will(sync(operation("Cancelled", 401, err=text)))
    with pytest.raises(IncusOperationCancelledError, match=text or "it was cancelled"):
        await api.wait(UUID)


async def test_lost(daemon: Daemon, api: APIClient) -> None:
    daemon.will(error(404, "Operation not found"))
    with pytest.raises(IncusOperationLostError, match=f"operation {UUID}: the server does not know it") as caught:
        await api.wait(UUID)
    assert caught.value.operation_id == UUID


async def test_time_is_over(daemon: Daemon, api: APIClient) -> None:
    daemon.will(silence, RUNNING)
    with pytest.raises(
        IncusOperationTimeoutError, match=r"Starting instance .* is still Running after 0\.05 s"
    ) as caught:
        await api.wait(UUID, 0.05)
    assert paths(daemon) == [WAIT, OPERATION]
    assert caught.value.response == operation()
    assert isinstance(caught.value, TimeoutError)


async def test_time_is_over_at_once(daemon: Daemon, api: APIClient) -> None:
    daemon.will(RUNNING, SUCCESS)
    with pytest.raises(IncusOperationTimeoutError, match="still Running after 0 s"):
        await api.wait(UUID, 0)
    assert (await api.wait(UUID, 0))["status"] == "Success"
    assert paths(daemon) == [OPERATION, OPERATION]


async def test_it_ended_just_when_the_time_was_over(daemon: Daemon, api: APIClient) -> None:
    daemon.will(silence, SUCCESS)
    assert (await api.wait(UUID, 0.05))["status"] == "Success"
    daemon.will(silence, FAILURE)
    with pytest.raises(IncusOperationConflictError):
        await api.wait(UUID, 0.05)


async def test_it_was_forgotten_when_the_time_was_over(daemon: Daemon, api: APIClient) -> None:
    daemon.will(silence, error(404, "Operation not found"))
    with pytest.raises(IncusOperationLostError):
        await api.wait(UUID, 0.05)


async def test_a_silent_server_is_another_thing(daemon: Daemon, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_waiting, "SLICE", 0)
    daemon.will(silence)
    with pytest.raises(IncusTimeoutError, match="no byte came from the server") as caught:
        await daemon.api(timeout=0.05).wait(UUID, 60)
    assert type(caught.value) is IncusTimeoutError


async def test_silent_for_longer_than_the_time(daemon: Daemon) -> None:
    daemon.will(silence, silence)
    with pytest.raises(IncusTimeoutError) as caught:
        await daemon.api(timeout=0.05).wait(UUID, 0.05)
    assert type(caught.value) is IncusTimeoutError


async def test_silence_counts_from_the_end_of_the_slice(daemon: Daemon) -> None:
    """The server says nothing for a minute while nothing is wrong, so the client's own limit comes on top of that."""

    async def slow(peer: Peer, _: Request) -> None:
        await asyncio.sleep(0.2)  # longer than the client's timeout
        await peer.send(SUCCESS)

    daemon.will(slow)
    assert (await daemon.api(timeout=0.05).wait(UUID))["status"] == "Success"


async def test_a_lost_connection_is_opened_again(
    daemon: Daemon, api: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(random, "uniform", no_pause)
    daemon.will(RUNNING, hang_up, hang_up, SUCCESS)
    assert (await api.wait(UUID))["status"] == "Success"
    daemon.will(RUNNING, hang_up, hang_up, error(404, "Operation not found"))  # a restarted daemon knows no operation
    with pytest.raises(IncusOperationLostError):
        await api.wait(UUID)


async def test_refusals_and_strange_answers(daemon: Daemon, api: APIClient) -> None:
    from incus_sdk import IncusPermissionError, IncusProtocolError

    daemon.will(error(403, "not authorized"), reply(b"<html>"), sync("text"))
    with pytest.raises(IncusPermissionError, match="not authorized"):
        await api.wait(UUID)
    with pytest.raises(IncusProtocolError, match=f"GET {WAIT}"):
        await api.wait(UUID)
    with pytest.raises(IncusProtocolError, match=f"GET {WAIT}"):
        await api.wait(UUID)


async def test_a_cancelled_wait_leaves_nothing(daemon: Daemon, api: APIClient) -> None:
    asked, over = asyncio.Event(), asyncio.Event()

    async def never(peer: Peer, request: Request) -> None:
        asked.set()
        await silence(peer, request)
        over.set()

    daemon.will(never)
    task = asyncio.create_task(api.wait(UUID, 60))
    await asked.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await over.wait()  # the connection is closed, and (see the fixture) no task is left


async def test_disconnecting_ends_a_wait(daemon: Daemon) -> None:
    asked = asyncio.Event()

    async def never(peer: Peer, request: Request) -> None:
        asked.set()
        await silence(peer, request)

    api = daemon.api(retries=0)
    daemon.will(never)
    task = asyncio.create_task(api.wait(UUID))
    await asked.wait()
    await api.disconnect()
    with pytest.raises(IncusConnectionError):
        await task


@pytest.mark.parametrize(
    ("arguments", "kind"),
    [
        (("",), IncusArgumentError),
        (("..",), IncusArgumentError),
        ((5,), TypeError),
        ((UUID, -1), IncusArgumentError),
        ((UUID, "5"), TypeError),
        ((UUID, True), TypeError),
    ],
)
async def test_arguments_that_cannot_be(api: APIClient, arguments: tuple[Any, ...], kind: type[Exception]) -> None:
    with pytest.raises(kind):
        await api.wait(*arguments)


async def test_an_operation_of_a_project(daemon: Daemon) -> None:
    daemon.will(SUCCESS)
    await daemon.api(project="shop", target="node1").wait(UUID)
    assert daemon.last.query == {"timeout": "60", "project": "shop", "target": "node1"}


def no_pause(_low: float, _high: float) -> float:
    return 0.0
