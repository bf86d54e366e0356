"""Programs on a terminal of their own, as a person has one."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from ..conftest import DAEMONS

REPOSITORY = Path(__file__).parents[2]

ONE_DAEMON = pytest.mark.parametrize("server", DAEMONS[:1], indirect=True, scope="session")
"""For tests of what happens in this process, where the version of the server makes no difference."""

PATIENCE = 40.0
"""Seconds after which something hangs."""

SCRIPTS = {
    "async": """
import asyncio, sys
from incus_sdk import Client

async def main():
    async with Client(sys.argv[1]) as client:
        return await client.instances.shell(sys.argv[2], sys.argv[3:] or None)

sys.exit(asyncio.run(main()))
""",
    "sync": """
import sys
from incus_sdk.sync import Client

with Client(sys.argv[1]) as client:
    code = client.instances.shell(sys.argv[2], sys.argv[3:] or None)
sys.exit(code)
""",
}
"""Programs that lend their terminal to a command, by face; arguments are an endpoint, an instance, and the command."""


class OnTerminal:
    """A Python program on a terminal that is its own.

    Args:
        arguments: Those of the interpreter.

    Attributes:
        process: The process.
        before: The settings of the terminal from before it.
    """

    def __init__(self, arguments: Sequence[str]) -> None:
        self._ours, self._its = pty.openpty()
        self._open = [self._its, self._ours]
        self.resize(101, 33)
        self.before: list[Any] = self.settings()
        self._seen = b""
        self.process: subprocess.Popen[bytes] = subprocess.Popen(
            ["setsid", "--ctty", sys.executable, *arguments],
            stdin=self._its,
            stdout=self._its,
            stderr=self._its,
            env={**os.environ, "TERM": "vt220", "PYTHON_COLORS": "0", "PYTHONPATH": str(REPOSITORY)},
        )

    def resize(self, columns: int, rows: int) -> None:
        """Give the terminal another size, of which the kernel tells the program."""
        fcntl.ioctl(self._ours, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def settings(self) -> list[Any]:
        """Return how the terminal is set up now."""
        return termios.tcgetattr(self._its)

    @property
    def raw(self) -> bool:
        """Whether keys go to the program as they are typed."""
        return not self.settings()[3] & (termios.ICANON | termios.ECHO | termios.ISIG)

    def type(self, keys: bytes) -> None:
        """Press keys."""
        os.write(self._ours, keys)

    def until(self, text: bytes) -> bytes:
        """Wait until the terminal shows a text; return what it has shown up to there since the last time."""
        limit = time.monotonic() + PATIENCE
        while text not in self._seen:
            assert select.select([self._ours], [], [], limit - time.monotonic())[0], self._seen
            self._seen += os.read(self._ours, 65536)
        shown, found, self._seen = self._seen.partition(text)
        return shown + found

    def command(self, keys: bytes, text: bytes) -> bytes:
        """Type a command for a shell, and wait for what it answers, which must not be in the command itself."""
        assert text not in keys
        self.type(keys + b"\r")
        return self.until(text)

    def end(self) -> int:
        """Wait for the end, and return the exit code, negative for signals."""
        return self.process.wait(PATIENCE)

    def stopped(self) -> None:
        """Wait until it has been stopped by a signal."""
        _, status = os.waitpid(self.process.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status)

    def close(self) -> None:
        """End it, if it has not ended."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
        self.hang_up()

    def hang_up(self) -> None:
        """Take the terminal away."""
        while self._open:
            os.close(self._open.pop())


@contextmanager
def on_terminal(*arguments: str) -> Generator[OnTerminal]:
    """Run a Python program on a terminal of its own, with these arguments of the interpreter."""
    program = OnTerminal(arguments)
    try:
        yield program
    finally:
        program.close()
