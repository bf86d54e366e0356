"""Every public call that waits, by the names of its class and method, as the cancellations make it."""

from __future__ import annotations

import hashlib
import inspect
import io
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest

from incus_sdk import APIClient, Client, ExecResponse, IncusNotFoundError, IncusProtocolError, OperationResponse
from incus_sdk._transport import RawStream, StreamResponse
from incus_sdk._transport.websocket import WebSocket
from incus_sdk.api.instances import Instance

from .answers_soak import content

BIG = b"0123456789abcdef" * (1 << 17)
"""More than the sockets and their buffers take at once, so that whoever writes it has to wait."""

SOURCE = {"type": "image", "alias": "busybox"}
SPECIAL = ("__aenter__", "__aexit__", "__anext__")


@dataclass(frozen=True)
class Call:
    """One way to make a call.

    Attributes:
        make: Makes it, on what `prepare` has returned.
        prepare: Gets what it is made on; by default the client itself.
        disconnects: Whether the client may be disconnected afterwards.
    """

    make: Callable[[Any], Awaitable[object]]
    prepare: Callable[[Client], Awaitable[Any]] | None = None
    disconnects: bool = False


def waiting(owner: type) -> set[str]:
    """The public methods of a class that wait."""
    names = (name for name in dir(owner) if not name.startswith("_") or name in SPECIAL)
    return {f"{owner.__name__}.{name}" for name in names if _waits(inspect.getattr_static(owner, name))}


def _waits(member: object) -> bool:
    function = inspect.unwrap(member) if callable(member) else member
    return inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function)


STANDING = (Client, APIClient, OperationResponse, ExecResponse, StreamResponse, WebSocket, RawStream)
"""The classes whose calls wait, beside groups and their objects."""


# -- the client and what is below it ----------------------------------------------------------------------------------


async def _block(client: Client) -> None:
    async with client:
        await client.get_server_info()


async def _pieces() -> AsyncIterator[bytes]:
    for start in range(0, len(BIG), 1 << 19):
        yield BIG[start : start + (1 << 19)]


async def _read_stream(client: Client) -> None:
    async with client.api.stream("GET", "/1.0/stream/web/700000") as response:
        assert len(await response.read(10)) == 10
        assert len(await response.read()) == 699_990


async def _pieces_of_stream(client: Client) -> None:
    async with client.api.stream("POST", "/1.0/stream/web/700000", data=_pieces()) as response:
        assert sum([len(piece) async for piece in response]) == 700_000


async def _leave_stream(client: Client) -> None:
    async with client.api.stream("GET", "/1.0/stream/web/9000000") as response:
        await response.read(10)


async def _refused_stream(client: Client) -> None:
    with pytest.raises(IncusNotFoundError):
        async with client.api.stream("GET", "/1.0/stream/web--refuse-404-0-99999/9"):
            pass


async def _websocket(client: Client) -> None:
    websocket = await client.api.websocket("/1.0/socket/web")
    try:
        assert await websocket.recv() == "web"
        await websocket.ping()
        await websocket.send(BIG)
        assert await anext(websocket) == BIG
        await websocket.close()
    finally:
        websocket.abort()


async def _websocket_all(client: Client) -> None:
    async with await client.api.websocket("/1.0/socket/web") as websocket:
        assert await websocket.recv_all() == ["web"]
        await websocket.send(BIG)
        assert await websocket.recv_all() == [BIG]


async def _raw(client: Client) -> None:
    raw = await client.api.upgrade("/1.0/raw/web", "echo", method="POST", data={"what": "echo"})
    try:
        assert await raw.readexactly(3) == b"web"
        await raw.write(BIG[:100_000])
        got = len(await anext(raw))
        while got < 100_000:
            got += len(await raw.read(1 << 18))
        await raw.close()
    finally:
        raw.abort()


async def _raw_write(client: Client) -> None:
    """Write to a server that takes its time, since nobody reads what comes back."""
    raw = await client.api.upgrade("/1.0/raw/web", "echo")
    try:
        await raw.write(BIG + BIG)
        await raw.close()
    finally:
        raw.abort()


async def _websocket_block(client: Client) -> None:
    async with await client.api.websocket("/1.0/socket/web") as websocket:
        assert await websocket.recv() == "web"


