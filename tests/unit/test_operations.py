"""What a change answers: its properties and waiting by it."""

from __future__ import annotations

import copy
import json
import pickle
from typing import Any

import msgspec
import pytest

from incus_sdk import (
    APIClient,
    ExecResponse,
    IncusArgumentError,
    IncusBadRequestError,
    IncusNotFoundError,
    IncusOperationCancelledError,
    IncusOperationConflictError,
    IncusOperationLostError,
    IncusOperationTimeoutError,
    IncusProtocolError,
    OperationResponse,
)

from .daemon import (
    OPERATION,
    RUNNING,
    SUCCESS,
    UUID,
    WAIT,
    Daemon,
    envelope,
    error,
    operation,
    reply,
    silence,
    started,
    sync,
)

STDOUT = "/1.0/instances/web/logs/exec-output/exec_1.stdout"
STDERR = "/1.0/instances/web/logs/exec-output/exec_1.stderr"
RECORDED = {"output": {"1": STDOUT, "2": STDERR}, "return": 3}
SECRET = "a6e7d0bd8bd6"
DONE_AT_ONCE = envelope("sync", status="Success", status_code=200, metadata={})


def running(**fields: object) -> dict[str, object]:
    return envelope("async", metadata={**operation(), **fields})


def exec_ended(status: str = "Success", code: int = 200, **fields: object) -> dict[str, object]:
    return operation(status, code, **{"description": "Executing command", "metadata": RECORDED, **fields})


# -- properties --------------------------------------------------------------------------------------------------------


def test_one_that_runs() -> None:
    answer = OperationResponse(running())
    assert (answer.id, answer.status, answer.done) == (UUID, "Running", False)
    assert answer.resources == {"instances": ["/1.0/instances/web"]}
    assert answer.progress is None
    assert answer == running()
    assert isinstance(answer, dict)
    assert repr(answer) == "<OperationResponse 'Starting instance' Running 9d208065>"


@pytest.mark.parametrize(
    "whole",
    [
        DONE_AT_ONCE,
        {"type": "sync"},
        {},
        {"metadata": None},
        {"metadata": ["a list"]},
        {"metadata": "a text"},
    ],
)
async def test_one_that_was_made_at_once(whole: dict[str, Any]) -> None:
    answer = OperationResponse(whole)
    assert (answer.id, answer.status, answer.done, answer.resources, answer.progress) == ("", "Success", True, {}, None)
    assert await answer.wait() is answer
    assert await answer.refresh() is answer
    with pytest.raises(IncusArgumentError, match="nothing to cancel"):
        await answer.cancel()
    assert repr(answer) == "<OperationResponse 'change' Success>"


@pytest.mark.parametrize(
    ("status", "code", "done"),
    [
        ("Running", 103, False),
        ("Cancelling", 104, False),
        ("Pending", 105, False),
        ("Success", 200, True),
        ("Failure", 400, True),
        ("Cancelled", 401, True),
        ("Invented", 402, True),
    ],
)
def test_status(status: str, code: int, done: bool) -> None:
    answer = OperationResponse(envelope("async", metadata=operation(status, code)))
    assert (answer.status, answer.done) == (status, done)


def test_resources_can_be_null() -> None:
    assert OperationResponse(running(resources=None)).resources == {}
    assert OperationResponse(running(resources={"instances": None})).resources == {"instances": []}


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        (None, None),
        ({}, None),
        ({"other": "x"}, None),
        ({"download_progress": "rootfs: 5%"}, ("rootfs: 5%", "", None, None, None)),
        (
            {
                "create_instance_from_image_unpack_progress": "Unpacking image: 100% (44.10MB/s)",
                "progress": {"percent": "100", "speed": "44103406", "stage": "create_instance_from_image_unpack"},
            },
            ("Unpacking image: 100% (44.10MB/s)", "create_instance_from_image_unpack", 100, None, 44103406),
        ),
        ({"progress": {"processed": "17", "percent": ""}}, ("", "", None, 17, None)),
        ({"progress": {"percent": 7, "speed": None, "processed": "12.5"}}, ("", "", 7, None, None)),
        ({"progress": {"percent": "many", "stage": None}}, ("", "None", None, None, None)),
        ({"progress": "50%"}, None),
        ({"progress": None, "fs_progress": 5}, ("5", "", None, None, None)),
    ],
)
def test_progress(metadata: object, expected: tuple[object, ...] | None) -> None:
    progress = OperationResponse(running(metadata=metadata)).progress
    if expected is None:
        assert progress is None
    else:
        assert progress is not None
        found = (progress.text, progress.stage, progress.percent, progress.processed, progress.speed)
        assert found == expected


