"""The `incus` command: `incus exec`, a process for each command, as scripts call it."""

from __future__ import annotations

import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ._commands import AT_A_TIME, ECHO, check_count, check_echo, reading, writing, written

__all__ = ["Player"]


class Player:
    """The command.

    Args:
        socket: Path of the server's socket.
        name: Name of the instance.
        size: Bytes to stream.
        file: A file of that size.
        **environ: Environment in which the command is on its own.
    """

    def __init__(self, socket: str, name: str, size: str = "0", file: str = "", **environ: str) -> None:
        command = shutil.which("incus")
        if command is None:
            raise ImportError("there is no command `incus`")
        self._command = [command, "exec", name, "--"]
        self._size, self._file = int(size), Path(file)
        self._environ = {**environ, "INCUS_SOCKET": socket}
        self._threads = ThreadPoolExecutor(AT_A_TIME)

    def run(self, repetitions: int) -> None:
        """`echo`, one after another."""
        for _ in range(repetitions):
            check_echo(0, self._run())

    def run_at_once(self, repetitions: int) -> None:
        """As many as wanted, 8 at a time; whatever they give, for on a busy machine some give no output at all."""
        for running in [self._threads.submit(self._run) for _ in range(repetitions)]:
            running.result()

    def _run(self) -> bytes:
        command = [*self._command, *ECHO]
        return subprocess.run(
            command, check=True, env=self._environ, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE
        ).stdout

    def stdout(self, repetitions: int) -> None:
        """Read what a command writes; it goes to /dev/null, which counts nothing."""
        for _ in range(repetitions):
            command = [*self._command, *writing(self._size)]
            subprocess.run(
                command,
                check=True,
                env=self._environ,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )

    def stdin(self, repetitions: int) -> None:
        """Write a file for a command to read."""
        for _ in range(repetitions):
            with self._file.open("rb") as file:
                done = subprocess.run(
                    [*self._command, *reading()],
                    check=True,
                    env=self._environ,
                    stdin=file,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.PIPE,
                    text=True,
                )
            check_count(written(done.stderr), self._size)

    def close(self) -> None:
        """End the threads."""
        self._threads.shutdown()
