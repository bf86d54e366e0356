"""Consoles whose daemon, connections or sockets are not as they should be, and those that there is no machine for."""

from __future__ import annotations

import asyncio
import gc
import json
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest

from incus_sdk import (
    IncusBrokenPipeError,
    IncusConnectionError,
    IncusOperationCancelledError,
    IncusOperationError,
)
from incus_sdk._console_local import Escape

from ..unit.transport.peers import descriptors
from .exec_daemon import TERMINAL, ExecDaemon, Running
from .steps_cancel import Steps, at_once, ended, too_late, whole
from .support import PATIENCE, until


@pytest.fixture
async def daemon(tmp_path: Path) -> AsyncGenerator[ExecDaemon]:
    """The daemon; afterwards no task or socket may be left over, and no error that nobody has seen."""
    complaints: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    sockets = descriptors()
    daemon = ExecDaemon(tmp_path / "socket")
    daemon.names = TERMINAL
    await daemon.server.start()
    yield daemon
    async with asyncio.timeout(PATIENCE):
        await daemon.stop()
    await until(lambda: descriptors() <= sockets)
    gc.collect(1)  # lets the loop complain about errors that nobody has looked at
    assert not complaints
    assert not [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]


async def test_thrown_out(daemon: ExecDaemon) -> None:
    """As daemons do it to whose console is taken: most often without the mark of the end."""
    for status_code, mark in ((401, False), (401, True), (200, False)):
        async with daemon.client().instances.console("web") as console:
            session = await daemon.command(len(daemon.commands) - 1)
            await session.say("0", b"log\xff")
            if mark:
                await session.close("0")
            else:
                await session.peers["0"].hang_up()
            session.end(None, status_code=status_code)
            assert await console.readexactly(4) == b"log\xff"
            with pytest.raises(IncusOperationCancelledError, match="console of web: somebody else has taken it"):
                await console.read()
            with pytest.raises((IncusOperationCancelledError, IncusBrokenPipeError)):
                await console.write(b"x")


async def test_stopped(daemon: ExecDaemon) -> None:
    """Older daemons end the operation only when the console is hung up."""
    async with daemon.client().instances.console("web") as console:
        session = await daemon.command()
        await session.say("0", b"bye")
        await session.peers["0"].send(b"\x81\x00")
        reading = asyncio.ensure_future(console.read())
        await session.peers["0"].gone()
        session.end(None)
        assert await reading == b"bye"


async def test_the_size_of_the_screen(daemon: ExecDaemon) -> None:
    async with daemon.client().instances.console("web") as console:
        session = await daemon.command()
        await console.resize(90, 20)
        message = json.loads((await session.hears("control"))[0][1])
        assert message == {"command": "window-resize", "args": {"width": "90", "height": "20"}}
        session.end(None)


@pytest.mark.parametrize("leave", ["close", "abort"])
async def test_a_channel_that_is_closed_while_it_is_read(daemon: ExecDaemon, leave: str) -> None:
    """As whoever passes on what two sides say has it, when one of them goes: it is no fault."""
    async with daemon.client().instances.graphical_console("web") as screen:
        session = daemon.commands[0]
        channel = await screen.open_channel()
        reading = asyncio.ensure_future(channel.read())
        peer = await session.socket("0")
        await asyncio.sleep(0)  # it has begun to read
        if leave == "abort":
            channel.abort()
        else:
            closing = asyncio.ensure_future(channel.close())
            await session.hears("0")  # the close frame
            await peer.hang_up()
            await closing
        assert await reading == b""
        session.end(None)


async def test_failed(daemon: ExecDaemon) -> None:
    async with daemon.client().instances.console("web") as console:
        session = await daemon.command()
        await session.peers["0"].hang_up()
        session.end(None, "no console today")
        with pytest.raises(IncusOperationError, match="no console today"):
            await console.read()


async def test_a_daemon_that_dies(daemon: ExecDaemon) -> None:
    async with daemon.client(retries=0).instances.console("web") as console:
        await daemon.command()
        reading = asyncio.ensure_future(console.read())
        await daemon.server.stop()
        with pytest.raises(IncusConnectionError, match="console of web: the connection broke"):
            await asyncio.wait_for(reading, PATIENCE)


async def test_channels_of_a_screen(daemon: ExecDaemon) -> None:
    """What a real daemon answered to SPICE's link message, and how it ended channels: with the mark."""
    linked = b"REDQ\x02\0\0\0\x02\0\0\0\xba\0\0\0"
    async with daemon.client().instances.graphical_console("web") as screen:
        session = daemon.commands[0]
        await session.socket("control")
        assert session.peers.keys() == {"control"}
        async with await screen.open_channel() as first:
            await first.write(b"REDQ")
            assert (await session.hears("0"))[0][1] == b"REDQ"
            await session.say("0", linked)
            assert await first.readexactly(16) == linked
            one = session.peers["0"]
            second = await screen.open_channel()
            await until(lambda: session.peers["0"] is not one)
            await session.close("0")
            assert await second.read() == b""
            second.abort()
        await one.gone()
        third = await screen.open_channel()
        session.end(None)
    assert await third.read() == b""


KEYS = {
    "ordinary keys": ([b"ls\r", b"q\xff"], b"ls\rq\xff", False),
    "detaching": ([b"a\x01q", b"more"], b"a", True),
    "detaching in two": ([b"a\x01", b"q"], b"a", True),
    "one key for the console": ([b"\x01\x01q"], b"\x01q", False),
    "something else": ([b"\x01", b"c\x01"], b"\x01c", False),
}


@pytest.mark.parametrize("case", KEYS)
def test_keys(case: str) -> None:
    typed, passed, found = KEYS[case]
    escape, got = Escape(), b""
    for keys in typed:
        if not escape.found:
            got += escape.sift(keys)
    assert (got, escape.found) == (passed, found)


async def _stay(daemon: ExecDaemon) -> None:
    client = daemon.client()
    try:
        async with client.instances.console("web") as console:
            await console.write(b"in")
            assert await console.readline() == b"out"
            await console.resize(90, 20)
    finally:
        await client.disconnect()


async def _screen(daemon: ExecDaemon) -> None:
    client = daemon.client()
    try:
        async with client.instances.graphical_console("web") as screen, await screen.open_channel() as channel:
            await channel.write(b"in")
            assert await channel.read() == b"out"
    finally:
        await client.disconnect()


async def _show(session: Running) -> None:
    try:
        await session.hears("0")
        await session.say("0", b"out")
        await session.close("0")
    except (ConnectionError, TimeoutError):
        pass  # the client has gone
    session.end(None)


@pytest.mark.parametrize("act", [at_once, too_late])
@pytest.mark.parametrize("work", [_stay, _screen])
async def test_cancelled_wherever_it_waits(
    daemon: ExecDaemon, work: Any, act: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("incus_sdk.consoles.BRIEFLY", 0.01)  # for a daemon whose sessions do not end by that
    daemon.job = _show
    sockets, at, hit = descriptors(), 0, True
    while hit:
        steps = Steps(work(daemon), at, act)
        how = await ended(asyncio.ensure_future(whole(steps)))
        at, hit = at + 1, steps.waits > at
        assert how == "cancelled" or not hit or steps.waits == at, how
        daemon.forget()
        for peer in daemon.server.peers:
            await peer.gone()
        await until(lambda: descriptors() <= sockets)
    assert at > 2
