"""process and attach: commands with streams, while they run."""

from __future__ import annotations

import asyncio
import inspect
import signal
from collections.abc import Callable
from typing import Any

import pytest

from incus_sdk import (
    Client,
    IncusArgumentError,
    IncusBadRequestError,
    IncusBrokenPipeError,
    IncusConnectionError,
    IncusOperationBadRequestError,
    IncusOperationError,
    IncusOperationNotFoundError,
    IncusTimeoutError,
    Instance,
    OutputStream,
    Process,
)

from .commands import LONG, asleep, everything, no_sleepers, sleepers
from .support import MIB, Face, Server, call, entered

SLEEP = ["sleep", str(LONG)]


# -- streams ----------------------------------------------------------------------------------------------------------


async def test_a_conversation(client: Client, server: Server) -> None:
    async with entered(client.instances.process(server.box, ["cat"])) as cat:
        assert (cat.args, cat.instance, cat.returncode) == (["cat"], server.box, None)
        for line in (b"one\n", b"two\n", b"\0\xff\n"):
            await call(cat.stdin.write(line))
            await call(cat.stdin.drain())
            assert await call(cat.stdout.readline()) == line
        await call(cat.stdin.write(b"the rest"))
        await call(cat.stdin.write_eof())
        await call(cat.stdin.write_eof())
        assert await call(cat.stdout.read()) == b"the rest"
        assert (
            await call(cat.stdout.read()) == await call(cat.stdout.read(5)) == await call(cat.stdout.readline()) == b""
        )
        assert cat.stdout.at_eof()
        assert await call(cat.wait()) == cat.returncode == 0
        assert await call(cat.wait()) == 0
        with pytest.raises(IncusArgumentError, match="write_eof"):
            await call(cat.stdin.write(b"more"))
    assert repr(cat) == f"<Process 'cat' in {server.box} 0>"


async def test_of_a_bound_instance(client: Client, server: Server) -> None:
    box = await call(client.instances.get(server.box))
    async with entered(box.process(["sh", "-c", "echo $A $(pwd)"], environment={"A": 1}, cwd="/tmp")) as process:
        assert await call(process.stdout.read()) == b"1 /tmp\n"
        assert await call(process.wait()) == 0


async def test_ways_to_read(client: Client, server: Server) -> None:
    script = "printf 'one\\ntwo\\nthree'; printf err >&2; exit 3"
    async with entered(client.instances.process(server.box, ["sh", "-c", script])) as process:
        assert await call(process.stdout.readexactly(6)) == b"one\ntw"
        assert await call(process.stdout.read(1)) == b"o"
        assert await everything(process.stdout) == [b"\n", b"three"]
        with pytest.raises(asyncio.IncompleteReadError) as caught:
            await call(_errors(process).readexactly(4))
        assert (caught.value.partial, caught.value.expected) == (b"err", 4)
        assert await call(process.wait()) == 3


def _errors(process: Process) -> OutputStream:
    assert process.stderr is not None
    return process.stderr


async def test_lines(client: Client, server: Server) -> None:
    async with entered(client.instances.process(server.box, ["seq", "20000"])) as process:
        assert await everything(process.stdout) == [b"%d\n" % number for number in range(1, 20001)]


async def test_one_long_line(client: Client, face: Face, server: Server) -> None:
    count = 100 if server.version.startswith("6.0") and not face.blocking else 16  # the longest need not be everywhere
    script = f"dd if=/dev/zero bs={MIB} count={count} 2>/dev/null; echo; echo end"
    async with entered(client.instances.process(server.box, ["sh", "-c", script])) as process:
        assert await call(process.stdout.readline()) == bytes(count * MIB) + b"\n"
        assert await call(process.stdout.readline()) == b"end\n"


async def test_chunks(client: Client, server: Server) -> None:
    command = ["head", "-c", str(5 * MIB), "/dev/zero"]
    async with entered(client.instances.process(server.box, command)) as process:
        chunks = await everything(process.stdout.chunks())
    assert len(chunks) > 1
    assert b"".join(chunks) == bytes(5 * MIB)
    assert process.returncode == 0


