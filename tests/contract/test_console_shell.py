"""console_shell: a console on the terminal of a process, or on its pipes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager

import pytest

from incus_sdk import Client, IncusBadRequestError, IncusNotFoundError, Instance

from .support import Face, Server, call, entered, still_runs
from .terminals import PATIENCE, REPOSITORY, SCRIPTS, on_terminal

HINT = b"Ctrl-a q\r\n"


def lent(face: Face, server: Server, name: str) -> tuple[str, ...]:
    """Arguments of a program that lends its terminal to a console."""
    script = SCRIPTS[face.name].replace("shell(sys.argv[2], sys.argv[3:] or None)", "console_shell(sys.argv[2])")
    assert "console_shell" in script
    return ("-c", script, server.endpoint, name)


async def tick(admin: Client, name: str) -> None:
    """Let something show all the time: servers say that they have attached a moment before they have."""
    script = "while sleep 0.05; do echo tick; done > /dev/console 2> /dev/null < /dev/null &"
    await admin.instances.run(name, ["sh", "-c", script], check=True)


# -- terminals --------------------------------------------------------------------------------------------------------


async def test_a_console_on_a_terminal(admin: Client, face: Face, server: Server, running: Instance) -> None:
    await tick(admin, running.name)
    with on_terminal(*lent(face, server, running.name)) as here:
        here.until(HINT)
        here.until(b"tick")
        assert here.raw
        here.resize(132, 50)  # containers do not get to know it; what is sent is tested in tests/faults
        here.type(b"caf\xe9\x01\x01one")
        here.until(b"caf\xe9")
        here.until(b"^A")  # how a terminal echoes it
        here.until(b"one")
        here.type(b"\x01qnobody sees this")
        assert here.end() == 0
        assert here.settings() == here.before
    await still_runs(running)


async def test_how_it_ends(admin: Client, face: Face, server: Server, running: Instance) -> None:
    """By somebody else, by a signal, by the terminal, or with the instance: the terminal is as it was then."""
    await tick(admin, running.name)
    with on_terminal(*lent(face, server, running.name)) as here:
        here.until(b"tick")
        async with admin.instances.console(running.name, force=True):
            here.until(b"IncusOperationCancelledError: ")
            assert here.end() == 1
        assert here.settings() == here.before
    with on_terminal(*lent(face, server, running.name)) as here:
        here.until(b"tick")
        here.process.send_signal(signal.SIGTERM)
        assert here.end() == -signal.SIGTERM
        assert here.settings() == here.before
    ignoring = "import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
    command, script, *names = lent(face, server, running.name)
    with on_terminal(command, ignoring + script, *names) as here:
        here.until(b"tick")
        here.hang_up()
        assert here.end() > 0
    with on_terminal(*lent(face, server, running.name)) as here:
        here.until(HINT)
        await running.stop(force=True, wait=True)
        assert here.end() == 0
        assert here.settings() == here.before


# -- pipes ------------------------------------------------------------------------------------------------------------


@contextmanager
def on_pipes(*arguments: str) -> Generator[subprocess.Popen[bytes]]:
    """Run a Python program without a terminal."""
    environ = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [sys.executable, *arguments], stdin=pipe, stdout=pipe, stderr=pipe, env=environ, bufsize=0
    ) as program:
        try:
            yield program
        finally:
            program.kill()


def shows(program: subprocess.Popen[bytes], text: bytes) -> None:
    """Read what it writes up to a line that has this in it."""
    assert program.stdout is not None
    for line in program.stdout:
        if text in line:
            return
    pytest.fail(f"it never shows {text!r}")


async def test_a_console_on_pipes(admin: Client, face: Face, server: Server, running: Instance) -> None:
    """The end of the input is not the end; that of the instance is."""
    await tick(admin, running.name)
    with on_pipes(*lent(face, server, running.name)) as program:
        assert program.stdin is not None
        assert program.stderr is not None
        shows(program, b"tick")
        program.stdin.write(b"\x01qyped\n")  # there is nothing to detach from: all of it is typed
        shows(program, b"^Aqyped")
        program.stdin.close()
        for _ in range(3):
            shows(program, b"tick")
        await running.stop(force=True, wait=True)
        assert program.wait(PATIENCE) == 0
        assert program.stderr.read() == b""


async def test_nobody_reads_any_more(admin: Client, face: Face, server: Server, running: Instance) -> None:
    await tick(admin, running.name)
    with on_pipes(*lent(face, server, running.name)) as program:
        assert program.stdout is not None
        assert program.stderr is not None
        shows(program, b"tick")
        program.stdout.close()
        assert program.wait(PATIENCE) == 1
        assert b"BrokenPipeError" in program.stderr.read()
    async with entered(admin.instances.console(running.name)):
        pass  # nobody is there any more


async def test_refusals(client: Client, empty: Instance) -> None:
    with pytest.raises(IncusNotFoundError):
        await call(client.instances.console_shell("nobody-has-this-name"))
    mine = await call(client.instances.get(empty.name))
    with pytest.raises(IncusBadRequestError, match="not running"):
        await call(mine.console_shell(force=True))
