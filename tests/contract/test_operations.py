"""Background operations: the answer as a value, waiting, and how an operation ends."""

from __future__ import annotations

import asyncio
import json
import pickle
import time
from typing import cast

import pytest

from incus_sdk import (
    Client,
    ExecResponse,
    IncusArgumentError,
    IncusConflictError,
    IncusError,
    IncusOperationCancelledError,
    IncusOperationConflictError,
    IncusOperationError,
    IncusOperationLostError,
    IncusOperationTimeoutError,
    IncusTimeoutError,
    Instance,
    OperationResponse,
)

from .support import NOTHING, Face, Server, call, cancelled, entered

UNKNOWN = "00000000-0000-4000-8000-000000000000"


async def _console(client: Client, server: Server) -> OperationResponse:
    """Begin an operation that servers of any version let others cancel: a console that nobody connects to."""
    path = f"/1.0/instances/{server.box}/console"
    return await call(client.api.operation("POST", path, {"type": "console", "width": 80, "height": 25}))


class Command:
    """A command that runs until it is released."""

    def __init__(self, client: Client, server: Server, name: str) -> None:
        self._client, self._box, self._file = client, server.box, f"/tmp/{name}"

    async def begin(self) -> ExecResponse:
        """Start it; its exit code will be 7."""
        script = f"while ! test -e {self._file}; do usleep 10000; done; exit 7"
        return await call(self._client.instances.execute(self._box, ["sh", "-c", script]))

    async def release(self) -> None:
        """Let it end."""
        await call(self._client.instances.put_files(self._box, self._file, b""))


@pytest.fixture
def command(client: Client, server: Server, name: str) -> Command:
    """A command of this test's own."""
    return Command(client, server, name)


async def test_an_answer_is_a_dictionary(client: Client, name: str) -> None:
    answer = await call(client.instances.create(name, NOTHING))
    assert isinstance(answer, dict)
    assert set(answer) == {"type", "status", "status_code", "operation", "error_code", "error", "metadata"}
    assert json.loads(json.dumps(answer)) == answer
    assert answer["operation"] == f"/1.0/operations/{answer.id}"
    assert answer["metadata"]["id"] == answer.id
    await call(answer.wait())
    copied = pickle.loads(pickle.dumps(answer))
    assert (type(copied), copied, copied.id) == (type(answer), answer, answer.id)


async def test_an_unpickled_answer_is_unbound(client: Client, server: Server) -> None:
    answer = await call(client.instances.execute(server.box, ["true"]))
    copied = pickle.loads(pickle.dumps(answer))
    with pytest.raises(IncusArgumentError, match="copy without a client"):
        await call(copied.wait())
    assert (await call(client.wait_for_operation(copied.id))).status == "Success"


async def test_waiting_updates_the_answer(client: Client, name: str) -> None:
    answer = await call(client.instances.create(name, {"type": "image", "alias": "busybox"}))
    assert (answer.status, answer.done, answer["status_code"]) == ("Running", False, 100)
    assert await call(answer.wait()) is answer
    assert (answer.status, answer.done, answer["status"], answer["status_code"]) == ("Success", True, "Success", 200)
    assert await call(answer.wait(0)) is answer
    assert answer.resources == {"instances": [f"/1.0/instances/{name}"]}
    assert repr(answer).startswith("<OperationResponse 'Creating instance' Success ")


async def test_progress(client: Client, name: str) -> None:
    answer = await call(client.instances.create(name, {"type": "image", "alias": "busybox"}))
    await call(answer.wait())
    assert answer.progress is not None
    assert "Unpack" in answer.progress.text
    assert (answer.progress.stage, answer.progress.percent) == ("create_instance_from_image_unpack", 100)
    assert (await call(client.instances.create(f"{name}-b", NOTHING))).progress is None


async def test_refresh(command: Command) -> None:
    answer = await command.begin()
    assert await call(answer.refresh()) is answer
    assert (answer.status, answer.done) == ("Running", False)
    await command.release()
    await call(answer.wait())
    await call(answer.refresh())
    assert (answer.status, answer.done) == ("Success", True)


async def test_a_failure_raises_each_time(client: Client, name: str, empty: Instance) -> None:
    answer = await call(client.instances.stop(empty.name))
    with pytest.raises(IncusOperationConflictError, match="already stopped"):
        await call(answer.wait())
    with pytest.raises(IncusOperationConflictError, match=f"Stopping instance {name}: .*already stopped") as caught:
        await call(answer.wait())
    error = caught.value
    assert isinstance(error, IncusConflictError)
    assert (error.operation_id, error.message) == (answer.id, str(error))
    assert error.response is not None
    assert error.response["err"] == "The instance is already stopped"
    copied = pickle.loads(pickle.dumps(error))
    assert (type(copied), str(copied), copied.operation_id) == (type(error), str(error), answer.id)


async def test_a_wait_that_is_shorter_than_the_operation(command: Command) -> None:
    answer = await command.begin()
    with pytest.raises(IncusOperationTimeoutError, match=r"still Running after 0\.2 s, and goes on") as caught:
        await call(answer.wait(0.2))
    assert isinstance(caught.value, IncusTimeoutError)
    assert isinstance(caught.value, TimeoutError)
    assert caught.value.operation_id == answer.id
    assert (await call(answer.refresh())).status == "Running"
    await command.release()
    assert (await call(answer.wait())).returncode == 7


async def test_no_time_at_all(command: Command) -> None:
    answer = await command.begin()
    with pytest.raises(IncusOperationTimeoutError):
        await call(answer.wait(0))
    await command.release()
    await call(answer.wait(timeout=10))