def test_match() -> None:
    match OperationResponse(running()):
        case {"type": "async", "metadata": {"status": status}}:
            assert status == "Running"
        case _:
            pytest.fail("it is a mapping like any other")


def test_reprs_hold_no_secrets() -> None:
    fds = {"fds": {"0": SECRET, "control": SECRET}}
    for kind in (OperationResponse, ExecResponse):
        answer = kind(running(metadata=fds, **{"class": "websocket"}))
        assert SECRET not in repr(answer)
        assert SECRET not in f"{answer}"
        assert SECRET not in f"{[answer]}"


# -- copies ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
async def test_pickle(protocol: int) -> None:
    answer = OperationResponse(running(), APIClient("unix:///nowhere"))
    same = pickle.loads(pickle.dumps(answer, protocol))
    assert type(same) is OperationResponse
    assert same == answer
    assert same.id == UUID
    with pytest.raises(IncusArgumentError, match="copy without a client"):
        await same.refresh()


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
async def test_pickle_with_output(daemon: Daemon, protocol: int) -> None:
    daemon.will(sync(exec_ended()), reply(b"out\xff"), reply(b"err"), sync({}), sync({}))
    answer = await ExecResponse(running(), daemon.api()).wait()
    same = pickle.loads(pickle.dumps(answer, protocol))
    assert type(same) is ExecResponse
    assert same == answer
    assert (same.stdout_bytes, same.stderr_bytes, same.returncode) == (b"out\xff", b"err", 3)
    assert await same.wait() is same  # there is nothing left to ask


def test_deepcopy_and_copy() -> None:
    answer = ExecResponse(running(), APIClient("unix:///nowhere"), {"stdout": b"x"})
    deep = copy.deepcopy(answer)
    assert (type(deep), deep, deep.stdout) == (ExecResponse, answer, "x")
    deep["metadata"]["status"] = "changed"
    assert answer.status == "Running"
    assert type(copy.copy(answer)) is ExecResponse
    assert type(answer.copy()) is dict


def test_json() -> None:
    answer = OperationResponse(running())
    assert json.loads(json.dumps(answer)) == answer
    assert msgspec.json.decode(msgspec.json.encode(answer)) == answer


@pytest.mark.parametrize("method", ["wait", "refresh", "cancel"])
async def test_a_copy_belongs_to_no_client(method: str) -> None:
    answer = copy.deepcopy(OperationResponse(running(), APIClient("unix:///nowhere")))
    with pytest.raises(IncusArgumentError, match=r"copy without a client; wait with client.wait_for_operation\(id\)"):
        await getattr(answer, method)()


# -- waiting -----------------------------------------------------------------------------------------------------------


async def test_waiting_updates_the_object(daemon: Daemon) -> None:
    daemon.will(started(), SUCCESS)
    answer = await daemon.api(project="shop").operation("PUT", "/1.0/instances/web/state", {"action": "start"})
    metadata = answer["metadata"]
    assert await answer.wait() is answer
    assert (answer.status, answer.done, answer["status"], answer["status_code"]) == ("Success", True, "Success", 200)
    assert metadata["status"] == "Running"  # what was taken out of it before does not change
    assert daemon.targets[1] == f"GET {WAIT}?timeout=60&project=shop"
    assert await answer.wait() is answer  # without asking again


async def test_a_failure_is_kept_and_raised_again(daemon: Daemon) -> None:
    daemon.will(started(), sync(operation("Failure", 400, err="The instance is already running")))
    answer = await daemon.api().operation("PUT", "/1.0/x", {})
    for _ in range(2):  # the server is asked once: it forgets operations after five seconds
        with pytest.raises(IncusOperationConflictError, match="already running"):
            await answer.wait()
        assert (answer.status, answer.done, answer["status"]) == ("Failure", True, "Failure")
    with pytest.raises(IncusOperationConflictError):
        await copy.deepcopy(answer).wait()


async def test_a_cancelled_one(daemon: Daemon) -> None:
    daemon.will(sync(operation("Cancelled", 401)))
    answer = OperationResponse(running(), daemon.api())
    for _ in range(2):
        with pytest.raises(IncusOperationCancelledError):
            await answer.wait()
    assert answer.status == "Cancelled"


