"""incus_sdk without asyncio: commands in an instance."""

from __future__ import annotations

from pathlib import Path

from incus_sdk import CompletedProcess
from incus_sdk.sync import Client

from ._commands import ECHO, PIECE, check_count, check_echo, reading, writing, written

__all__ = ["Player"]


class Player:
    """A client.

    Args:
        socket: Path of the server's socket.
        name: Name of the instance.
        size: Bytes to stream.
        file: A file of that size.
    """

    def __init__(self, socket: str, name: str, size: str = "0", file: str = "") -> None:
        self._name, self._size, self._file = name, int(size), Path(file)
        self._client = Client(f"unix://{socket}")
        self._client.connect()

    def run(self, repetitions: int) -> None:
        """`echo`, one after another."""
        for _ in range(repetitions):
            self._check(self._client.instances.run(self._name, ECHO))

    def run_at_once(self, repetitions: int) -> None:
        """All at once."""
        names = [self._name] * repetitions
        for outcome in self._client.instances.run_many(names, ECHO, limit=repetitions):
            if outcome.process is None:
                raise outcome.error or ValueError("a command has neither come to something nor failed")
            self._check(outcome.process)

    def _check(self, done: CompletedProcess[bytes]) -> None:
        check_echo(done.returncode, done.stdout)

    def stdout(self, repetitions: int) -> None:
        """Read what a command writes, piece by piece."""
        for _ in range(repetitions):
            count = 0
            with self._client.instances.process(self._name, writing(self._size)) as process:
                for piece in process.stdout.chunks():
                    count += len(piece)
                process.wait()
            check_count(count, self._size)

    def stdin(self, repetitions: int) -> None:
        """Write a file for a command to read, piece by piece."""
        for _ in range(repetitions):
            self._stdin()

    def _stdin(self) -> None:
        with self._client.instances.process(self._name, reading()) as process:
            with self._file.open("rb", buffering=0) as file:
                while piece := file.read(PIECE):
                    process.stdin.write(piece)
            process.stdin.write_eof()
            process.wait()
            report = b"" if process.stderr is None else process.stderr.read()
        check_count(written(report.decode()), self._size)

    def close(self) -> None:
        """Disconnect."""
        self._client.disconnect()
