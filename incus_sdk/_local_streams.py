"""The standard streams of this process, read and written without threads; only where there is Unix.

A descriptor that was inherited must not be made non-blocking: that is a property of what is open, which other processes
share, the shell for one. So pipes and terminals are opened once more, which gives them a state of their own. Where that
is not possible they are used as they are, in pieces so small that they do not block once they are ready.
"""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import Callable
from contextlib import suppress

__all__ = ["CHUNK", "LocalInput", "LocalOutput"]

CHUNK = 128 * 1024
"""Bytes that are read at a time, at most; as many as fit into one message to the server."""

SMALL = 4096
"""Bytes that a pipe which is ready takes without blocking."""


class _Local:
    """A file descriptor of our own for one of the standard streams.

    Args:
        fd: The descriptor; it is left alone.
        mode: `os.O_RDONLY` or `os.O_WRONLY`.
    """

    def __init__(self, fd: int, mode: int) -> None:
        reopened = _reopened(fd, mode)
        self._file = stat.S_ISREG(os.fstat(fd).st_mode)  # always ready, for any number of bytes
        self._blocking = reopened is None
        self._fd = os.dup(fd) if reopened is None else reopened

    def close(self) -> None:
        """Close it; the descriptor that it came from stays open."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)

    async def _ready(self, add: Callable[..., object], remove: Callable[[int], object]) -> None:
        if self._file:
            await asyncio.sleep(0)
            return
        fd, ready = self._fd, asyncio.get_running_loop().create_future()
        try:
            add(fd, _settle, ready)
        except PermissionError:  # something else that is always ready, so there is nothing to be told
            await asyncio.sleep(0)
            return
        try:
            await ready
        finally:
            remove(fd)


class LocalInput(_Local):
    """Where this process reads from.

    Args:
        fd: The descriptor, by default that of standard input.
    """

    def __init__(self, fd: int = 0) -> None:
        super().__init__(fd, os.O_RDONLY)

    async def read(self, n: int = CHUNK) -> bytes:
        """Read what is there, waiting until there is something; a read that is cancelled takes nothing.

        Returns:
            Up to `n` bytes; empty at the end, and when the terminal has hung up.
        """
        if not self._blocking:
            await asyncio.sleep(0)  # others get their turn, however much there is to read
            with suppress(BlockingIOError):
                return self._taken(n)
        while True:
            loop = asyncio.get_running_loop()
            await self._ready(loop.add_reader, loop.remove_reader)
            with suppress(BlockingIOError):
                return self._taken(n)

    def _taken(self, n: int) -> bytes:
        try:
            return os.read(self._fd, n)
        except BlockingIOError:
            raise
        except OSError:
            if _is_terminal(self._fd):
                return b""  # that is how a terminal says that it has hung up
            raise


class LocalOutput(_Local):
    """Where this process writes to.

    Args:
        fd: The descriptor, by default that of standard output.
    """

    def __init__(self, fd: int = 1) -> None:
        super().__init__(fd, os.O_WRONLY)

    async def write(self, data: bytes) -> None:
        """Write all of it, waiting for room.

        Raises:
            OSError: It cannot be written; `BrokenPipeError`, if nobody reads.
        """
        view = memoryview(data)
        size = SMALL if self._blocking and not self._file else CHUNK
        while view:
            if self._blocking:
                await self._writable()
            try:
                view = view[os.write(self._fd, view[:size]) :]
            except BlockingIOError:
                await self._writable()

    async def _writable(self) -> None:
        loop = asyncio.get_running_loop()
        await self._ready(loop.add_writer, loop.remove_writer)


def _settle(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_result(None)


def _reopened(fd: int, mode: int) -> int | None:
    """Open once more what a descriptor refers to, such that it does not block; `None` if that cannot be done."""
    kind = os.fstat(fd).st_mode
    if not (stat.S_ISFIFO(kind) or stat.S_ISCHR(kind)):
        return None  # a socket cannot be opened again, and a file would be at its beginning
    try:
        return os.open(f"/proc/self/fd/{fd}", mode | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:  # no /proc, no reader at the other end, or a terminal of another user
        return None


def _is_terminal(fd: int) -> bool:
    """Whether it is a terminal, maybe one that has hung up, which `isatty` denies."""
    return stat.S_ISCHR(os.fstat(fd).st_mode)
