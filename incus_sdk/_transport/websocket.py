"""Websockets, over a connection of the pool: the protocol is the websockets library's, but for binary messages."""

from __future__ import annotations

import asyncio
import binascii
import hashlib
import logging
import os
from collections import deque
from typing import TYPE_CHECKING

from ..exceptions import IncusConnectionError, IncusError, IncusProtocolError
from .errors import WebSocketClosed
from .frames import Frames
from .stream import Closable

if TYPE_CHECKING:
    from websockets.frames import Close, Frame

    from .connection import Connection

HIGH_WATER = 1 << 20
"""Unread bytes above which the connection stops reading; it goes on below half of it."""

OVERHEAD = 64
"""What an unread message counts beside its bytes, so that empty ones do not pile up without limit."""

CLOSE_PATIENCE = 2.0
"""Seconds that the server gets to hang up after the close frames."""

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_CONT, _TEXT, _BINARY = 0, 1, 2
_DATA = (_BINARY, _TEXT)

# The library logs frames with their content at DEBUG, among them what people type: it gets a logger that is off.
_silent_logger = logging.Logger(  # noqa: LOG001 - in no hierarchy, so that no configuration turns it on
    "incus_sdk.transport.frames", logging.CRITICAL + 1
)


def new_key() -> str:
    """A nonce for the handshake."""
    return binascii.b2a_base64(os.urandom(16), newline=False).decode("ascii")


def accept_key(key: str) -> str:
    """What the server has to answer to `key`."""
    digest = hashlib.sha1(key.encode("ascii") + _GUID, usedforsecurity=False).digest()
    return binascii.b2a_base64(digest, newline=False).decode("ascii")


