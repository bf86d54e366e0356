"""Streams, for threads that wait: each method is the one of the same name in `incus_sdk`, and waits for it."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from .. import _transport
from .._transport.response import Answer
from ._held import called
from ._portal import Portal

if TYPE_CHECKING:
    from .._transport import websocket

__all__ = ["RawStream", "StreamResponse", "WebSocket"]

T = TypeVar("T")


class StreamResponse(Answer):
    """An answer whose body is read while it arrives; iterating gives the pieces as they come.

    All ways to read raise `IncusTimeoutError` when the server falls silent, `IncusConnectionError` when the connection
    breaks before the end of the body and `IncusProtocolError` when its framing is wrong.
    """

    __slots__ = ("_inner", "_portal")

    def __init__(self, inner: _transport.StreamResponse, portal: Portal) -> None:
        super().__init__(inner.status, inner.headers)
        self._inner = inner
        self._portal = portal

    @property
    def content_length(self) -> int | None:
        """Announced size of the body in bytes, `None` if it was not announced."""
        return self._inner.content_length

    def read(self, n: int = -1) -> bytes:
        """Read up to `n` bytes, or the rest of the body if `n` is negative; empty at the end."""
        return self._portal.run(self._inner.read, n)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        return _next(self._portal, self._inner.__anext__)


class _Closable:
    """What websockets and raw streams have in common: they are open until they are closed, or a `with` block ends."""

    __slots__ = ("_inner", "_portal")

    def __init__(self, inner: Any, portal: Portal) -> None:
        self._inner = inner
        self._portal = portal

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.abort()

    def __iter__(self) -> Self:
        return self

    def close(self) -> None:
        """Send what is still to be sent, then hang up; what is unread is dropped."""
        self._portal.run_last(self._inner.close)  # the end of the client has closed it as well

    def abort(self) -> None:
        """Hang up at once."""
        self._portal.run_last(called, self._inner.abort)


class WebSocket(_Closable):
    """An open websocket; iterating gives messages until the server ends the stream.

    One thread may receive and others may send at the same time. Pings of the server are answered by themselves.
    """

    __slots__ = ()
    _inner: websocket.WebSocket

    def recv(self) -> str | bytes | bytearray:
        """Wait for the next message: `str` for a text message, bytes for a binary one.

        Raises:
            WebSocketClosed: The stream has ended, at the server's side or by `close`.
            IncusConnectionError: The server fell silent, or the client was closed.
            IncusProtocolError: The server broke the protocol, or sent a message larger than `max_size`.
        """
        return self._portal.run(self._inner.recv)

    def recv_all(self) -> list[str | bytes | bytearray]:
        """Wait for the next message, and return it with all others that have arrived; raises as `recv` does."""
        return self._portal.run(self._inner.recv_all)

    def send(self, data: str | bytes | bytearray | memoryview) -> None:
        """Send one message, as text if it is a `str`; return when there is room for more.

        Raises:
            WebSocketClosed: The stream has ended.
            IncusConnectionError: The connection broke.
        """
        self._portal.run(self._inner.send, data)

    def ping(self, data: bytes = b"") -> None:
        """Send a ping. Its answer only shows in that the server is not silent."""
        self._portal.run(self._inner.ping, data)

    def close(self, code: int = 1000) -> None:
        """Say goodbye with `code` and wait briefly for the server to hang up; unread messages are dropped."""
        self._portal.run_last(self._inner.close, code)

    def __next__(self) -> str | bytes | bytearray:
        return _next(self._portal, self._inner.__anext__)


class RawStream(_Closable):
    """Bytes in both directions: SFTP, NBD, a forwarded port. Iterating gives the pieces as they arrive.

    One thread may read and others may write at the same time. There is no limit to the server's silence.
    """

    __slots__ = ()
    _inner: _transport.RawStream

    def read(self, n: int = -1) -> bytes:
        """Read at least one and up to `n` bytes; everything until the end if `n` is negative.

        Returns:
            The bytes; empty at the end.

        Raises:
            IncusConnectionError: The connection broke, or was closed at this side.
        """
        return self._portal.run(self._inner.read, n)

    def readexactly(self, n: int) -> bytes:
        """Read `n` bytes.

        Raises:
            IncusConnectionError: The connection broke or ended before that. What had come can still be read.
        """
        return self._portal.run(self._inner.readexactly, n)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Write bytes; return when there is room for more. The buffer may be changed then.

        Up to 256 KiB stay together when several threads write at the same time.

        Raises:
            IncusConnectionError: The connection broke, or was closed at either side.
        """
        self._portal.run(self._inner.write, data)

    def __next__(self) -> bytes:
        return _next(self._portal, self._inner.__anext__)


def _next(portal: Portal, advance: Callable[[], Coroutine[Any, Any, T]]) -> T:
    try:
        return portal.run(advance)
    except StopAsyncIteration:
        raise StopIteration from None
