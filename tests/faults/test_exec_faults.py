"""Commands whose daemon, connections or sockets are not as they should be."""

from __future__ import annotations

import asyncio
import gc
import itertools
import json
import os
import signal
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import aclosing
from pathlib import Path
from types import CoroutineType
from typing import Any, cast

import pytest
from websockets.frames import Opcode

from incus_sdk import (
    CompletedProcess,
    IncusBrokenPipeError,
    IncusConnectionError,
    IncusOperationCancelledError,
    IncusOperationError,
    IncusOperationNotFoundError,
    IncusPermissionError,
    IncusProcessTimeoutError,
    IncusProtocolError,
    IncusTimeoutError,
    Process,
)

from ..unit.daemon import error
from ..unit.transport.peers import descriptors
from ..unit.transport.scripted.frames import close_frame, frame
from .exec_daemon import GONE, STREAMS, TERMINAL, TOO_LATE, ExecDaemon, Running
from .steps_cancel import Steps, at_once, ended, too_late, whole
from .support import PATIENCE, until

MIB = 1 << 20
TEXT = 0x80 | Opcode.TEXT
BINARY = 0x80 | Opcode.BINARY


@pytest.fixture
async def daemon(tmp_path: Path) -> AsyncGenerator[ExecDaemon]:
    """The daemon; afterwards no task or socket may be left over, and no error that nobody has seen."""
    complaints: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    sockets = descriptors()
    daemon = ExecDaemon(tmp_path / "socket")
    await daemon.server.start()
    yield daemon
    async with asyncio.timeout(PATIENCE):
        await daemon.stop()
    await until(lambda: descriptors() <= sockets)
    gc.collect(1)  # lets the loop complain about errors that nobody has looked at
    left = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    assert not complaints
    assert not left


def begun(daemon: ExecDaemon, **options: Any) -> asyncio.Task[CompletedProcess[bytes]]:
    """Begin to run a command."""
    run: Callable[..., Any] = daemon.client().instances.run
    job: Coroutine[Any, Any, CompletedProcess[bytes]] = run("web", ["job"], **options)
    return asyncio.create_task(job)


async def result(task: asyncio.Task[CompletedProcess[bytes]]) -> tuple[int, bytes, bytes]:
    async with asyncio.timeout(PATIENCE):
        done = await task
    return done.returncode, done.stdout, done.stderr


def nobody_waits() -> None:
    """Check that no task of the client is left, though it is not disconnected."""
    running = [cast("CoroutineType[Any, Any, Any]", task.get_coro()) for task in asyncio.all_tasks()]
    assert [each for each in running if f"{os.sep}incus_sdk{os.sep}" in each.cr_code.co_filename] == []


# -- the course of things ---------------------------------------------------------------------------------------------

END = ("stdout", "stderr", "control", "stdin", "operation")


@pytest.mark.parametrize("order", [*itertools.permutations(END)], ids="-".join)
async def test_ends_in_any_order(daemon: ExecDaemon, order: tuple[str, ...]) -> None:
    task = begun(daemon, input=b"in")
    command = await daemon.command()
    assert await command.hears("0", 2) == [(BINARY, b"in"), (TEXT, b"")]
    for end in order:
        if end == "operation":
            command.end(3)
        elif end in {"control", "stdin"}:
            await command.peers["0" if end == "stdin" else end].hang_up()
        else:
            name = "1" if end == "stdout" else "2"
            await command.say(name, end.encode())
            await command.close(name)
        for _ in range(10):
            await asyncio.sleep(0)
    assert await result(task) == (3, b"stdout", b"stderr")


async def test_output_in_pieces_of_all_kinds(daemon: ExecDaemon) -> None:
    task = begun(daemon)
    command = await daemon.command()
    peer = command.peers["1"]
    await peer.send(frame(b"a", fin=False) + frame(b"", Opcode.PING) + frame(b"b", Opcode.CONT, fin=False))
    await peer.send(frame(b"c", Opcode.CONT) + frame(b"") + frame(b"d"))
    for byte in frame(b"e" * 300):
        await peer.send(bytes([byte]))
    await command.close("1", "2")
    command.end()
    assert await result(task) == (0, b"abcd" + b"e" * 300, b"")