class WebSocket(Closable):
    """An open websocket.

    Iterating gives messages until the server ends the stream. One task may receive and others may send at the same
    time. A `recv` that is cancelled loses nothing. Pings of the server are answered by themselves.
    """

    __slots__ = (
        "_connection",
        "_error",
        "_frames",
        "_label",
        "_messages",
        "_parts",
        "_probed",
        "_protocol",
        "_size",
        "_text",
        "_waiter",
    )

    def __init__(
        self, connection: Connection, label: str, early: bytes, *, max_size: int | None, silence: float | None
    ) -> None:
        # Loading it takes 25 ms, which programs that only make requests need not spend.
        from websockets.protocol import Protocol, Side, State

        self._connection = connection
        self._label = label
        self._frames = Frames(max_size)
        self._protocol = Protocol(Side.CLIENT, state=State.OPEN, max_size=max_size, logger=_silent_logger)
        self._messages: deque[str | bytes | bytearray] = deque()
        self._size = 0
        self._parts: list[bytes] | None = None
        self._text = False
        self._probed = False
        self._error: IncusError | None = None
        self._waiter: asyncio.Future[None] | None = None
        # Half of it, because the first time is answered with a ping and the second is the end.
        connection.attach(self, early, None if silence is None else silence / 2)

    # -- receiving ------------------------------------------------------------------------------------------------

    async def recv(self) -> str | bytes | bytearray:
        """Wait for the next message: `str` for a text message, bytes for a binary one.

        Raises:
            WebSocketClosed: The stream has ended, at the server's side or by `close`.
            IncusConnectionError: The server fell silent, or the client was closed.
            IncusProtocolError: The server broke the protocol, or sent a message larger than `max_size`.
        """
        await self._some()
        message = self._messages.popleft()
        self._size -= len(message) + OVERHEAD
        if self._size <= HIGH_WATER // 2:
            self._connection.resume_reading()
        return message

    async def recv_all(self) -> list[str | bytes | bytearray]:
        """Wait for the next message, and return it with all others that have arrived; raises as `recv` does."""
        await self._some()
        messages = list(self._messages)
        self._messages.clear()
        self._size = 0
        self._connection.resume_reading()
        return messages

    async def _some(self) -> None:
        while not self._messages:
            if self._error is not None:
                raise self._error
            await self._arrival()

    def __aiter__(self) -> WebSocket:
        return self

    async def __anext__(self) -> str | bytes | bytearray:
        try:
            return await self.recv()
        except WebSocketClosed:
            raise StopAsyncIteration from None

    async def _arrival(self) -> None:
        if self._waiter is not None:
            raise RuntimeError("another task is already receiving from this websocket")
        self._waiter = self._connection.loop.create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    # -- sending --------------------------------------------------------------------------------------------------

    async def send(self, data: str | bytes | bytearray | memoryview) -> None:
        """Send one message, as text if it is a `str`; return when there is room for more.

        Raises:
            WebSocketClosed: The stream has ended.
            IncusConnectionError: The connection broke.
        """
        self._check_open()
        if isinstance(data, str):
            self._protocol.send_text(data.encode())
        else:
            self._protocol.send_binary(data)
        await self._flushed()

    async def ping(self, data: bytes = b"") -> None:
        """Send a ping. Its answer only shows in that the server is not silent."""
        self._check_open()
        self._protocol.send_ping(data)
        await self._flushed()

    async def close(self, code: int = 1000) -> None:
        """Say goodbye with `code` and wait briefly for the server to hang up; unread messages are dropped."""
        was_open = self._error is None
        self._end(WebSocketClosed(f"{self._label}: closed at this side", code))
        self._messages.clear()
        self._size = 0
        if self._connection.lost:
            return
        if was_open and not self._connection.closing:
            self._protocol.send_close(code)
            self._flush()
        self._connection.resume_reading()  # the answer to it, and over TLS the end of the connection
        await self._connection.wait_lost(CLOSE_PATIENCE)

    def abort(self) -> None:
        """Hang up at once. Messages that have arrived can still be read."""
        self._end(WebSocketClosed(f"{self._label}: closed at this side"))
        self._connection.abort()

    def _check_open(self) -> None:
        if self._error is not None:
            raise self._error
        if self._connection.closing:
            raise self._hung_up(None)

    async def _flushed(self) -> None:
        self._flush()
        if self._connection.writing_paused:
            try:
                await self._connection.drain()
            except IncusConnectionError as error:
                raise self._error or self._hung_up(error) from error

    def _flush(self) -> None:
        for data in self._protocol.data_to_send():
            # The empty one asks for the end of writing, which would be the end of everything for Incus.
            if data and not self._connection.closing:
                self._connection.transport.write(data)

    # -- the connection's receiver --------------------------------------------------------------------------------

    def feed(self, data: memoryview) -> None:
        self._probed = False
        if self._finished():
            self._connection.abort()  # nothing may follow a close frame
            return
        for piece in self._frames.split(data):
            if isinstance(piece, bytes):
                self._put(piece, text=False)
            elif not self._finished():
                self._feed_protocol(piece)

    def _feed_protocol(self, data: memoryview) -> None:
        protocol = self._protocol
        protocol.receive_data(data)  # type: ignore[arg-type]  # it is appended to a bytearray, nothing else
        for frame in protocol.events_received():
            self._take(frame)  # type: ignore[arg-type]  # a protocol that starts open has no other events
        if protocol.parser_exc is not None:
            self._break(str(protocol.parser_exc))
        self._flush()
        if (close := protocol.close_rcvd) is not None:
            self._closed(close)

    def _finished(self) -> bool:
        return self._protocol.close_rcvd is not None or self._protocol.parser_exc is not None

    def _take(self, frame: Frame) -> None:
        opcode = frame.opcode
        if opcode in _DATA:
            if frame.fin:
                self._put(frame.data, text=opcode == _TEXT)
            else:
                self._parts, self._text = [bytes(frame.data)], opcode == _TEXT
        elif opcode == _CONT and self._parts is not None:
            self._parts.append(bytes(frame.data))
            if frame.fin:
                parts, self._parts = self._parts, None
                self._put(b"".join(parts), text=self._text)

    def _put(self, data: bytes | bytearray | memoryview, *, text: bool) -> None:
        if self._error is not None:  # closed at this side: nobody reads any more
            return
        try:
            message = str(data, "utf-8") if text else data
        except UnicodeDecodeError as error:
            self._break(f"a text message is not UTF-8: {error.reason}")
            return
        self._messages.append(message)  # type: ignore[arg-type]  # what the parser cuts out is never a memoryview
        self._size += len(data) + OVERHEAD
        if self._size > HIGH_WATER:
            self._connection.pause_reading()
        self._wake()

    def _closed(self, close: Close) -> None:
        """The server's close frame is here, and the answer to it has gone out."""
        if self._error is not None:  # it was the answer to ours
            self._connection.abort()
            return
        said = f"code {close.code}" + (f", {close.reason!r}" if close.reason else "")
        self._end(WebSocketClosed(f"{self._label}: the server closed the websocket ({said})", close.code, close.reason))
        self._connection.watch(CLOSE_PATIENCE)

    def eof(self) -> None:
        self._end(self._hung_up(None))

    def lost(self, error: BaseException | None) -> None:
        self._end(error if isinstance(error, IncusError) else self._hung_up(error))

    def counting(self) -> bool:
        return not self._connection.reading_paused

    def silent(self, limit: float) -> None:
        if self._error is not None:  # everything was said
            self._connection.abort()
        elif self._probed:
            text = (
                f"{self._label}: nothing came from the server for {2 * limit:g} seconds, not even the answer to a ping"
            )
            self._connection.fail(IncusConnectionError(text, sent=True))
        else:
            self._probed = True
            self._protocol.send_ping(b"still there?")
            self._flush()
            self._connection.watch(limit)

    # -- ends -----------------------------------------------------------------------------------------------------

    def _break(self, why: str) -> None:
        self._end(IncusProtocolError(f"{self._label}: the server does not keep to the websocket protocol: {why}"))
        self._flush()  # the close frame that says why
        self._connection.abort()

    def _hung_up(self, cause: BaseException | None) -> WebSocketClosed:
        return WebSocketClosed(f"{self._label}: the server ended the stream by hanging up", cause=cause)

    def _end(self, error: IncusError) -> None:
        if self._error is None:
            self._error = error
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
