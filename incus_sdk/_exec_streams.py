"""The standard streams of a command in an instance, over its websockets."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import suppress
from typing import TYPE_CHECKING, Self

from ._transport.errors import WebSocketClosed
from .exceptions import IncusArgumentError, IncusBrokenPipeError, IncusConnectionError, IncusError

if TYPE_CHECKING:
    from ._commands import Buffer
    from .api_client import WebSocket

__all__ = ["InputStream", "OutputStream", "Pieces"]

SLICE = 128 * 1024
"""Bytes of one message to the server, which takes a message of any size but a big one only as a whole."""

YIELD = 1 << 20
"""Bytes after which other tasks get their turn, even if the server never makes a write wait."""

END = ""
"""Any text message ends a stream of bytes; that of servers is empty."""

CTRL_D = b"\x04"
"""What ends the input of a terminal, at the beginning of a line."""


class Pieces:
    """Bytes in the pieces that they came in."""

    __slots__ = ("_offset", "_pieces", "size")

    def __init__(self) -> None:
        self._pieces: deque[bytes] = deque()
        self._offset = 0  # of the first byte in the first piece
        self.size = 0

    def put(self, data: bytes) -> None:
        self._pieces.append(data)
        self.size += len(data)

    def first(self) -> bytes:
        """Take the rest of the first piece."""
        data, offset = self._pieces.popleft(), self._offset
        self._offset = 0
        self.size -= len(data) - offset
        return data[offset:] if offset else data

    def take(self, count: int) -> bytes:
        """Take bytes that must be there."""
        parts: list[bytes] = []
        left = count
        while left:
            piece = self._pieces[0]
            if len(piece) - self._offset <= left:
                parts.append(self.first())
            else:
                parts.append(piece[self._offset : self._offset + left])
                self._offset += left
                self.size -= left
            left -= len(parts[-1])
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def find(self, byte: bytes, seen: int) -> int:
        """Return how many bytes there are up to and with the first `byte`, or 0; the first `seen` have none."""
        start = -self._offset
        for piece in self._pieces:
            if start + len(piece) > seen:
                found = piece.find(byte, max(seen - start, -start, 0))
                if found >= 0:
                    return start + found + 1
            start += len(piece)
        return 0


class OutputStream:
    """What a command writes to its standard output or error; iterating gives its lines.

    It is read from the server as it is read here, and up to 2 MiB ahead: a command whose output nobody takes is made to
    wait. A read that is cancelled loses nothing. Where the connection broke before the end of the output, reads beyond
    what had come raise `IncusConnectionError`, and leave that to be read.

    Attributes:
        received: Number of bytes that have come so far.
    """

    def __init__(self, socket: WebSocket, label: str, *, hang_up: bool = False) -> None:
        self._socket = socket
        self._label = label
        self._hang_up = hang_up
        self._unread = Pieces()
        self._turn = asyncio.Lock()
        self._ended = self._discarding = False
        self.error: IncusError | None = None
        self.received: int = 0

    def at_eof(self) -> bool:
        """Whether everything has been read."""
        return self._ended and not self._unread.size

    async def read(self, n: int = -1) -> bytes:
        """Read at least one and up to `n` bytes; everything until the end if `n` is negative.

        Returns:
            The bytes; empty at the end.

        Raises:
            IncusConnectionError: The connection broke before the end of the output.
        """
        if n < 0:
            while await self._more():
                pass
            return self._unread.take(self._unread.size)
        while n and not self._unread.size and await self._more():
            pass
        return self._unread.take(min(n, self._unread.size))

    async def readexactly(self, n: int) -> bytes:
        """Read `n` bytes.

        Raises:
            asyncio.IncompleteReadError: The output ended before that; the error's `partial` has what there was.
            IncusConnectionError: The connection broke before the end of the output.
        """
        if n < 0:
            raise IncusArgumentError(f"n cannot be {n}: it is a number of bytes")
        while self._unread.size < n and await self._more():
            pass
        if self._unread.size < n:
            raise asyncio.IncompleteReadError(self._unread.take(self._unread.size), n)
        return self._unread.take(n)

    async def readline(self) -> bytes:
        """Read a line, of any length, with its newline; the last may have none.

        Returns:
            The line; empty at the end.

        Raises:
            IncusConnectionError: The connection broke before the end of the output.
        """
        seen, more = 0, True
        while not (count := self._unread.find(b"\n", seen)) and more:
            seen = self._unread.size
            more = await self._more()
        return self._unread.take(count or self._unread.size)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        if line := await self.readline():
            return line
        raise StopAsyncIteration

    async def chunks(self) -> AsyncGenerator[bytes]:
        """Iterate over the pieces as they arrive, of any size: the fastest way to read much."""
        while self._unread.size or await self._more():
            while self._unread.size:
                yield self._unread.first()

    # -- for the process ----------------------------------------------------------------------------------------------

    async def collect(self) -> None:
        """Fetch all that is to come, for later reads; errors are left to them."""
        while not self._ended:
            await self._fetch()

    def discard(self) -> None:
        """Forget what is unread, and what is to come."""
        self._discarding = True
        self._unread = Pieces()

    def taken(self) -> bytes:
        """Return what is here, without waiting."""
        return self._unread.take(self._unread.size)

    async def _more(self) -> bool:
        """Wait for further bytes; `False` if the end is here, and no byte came with it."""
        before = self.received
        if not self._ended:
            await self._fetch()
        if self.received > before or not self._ended:
            return True
        if self.error is not None:
            raise self.error
        return False

    async def _fetch(self) -> None:
        """Wait until further messages are here, fetched by this task or by another that reads at the same time."""
        before = self.received
        async with self._turn:
            if self.received == before and not self._ended:
                await self._receive()

    async def _receive(self) -> None:
        try:
            messages = await self._socket.recv_all()
        except WebSocketClosed as error:
            self._end(await self._meaning(error))
        except IncusError as error:
            self._end(error)
        else:
            for message in messages:
                if isinstance(message, str):
                    self._end(await self._meaning(None))
                    return
                self._put(bytes(message))

    def _put(self, data: bytes) -> None:
        self.received += len(data)
        if data and not self._discarding:
            self._unread.put(data)

    async def _meaning(self, broken: IncusConnectionError | None) -> IncusError | None:
        """Return what readers are told at the end, which came without the server's mark if it is `broken`."""
        if broken is None:
            return None
        text = f"{self._label}: the connection broke before the end of the output"
        return IncusConnectionError(text, broken, sent=True)

    def _end(self, error: IncusError | None) -> None:
        self._ended, self.error = True, error
        if self._hang_up:  # a terminal: its command is not over for the server before that
            self._socket.abort()