async def test_a_polite_close_is_an_end_only_after_the_mark(daemon: ExecDaemon) -> None:
    task = begun(daemon)
    command = await daemon.command()
    for name in ("1", "2"):
        await command.peers[name].send(frame(b"", Opcode.TEXT) + close_frame(1000))
    command.end()
    assert await result(task) == (0, b"", b"")


async def test_a_terminal_is_hung_up(daemon: ExecDaemon) -> None:
    """The daemon holds the end of the operation back until then."""
    daemon.names = TERMINAL
    async with daemon.client().instances.process("web", ["job"], tty=True) as process:
        command = await daemon.command()
        await command.say("0", b"$ ")
        await command.peers["0"].send(frame(b"", Opcode.TEXT))
        waiting = asyncio.ensure_future(process.wait())
        await command.peers["0"].gone()
        command.end(2)
        assert (await waiting, await process.stdout.read()) == (2, b"$ ")


# -- starting ---------------------------------------------------------------------------------------------------------


async def test_sockets_that_come_too_late(daemon: ExecDaemon) -> None:
    """A loaded server gives up before all of them are connected: nothing has run, so it is tried again."""

    async def refuse(command: Running, name: str) -> bytes | None:
        if command.number or name == "2":
            if not command.number:
                command.end(None, TOO_LATE)
                return GONE
            return None
        return None

    daemon.refuse = refuse
    task = begun(daemon)
    command = await daemon.command(1)
    for peer in daemon.commands[0].peers.values():
        await peer.gone()
    await command.say("1", b"at last")
    await command.close("1", "2")
    command.end()
    assert await result(task) == (0, b"at last", b"")


async def test_sockets_that_come_too_late_again_and_again(daemon: ExecDaemon) -> None:
    async def refuse(command: Running, _: str) -> bytes | None:
        if not command.ended.done():
            command.end(None, TOO_LATE)
        return GONE

    daemon.refuse = refuse
    with pytest.raises(IncusOperationError, match=TOO_LATE):
        await begun(daemon)
    assert len(daemon.commands) == 3
    nobody_waits()


async def test_a_command_that_is_given_up_for_another_reason(daemon: ExecDaemon) -> None:
    """Who tries that again may do twice what it does."""

    async def refuse(command: Running, _: str) -> bytes | None:
        command.end(None, "Command not found")
        return GONE

    daemon.refuse = refuse
    with pytest.raises(IncusOperationNotFoundError):
        await begun(daemon)
    assert len(daemon.commands) == 1


@pytest.mark.parametrize("cancelled", [True, False])
async def test_no_command_starts_without_its_control_socket(daemon: ExecDaemon, *, cancelled: bool) -> None:
    """Nothing else ends it for sure; and servers overlook one that connects at the moment of the end."""
    admit = asyncio.Event()

    async def refuse(_: Running, name: str) -> bytes | None:
        if name == "control":
            await admit.wait()
        return None

    daemon.refuse = refuse
    task = begun(daemon)
    await until(lambda: bool(daemon.commands))
    command = daemon.commands[0]
    for name in ("1", "2"):
        await command.socket(name)
    await asyncio.sleep(0.1)
    assert "0" not in command.peers
    if cancelled:
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        nobody_waits()
        command.end(None, TOO_LATE)
    else:
        admit.set()
        await command.begin()
        await command.close("1", "2")
        command.end(4)
        assert await result(task) == (4, b"", b"")


async def test_sockets_that_are_not_let_in(daemon: ExecDaemon) -> None:
    async def refuse(_: Running, name: str) -> bytes | None:
        return error(403, "Requestor mismatch") if name == "1" else None

    daemon.refuse = refuse
    with pytest.raises(IncusPermissionError, match="Requestor mismatch") as caught:
        await begun(daemon)
    assert "hush" not in str(caught.value)
    assert len(daemon.commands) == 1
    nobody_waits()
    for peer in daemon.commands[0].peers.values():
        await peer.gone()


@pytest.mark.parametrize("terminal", [True, False])
async def test_a_command_needs_its_control_socket(daemon: ExecDaemon, *, terminal: bool) -> None:
    daemon.names = TERMINAL if terminal else STREAMS

    async def refuse(command: Running, name: str) -> bytes | None:
        if name == "control":
            command.end(None, TOO_LATE)
            return GONE
        return None

    daemon.refuse = refuse
    with pytest.raises(IncusOperationError, match=TOO_LATE):
        async with daemon.client().instances.process("web", ["job"], tty=terminal):
            pass


