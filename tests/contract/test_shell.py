"""shell: a command on the terminal of a process, or on its pipes."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time

import pytest

from incus_sdk import Client, IncusBadRequestError, IncusNotFoundError, Instance
from incus_sdk._exec_local import login

from .commands import LONG, no_sleepers
from .support import Face, Server, call
from .terminals import ONE_DAEMON, PATIENCE, REPOSITORY, SCRIPTS, on_terminal

READY = ["sh", "-c", f"echo ready; exec sleep {LONG}"]
"""What writes something, and goes on for ever."""

CANCELLED = """
import asyncio, signal, sys
from incus_sdk import Client

async def main():
    async with Client(sys.argv[1]) as client:
        task = asyncio.current_task()
        asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, task.cancel)
        await client.instances.shell(sys.argv[2], sys.argv[3:])

try:
    asyncio.run(main())
except asyncio.CancelledError:
    print("cancelled")
"""

IN_A_THREAD = """
import sys, threading
from incus_sdk.sync import Client

def work():
    with Client(sys.argv[1]) as client:
        print("code", client.instances.shell(sys.argv[2], sys.argv[3:]))

thread = threading.Thread(target=work)
thread.start()
thread.join()
"""

LEFT = """
import asyncio, signal, sys, threading
from incus_sdk import Client

async def work():
    async with Client(sys.argv[1]) as client:
        await client.instances.shell(sys.argv[2], sys.argv[3:])

signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
threading.Thread(target=lambda: asyncio.run(work()), daemon=True).start()
signal.sigwait({signal.SIGUSR1})
"""


def lent(face: Face, server: Server, *command: str) -> tuple[str, ...]:
    """Arguments of a program that lends its terminal to a command."""
    return ("-c", SCRIPTS[face.name], server.endpoint, server.box, *command)


# -- terminals --------------------------------------------------------------------------------------------------------


def test_a_shell_on_a_terminal(face: Face, server: Server) -> None:
    with on_terminal(*lent(face, server)) as here:
        here.until(b"# ")
        assert here.raw
        here.command(b"echo $(stty size) $TERM $(pwd)", b"33 101 vt220 /root\r\n")
        here.resize(132, 50)
        here.command(b"while [ $(stty size | tr -d ' ') != 50132 ]; do :; done; stty size", b"\r\n50 132\r\n")
        here.command(b"sh -c 'echo be''gun; exec sleep 86397'", b"begun")
        here.type(b"\x03")
        here.until(b"# ")
        here.type(b"exit 42\r")
        assert here.end() == 42
        assert here.settings() == here.before


@ONE_DAEMON
def test_bytes_go_through_a_terminal_as_they_are(face: Face, server: Server) -> None:
    """Those that a terminal usually has other uses for, and those that are no text."""
    keys = b"\x03\x04\x1a\x1c\x11\x13\r\n\x7f\x00\xff"
    script = f"stty raw -echo; echo ready; head -c {len(keys)} | od -An -tx1"
    with on_terminal(*lent(face, server, "sh", "-c", script)) as here:
        here.until(b"ready")
        here.type(keys)
        here.until(keys.hex(" ").encode())
        assert here.end() == 0


@ONE_DAEMON
def test_the_terminal_is_restored_before_the_program_goes_on(server: Server) -> None:
    script = SCRIPTS["sync"].replace("sys.exit(code)", "print(code); import termios; print(termios.tcgetattr(0)[3])")
    with on_terminal("-c", script, server.endpoint, server.box, "sh", "-c", "exit 7") as here:
        here.until(b"7\r\n%d\r\n" % here.before[3])
        assert here.end() == 0


@ONE_DAEMON
def test_a_command_that_is_not_there(face: Face, server: Server) -> None:
    with on_terminal(*lent(face, server, "nothing-of-the-kind")) as here:
        here.until(b"IncusOperationNotFoundError: ")
        assert here.end() == 1
        assert here.settings() == here.before


@ONE_DAEMON
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
async def test_a_signal_ends_the_program(admin: Client, face: Face, server: Server, number: signal.Signals) -> None:
    with on_terminal(*lent(face, server, *READY)) as here:
        here.until(b"ready")
        assert here.raw
        here.process.send_signal(number)
        assert here.end() == -number
        assert here.settings() == here.before
    await no_sleepers(admin, server.box)


@ONE_DAEMON
async def test_the_program_stops_and_goes_on(face: Face, server: Server) -> None:
    with on_terminal(*lent(face, server, "cat")) as here:
        here.type(b"one\r")
        here.until(b"one\r\none\r\n")
        here.process.send_signal(signal.SIGTSTP)
        here.stopped()
        assert here.settings() == here.before
        here.process.send_signal(signal.SIGCONT)
        until = time.monotonic() + PATIENCE
        while not here.raw:  # what is typed before would be shown by the terminal itself
            assert time.monotonic() < until
            await asyncio.sleep(0.01)
        here.type(b"two\r")
        here.until(b"two\r\ntwo\r\n")
        assert here.raw
        here.type(b"\x04")
        assert here.end() == 0
        assert here.settings() == here.before


@ONE_DAEMON
async def test_cancelled(admin: Client, server: Server) -> None:
    with on_terminal("-c", CANCELLED, server.endpoint, server.box, *READY) as here:
        here.until(b"ready")
        here.process.send_signal(signal.SIGUSR1)
        here.until(b"cancelled\r\n")
        assert here.end() == 0
        assert here.settings() == here.before
    await no_sleepers(admin, server.box)


@ONE_DAEMON
def test_in_another_thread(server: Server) -> None:
    """Where no signal is heard, the size is looked at."""
    script = "echo ready; while [ $(stty size | tr -d ' ') != 50132 ]; do :; done; exit 5"
    with on_terminal("-c", IN_A_THREAD, server.endpoint, server.box, "sh", "-c", script) as here:
        here.until(b"ready")
        here.resize(132, 50)
        here.until(b"code 5\r\n")
        assert here.end() == 0
        assert here.settings() == here.before


@ONE_DAEMON
def test_a_program_that_ends_before_its_thread(server: Server) -> None:
    with on_terminal("-c", LEFT, server.endpoint, server.box, *READY) as here:
        here.until(b"ready")
        here.process.send_signal(signal.SIGUSR1)
        assert here.end() == 0
        assert here.settings() == here.before


@ONE_DAEMON
async def test_a_terminal_that_hangs_up(admin: Client, face: Face, server: Server) -> None:
    """The program is told by a signal, which it ignores, and by an end of what is typed."""
    script = f"import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN)\n{SCRIPTS[face.name]}"
    with on_terminal("-c", script, server.endpoint, server.box, *READY) as here:
        here.until(b"ready")
        here.hang_up()
        assert here.end() > 0
    await no_sleepers(admin, server.box)


# -- pipes ------------------------------------------------------------------------------------------------------------


def _piped(face: Face, server: Server, *command: str, data: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    arguments = [sys.executable, *lent(face, server, *command)]
    environ = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    return subprocess.run(arguments, input=data, capture_output=True, check=False, timeout=PATIENCE, env=environ)


def test_pipes(face: Face, server: Server) -> None:
    data = bytes(range(256)) * 4096
    done = _piped(face, server, "sh", "-c", "cat; echo bad >&2; tty; exit 3", data=data)
    assert (done.returncode, done.stdout, done.stderr) == (3, data + b"not a tty\n", b"bad\n")


@ONE_DAEMON
def test_a_command_that_closes_its_output_and_goes_on_reading(face: Face, server: Server) -> None:
    script = "exec >&- 2>&-; wc -c > /tmp/count; exit $(($(cat /tmp/count) - 1000000))"
    assert _piped(face, server, "sh", "-c", script, data=bytes(1_000_007)).returncode == 7


async def test_refusals(client: Client, server: Server, empty: Instance) -> None:
    with pytest.raises(IncusNotFoundError):
        await call(client.instances.shell("nobody-has-this-name"))
    with pytest.raises(IncusBadRequestError, match="running instances"):
        await call(client.instances.shell(empty.name, tty=False))
    with pytest.raises(TypeError):
        await call(client.instances.shell(server.box, "ls -l"))


async def test_on_the_streams_of_this_process(
    client: Client, server: Server, capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "vt220")
    sys.stdout.write("before\n")
    box = await call(client.instances.get(server.box))
    script = ["sh", "-c", "echo $TERM $A $(pwd) $(id -u); tty >&2"]
    assert await call(box.shell(script, environment={"A": 1}, cwd="/tmp", user=1000)) == 1
    assert capfdbinary.readouterr() == (b"before\nvt220 1 /tmp 1000\n", b"not a tty\n")
    assert await call(box.shell(["sh", "-c", "echo $TERM; tty"], tty=True, environment={"TERM": "dumb"})) == 0
    shown, errors = capfdbinary.readouterr()
    assert (shown.startswith(b"dumb\r\n/dev/"), errors) == (True, b"")


def test_the_default_command(face: Face, server: Server) -> None:
    """Root's login shell; with options, one that keeps what they say."""
    done = _piped(face, server, data=b"echo $0 $(pwd) $(id -u)\n")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"-sh /root 0\n", b"")
    assert login({}) == login({"cwd": None}) == ["su", "-l"]
    assert login({"user": 0}) == login({"environment": {}}) == ["sh", "-l"]