async def test_both_directions_at_once(client: Client, face: Face, server: Server) -> None:
    """64 MiB come on both pipes while input is still being written; each is a stream of its own."""
    size = 64 * MIB
    noise = f"head -c {size} /dev/zero"
    script = f"{noise} >&2 & {noise}; cat; wait"
    async with entered(client.instances.process(server.box, ["sh", "-c", script])) as process:

        def feed() -> Any:
            return process.stdin.write(bytes(8 * MIB))

        feeding = face.start(feed)
        reading = [face.start(lambda: _drain(process.stdout)), face.start(lambda: _drain(_errors(process)))]
        await feeding
        await call(process.stdin.write_eof())
        assert await asyncio.gather(*reading) == [size + 8 * MIB, size]
        assert await call(process.wait()) == 0


def _drain(stream: Any) -> Any:
    """Read all of a stream, in the way of its face, and return its size."""
    read: Callable[[int], Any] = stream.read
    if not inspect.iscoroutinefunction(read):
        size = 0
        while piece := read(MIB):
            size += len(piece)
        return size

    async def drain() -> int:
        size = 0
        while piece := await read(MIB):
            size += len(piece)
        return size

    return drain()


async def test_output_that_nobody_reads(client: Client, server: Server) -> None:
    """Waiting does not hang for want of a reader, and nothing is lost."""
    script = f"echo first; head -c {8 * MIB} /dev/zero >&2; head -c {8 * MIB} /dev/zero; exit 5"
    async with entered(client.instances.process(server.box, ["sh", "-c", script])) as process:
        assert await call(process.stdout.readline()) == b"first\n"
        assert await call(process.wait()) == 5
        assert await call(process.stdout.read()) == bytes(8 * MIB)
        assert await call(_errors(process).read()) == bytes(8 * MIB)


async def test_a_command_that_is_not_read_is_made_to_wait(client: Client, server: Server) -> None:
    script = f"head -c {64 * MIB} /dev/zero; echo written >&2"
    async with entered(client.instances.process(server.box, ["sh", "-c", script])) as process:
        await call(process.stdout.readexactly(MIB))
        with pytest.raises(IncusTimeoutError, match="still running"):
            await call(process.wait(0))
        assert process.stdout.received < 32 * MIB
        assert process.returncode is None
        assert await _size(process.stdout) == 63 * MIB
        assert await call(_errors(process).read()) == b"written\n"


async def _size(stream: Any) -> int:
    size = 0
    while piece := await call(stream.read(MIB)):
        size += len(piece)
    return size


async def test_a_command_that_closes_its_input(client: Client, server: Server) -> None:
    async with entered(client.instances.process(server.box, ["sh", "-c", "exec <&-; echo closed; exit 6"])) as process:
        assert await call(process.stdout.readline()) == b"closed\n"
        with pytest.raises(IncusBrokenPipeError) as caught:
            await call(process.stdin.write(bytes(64 * MIB)))
        assert isinstance(caught.value, BrokenPipeError)
        await call(process.stdin.write_eof())
        assert await call(process.wait()) == 6


async def test_communicate(client: Client, server: Server) -> None:
    async with entered(client.instances.process(server.box, ["sh", "-c", "cat; echo err >&2; exit 2"])) as process:
        assert await call(process.communicate(b"in")) == (b"in", b"err\n")
        assert process.returncode == 2


# -- ends -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("verb", "number", "code"),
    [("terminate", [], 143), ("kill", [], 137), ("send_signal", [signal.SIGINT], 130), ("send_signal", [1], 129)],
)
async def test_signals(client: Client, server: Server, verb: str, number: list[int], code: int) -> None:
    async with entered(client.instances.process(server.box, SLEEP)) as process:
        await call(getattr(process, verb)(*number))
        assert await call(process.wait()) == code
        await call(getattr(process, verb)(*number))  # to nobody


async def test_a_signal_that_is_handled(client: Client, server: Server) -> None:
    script = "trap 'echo got it; exit 8' USR1; echo ready; while :; do sleep 0.01; done"
    async with entered(client.instances.process(server.box, ["sh", "-c", script])) as process:
        assert await call(process.stdout.readline()) == b"ready\n"
        await call(process.send_signal(signal.SIGUSR1))
        assert await call(process.stdout.readline()) == b"got it\n"
        assert await call(process.wait()) == 8


