"""incus_sdk: commands in an instance."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path

from incus_sdk import Client, CompletedProcess

from ._commands import ECHO, PIECE, check_count, check_echo, reading, writing, written
from ._running import one_after_another

__all__ = ["Player"]


class Player:
    """A client in an event loop.

    Args:
        socket: Path of the server's socket.
        name: Name of the instance.
        size: Bytes to stream.
        file: A file of that size.
    """

    def __init__(self, socket: str, name: str, size: str = "0", file: str = "") -> None:
        self._name, self._size, self._file = name, int(size), Path(file)
        self._client = Client(f"unix://{socket}")
        self._runner = asyncio.Runner()
        self._runner.run(self._client.connect())

    def run(self, repetitions: int) -> None:
        """`echo`, one after another."""
        self._runner.run(one_after_another(partial(self._run, ECHO), repetitions))

    def run_at_once(self, repetitions: int) -> None:
        """All at once."""
        self._runner.run(self._run_at_once(repetitions))

    async def _run_at_once(self, repetitions: int) -> None:
        await asyncio.gather(*(self._run(ECHO) for _ in range(repetitions)))

    async def _run(self, command: list[str]) -> None:
        done: CompletedProcess[bytes] = await self._client.instances.run(self._name, command)
        check_echo(done.returncode, done.stdout)

    def stdout(self, repetitions: int) -> None:
        """Read what a command writes, piece by piece."""
        self._runner.run(one_after_another(self._stdout, repetitions))

    async def _stdout(self) -> None:
        count = 0
        async with self._client.instances.process(self._name, writing(self._size)) as process:
            async for piece in process.stdout.chunks():
                count += len(piece)
            await process.wait()
        check_count(count, self._size)

    def stdin(self, repetitions: int) -> None:
        """Write a file for a command to read, piece by piece."""
        self._runner.run(one_after_another(self._stdin, repetitions))

    async def _stdin(self) -> None:
        async with self._client.instances.process(self._name, reading()) as process:
            with self._file.open("rb", buffering=0) as file:
                while piece := file.read(PIECE):
                    await process.stdin.write(piece)
            await process.stdin.write_eof()
            await process.wait()
            report = b"" if process.stderr is None else await process.stderr.read()
        check_count(written(report.decode()), self._size)

    def close(self) -> None:
        """Disconnect."""
        self._runner.run(self._client.disconnect())
        self._runner.close()
