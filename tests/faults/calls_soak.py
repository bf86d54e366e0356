"""The calls of the soak, on both faces; each raises `WrongResultError` if it gets what it did not ask for."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

from incus_sdk import Client, IncusConnectionError, sync

from .answers_soak import content, digest
from .plan_soak import Call, WrongResultError

PIECE = 30_000
"""Bytes that a body is given in at a time."""


def expect(call: Call, got: object, wanted: object) -> None:
    if got != wanted:
        raise WrongResultError(f"{call} got {got!r:.300} instead of {wanted!r:.300}")


def _data(call: Call) -> bytes:
    return content(call.name, call.size)


def _four(call: Call) -> list[str]:
    return [f"{call.name}-{number}" for number in range(4)]


def _filter(call: Call) -> str:
    return f"name eq {call.name}"


# -- async ------------------------------------------------------------------------------------------------------------


async def _get(client: Client, call: Call) -> None:
    found = await client.instances.get(call.name)
    expect(
        call, (found.name, found.config["user.name"], found.description), (call.name, call.name, f"this is {call.name}")
    )


async def _list(client: Client, call: Call) -> None:
    expect(call, [item.name for item in await client.instances.list(filter=_filter(call))], _four(call))


async def _names(client: Client, call: Call) -> None:
    items = await client.instances.list(recursion=0, filter=_filter(call))
    expect(call, [item.name for item in items], _four(call))


async def _state(client: Client, call: Call) -> None:
    expect(call, (await client.instances.get_state(call.name))["status"], call.name)


async def _missing(client: Client, call: Call) -> None:
    expect(call, await client.instances.exists(call.name), "--refuse-404-0" not in call.name)


async def _create(client: Client, call: Call) -> None:
    source = {"type": "image", "alias": "busybox"}
    made = await client.instances.create(call.name, source, config={"user.size": call.size}, wait=True)
    expect(call, (made.name, made.config["user.name"]), (call.name, call.name))


async def _update(client: Client, call: Call) -> None:
    done = await client.instances.update(call.name, {"user.number": call.number, "description": call.name})
    expect(call, done["metadata"]["name"], call.name)


async def _delete(client: Client, call: Call) -> None:
    done = await client.instances.delete(call.name, wait=True)
    expect(call, (done.id, done.status), (f"task.{call.name}", "Success"))


async def _put_file(client: Client, call: Call) -> None:
    done = await client.instances.put_files(call.name, "/root/file", _data(call))
    expect(call, (done["metadata"]["name"], done["metadata"]["sum"]), (call.name, digest(_data(call))))


async def _get_file(client: Client, call: Call) -> None:
    got = await client.instances.get_files(call.name, f"/root/{call.number}")
    expect(call, got, f"/root/{call.number} of {call.name}".encode())


async def _logs(client: Client, call: Call) -> None:
    logs = await client.instances.get_logs(call.name)
    right = {file: f"{file} of {call.name}" for file in ("lxc.conf", "lxc.log")}
    expect(call, {**right, **logs}, right)  # one that is refused with 404 is left out


async def _execute(client: Client, call: Call) -> None:
    done = await client.instances.execute(call.name, ["echo", call.name], record_output=True, wait=True)
    said = [f"{call.name}.{stream} of {call.name}" for stream in ("stdout", "stderr")]
    expect(call, [done.stdout, done.stderr, done.returncode], [*said, 0])


async def _post(client: Client, call: Call) -> None:
    """Upload in chunks, from a generator."""

    async def pieces() -> AsyncIterator[bytes]:
        data = _data(call)
        for start in range(0, len(data), PIECE):
            yield data[start : start + PIECE]
            await asyncio.sleep(0)

    answer = await client.api.post(f"/1.0/echo/{call.name}", pieces())
    expect(call, answer["metadata"]["target"], f"/1.0/echo/{call.name}")


async def _stream(client: Client, call: Call) -> None:
    async with client.api.stream("GET", f"/1.0/stream/{call.name}/{call.size}") as response:
        got = b"".join([piece async for piece in response])
    expect(call, got, _data(call))


async def _leave(client: Client, call: Call) -> None:
    """Leave a stream before its end."""
    async with client.api.stream("GET", f"/1.0/stream/{call.name}/{call.size}") as response:
        got = await response.read(100)
    expect(call, got, _data(call)[: len(got)])


async def _socket(client: Client, call: Call) -> None:
    websocket = await client.api.websocket(f"/1.0/socket/{call.name}")
    try:
        expect(call, await websocket.recv(), call.name)
        for message in (f"{call.name} says", _data(call)):
            await websocket.send(message)
            expect(call, await websocket.recv(), message)
        if call.number % 2:
            await websocket.close()
    finally:
        websocket.abort()


async def _upgrade(client: Client, call: Call) -> None:
    raw = await client.api.upgrade(f"/1.0/raw/{call.name}", "echo")
    try:
        expect(call, await raw.readexactly(len(call.name)), call.name.encode())
        await raw.write(_data(call))
        expect(call, await raw.readexactly(call.size), _data(call))
        if call.number % 2:
            await raw.close()
    finally:
        raw.abort()


async def _fresh(client: Client, call: Call) -> None:
    """Make a client, and disconnect it while one of its calls is under way."""

    async def hang(own: Client) -> None:
        with contextlib.suppress(IncusConnectionError):
            found = await own.instances.get(f"{call.name}--stall-50-0-9")
            raise WrongResultError(f"{call} got {found!r}, which never came")

    async with asyncio.TaskGroup() as group, Client(client.api.endpoint, retries=0) as own:
        group.create_task(hang(own))
        for _ in range(call.number % 8):
            await asyncio.sleep(0)
        await _get(own, call)


ASYNC: dict[str, Callable[[Client, Call], Awaitable[None]]] = {
    "get": _get,
    "list": _list,
    "names": _names,
    "state": _state,
    "missing": _missing,
    "create": _create,
    "update": _update,
    "delete": _delete,
    "put_file": _put_file,
    "get_file": _get_file,
    "logs": _logs,
    "execute": _execute,
    "post": _post,
    "stream": _stream,
    "leave": _leave,
    "socket": _socket,
    "upgrade": _upgrade,
    "fresh": _fresh,
}


# -- sync -------------------------------------------------------------------------------------------------------------


def _sync_fresh(client: sync.Client, call: Call) -> None:
    with sync.Client(client.api.endpoint, retries=0) as own:
        _sync_get(own, call)


def _sync_get(client: sync.Client, call: Call) -> None:
    found = client.instances.get(call.name)
    expect(call, (found.name, found.config["user.name"]), (call.name, call.name))


def _sync_list(client: sync.Client, call: Call) -> None:
    expect(call, [item.name for item in client.instances.list(filter=_filter(call))], _four(call))


def _sync_create(client: sync.Client, call: Call) -> None:
    made = client.instances.create(call.name, {"type": "image", "alias": "busybox"}, wait=True)
    expect(call, (made.name, made.config["user.name"]), (call.name, call.name))


def _sync_delete(client: sync.Client, call: Call) -> None:
    done = client.instances.delete(call.name, wait=True)
    expect(call, (done.id, done.status), (f"task.{call.name}", "Success"))


def _sync_put_file(client: sync.Client, call: Call) -> None:
    done = client.instances.put_files(call.name, "/root/file", _data(call))
    expect(call, (done["metadata"]["name"], done["metadata"]["sum"]), (call.name, digest(_data(call))))


def _sync_get_file(client: sync.Client, call: Call) -> None:
    got = client.instances.get_files(call.name, f"/root/{call.number}")
    expect(call, got, f"/root/{call.number} of {call.name}".encode())


def _sync_execute(client: sync.Client, call: Call) -> None:
    done = client.instances.execute(call.name, ["echo", call.name], record_output=True, wait=True)
    said = [f"{call.name}.{stream} of {call.name}" for stream in ("stdout", "stderr")]
    expect(call, [done.stdout, done.stderr, done.returncode], [*said, 0])


def _sync_post(client: sync.Client, call: Call) -> None:
    def pieces() -> Iterator[bytes]:
        data = _data(call)
        for start in range(0, len(data), PIECE):
            yield data[start : start + PIECE]

    answer = client.api.post(f"/1.0/echo/{call.name}", pieces())
    expect(call, answer["metadata"]["target"], f"/1.0/echo/{call.name}")


def _sync_stream(client: sync.Client, call: Call) -> None:
    with client.api.stream("GET", f"/1.0/stream/{call.name}/{call.size}") as response:
        got = b"".join(response)
    expect(call, got, _data(call))


def _sync_leave(client: sync.Client, call: Call) -> None:
    with client.api.stream("GET", f"/1.0/stream/{call.name}/{call.size}") as response:
        got = response.read(100)
    expect(call, got, _data(call)[: len(got)])


def _sync_socket(client: sync.Client, call: Call) -> None:
    with client.api.websocket(f"/1.0/socket/{call.name}") as websocket:
        expect(call, websocket.recv(), call.name)
        websocket.send(call.name)
        expect(call, websocket.recv(), call.name)


def _sync_upgrade(client: sync.Client, call: Call) -> None:
    with client.api.upgrade(f"/1.0/raw/{call.name}", "echo") as raw:
        expect(call, raw.readexactly(len(call.name)), call.name.encode())
        raw.write(_data(call))
        expect(call, raw.readexactly(call.size), _data(call))


SYNC: dict[str, Callable[[sync.Client, Call], Any]] = {
    "get": _sync_get,
    "list": _sync_list,
    "create": _sync_create,
    "delete": _sync_delete,
    "put_file": _sync_put_file,
    "get_file": _sync_get_file,
    "execute": _sync_execute,
    "post": _sync_post,
    "stream": _sync_stream,
    "leave": _sync_leave,
    "socket": _sync_socket,
    "upgrade": _sync_upgrade,
    "fresh": _sync_fresh,
}
"""The kinds that differ below the generated code."""