async def test_what_is_no_signal_and_no_time(client: Client, server: Server) -> None:
    async with entered(client.instances.process(server.box, ["cat"])) as process:
        with pytest.raises(IncusArgumentError, match="signal cannot be 9999"):
            await call(process.send_signal(9999))
        for seconds in (float("nan"), -1.0):
            with pytest.raises(IncusArgumentError, match="timeout cannot be"):
                await call(process.wait(seconds))


async def test_waiting_has_a_limit(client: Client, server: Server) -> None:
    async with entered(client.instances.process(server.box, ["cat"])) as process:
        with pytest.raises(IncusTimeoutError, match=r"'cat' in .* is still running"):
            await call(process.wait(0.05))
        assert process.returncode is None
        await call(process.stdin.write(b"still there"))
        await call(process.stdin.write_eof())
        assert await call(process.wait(60)) == 0
        assert await call(process.stdout.read()) == b"still there"


async def test_leaving_early_ends_the_command(client: Client, admin: Client, server: Server) -> None:
    async with entered(client.instances.process(server.box, SLEEP)) as process:
        await asleep(admin, server.box)
    assert process.returncode == 143
    assert await sleepers(admin, server.box) == 0


async def test_leaving_while_it_writes(client: Client, server: Server) -> None:
    async with entered(client.instances.process(server.box, ["yes"])) as process:
        assert await call(process.stdout.readline()) == b"y\n"
    assert process.returncode == 143


async def test_leaving_by_an_error_kills_the_command(client: Client, admin: Client, server: Server) -> None:
    command = ["sh", "-c", f"trap '' TERM; exec sleep {LONG}"]

    async def leave() -> None:
        async with entered(client.instances.process(server.box, command)):
            await asleep(admin, server.box)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await leave()
    await no_sleepers(admin, server.box)


async def test_leaving_after_the_output(client: Client, server: Server) -> None:
    """Who has read all of it gets the command's own end."""
    async with entered(client.instances.process(server.box, ["sh", "-c", "echo x; exit 4"])) as process:
        assert await call(process.stdout.read()) == b"x\n"
        assert await call(_errors(process).read()) == b""
    assert process.returncode == 4


async def test_a_child_that_keeps_the_pipes_open(client: Client, admin: Client, server: Server) -> None:
    script = f"sleep {LONG} & echo $!"
    async with entered(client.instances.process(server.box, ["sh", "-c", script])) as process:
        child = await call(process.stdout.read())
        assert await call(process.wait()) == 0
    await admin.instances.run(server.box, ["kill", child.decode().strip()], check=True)
    await no_sleepers(admin, server.box)


@pytest.mark.parametrize("code", [0, 1, 126, 127, 255])
async def test_exit_codes(client: Client, server: Server, code: int) -> None:
    async with entered(client.instances.process(server.box, ["sh", "-c", f"echo x; exit {code}"])) as process:
        assert await call(process.wait()) == code
    assert process.returncode == code


async def test_commands_that_cannot_be_run(client: Client, server: Server) -> None:
    async with entered(client.instances.process(server.box, ["/no/such/thing"])) as process:
        with pytest.raises(IncusOperationNotFoundError, match="'/no/such/thing'"):
            await call(process.wait())
        assert process.returncode is None
    with pytest.raises(IncusOperationBadRequestError, match="'/etc'"):
        async with entered(client.instances.process(server.box, ["/etc"])) as process:
            assert await call(process.stdout.read()) == b""  # and nobody asks how it ended


async def test_an_instance_that_stops_meanwhile(client: Client, admin: Client, running: Instance) -> None:
    async with entered(client.instances.process(running.name, SLEEP)) as process:
        await asleep(admin, running.name)
        await running.stop(force=True, wait=True)
        assert await call(process.wait()) == 137


async def test_a_stopped_instance(client: Client, empty: Instance) -> None:
    with pytest.raises(IncusBadRequestError, match="not running"):
        async with entered(client.instances.process(empty.name, SLEEP)):
            pass


async def test_a_client_that_is_disconnected(client: Client, admin: Client, server: Server) -> None:
    async def leave() -> None:
        async with entered(client.instances.process(server.box, SLEEP)):
            await asleep(admin, server.box)
            await call(client.disconnect())

    with pytest.raises(IncusConnectionError):
        await leave()
    await no_sleepers(admin, server.box)


