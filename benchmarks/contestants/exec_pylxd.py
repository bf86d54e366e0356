"""pylxd: commands in an instance. It cannot stream input."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from ._commands import ECHO, check_count, check_echo, writing

__all__ = ["Player"]


class Player:
    """A client.

    Args:
        socket: Path of the server's socket.
        name: Name of the instance.
        size: Bytes to stream.
        file: A file of that size, which is of no use here.
    """

    def __init__(self, socket: str, name: str, size: str = "0", file: str = "") -> None:
        pylxd = import_module("pylxd")  # so that the rest of the benchmarks works, and is checked, without
        self._size = int(size)
        self._instance: Any = pylxd.Client(endpoint=socket).instances.get(name)

    def run(self, repetitions: int) -> None:
        """`echo`, one after another."""
        for _ in range(repetitions):
            done = self._instance.execute(ECHO)
            check_echo(done.exit_code, done.stdout)

    def stdout(self, repetitions: int) -> None:
        """Read what a command writes, piece by piece."""
        for _ in range(repetitions):
            counter = Counter()
            self._instance.execute(writing(self._size), stdout_handler=counter.add)
            check_count(counter.count, self._size)

    def close(self) -> None:
        """Nothing is open."""


class Counter:
    """How many bytes have come.

    Attributes:
        count: Their number.
    """

    def __init__(self) -> None:
        self.count = 0

    def add(self, piece: bytes | str) -> None:
        """Count a piece; of what is not UTF-8, pylxd's own decoder says so first."""
        self.count += len(piece)