async def test_not_all_start_at_the_same_time(daemon: ExecDaemon) -> None:
    """Sockets of many would come too late for each other; any number may run."""
    admit = asyncio.Event()

    async def refuse(_: Running, __: str) -> bytes | None:
        await admit.wait()
        return None

    async def job(command: Running) -> None:
        await command.begin()
        if command.number == 99:  # all of them run until the last has begun
            for each in daemon.commands:
                await each.close("1", "2")
                each.end()

    daemon.refuse, daemon.job = refuse, job
    client = daemon.client()
    runs = [asyncio.ensure_future(client.instances.run("web", ["job"])) for _ in range(100)]
    await until(lambda: len(daemon.commands) == 32)
    for _ in range(100):
        await asyncio.sleep(0)
    assert len(daemon.commands) == 32
    admit.set()
    assert {done.returncode for done in await asyncio.gather(*runs)} == {0}


# -- while it runs ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["1", "2"])
async def test_output_that_breaks_off(daemon: ExecDaemon, name: str) -> None:
    """It must not be taken for all of the output, though the exit code is known."""
    task = begun(daemon)
    command = await daemon.command()
    await command.say(name, b"partial")
    command.peers[name].cut()
    await command.close("2" if name == "1" else "1")
    command.end()
    with pytest.raises(IncusConnectionError, match=f"{'stdout' if name == '1' else 'stderr'} of 'job' in web"):
        await result(task)


async def test_what_had_come_can_be_read(daemon: ExecDaemon) -> None:
    async with daemon.client().instances.process("web", ["job"]) as process:
        command = await daemon.command()
        await command.say("1", b"line\npartial")
        command.peers["1"].cut()
        assert await process.stdout.readline() == b"line\n"
        for read in (process.stdout.readline, process.stdout.read):
            with pytest.raises(IncusConnectionError, match="before the end of the output"):
                await read()
        with pytest.raises(IncusConnectionError, match="before the end of the output"):
            await process.stdout.readexactly(8)
        assert await process.stdout.read(100) == b"partial"
        await command.close("2")
        command.end()
        assert await process.wait() == 0


async def test_frames_that_are_none(daemon: ExecDaemon) -> None:
    task = begun(daemon)
    command = await daemon.command()
    await command.peers["1"].send(b"\xff\xff\xff\xff")
    await command.close("2")
    command.end()
    with pytest.raises(IncusProtocolError, match="websocket protocol"):
        await result(task)


async def test_a_daemon_that_dies(daemon: ExecDaemon) -> None:
    client = daemon.client(retries=0)
    task = asyncio.ensure_future(client.instances.run("web", ["job"], input=bytes(8 * MIB)))
    await daemon.command()
    daemon.server.deafen()
    for peer in daemon.server.peers:
        peer.cut()
    with pytest.raises(IncusConnectionError):
        await result(task)


async def test_a_command_that_is_cancelled_by_somebody(daemon: ExecDaemon) -> None:
    task = begun(daemon)
    command = await daemon.command()
    command.end(None, "", 401)
    for peer in command.peers.values():
        peer.cut()
    with pytest.raises(IncusOperationCancelledError, match=r"cancelled.*'job' in web"):
        await result(task)


async def test_an_end_without_an_exit_code(daemon: ExecDaemon) -> None:
    task = begun(daemon)
    command = await daemon.command()
    await command.close("1", "2")
    command.end(None)
    with pytest.raises(IncusProtocolError, match="but not how"):
        await result(task)


@pytest.mark.parametrize("code", [-1, None, 127])
async def test_a_command_that_is_not_found(daemon: ExecDaemon, code: int | None) -> None:
    """However the version of the server says it."""
    task = begun(daemon)
    command = await daemon.command()
    await command.close("1", "2")
    command.end(code, "Command not found")
    with pytest.raises(IncusOperationNotFoundError, match="'job' in web"):
        await result(task)


async def test_a_lost_control_socket(daemon: ExecDaemon) -> None:
    async with daemon.client().instances.process("web", ["job"]) as process:
        command = await daemon.command()
        command.peers["control"].cut()
        await command.peers["control"].gone()
        signalling = asyncio.ensure_future(process.terminate())
        with pytest.raises(IncusConnectionError, match="control socket"):
            await signalling
        await command.close("1", "2")
        command.end(137)  # which is what daemons make of that
        assert await process.wait() == 137
        await process.terminate()