async def test_cancellation_kills_the_command(server: Server, admin: Client) -> None:
    """Of a call on the async face; there is nothing that cancels on the other."""
    for begin in (
        lambda: admin.instances.run(server.box, ["sh", "-c", f"trap '' TERM; exec sleep {LONG}"]),
        lambda: _hold(admin, server.box),
    ):
        task = asyncio.ensure_future(begin())
        await asleep(admin, server.box)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await no_sleepers(admin, server.box)


async def _hold(client: Client, name: str) -> None:
    async with client.instances.process(name, SLEEP) as process:
        await process.wait()


# -- terminals --------------------------------------------------------------------------------------------------------


async def test_a_terminal(client: Client, server: Server) -> None:
    script = "tty; stty size; read line; stty size; echo err >&2; exit 3"
    command = ["sh", "-c", script]
    async with entered(client.instances.process(server.box, command, tty=True, columns=100, rows=30)) as process:
        assert process.stderr is None
        assert (await call(process.stdout.readline())).startswith(b"/dev/")
        assert await call(process.stdout.readline()) == b"30 100\r\n"
        await call(process.resize(90, 40))
        await call(process.stdin.write(b"go\n"))
        assert await call(process.stdout.read()) == b"go\r\n40 90\r\nerr\r\n"
        assert await call(process.wait()) == 3


async def test_the_end_of_a_terminal_s_input(client: Client, server: Server) -> None:
    async with entered(client.instances.process(server.box, ["cat"], tty=True)) as process:
        await call(process.stdin.write(b"line\n"))
        assert await call(process.stdout.readline()) == b"line\r\n"
        assert await call(process.stdout.readline()) == b"line\r\n"
        await call(process.stdin.write_eof())
        assert await call(process.wait()) == 0


async def test_a_terminal_that_nobody_reads(client: Client, server: Server) -> None:
    """The server waits for the client to hang up before the command is over for it."""
    command = ["sh", "-c", f"head -c {4 * MIB} /dev/zero; exit 9"]
    async with entered(client.instances.process(server.box, command, tty=True)) as process:
        assert await call(process.wait()) == 9
        assert len(await call(process.stdout.read())) == 4 * MIB


async def test_leaving_a_terminal(client: Client, admin: Client, server: Server) -> None:
    async with entered(client.instances.process(server.box, SLEEP, tty=True)) as process:
        await asleep(admin, server.box)
    assert process.returncode == 143


async def test_a_command_without_a_terminal_has_no_size(client: Client, server: Server) -> None:
    async with entered(client.instances.process(server.box, ["cat"])) as process:
        with pytest.raises(IncusArgumentError, match="tty=True"):
            await call(process.resize(80, 24))
    with pytest.raises(IncusArgumentError, match="columns"):
        async with entered(client.instances.process(server.box, ["cat"], tty=True, columns=-1)):
            pass


# -- attach -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("interactive", [False, True])
async def test_attach(client: Client, server: Server, interactive: bool) -> None:
    script = ["sh", "-c", "read line; echo got $line; exit 7"]
    answer = await call(client.instances.execute(server.box, script, wait_for_websocket=True, interactive=interactive))
    async with entered(client.attach(answer)) as process:
        assert (process.instance, process.args, process.operation_id) == (server.box, script, answer.id)
        assert (process.stderr is None) == interactive
        await call(process.stdin.write(b"this\n"))
        assert (await call(process.stdout.read())).endswith(b"\r\n" if interactive else b"got this\n")
        assert await call(process.wait()) == 7
    await call(answer.wait())
    assert answer.returncode == 7


async def test_attach_to_what_waits_for_nobody(client: Client, server: Server) -> None:
    answer = await call(client.instances.execute(server.box, ["true"]))
    with pytest.raises(IncusArgumentError, match="wait_for_websocket=True"):
        async with entered(client.attach(answer)):
            pass
    await call(answer.wait())


async def test_attach_too_late(client: Client, server: Server) -> None:
    answer = await call(client.instances.execute(server.box, ["true"], wait_for_websocket=True))
    with pytest.raises(IncusOperationError, match="Timed out waiting for websockets"):
        await call(answer.wait())
    with pytest.raises(IncusOperationError, match="Timed out waiting for websockets"):
        async with entered(client.attach(answer)):
            pass