@pytest.mark.parametrize("timeout", [-1, -0.5])
async def test_timeouts_that_are_none(client: Client, server: Server, timeout: float) -> None:
    answer = await call(client.instances.execute(server.box, ["true"]))
    with pytest.raises(IncusArgumentError, match="timeout cannot be"):
        await call(answer.wait(timeout))
    with pytest.raises(TypeError, match="timeout must be a number"):
        await call(answer.wait(cast("float", "1")))
    await call(answer.wait())


async def test_wait_for_operation(client: Client, name: str, empty: Instance, command: Command) -> None:
    answer = await call(client.instances.rename(empty.name, f"{name}-b"))
    waited = await call(client.wait_for_operation(answer.id))
    assert (waited.id, waited.status, waited["metadata"]["status_code"]) == (answer.id, "Success", 200)
    failing = await call(client.instances.stop(f"{name}-b"))
    with pytest.raises(IncusOperationConflictError, match="already stopped"):
        await call(client.wait_for_operation(failing.id))
    slow = await command.begin()
    with pytest.raises(IncusOperationTimeoutError):
        await call(client.wait_for_operation(slow.id, timeout=0.1))
    await command.release()
    assert (await call(client.wait_for_operation(slow.id)))["metadata"]["metadata"]["return"] == 7


async def test_an_operation_that_nobody_knows(client: Client) -> None:
    with pytest.raises(IncusOperationLostError, match=f"operation {UNKNOWN}: the server does not know it") as caught:
        await call(client.wait_for_operation(UNKNOWN))
    assert caught.value.operation_id == UNKNOWN
    for wrong in ("", "..", "a/b"):
        with pytest.raises(IncusError):
            await call(client.wait_for_operation(wrong))


async def test_an_operation_that_the_server_has_forgotten(admin: Client, name: str) -> None:
    """It does so five seconds after the end; nothing tells when, so this test takes its time, on one face only."""
    answer = await admin.instances.create(name, NOTHING)
    await admin.wait_for_operation(answer.id)
    await asyncio.sleep(5.5)
    with pytest.raises(IncusOperationLostError, match="how it ended is unknown"):
        await answer.wait()


async def test_cancel(client: Client, server: Server) -> None:
    answer = await _console(client, server)
    assert answer["metadata"]["may_cancel"] is True
    assert await cancelled(answer) is answer
    with pytest.raises(IncusOperationCancelledError) as caught:
        await call(answer.wait())
    assert caught.value.operation_id == answer.id


async def test_cancel_while_others_wait(client: Client, face: Face, server: Server) -> None:
    answer = await _console(client, server)
    waiting = face.start(lambda: client.wait_for_operation(answer.id))
    with pytest.raises(IncusOperationTimeoutError):
        await call(answer.wait(0.1))  # so the other wait has begun, too
    await cancelled(answer)
    with pytest.raises(IncusOperationCancelledError):
        await waiting


async def test_cancel_a_command(client: Client, command: Command) -> None:
    """Neither 6.0 nor 7.0 cancels one without a websocket."""
    answer = await command.begin()
    assert answer["metadata"]["may_cancel"] is False
    with pytest.raises(IncusError, match="cancel"):
        await call(answer.cancel())
    await command.release()
    assert (await call(answer.wait())).returncode == 7


async def test_cancel_a_command_with_websockets(client: Client, server: Server) -> None:
    """Servers from 7.0 on can do it, and say so."""
    answer = await call(client.instances.execute(server.box, ["cat"], wait_for_websocket=True))
    if not answer["metadata"]["may_cancel"]:
        assert server.version == "6.0"
        with pytest.raises(IncusError, match="cancel"):
            await call(answer.cancel())
        return
    await cancelled(answer)
    with pytest.raises(IncusOperationError):
        await call(answer.wait())


async def test_cancel_what_has_ended(client: Client, name: str) -> None:
    answer = await call(client.instances.create(name, NOTHING))
    await call(answer.wait())
    with pytest.raises(IncusError, match="cancel"):
        await call(answer.cancel())


async def test_a_hundred_waits_hold_up_nobody(client: Client, face: Face, command: Command) -> None:
    answer = await command.begin()
    waiting = [face.start(lambda: client.wait_for_operation(answer.id)) for _ in range(100)]
    with pytest.raises(IncusOperationTimeoutError):
        await call(answer.wait(0.3))  # time for the others to begin
    started = time.monotonic()
    assert (await call(client.get_server_info()))["type"] == "sync"
    assert time.monotonic() - started < 1
    assert not any(wait.done() for wait in waiting)
    await command.release()
    for wait in waiting:
        assert (await wait).status == "Success"


async def test_silence_of_the_server_is_no_end_of_a_wait(server: Server, face: Face) -> None:
    """The client's timeout counts silence; what the server says nothing about while it waits is none."""
    async with entered(face.client(server.endpoint, timeout=0.5)) as client:
        result = await call(client.instances.execute(server.box, ["sleep", "0.8"], wait=True))
        assert result.returncode == 0


async def test_a_token_is_not_waited_for(client: Client) -> None:
    """It ends when somebody uses it, which can be never."""
    alias = await call(client.api.get("/1.0/images/aliases/busybox"))
    answer = await call(client.api.operation("POST", f"/1.0/images/{alias['metadata']['target']}/secret"))
    secret = answer["metadata"]["metadata"]["secret"]
    with pytest.raises(IncusArgumentError, match="token") as caught:
        await call(answer.wait())
    assert await call(answer.cancel()) is answer
    for text in (repr(answer), f"{answer}", str(caught.value)):
        assert secret not in text