async def test_a_signal_at_the_moment_of_the_end(daemon: ExecDaemon) -> None:
    """Daemons close the control socket first, and tell of the end up to a second later."""
    async with daemon.client().instances.process("web", ["job"]) as process:
        command = await daemon.command()
        await command.peers["control"].hang_up()
        signalling = asyncio.ensure_future(process.kill())
        await command.close("1", "2")
        command.end()
        await signalling
        assert await process.wait() == 0


async def test_what_is_said_on_the_control_socket(daemon: ExecDaemon) -> None:
    daemon.names = TERMINAL
    async with daemon.client().instances.process("web", ["job"], tty=True) as process:
        command = await daemon.command()
        await process.resize(90, 40)
        await process.send_signal(signal.SIGHUP)
        said = await command.hears("control", 2)
        assert [first for first, _ in said] == [TEXT, TEXT]
        assert [json.loads(text) for _, text in said] == [
            {"command": "window-resize", "args": {"width": "90", "height": "40"}},
            {"command": "signal", "signal": 1},
        ]
        await command.peers["0"].send(frame(b"", Opcode.TEXT))
        command.end()
        await process.wait()


async def test_signals_of_a_timeout(daemon: ExecDaemon) -> None:
    task = begun(daemon, timeout=0.05)
    command = await daemon.command()
    assert [json.loads(text) for _, text in await command.hears("control")] == [{"command": "signal", "signal": 15}]
    await command.say("1", b"at the last moment")
    await command.close("1", "2")
    command.end(143)
    with pytest.raises(IncusProcessTimeoutError) as caught:
        await result(task)
    assert (caught.value.returncode, caught.value.stdout) == (143, b"at the last moment")


async def test_a_timeout_before_the_start(daemon: ExecDaemon) -> None:
    async def refuse(command: Running, name: str) -> bytes | None:
        if name != "control":
            await asyncio.shield(command.ended)
        return None

    daemon.refuse = refuse
    with pytest.raises(IncusProcessTimeoutError, match="not even started"):
        await begun(daemon, timeout=0.2)
    await daemon.commands[0].peers["control"].gone()
    daemon.commands[0].end(None, TOO_LATE)


