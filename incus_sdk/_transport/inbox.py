"""Bytes that have arrived and are not yet read."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .connection import Connection

HIGH_WATER = 1 << 20
"""Unread bytes above which the connection stops reading; it goes on below half of it."""


class Inbox:
    """The queue between a connection and the one task that reads from it.

    A cancelled read loses nothing: bytes leave the queue only when a read can return them.

    Attributes:
        size: Number of unread bytes.
        ended: Whether no more bytes will come.
        waiting: Whether a reader is waiting for bytes.
    """

    __slots__ = ("_connection", "_error", "_needed", "_offset", "_pieces", "_waiter", "ended", "size")

    def __init__(self, connection: Connection) -> None:
        self._connection: Connection | None = connection
        self._pieces: deque[bytes] = deque()
        self._offset = 0  # of the first unread byte in the first piece
        self._error: Exception | None = None
        self._needed: float = 1
        self._waiter: asyncio.Future[None] | None = None
        self.size: int = 0
        self.ended: bool = False

    @property
    def waiting(self) -> bool:
        return self._waiter is not None

    def put(self, data: bytes) -> None:
        """Add bytes, at the connection's side."""
        self._pieces.append(data)
        self.size += len(data)
        if self.size >= self._needed:
            self._wake()
            if self.size > HIGH_WATER and self._connection is not None:
                self._connection.pause_reading()

    def end(self, error: Exception | None = None) -> None:
        """Declare that nothing will follow; readers get `error` once they have read what is there."""
        if not self.ended:
            self.ended, self._error = True, error
            self._connection = None  # it may serve other requests by now
        self._wake()

    def discard(self) -> None:
        """Forget what is unread."""
        self._pieces.clear()
        self.size = self._offset = 0

    async def piece(self) -> bytes:
        """The next bytes as they arrived; empty at the end."""
        if not self.size:
            await self.until(1)
            if not self.size:
                return b""
        data = self._pieces.popleft()
        if self._offset:
            data, self._offset = data[self._offset :], 0
        self._taken(len(data))
        return data

    async def read(self, count: int) -> bytes:
        """At least one and up to `count` bytes, empty at the end; all that will come if `count` is negative."""
        if count < 0:
            await self.until(math.inf)
            return self.take(self.size)
        if count and not self.size:
            await self.until(1)
        return self.take(min(count, self.size))

    async def until(self, needed: float) -> None:
        """Wait for `needed` unread bytes or for the end.

        Raises:
            RuntimeError: Another task is reading already.
            IncusError: The end came in a way that it should not.
        """
        while self.size < needed and not self.ended:
            await self._wait(needed)
        if self.size < needed and self._error is not None:
            raise self._error

    async def _wait(self, needed: float) -> None:
        connection = self._connection
        if self._waiter is not None or connection is None:
            raise RuntimeError("another task is already reading this stream")
        connection.touch()  # the time before was the caller's, not the server's silence
        connection.resume_reading()  # more may be needed than is otherwise kept
        self._needed = needed
        self._waiter = connection.loop.create_future()
        try:
            await self._waiter
        finally:
            self._waiter, self._needed = None, 1

    def _wake(self) -> None:
        waiter = self._waiter
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    def take(self, count: int) -> bytes:
        """Remove and return the first `count` bytes, which must be there."""
        pieces = self._pieces
        if count and count <= len(pieces[0]) - self._offset:  # one slice, no joining
            data = pieces[0][self._offset : self._offset + count]
            self._skip(count)
        else:
            data = self._joined(count)
        self._taken(count)
        return data

    def _joined(self, count: int) -> bytes:
        parts: list[bytes] = []
        while count:
            part = self._pieces[0][self._offset : self._offset + count]
            parts.append(part)
            self._skip(len(part))
            count -= len(part)
        return b"".join(parts)

    def _skip(self, count: int) -> None:
        self._offset += count
        if self._offset == len(self._pieces[0]):
            self._pieces.popleft()
            self._offset = 0

    def _taken(self, count: int) -> None:
        self.size -= count
        if self._connection is not None and self.size <= HIGH_WATER // 2:
            self._connection.resume_reading()