async def test_one_that_runs_on(daemon: Daemon) -> None:
    progress = {"fs_progress": "5%"}
    daemon.will(silence, sync(operation(metadata=progress)), SUCCESS)
    answer = OperationResponse(running(), daemon.api())
    with pytest.raises(IncusOperationTimeoutError):
        await answer.wait(0.05)
    assert not answer.done
    assert answer.progress is not None
    assert (await answer.wait(5)).done


async def test_one_that_is_lost(daemon: Daemon) -> None:
    daemon.will(error(404, "Operation not found"))
    answer = OperationResponse(running(), daemon.api())
    with pytest.raises(IncusOperationLostError):
        await answer.wait()
    assert answer == running()  # nobody knows better


async def test_what_is_known_stays_when_a_failure_is_all_that_is_left(daemon: Daemon) -> None:
    daemon.will(error(400, "no", status=200), error(404, "Operation not found"))
    answer = OperationResponse(running(), daemon.api())
    with pytest.raises(Exception, match="no"):
        await answer.wait()
    assert (answer.status, answer["metadata"]["err"]) == ("Failure", "no")
    assert answer["metadata"]["description"] == "Starting instance"


async def test_a_token_is_not_waited_for(daemon: Daemon) -> None:
    token = {"secret": SECRET, "fingerprint": "f", "addresses": ["192.0.2.1:8443"]}
    daemon.will(started(**{"class": "token", "description": "Executing operation", "metadata": token}))
    answer = await daemon.api().operation("POST", "/1.0/certificates", {"token": True})
    with pytest.raises(IncusArgumentError, match="is a token: it ends when somebody uses it") as caught:
        await answer.wait()
    assert SECRET not in str(caught.value)
    assert len(daemon.requests) == 1


async def test_refresh(daemon: Daemon) -> None:
    daemon.will(sync(operation(metadata={"fs_progress": "5%"})), error(404, "Operation not found"))
    answer = OperationResponse(running(), daemon.api())
    assert await answer.refresh() is answer
    assert answer.progress is not None
    assert daemon.targets == [f"GET {OPERATION}"]
    with pytest.raises(IncusNotFoundError):
        await answer.refresh()


async def test_cancel(daemon: Daemon) -> None:
    daemon.will(sync({}), error(400, "This operation can't be cancelled"))
    answer = OperationResponse(running(), daemon.api(project="shop"))
    assert await answer.cancel() is answer
    assert daemon.targets == [f"DELETE {OPERATION}?project=shop"]
    with pytest.raises(IncusBadRequestError, match="can't be cancelled"):
        await answer.cancel()


async def test_wait_for_operation(daemon: Daemon) -> None:
    daemon.will(SUCCESS, error(404, "Operation not found"), silence, RUNNING)
    client = daemon.client()
    answer = await client.wait_for_operation(UUID)
    assert (type(answer), answer.id, answer.status) == (OperationResponse, UUID, "Success")
    assert (answer["type"], answer["status"], answer["status_code"]) == ("async", "Success", 200)
    with pytest.raises(IncusOperationLostError):
        await client.wait_for_operation(UUID)
    with pytest.raises(IncusOperationTimeoutError):
        await client.wait_for_operation(UUID, timeout=0.05)
    for wrong in ("", ".."):
        with pytest.raises(IncusArgumentError, match="cannot be a name"):
            await client.wait_for_operation(wrong)


@pytest.mark.parametrize("metadata", [None, {}, {"status": "Running", "status_code": 103}])
async def test_a_change_in_the_background_that_nobody_can_wait_for(daemon: Daemon, metadata: object) -> None:
    daemon.will(reply(envelope("async", operation="/1.0/operations/1", metadata=metadata), 202))
    with pytest.raises(IncusProtocolError, match=r"PUT /1\.0/instances/web/state: the answer names no operation"):
        await daemon.client().instances.start("web", wait=True)


async def test_what_has_ended_stays_so(daemon: Daemon) -> None:
    daemon.will(SUCCESS, RUNNING)
    answer = OperationResponse(envelope("async", metadata=operation()), daemon.api())
    await answer.wait()
    await answer.refresh()  # an answer that was under way for longer
    assert (answer.done, answer.status, answer["status"]) == (True, "Success", "Success")