async def test_a_command_that_cannot_be_ended(daemon: ExecDaemon, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a frozen instance: nobody waits for ever, and everybody is told."""
    monkeypatch.setattr("incus_sdk._exec_process.GRACE", 0.05)
    with pytest.raises(IncusProcessTimeoutError, match="is the instance frozen") as caught:
        await begun(daemon, timeout=0.2)
    assert caught.value.returncode is None
    with pytest.raises(IncusTimeoutError, match="is the instance frozen"):
        async with daemon.client().instances.process("web", ["job"]):
            pass
    for command in daemon.commands:
        said = [json.loads(text) for _, text in command.got["control"]]
        assert said == [{"command": "signal", "signal": 15}, {"command": "signal", "signal": 9}]
        await command.peers["control"].gone()


# -- flow -------------------------------------------------------------------------------------------------------------


async def test_memory_stays_flat(daemon: ExecDaemon) -> None:
    """Who does not read makes the daemon wait, and reading in pieces keeps nothing."""
    async with daemon.client().instances.process("web", ["job"]) as process:
        command = await daemon.command()
        peer = command.peers["1"]
        flooding = asyncio.ensure_future(peer.flood(frame(bytes(MIB // 8))))
        await process.stdout.readexactly(10)
        with pytest.raises(IncusTimeoutError):
            await process.wait(0)
        before = -1
        while before != peer.flooded:  # until nothing moves any more
            before = peer.flooded
            await asyncio.sleep(0.05)
        assert peer.flooded < 8 * MIB
        seen = 0
        while seen < 64 * MIB:
            seen += len(await process.stdout.read(1 << 20))
            assert peer.flooded - seen < 8 * MIB
        flooding.cancel()
        command.end(137)
        for each in command.peers.values():
            each.cut()


async def test_input_that_is_not_read(daemon: ExecDaemon) -> None:
    """A write waits, and ends with the command."""
    async with daemon.client().instances.process("web", ["job"]) as process:
        command = await daemon.command()
        command.peers["0"].writer.transport.pause_reading()  # type: ignore[attr-defined]  # it is a Transport
        writing = asyncio.ensure_future(process.stdin.write(bytes(16 * MIB)))
        done, _ = await asyncio.wait([writing], timeout=0.1)
        assert not done
        await command.close("1", "2")
        command.peers["0"].cut()
        command.end()
        with pytest.raises(IncusBrokenPipeError, match="stdin of 'job' in web"):
            await writing
        assert await process.wait() == 0
        with pytest.raises(IncusBrokenPipeError):
            await process.stdin.write(b"x")


async def test_input_that_the_command_does_not_want(daemon: ExecDaemon) -> None:
    """Its connection breaks in the middle of it, which is no failure."""
    task = begun(daemon, input=bytes(16 * MIB))
    command = await daemon.command()
    command.peers["0"].cut()
    await command.peers["0"].gone()
    for _ in range(100):  # the client sees that, too
        await asyncio.sleep(0)
    await command.close("1", "2")
    command.end(3)
    assert await result(task) == (3, b"", b"")


async def test_two_readers_of_one_stream(daemon: ExecDaemon) -> None:
    async with daemon.client().instances.process("web", ["job"]) as process:
        command = await daemon.command()
        reading = [asyncio.ensure_future(process.stdout.readline()) for _ in range(3)]
        waiting = asyncio.ensure_future(process.wait())
        await command.say("1", b"1\n2")
        await command.say("1", b"\n3\n")
        assert sorted(await asyncio.gather(*reading)) == [b"1\n", b"2\n", b"3\n"]
        await command.close("1", "2")
        command.end()
        assert await waiting == 0


# -- broken off -------------------------------------------------------------------------------------------------------


async def test_leaving_the_results_of_many(daemon: ExecDaemon) -> None:
    outcomes = daemon.client().instances.run_many(["a", "b", "c"], ["job"])
    async with aclosing(outcomes):
        waiting = asyncio.ensure_future(anext(outcomes))
        first = await daemon.command()
        await daemon.command(2)
        await first.close("1", "2")
        first.end(5)
        outcome = await waiting
        assert (outcome.process and outcome.process.returncode, outcome.ok) == (5, False)
    nobody_waits()
    for command in daemon.commands:
        await command.peers["control"].gone()


async def _run(process_of: ExecDaemon) -> None:
    client = process_of.client()
    try:
        assert (await client.instances.run("web", ["job"], input=b"in")).stdout == b"out"
    finally:
        await client.disconnect()


async def _process(process_of: ExecDaemon) -> None:
    client = process_of.client()
    try:
        async with client.instances.process("web", ["job"]) as process:
            await _talk(process)
    finally:
        await client.disconnect()


async def _talk(process: Process) -> None:
    await process.stdin.write(b"in")
    await process.stdin.write_eof()
    assert await process.stdout.readline() == b"out"
    assert await process.wait() == 0


async def _many(process_of: ExecDaemon) -> None:
    client = process_of.client()
    try:
        async for outcome in client.instances.run_many(["a", "b"], ["job"], input=b"in"):
            assert outcome.ok
    finally:
        await client.disconnect()


async def _job(command: Running) -> None:
    """Do what a command should, as far as the client lets it."""
    try:
        await command.hears("0", 2)
        await command.say("1", b"out")
        await command.close("1", "2")
        await command.peers["control"].hang_up()
    except (ConnectionError, TimeoutError):
        pass  # the client has gone
    command.end()


@pytest.mark.parametrize("act", [at_once, too_late])
@pytest.mark.parametrize("work", [_run, _process, _many])
async def test_cancelled_wherever_it_waits(daemon: ExecDaemon, work: Any, act: Any) -> None:
    """Each time all sockets are closed, so that the daemon kills the command, and no task is left."""
    daemon.job = _job
    sockets, at, hit = descriptors(), 0, True
    while hit:
        steps = Steps(work(daemon), at, act)
        how = await ended(asyncio.ensure_future(whole(steps)))
        at, hit = at + 1, steps.waits > at
        assert how == "cancelled" or not hit or steps.waits == at, how
        nobody_waits()
        for peer in [peer for command in daemon.commands for peer in command.peers.values()]:
            await peer.gone()
        daemon.forget()
        for peer in daemon.server.peers:
            await peer.gone()
        await until(lambda: descriptors() <= sockets)
    assert at > 2
