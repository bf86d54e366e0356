"""Consoles of containers, as screen and keyboard, and their logs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any, cast

import pytest

from incus_sdk import (
    Client,
    Console,
    IncusArgumentError,
    IncusBadRequestError,
    IncusBrokenPipeError,
    IncusConflictError,
    IncusConnectionError,
    IncusNotFoundError,
    IncusOperationCancelledError,
    Instance,
)

from .support import Face, Server, call, entered, still_runs

PATIENCE = 30


async def ready(face: Face, console: Console) -> None:
    """Wait until there is an echo: servers say that they have attached a moment before they have."""
    reading = face.start(console.readline)
    async with asyncio.timeout(PATIENCE):
        while not reading.done():
            await call(console.write(b"ready?\n"))
            await asyncio.wait([reading], timeout=0.2)


async def shown(console: Console, start: bytes) -> bytes:
    """Read up to a line that begins so."""
    while not (line := await call(console.readline())).startswith(start):
        assert line
    return line


async def show(admin: Client, name: str, text: str) -> None:
    """Let a line appear on a console."""
    done = await admin.instances.run(name, ["sh", "-c", f"printf '{text}\\n' > /dev/console"])
    assert done.returncode == 0, done


async def test_a_stay(client: Client, admin: Client, face: Face, running: Instance) -> None:
    async with entered(client.instances.console(running.name, columns=100, rows=30)) as console:
        assert console.instance == running.name
        assert repr(console) == f"<Console of {running.name}>"
        await ready(face, console)
        await show(admin, running.name, r"caf\351 one")
        await shown(console, b"caf\xe9 one\r")
        await show(admin, running.name, "two")
        await shown(console, b"two")
        await call(console.resize(90, 20))
        with pytest.raises(IncusArgumentError, match="columns cannot be 70000"):
            await call(console.resize(70000, 20))
        await call(console.write(memoryview(b"typed\xff\n")))
        await call(console.drain())
        assert await call(console.readexactly(6)) == b"typed\xff"
        operation = await admin.operations.get(console.operation_id)
        assert operation.status == "Running"
    assert (await call(console.read())).strip() == b""
    assert (console.at_eof(), await call(console.read())) == (True, b"")
    with pytest.raises(IncusBrokenPipeError, match="console of"):
        await call(console.write(b"x"))
    await call(console.detach())
    await still_runs(running)


async def test_one_at_a_time(client: Client, face: Face, server: Server, running: Instance) -> None:
    """Who leaves makes room at once; who is thrown out is told so."""
    mine = await call(client.instances.get(running.name))
    for _ in range(3):
        async with entered(mine.console()):
            pass
    with pytest.raises(ZeroDivisionError):
        async with entered(mine.console()):
            raise ZeroDivisionError
    async with entered(face.client(server.endpoint)) as other, entered(mine.console()) as first:
        await ready(face, first)
        reading = face.start(first.read)
        with pytest.raises(IncusConflictError, match=r"already connected.*force=True takes it"):
            async with entered(other.instances.console(running.name)):
                pytest.fail("two are at the console")
        async with entered(other.instances.console(running.name, force=True)) as second:
            with pytest.raises(IncusOperationCancelledError, match="somebody else has taken it"):
                await asyncio.wait_for(reading, PATIENCE)
            with pytest.raises((IncusOperationCancelledError, IncusBrokenPipeError)):
                await call(first.write(b"x"))
            await ready(face, second)


async def test_the_end_of_the_instance(client: Client, face: Face, running: Instance) -> None:
    async with entered(client.instances.console(running.name)) as console:
        await ready(face, console)
        reading = face.start(console.read)
        await running.stop(force=True, wait=True)
        await running.delete(wait=True)
        assert b"rror" not in await asyncio.wait_for(reading, PATIENCE)
        with pytest.raises(IncusBrokenPipeError, match="console of"):
            await call(console.write(b"x"))
    with pytest.raises(IncusNotFoundError, match="Instance not found"):
        async with entered(client.instances.console(running.name)):
            pytest.fail("there is none")


async def test_no_console(client: Client, server: Server, name: str, empty: Instance) -> None:
    with pytest.raises(IncusArgumentError, match="columns cannot be -1"):
        async with entered(client.instances.console(empty.name, columns=-1)):
            pytest.fail("there is none")
    with pytest.raises(IncusBadRequestError, match="not running"):
        async with entered(client.instances.console(empty.name)):
            pytest.fail("there is none")
    with pytest.raises(IncusBadRequestError, match="only supported by virtual machines"):
        async with entered(client.instances.graphical_console(server.box)):
            pytest.fail("there is none")


async def test_following_the_log(client: Client, admin: Client, face: Face, running: Instance) -> None:
    mine = await call(client.instances.get(running.name))
    seen: list[str] = []
    again: list[str] = []
    following = follow(face, mine, seen)
    for number in range(3):
        await show(admin, running.name, f"line {number}")
        await until(partial(is_in, seen, f"line {number}\r\n"))
    await running.stop(force=True, wait=True)
    await asyncio.wait_for(following, PATIENCE)
    assert "".join(seen).count("line 1\r\n") == 1
    await follow(face, mine, again)  # it does not run any more
    assert "".join(again) in "".join(seen)
    with pytest.raises(IncusArgumentError, match="interval cannot be -1"):
        mine.follow_console_log(interval=-1)


def is_in(seen: list[str], wanted: str) -> bool:
    return wanted in "".join(seen)


async def until(condition: Callable[[], bool]) -> None:
    """Wait for what a thread does, which sets no event."""
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110 - (that)
            await asyncio.sleep(0.01)


def follow(face: Face, instance: Instance, seen: list[str]) -> asyncio.Future[None]:
    """Begin to note the log of a console, beside the test."""
    texts = instance.follow_console_log(interval=0.02)
    if face.blocking:
        return face.start(lambda: cast("Any", seen.extend(cast("Any", texts))))

    async def note() -> None:
        async for text in texts:
            seen.append(text)  # noqa: PERF401 - at once, not at the end

    return face.start(note)


async def test_a_server_that_dies(face: Face, server: Server, running: Instance) -> None:
    if server.private is None:
        pytest.skip("it is not ours to kill")
    async with entered(face.client(server.endpoint)) as client:
        async with entered(client.instances.console(running.name)) as console:
            await ready(face, console)
            reading = face.start(console.read)
            await asyncio.to_thread(server.private.kill_daemon)
            with pytest.raises(IncusConnectionError, match="connection broke"):
                await asyncio.wait_for(reading, PATIENCE)
        await asyncio.to_thread(server.private.wait_ready)
