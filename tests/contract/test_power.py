"""start, stop, restart, freeze, unfreeze."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, cast

import pytest

from incus_sdk import (
    Client,
    IncusArgumentError,
    IncusBadRequestError,
    IncusConflictError,
    IncusError,
    IncusNotFoundError,
    IncusOperationConflictError,
    IncusOperationError,
    IncusOperationTimeoutError,
    Instance,
)

from .support import Face, Server, call, listening


async def _status(client: Client, name: str) -> str:
    return (await call(client.instances.get(name))).status


async def test_a_life(client: Client, running: Instance) -> None:
    api, name = client.instances, running.name
    await call(api.freeze(name, wait=True))
    assert await _status(client, name) == "Frozen"
    await call(api.unfreeze(name, wait=True))
    assert await _status(client, name) == "Running"
    pid = (await call(api.state(name))).pid
    await call(api.restart(name, wait=True))
    assert await _status(client, name) == "Running"
    assert (await call(api.state(name))).pid != pid
    await call(api.stop(name, wait=True))
    assert await _status(client, name) == "Stopped"
    await call(api.start(name, wait=True))
    assert await _status(client, name) == "Running"


async def test_without_wait(client: Client, running: Instance) -> None:
    answer = await call(client.instances.stop(running.name, True))
    assert (answer["type"], answer.status, answer.done) == ("async", "Running", False)
    assert answer.resources == {"instances": [f"/1.0/instances/{running.name}"]}
    assert await call(answer.wait()) is answer
    assert (answer.status, answer.done, answer["metadata"]["status_code"]) == ("Success", True, 200)
    assert await _status(client, running.name) == "Stopped"


async def test_with_wait_the_answer_is_finished(client: Client, running: Instance) -> None:
    answer = await call(client.instances.freeze(running.name, True))
    assert (answer.status, answer["status_code"], answer["metadata"]["status"]) == ("Success", 200, "Success")


@pytest.mark.parametrize("verb", ["start", "stop", "restart", "freeze", "unfreeze"])
async def test_what_is_not_there(client: Client, name: str, verb: str) -> None:
    with pytest.raises(IncusNotFoundError, match="Instance not found"):
        await call(getattr(client.instances, verb)(name))


@pytest.mark.parametrize("verb", ["stop", "restart", "freeze", "unfreeze"])
async def test_what_does_not_run(client: Client, empty: Instance, verb: str) -> None:
    with pytest.raises(IncusOperationConflictError, match=r"already stopped|isn't running|is not running") as caught:
        await call(getattr(client.instances, verb)(empty.name, wait=True))
    assert caught.value.operation_id
    assert empty.name in str(caught.value)


async def test_what_runs_already(client: Client, running: Instance) -> None:
    for verb in (client.instances.start, client.instances.unfreeze):
        answer = await call(verb(running.name))
        with pytest.raises(IncusConflictError, match="already running"):
            await call(answer.wait())
    await call(client.instances.freeze(running.name, wait=True))
    with pytest.raises(IncusConflictError, match="already frozen"):
        await call(client.instances.freeze(running.name, wait=True))
    with pytest.raises(IncusConflictError, match=r"already running.*unfreeze\(\)"):
        await call(client.instances.start(running.name, wait=True))


async def test_a_stop_that_takes_too_long(client: Client, running: Instance) -> None:
    """A frozen init system does not stop. The time runs out at the server, which is no timeout of waiting."""
    await call(client.instances.freeze(running.name, wait=True))
    with pytest.raises(IncusOperationError, match=r"Failed shutting down instance.*timeout=.*force=True") as caught:
        await call(client.instances.stop(running.name, wait=True, timeout=1))
    assert not isinstance(caught.value, IncusOperationTimeoutError)
    await call(client.instances.stop(running.name, force=True, wait=True))
    assert await _status(client, running.name) == "Stopped"


async def test_restart_by_force(client: Client, running: Instance) -> None:
    pid = (await call(client.instances.state(running.name))).pid
    await call(client.instances.restart(running.name, True, True))
    assert (await call(client.instances.state(running.name))).pid not in {0, pid}


async def test_stateful_needs_a_setting(client: Client, empty: Instance, server: Server) -> None:
    with pytest.raises(IncusBadRequestError, match="Stateful stop requires"):
        await call(client.instances.stop(server.box, stateful=True, wait=True))
    with pytest.raises(IncusBadRequestError, match="Stateful start requires"):
        await call(client.instances.start(empty.name, True, True))


async def test_state_action(client: Client, running: Instance) -> None:
    api: Any = client.instances
    await call(cast("Awaitable[object]", api._state_action(running.name, "stop", True, False, True, timeout=5)))
    assert await _status(client, running.name) == "Stopped"
    with pytest.raises(IncusArgumentError, match="unknown action 'explode'; there are start, stop, restart"):
        await call(cast("Awaitable[object]", api._state_action(running.name, "explode")))


async def test_wait_must_be_a_bool(client: Client, server: Server) -> None:
    """The other position that is printed for `timeout` must not pass for a `wait`."""
    wrong: Any = 30
    untyped: Any = client.instances
    attempts: tuple[Callable[[], Awaitable[object]], ...] = (
        lambda: client.instances.start(server.box, False, wrong),
        lambda: client.instances.stop(server.box, False, False, wrong),
        lambda: client.instances.restart(server.box, False, wrong),
        lambda: client.instances.freeze(server.box, wrong),
        lambda: client.instances.unfreeze(server.box, wrong),
        lambda: client.instances.delete(server.box, wrong),
        lambda: client.instances.rename(server.box, "other", wrong),
    )
    for attempt in attempts:
        with pytest.raises(TypeError, match=r"wait must be True or False, not 30.*timeout=30"):
            await call(attempt())
    with pytest.raises(TypeError, match="positional"):
        await call(cast("Awaitable[object]", untyped.stop(server.box, False, False, 30, True)))
    assert await _status(client, server.box) == "Running"


async def test_timeouts_that_are_none(client: Client, server: Server) -> None:
    with pytest.raises(IncusArgumentError, match="timeout cannot be -1"):
        await call(client.instances.stop(server.box, timeout=-1))
    for wrong in (True, "30"):
        with pytest.raises(TypeError, match="timeout must be a number"):
            await call(client.instances.stop(server.box, timeout=cast("int", wrong)))
    assert await _status(client, server.box) == "Running"


@pytest.mark.parametrize(("given", "sent"), [(30, 30), (None, -1), (0, 0), (1.2, 2)])
async def test_timeouts_as_they_are_sent(face: Face, given: Any, sent: int) -> None:
    async with listening() as listener:
        client = face.client(listener.endpoint)
        with pytest.raises(IncusError, match="noted"):
            await face.start(lambda: client.instances.stop("web", timeout=given))
        await face.start(client.disconnect)
    assert listener.requests[0].json() == {"action": "stop", "force": False, "stateful": False, "timeout": sent}


async def test_delete(client: Client, name: str, empty: Instance) -> None:
    answer = await call(client.instances.delete(empty.name))
    await call(answer.wait())
    assert not await call(client.instances.exists(name))
    with pytest.raises(IncusNotFoundError, match="Instance not found"):
        await call(client.instances.delete(name, wait=True))


async def test_delete_of_what_runs(client: Client, server: Server) -> None:
    with pytest.raises(IncusBadRequestError, match=r"Instance is running.*Stop it first"):
        await call(client.instances.delete(server.box, wait=True))
    assert await _status(client, server.box) == "Running"


async def test_rename(client: Client, name: str, empty: Instance) -> None:
    await call(client.instances.rename(name, f"{name}-b", wait=True))
    assert not await call(client.instances.exists(name))
    found = await call(client.instances.get(f"{name}-b"))
    assert found.config["volatile.uuid"] == empty.config["volatile.uuid"]
    await call((await call(client.instances.rename(f"{name}-b", name))).wait())
    assert await call(client.instances.exists(name))


async def test_rename_refusals(client: Client, name: str, empty: Instance, server: Server) -> None:
    with pytest.raises(IncusConflictError, match="already in use"):
        await call(client.instances.rename(empty.name, server.box, wait=True))
    with pytest.raises(IncusConflictError, match=r"Renaming of running instance not allowed.*Stop it first"):
        await call(client.instances.rename(server.box, f"{name}-c", wait=True))
    with pytest.raises(IncusError, match=r"[Nn]ame"):
        await call(client.instances.rename(empty.name, "not a name", wait=True))
    with pytest.raises(IncusArgumentError, match="cannot be a name"):
        await call(client.instances.rename(empty.name, "", wait=True))
    assert await call(client.instances.exists(empty.name))