async def _raw_block(client: Client) -> None:
    async with await client.api.upgrade("/1.0/raw/web", "echo") as raw:
        assert await raw.readexactly(3) == b"web"


async def _attach(client: Client) -> None:
    """To a command that ends at once, of which the daemon knows nothing else."""
    sockets = dict.fromkeys(("0", "1", "2", "control"), "secret")
    operation = ExecResponse({"metadata": {"id": "task.web", "metadata": {"fds": sockets}}})
    await client.connect()
    with pytest.raises(IncusProtocolError, match="but not how"):
        async with client.attach(operation):
            pass


async def _image(client: Client) -> None:
    whole = content("web", 700_000)
    got = io.BytesIO()
    await client.api.download_image("/1.0/stream/web/700000", got, None, hashlib.sha256(whole).hexdigest())
    assert got.getvalue() == whole


# Where several calls are parts of one conversation, they share it.
CLIENT: dict[str, Callable[[Client], Awaitable[object]]] = {
    "Client.connect": lambda client: client.connect(),
    "Client.disconnect": lambda client: client.disconnect(),
    "Client.__aenter__": _block,
    "Client.__aexit__": _block,
    "Client.get_server_info": lambda client: client.get_server_info(),
    "Client.get_resources": lambda client: client.get_resources(),
    "Client.attach": _attach,
    "Client.wait_for_operation": lambda client: client.wait_for_operation("task.web"),
    "APIClient.connect": lambda client: client.api.connect(),
    "APIClient.disconnect": lambda client: client.api.disconnect(),
    "APIClient.request": lambda client: client.api.request("GET", "/1.0/echo"),
    "APIClient.get": lambda client: client.api.get("/1.0/echo"),
    "APIClient.post": lambda client: client.api.post("/1.0/echo", _pieces()),
    "APIClient.put": lambda client: client.api.put("/1.0/echo", BIG),
    "APIClient.patch": lambda client: client.api.patch("/1.0/echo", {"a": 1}),
    "APIClient.delete": lambda client: client.api.delete("/1.0/echo"),
    "APIClient.read": lambda client: client.api.read("/1.0/echo", dict[str, Any]),
    "APIClient.read_list": lambda client: client.api.read_list("/1.0/instances?recursion=0", str),
    "APIClient.read_with_etag": lambda client: client.api.read_with_etag("/1.0/instances/web"),
    "APIClient.read_raw": lambda client: client.api.read_raw("/1.0/stream/web/300000"),
    "APIClient.operation": lambda client: client.api.operation("POST", "/1.0/instances", {"name": "web"}),
    "APIClient.wait": lambda client: client.api.wait("task.web", 30),
    "APIClient.require_extension": lambda client: client.api.require_extension("projects"),
    "APIClient.download": lambda client: client.api.download("/1.0/stream/web/700000", io.BytesIO()),
    "APIClient.download_image": _image,
    "APIClient.send_files": lambda client: client.api.send_files("/1.0/echo", {"metadata": b"1", "rootfs": BIG}, {}),
    "APIClient.stream": _leave_stream,
    "APIClient.stream, refused": _refused_stream,
    "APIClient.websocket": _websocket,
    "APIClient.upgrade": _raw,
    "StreamResponse.read": _read_stream,
    "StreamResponse.__anext__": _pieces_of_stream,
    "WebSocket.recv": _websocket,
    "WebSocket.recv_all": _websocket_all,
    "WebSocket.__anext__": _websocket,
    "WebSocket.send": _websocket,
    "WebSocket.ping": _websocket,
    "WebSocket.close": _websocket,
    "WebSocket.__aenter__": _websocket_block,
    "WebSocket.__aexit__": _websocket_block,
    "RawStream.__aenter__": _raw_block,
    "RawStream.__aexit__": _raw_block,
    "RawStream.read": _raw,
    "RawStream.readexactly": _raw,
    "RawStream.__anext__": _raw,
    "RawStream.write": _raw_write,
    "RawStream.close": _raw,
}


DISCONNECTING = {"Client.disconnect", "APIClient.disconnect", "Client.__aenter__", "Client.__aexit__"}


# -- instances: the group, and the object, whose methods are the group's without the name -----------------------------


