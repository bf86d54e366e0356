"""A raw stream of bytes, as it is left after an HTTP connection has switched to another protocol."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Self

from ..exceptions import IncusConnectionError, IncusError
from .inbox import Inbox

if TYPE_CHECKING:
    from .connection import Connection

CLOSE_PATIENCE = 2.0
"""Seconds that the server gets to take the last bytes and hang up, before it is cut off."""


class Closable:
    """What is open until it is closed, or an `async with` block ends: in good order, or at once if the block raised."""

    __slots__ = ()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            await self.close()
        else:
            self.abort()

    async def close(self) -> None:
        """Send what is still to be sent, then hang up."""
        raise NotImplementedError

    def abort(self) -> None:
        """Hang up at once."""
        raise NotImplementedError


class RawStream(Closable):
    """Bytes in both directions: SFTP, NBD, a forwarded port.

    There is no way to close one direction alone: Incus takes the end of either for the end of both. Nothing limits the
    server's silence, because only the protocol that is spoken knows who has to speak.

    Iterating gives the pieces as they arrive. One task may read and others may write at the same time. A read that is
    cancelled loses nothing.
    """

    __slots__ = ("_connection", "_inbox", "_label")

    def __init__(self, connection: Connection, label: str, early: bytes) -> None:
        self._connection = connection
        self._label = label
        self._inbox = Inbox(connection)
        connection.attach(self, early, None)

    async def read(self, n: int = -1) -> bytes:
        """Read at least one and up to `n` bytes; everything until the end if `n` is negative.

        Returns:
            The bytes; empty at the end.

        Raises:
            IncusConnectionError: The connection broke, or was closed at this side.
        """
        return await self._inbox.read(n)

    async def readexactly(self, n: int) -> bytes:
        """Read `n` bytes.

        Raises:
            IncusConnectionError: The connection broke or ended before that. What had come can still be read.
        """
        if self._inbox.size < n:
            await self._inbox.until(n)
            if self._inbox.size < n:
                raise IncusConnectionError(
                    f"{self._label}: the server ended the stream after {self._inbox.size} of {n} bytes", sent=True
                )
        return self._inbox.take(n)

    def __aiter__(self) -> RawStream:
        return self

    async def __anext__(self) -> bytes:
        if piece := await self._inbox.piece():
            return piece
        raise StopAsyncIteration

    async def write(self, data: bytes | bytearray | memoryview) -> None:
        """Write bytes; return when there is room for more. The buffer may be changed then.

        Up to 256 KiB stay together when several tasks write at the same time.

        Raises:
            IncusConnectionError: The connection broke, or was closed at either side.
        """
        if self._connection.closing:
            raise self._broken(None)
        try:
            await self._connection.send(data)
        except IncusConnectionError as error:
            raise self._broken(error) from error

    async def close(self) -> None:
        """Send what is still to be sent, then hang up; what is unread is dropped."""
        self._inbox.end(IncusConnectionError(f"{self._label}: the stream is closed", sent=True))
        self._inbox.discard()
        if not self._connection.lost:
            self._connection.resume_reading()  # over TLS, the end of the connection has to be read
            self._connection.transport.close()
            await self._connection.wait_lost(CLOSE_PATIENCE)

    def abort(self) -> None:
        """Hang up at once."""
        self._inbox.end(IncusConnectionError(f"{self._label}: the stream is closed", sent=True))
        self._connection.abort()

    def _broken(self, cause: BaseException | None) -> IncusConnectionError:
        return IncusConnectionError(
            f"{self._label}: the stream has ended, nothing more can be written", cause, sent=True
        )

    # -- the connection's receiver --------------------------------------------------------------------------------

    def feed(self, data: memoryview) -> None:
        """Take bytes that have arrived."""
        if not self._inbox.ended:
            self._inbox.put(bytes(data))

    def eof(self) -> None:
        """Note that the server has ended the stream, or somebody has cut it."""
        if self._connection.ended_well:
            self._inbox.end()
        else:  # nobody else knows how long the stream should have been
            self._inbox.end(IncusConnectionError(f"{self._label}: the stream was cut, not ended", sent=True))

    def lost(self, error: BaseException | None) -> None:
        """Note that the connection has gone."""
        if error is None:
            self.eof()
            return
        if not isinstance(error, IncusError):
            broken = IncusConnectionError(f"{self._label}: the connection broke: {error}", error, sent=True)
            broken.__cause__ = error
            error = broken
        self._inbox.end(error)

    def counting(self) -> bool:
        """Whether the server's silence is counted: never here."""
        return False

    def silent(self, limit: float) -> None:
        """Never called: no limit was asked for."""
