"""The group of operations: those that others have started."""

from __future__ import annotations

import pytest

from incus_sdk import (
    Client,
    IncusBadRequestError,
    IncusNotFoundError,
    IncusOperationCancelledError,
    IncusOperationLostError,
    IncusOperationTimeoutError,
    IncusPermissionError,
)

from .support import Server, call

PUSH = {"source": {"type": "image", "mode": "push", "fingerprint": "ab" * 32}}
"""A token that nobody uses: an operation that runs, can be cancelled, and costs nothing."""


async def test_list_get_cancel(client: Client, admin: Client) -> None:
    token = await admin.api.operation("POST", "/1.0/images", PUSH)
    [found] = [operation for operation in await call(client.operations.list()) if operation.id == token.id]
    assert (found.class_, found.status, found.may_cancel) == ("token", "Running", True)
    assert token["metadata"]["metadata"]["secret"] not in repr(found)
    assert repr(found) == f"<Operation {found.description!r} Running {found.id[:8]}>"
    assert token.id in await call(client.operations.names())
    assert token.id in [operation.id for operation in await call(client.operations.list(all_projects=True))]
    assert await call(client.operations.get(token.id)) == found
    assert await call(client.operations.exists(token.id))
    with pytest.raises(IncusOperationTimeoutError):
        await call(found.wait(0))
    await call(found.cancel())
    assert (await call(found.refresh())).status == "Cancelled"
    with pytest.raises(IncusOperationCancelledError):
        await call(client.operations.wait(token.id))
    with pytest.raises(IncusBadRequestError, match="Only running operations"):
        await call(client.operations.delete(token.id))


async def test_wait(client: Client, admin: Client, name: str) -> None:
    creation = await admin.instances.create(name, {"type": "none"})
    done = await call(client.operations.wait(creation.id))
    assert (done.status, done.resources["instances"]) == ("Success", [f"/1.0/instances/{name}"])
    assert await call(done.wait()) == done


async def test_websockets(client: Client, admin: Client, server: Server) -> None:
    body = {"command": ["echo", "hello"], "wait-for-websocket": True}
    started = await admin.api.operation("POST", f"/1.0/instances/{server.box}/exec", body)
    secrets = started["metadata"]["metadata"]["fds"]
    operation = await call(client.operations.get(started.id))
    with pytest.raises(IncusPermissionError):
        await call(client.operations.connect(started.id, "nonsense"))
    names = ["control", "2", "1", "0"]  # with the last one the command begins, and so ends
    sockets = {name: await call(operation.connect(secrets[name])) for name in names}
    assert await call(sockets["1"].recv()) == b"hello\n"
    for socket in sockets.values():
        await call(socket.close())
    await started.wait()


async def test_those_that_are_not_there(client: Client) -> None:
    with pytest.raises(IncusNotFoundError, match="Operation not found"):
        await call(client.operations.get("none"))
    assert not await call(client.operations.exists("none"))
    with pytest.raises(IncusNotFoundError):
        await call(client.operations.cancel("none"))
    with pytest.raises(IncusNotFoundError):
        await call(client.operations.connect("none", "secret"))
    with pytest.raises(IncusOperationLostError):
        await call(client.operations.wait("none"))
    with pytest.raises(IncusNotFoundError, match="Project not found"):
        await call(client.use_project("no-such-project").operations.list())
    with pytest.raises(IncusNotFoundError, match="Project not found"):
        await call(client.use_project("no-such-project").operations.names())
