"""Commands: what is sent for them, their exit codes and their output."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from incus_sdk import (
    Client,
    ExecResponse,
    IncusArgumentError,
    IncusOperationCancelledError,
    IncusOperationNotFoundError,
    IncusOperationTimeoutError,
)

from .daemon import (
    WAIT,
    Daemon,
    Request,
    envelope,
    error,
    operation,
    reply,
    silence,
    started,
    sync,
)
from .transport.scripted.server import Peer

STDOUT = "/1.0/instances/web/logs/exec-output/exec_1.stdout"
STDERR = "/1.0/instances/web/logs/exec-output/exec_1.stderr"
RECORDED = {"output": {"1": STDOUT, "2": STDERR}, "return": 3}


def running(**fields: object) -> dict[str, object]:
    return envelope("async", metadata={**operation(), **fields})


def exec_ended(status: str = "Success", code: int = 200, **fields: object) -> dict[str, object]:
    return operation(status, code, **{"description": "Executing command", "metadata": RECORDED, **fields})


async def test_output_is_fetched_and_removed(daemon: Daemon) -> None:
    recorded = {"output": {"1": f"{STDOUT}?project=shop", "2": f"{STDERR}?project=shop"}, "return": 3}
    daemon.will(sync(exec_ended(metadata=recorded)), reply(b"o\xc3\xbct\xff"), reply(b""), sync({}), sync({}))
    answer = await ExecResponse(running(), daemon.api(project="shop")).wait()
    assert (answer.returncode, answer.stdout, answer.stderr) == (3, "oüt\ufffd", "")
    assert (answer.stdout_bytes, answer.stderr_bytes) == (b"o\xc3\xbct\xff", b"")
    assert answer["metadata"]["output"] == {"stdout": "oüt\ufffd", "stderr": ""}
    assert daemon.targets == [
        f"GET {WAIT}?timeout=60&project=shop",
        f"GET {STDOUT}?project=shop",
        f"GET {STDERR}?project=shop",
        f"DELETE {STDOUT}?project=shop",
        f"DELETE {STDERR}?project=shop",
    ]
    assert await answer.wait() is answer


async def test_two_tasks_that_wait_for_the_same_command(daemon: Daemon) -> None:
    ended = sync(exec_ended())
    daemon.will(ended, ended, reply(b"out"), reply(b"out"), reply(b"err"), error(404, "not found"), sync({}), sync({}))
    answer = ExecResponse(running(), daemon.api())
    await asyncio.gather(answer.wait(), answer.wait())
    assert (answer.stdout, answer.stderr, answer.returncode) == ("out", "err", 3)


@pytest.mark.parametrize("code", [126, 127])
async def test_an_exit_code_that_servers_take_for_a_failure(daemon: Daemon, code: int) -> None:
    metadata = {**RECORDED, "return": code}
    failure = sync(exec_ended("Failure", 400, err="Command not found", metadata=metadata))
    daemon.will(failure, reply(b""), reply(b"sh: nosuch: not found"), sync({}), sync({}))
    answer = await ExecResponse(running(), daemon.api()).wait()
    assert (answer.returncode, answer.stderr) == (code, "sh: nosuch: not found")
    assert await answer.wait() is answer


async def test_an_operation_that_was_cancelled_is_no_result(daemon: Daemon) -> None:
    cancelled = sync(exec_ended("Cancelled", 401, metadata={**RECORDED, "return": 137}))
    daemon.will(cancelled, reply(b"some"), reply(b""), sync({}), sync({}))
    with pytest.raises(IncusOperationCancelledError):
        await ExecResponse(running(), daemon.api()).wait()


@pytest.mark.parametrize("metadata", [{"return": 0}, {"return": 0, "output": {}}, {"return": 0, "output": None}])
async def test_a_command_without_recordings(daemon: Daemon, metadata: dict[str, object]) -> None:
    daemon.will(sync(exec_ended(metadata=metadata)))
    answer = await ExecResponse(running(), daemon.api()).wait()
    assert (answer.returncode, answer.stdout, answer.stderr_bytes) == (0, "", b"")
    assert "output" not in answer["metadata"]


async def test_only_one_stream_was_recorded(daemon: Daemon) -> None:
    daemon.will(sync(exec_ended(metadata={"output": {"1": STDOUT, "9": "/1.0/new"}})), reply(b"x"), sync({}))
    answer = await ExecResponse(running(), daemon.api()).wait()
    assert answer["metadata"]["output"] == {"stdout": "x", "stderr": ""}
    assert answer.returncode is None


def test_a_command_that_runs() -> None:
    answer = ExecResponse(running(description="Executing command"))
    assert (answer.returncode, answer.stdout, answer.stderr) == (None, "", "")
    assert repr(answer) == "<ExecResponse 'Executing command' Running 9d208065>"


async def test_the_second_recording_cannot_be_fetched(daemon: Daemon) -> None:
    daemon.will(sync(exec_ended()), reply(b"out"), error(500, "disk is full"))
    answer = ExecResponse(running(), daemon.api())
    with pytest.raises(Exception, match="disk is full"):
        await answer.wait()
    assert answer.done
    assert answer.returncode == 3
    assert "output" not in answer["metadata"]
    daemon.will(reply(b"out"), reply(b"err"), sync({}), sync({}))  # nothing was removed, so it can be tried again
    await answer.wait()
    assert answer["metadata"]["output"] == {"stdout": "out", "stderr": "err"}


async def test_recordings_that_cannot_be_removed_cost_nobody_the_result(daemon: Daemon) -> None:
    daemon.will(sync(exec_ended()), reply(b"out"), reply(b"err"), error(500, "busy"), sync({}))
    answer = await ExecResponse(running(), daemon.api()).wait()
    assert (answer.stdout, answer.stderr) == ("out", "err")
    assert daemon.targets[-2:] == [f"DELETE {STDOUT}", f"DELETE {STDERR}"]


async def test_output_outlives_a_refresh(daemon: Daemon) -> None:
    daemon.will(sync(exec_ended()), reply(b"out"), reply(b"err"), sync({}), sync({}), sync(exec_ended()))
    answer = await ExecResponse(running(), daemon.api()).wait()
    await answer.refresh()
    assert answer["metadata"]["output"] == {"stdout": "out", "stderr": "err"}
    await answer.wait()


async def test_a_wait_that_is_broken_off_is_made_good_by_the_next(daemon: Daemon) -> None:
    """It was when one recording was removed, and the other was not yet."""
    going = asyncio.Event()

    async def wait_for_ever(peer: Peer, request: Request) -> None:
        going.set()
        await silence(peer, request)

    daemon.will(sync(exec_ended()), reply(b"out"), reply(b"err"), sync({}), wait_for_ever, sync({}))
    answer = ExecResponse(running(), daemon.api())
    task = asyncio.create_task(answer.wait())
    await going.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await answer.wait()
    assert (answer.stdout, answer.stderr) == ("out", "err")
    assert daemon.targets[-3:] == [f"DELETE {STDOUT}", f"DELETE {STDERR}", f"DELETE {STDERR}"]


async def test_a_command_that_cannot_be_started_leaves_no_recordings(daemon: Daemon) -> None:
    failed = exec_ended("Failure", 400, err="Command not found")
    daemon.will(sync(failed), reply(b""), reply(b""), error(404, "Not Found"), sync({}))
    answer = ExecResponse(running(), daemon.api())
    with pytest.raises(IncusOperationNotFoundError, match="Command not found"):
        await answer.wait()
    assert daemon.targets[-2:] == [f"DELETE {STDOUT}", f"DELETE {STDERR}"]
    assert answer.returncode == 3


async def test_recordings_of_a_command_that_runs_on_are_left_alone(daemon: Daemon) -> None:
    daemon.will(silence, sync(exec_ended("Running", 103)))
    with pytest.raises(IncusOperationTimeoutError):
        await ExecResponse(running(), daemon.api()).wait(0.05)


async def test_execute(daemon: Daemon) -> None:
    exec_running = {"description": "Executing command"}
    daemon.will(started(**exec_running), sync(exec_ended()), reply(b"Hello\n"), reply(b""), sync({}), sync({}))
    client: Client = daemon.client()
    result = await client.instances.execute(
        "web",
        ["echo", "Hello"],
        {"LANG": "C", "N": 2, "B": True},
        record_output=True,
        width=80,
        user=1000,
        cwd="/",
        wait=True,
    )
    assert result["metadata"]["output"]["stdout"] == "Hello\n"
    assert daemon.requests[0].target == "/1.0/instances/web/exec"
    assert daemon.requests[0].json == {
        "command": ["echo", "Hello"],
        "environment": {"LANG": "C", "N": "2", "B": "true"},
        "wait-for-websocket": False,
        "record-output": True,
        "interactive": False,
        "width": 80,
        "user": 1000,
        "cwd": "/",
    }


@pytest.mark.parametrize(
    ("options", "kind", "text"),
    [
        ({"wait": True, "wait_for_websocket": True}, IncusArgumentError, "would wait for each other"),
        ({"record_output": True, "wait_for_websocket": True}, IncusArgumentError, "wait_for_websocket=True exclude"),
        ({"record_output": True, "interactive": True}, IncusArgumentError, "interactive=True exclude"),
        ({"wait": 5}, TypeError, "wait must be True or False"),
        ({"command": "ls -l"}, TypeError, "command must be a list"),
        ({"command": b"ls"}, TypeError, "command must be a list"),
        ({"command": []}, IncusArgumentError, "command is empty"),
        ({"command": ["ls", 5]}, TypeError, r"^command\[1\] must be a str, not int$"),
        ({"environment": {"A": None}}, IncusArgumentError, "'A' is None"),
        ({"environment": {"A": ["b"]}}, IncusArgumentError, "'A' cannot be"),
        ({"environment": ["A=b"]}, TypeError, "environment must be a mapping"),
        ({"name": ""}, IncusArgumentError, "cannot be a name"),
    ],
)
async def test_execute_refuses_before_it_sends(
    daemon: Daemon, options: dict[str, Any], kind: type[Exception], text: str
) -> None:
    arguments: dict[str, Any] = {"name": "web", "command": ["ls"], **options}
    with pytest.raises(kind, match=text):
        await daemon.client().instances.execute(**arguments)
    assert not daemon.server.peers