class InputStream:
    """What a command reads from its standard input.

    A write that does not fit into the pipes on the way waits until the command has read enough. So where a command
    answers while it still has input to read, read its output at the same time, in another task.
    """

    def __init__(self, socket: WebSocket, label: str, *, terminal: bool) -> None:
        self._socket = socket
        self._label = label
        self._terminal = terminal
        self._closed = False

    async def write(self, data: Buffer) -> None:
        """Write bytes; return when there is room for more.

        Raises:
            IncusBrokenPipeError: The command has ended, or its connection broke.
            IncusArgumentError: The end of the input was written already.
        """
        if self._closed:
            raise IncusArgumentError(f"{self._label}: nothing can be written after write_eof()")
        view = memoryview(data).cast("B")
        for start in range(0, len(view), SLICE):
            await self._send(view[start : start + SLICE])
            if start % YIELD == YIELD - SLICE:
                await asyncio.sleep(0)

    async def drain(self) -> None:
        """Return when there is room for more, as `write` has done already; it is here for code written for asyncio."""

    async def write_eof(self) -> None:
        """Tell the command that this was all; on a terminal with Ctrl-D, which counts at the beginning of a line only.

        It may be called again, and after the end of the command.
        """
        if self._closed:
            return
        self._closed = not self._terminal
        with suppress(IncusBrokenPipeError):  # it had ended already
            await self._send(CTRL_D if self._terminal else END)

    async def feed(self, data: Buffer) -> None:
        """Write all of the input, as far as the command wants it."""
        with suppress(IncusBrokenPipeError):  # it did not read to the end, as `head` does not
            await self.write(data)
        await self.write_eof()

    async def _send(self, data: Buffer | str) -> None:
        try:
            await self._socket.send(data)
        except IncusError as error:
            text = f"{self._label}: no more input is taken: it has ended, or the connection broke"
            raise IncusBrokenPipeError(text, error, sent=True) from error