def _describe(draft: dict[str, Any]) -> None:
    draft["description"] = "modified"


ARGUMENTS: dict[str, dict[str, Any]] = {
    "start": {"wait": True},
    "stop": {"wait": True},
    "restart": {"wait": True},
    "freeze": {"wait": True},
    "unfreeze": {"wait": True},
    "rename": {"new_name": "other", "wait": True},
    "delete": {"wait": True},
    "update": {"config": {"user.a": 1}},
    "replace": {"body": {"description": "all new"}, "wait": True},
    "edit": {},
    "modify": {"change": _describe},
    "get_state": {},
    "execute": {"command": ["true"], "record_output": True, "wait": True},
    "get_files": {"path": "/root/file"},
    "put_files": {"path": "/root/file", "content": BIG},
    "get_logs": {},
}


async def _perform(verb: str, thing: Any, **name: str) -> None:
    made = getattr(thing, verb)(**name, **ARGUMENTS[verb])
    if verb == "edit":
        async with made as draft:
            draft["description"] = "edited"
    else:
        await made


async def _perform_in_group(verb: str, client: Client) -> None:
    await _perform(verb, client.instances, name="web")


GROUP: dict[str, Callable[[Client], Awaitable[object]]] = {
    "InstancesAPI.list": lambda client: client.instances.list(),
    "InstancesAPI.list, in a project": lambda client: client.use_project("p").instances.list(filter="name eq none"),
    "InstancesAPI.names": lambda client: client.instances.names(),
    "InstancesAPI.get": lambda client: client.instances.get("web"),
    "InstancesAPI.exists": lambda client: client.instances.exists("web"),
    "InstancesAPI.exists, no": lambda client: client.use_project("p").instances.exists("web--refuse-404-0-99999"),
    "InstancesAPI.create": lambda client: client.instances.create("web", SOURCE, wait=True),
    "InstancesAPI.launch": lambda client: client.instances.launch("busybox", "web"),
    "InstancesAPI.launch, by fingerprint": lambda client: client.instances.launch("0123456789ab"),
    "InstancesAPI.state": lambda client: client.instances.state("web"),
}


# -- what they return -------------------------------------------------------------------------------------------------


async def _first(client: Client) -> Instance:
    return (await client.instances.list(recursion=0))[0]


async def _operation(client: Client) -> OperationResponse:
    return await client.instances.start("web")


async def _command(client: Client) -> ExecResponse:
    return await client.instances.execute("web", ["true"], record_output=True)


CALLS: dict[str, Call] = {
    **{name: Call(make, disconnects=name in DISCONNECTING) for name, make in {**CLIENT, **GROUP}.items()},
    **{f"InstancesAPI.{verb}": Call(partial(_perform_in_group, verb)) for verb in ARGUMENTS},
    **{f"Instance.{verb}": Call(partial(_perform, verb), _first) for verb in ARGUMENTS},
    "Instance.refresh": Call(lambda instance: instance.refresh(full=True), _first),
    "OperationResponse.wait": Call(lambda operation: operation.wait(30), _operation),
    "OperationResponse.refresh": Call(lambda operation: operation.refresh(), _operation),
    "OperationResponse.cancel": Call(lambda operation: operation.cancel(), _operation),
    "ExecResponse.wait": Call(lambda operation: operation.wait(), _command),
    "ExecResponse.refresh": Call(lambda operation: operation.refresh(), _command),
    "ExecResponse.cancel": Call(lambda operation: operation.cancel(), _command),
}
"""By class and method; further ways to make a call have a comma in their name."""

DISTINCT = list({call.make: name for name, call in reversed(CALLS.items())}.values())[::-1]
"""Names of the calls, one for each conversation."""

DIFFERENT = [
    "Client.__aenter__",
    "Client.disconnect",
    "APIClient.request",
    "APIClient.post",
    "APIClient.put",
    "APIClient.wait",
    "APIClient.stream",
    "APIClient.websocket",
    "APIClient.upgrade",
    "StreamResponse.read",
    "StreamResponse.__anext__",
    "RawStream.write",
    "InstancesAPI.execute",
    "InstancesAPI.edit",
]
"""Those that are no repetition of others in what happens below them."""
