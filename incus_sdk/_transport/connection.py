"""One connection: its transport, flow control and clock. What the bytes mean is its receiver's business."""

from __future__ import annotations

import asyncio
import logging
import math
import os
import select
from typing import Protocol

from ..exceptions import IncusConnectionError

IDLE_LIMIT = 25.0
"""Seconds that an unused connection is kept; servers close theirs after 30."""

SLICE = 1 << 18
"""Bytes that are given to the event loop at a time."""

YIELD = 1 << 20
"""Bytes after which the event loop gets its turn, even if neither the server nor who produces them ever waits.

Otherwise nobody would notice that the server has answered already, or hung up.
"""

logger = logging.getLogger("incus_sdk.transport")


class Receiver(Protocol):
    """Who gets what arrives: an exchange, a raw stream or a websocket."""

    def feed(self, data: memoryview) -> None:
        """Take bytes. They are overwritten as soon as this returns."""

    def eof(self) -> None:
        """The server has said that it will send nothing more; `lost` follows."""

    def lost(self, error: BaseException | None) -> None:
        """The connection is gone, or about to be."""

    def counting(self) -> bool:
        """Whether it is the server's turn, so that its silence counts."""
        ...

    def silent(self, limit: float) -> None:
        """Nothing has moved for `limit` seconds."""


class Owner(Protocol):
    """The pool, as its connections see it."""

    buffer: memoryview

    def opened(self, connection: Connection) -> None:
        """The connection is up."""

    def released(self, connection: Connection) -> None:
        """The connection has nothing to do and may serve another request."""

    def gone(self, connection: Connection) -> None:
        """The connection is down, its socket about to be closed."""


class Connection(asyncio.BufferedProtocol):
    """A connection, from dialling to its end.

    It receives into one buffer that all connections of a pool share: event loops ask for the buffer, receive and
    deliver without running anything else in between, and that is two thirds cheaper than a fresh object per read.

    Attributes:
        receiver: Who gets what arrives; `None` while the connection is idle, when nothing should.
        transport: The event loop's end of it.
        lost: Whether it is down.
        uses: Number of requests that it has served.
        reading_paused: Whether nothing is read, because nobody takes what was.
        writing_paused: Whether the server is slow to take what was written.
        active: When a byte last moved, or when the server's turn began, in the loop's time.
    """

    __slots__ = (
        "_backlog",
        "_due",
        "_ended",
        "_gone",
        "_limit",
        "_owner",
        "_run",
        "_timer",
        "_writers",
        "active",
        "buffer",
        "loop",
        "lost",
        "reading_paused",
        "receiver",
        "transport",
        "uses",
        "writing_paused",
    )

    transport: asyncio.Transport

    def __init__(self, loop: asyncio.AbstractEventLoop, owner: Owner) -> None:
        self.loop: asyncio.AbstractEventLoop = loop
        self._owner = owner
        self.buffer: memoryview = owner.buffer
        self.receiver: Receiver | None = None
        self.lost: bool = False
        self.uses: int = 0
        self.active: float = 0.0
        self._limit: float | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._due = math.inf
        self._ended = False
        self._backlog = 0
        self._run = 0  # bytes written since the event loop had its turn
        self.reading_paused: bool = False
        self.writing_paused: bool = False
        self._writers: list[asyncio.Future[None]] = []
        self._gone: asyncio.Future[None] | None = None

    # -- called by the event loop ---------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports have the same methods but another base class.
        self.transport = transport  # type: ignore[assignment]  # always a Transport: nothing else dials streams
        self._owner.opened(self)

    def get_buffer(self, sizehint: int) -> memoryview:
        return self.buffer

    def buffer_updated(self, nbytes: int) -> None:
        self.active = self.loop.time()
        if self.receiver is not None:
            self.receiver.feed(self.buffer[:nbytes])
        else:
            # Bytes that nobody asked for must never become the answer to the next request.
            logger.debug("dropping an idle connection: %d bytes arrived that nobody asked for", nbytes)
            self.abort()

    def eof_received(self) -> None:
        self._ended = self._has_said_goodbye()
        # Returning None makes the loop close the connection: Incus has no half-closed streams.
        if self.receiver is not None:
            self.receiver.eof()

    def connection_lost(self, exc: Exception | None) -> None:
        if exc is not None and self.receiver is not None:
            self._rescue()
        self.lost = True
        self._due = math.inf
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        receiver, self.receiver = self.receiver, None
        if receiver is not None:
            receiver.lost(exc)
        self._wake_writers()
        if self._gone is not None and not self._gone.done():
            self._gone.set_result(None)
        self._owner.gone(self)

    def pause_writing(self) -> None:
        self.writing_paused = True

    def resume_writing(self) -> None:
        self.writing_paused = False
        self.touch()
        self._wake_writers()

    def _rescue(self) -> None:
        """Deliver what a failed write would lose: the server's last words.

        A server that refuses an upload answers and hangs up. The next write then fails, and the event loop drops the
        connection although the answer is still in the socket. On a unix socket it can be read here; on TCP the kernel
        has thrown it away.
        """
        if self.transport.get_extra_info("ssl_object") is not None:
            return
        try:
            descriptor: int = self.transport.get_extra_info("socket").fileno()
            while descriptor >= 0 and self.receiver is not None and (data := os.read(descriptor, len(self.buffer))):
                self.receiver.feed(memoryview(data))
        except OSError:
            pass  # nothing more to read

    # -- flow control ---------------------------------------------------------------------------------------------

    def pause_reading(self) -> None:
        if not self.reading_paused and not self.closing:
            self.reading_paused = True
            self.transport.pause_reading()

    def resume_reading(self) -> None:
        if self.reading_paused:
            self.reading_paused = False
            if not self.closing:
                self.transport.resume_reading()

    def _wake_writers(self) -> None:
        writers, self._writers = self._writers, []
        for writer in writers:
            if not writer.done():
                writer.set_result(None)

    async def drain(self) -> None:
        """Wait until the server has taken enough for more to be written.

        Raises:
            IncusConnectionError: The connection is down, or about to be.
        """
        while self.writing_paused and not self.lost:
            writer = self.loop.create_future()
            self._writers.append(writer)
            self._backlog = self.transport.get_write_buffer_size()
            self.touch()
            await writer
        if self.closing:
            raise IncusConnectionError("the connection broke while data was being sent", sent=True)

    async def send(self, data: bytes | bytearray | memoryview) -> None:
        """Write any amount at the speed of the server; return when there is room for more. See `drain`."""
        view = memoryview(data).cast("B")
        for start in range(0, len(view), SLICE):
            part = view[start : start + SLICE]
            # Event loops keep references to what they could not write at once: what the caller may change is copied.
            self.transport.write(part if part.readonly else bytes(part))
            await self.drain()
            self._run += len(part)
            if self._run >= YIELD:
                self._run = 0
                await asyncio.sleep(0)

    # -- silence --------------------------------------------------------------------------------------------------

    def touch(self) -> None:
        """Begin to count silence anew."""
        self.active = self.loop.time()

    def watch(self, limit: float | None) -> None:
        """From now on, tell the receiver about `limit` seconds of silence; `None` for any amount.

        One timer for each connection, which looks at the time of the last byte when it fires and goes to sleep again:
        setting and cancelling a timer for each request would cost more than the rest of the bookkeeping.
        """
        self._limit = limit
        self.active = now = self.loop.time()
        if limit is not None and now + limit < self._due:
            self._arm(limit)

    def _arm(self, delay: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        # Never later than a connection that becomes idle meanwhile would be due.
        delay = min(delay, IDLE_LIMIT)
        self._due = self.loop.time() + delay
        self._timer = self.loop.call_later(delay, self._tick)

    def _tick(self) -> None:
        self._timer, self._due = None, math.inf
        if self._limit is None:
            return
        now = self.loop.time()
        if self.receiver is not None and (not self.receiver.counting() or self._taken()):
            self.active = now
        left = self.active + self._limit - now
        if left > 0.001:  # the loops' clocks have a grain
            self._arm(left)
        elif self.receiver is not None:
            self.receiver.silent(self._limit)
        else:
            self.abort()

    def _taken(self) -> bool:
        """Whether the server has taken bytes since the last look, though too few for `resume_writing`."""
        before, self._backlog = self._backlog, self.transport.get_write_buffer_size()
        return self._backlog < before

    # -- use and end ----------------------------------------------------------------------------------------------

    @property
    def closing(self) -> bool:
        return self.lost or self.transport.is_closing()

    @property
    def ended_well(self) -> bool:
        """Whether the server itself has ended the stream: TLS says so, and whoever else cuts the connection cannot."""
        return self._ended or self.transport.get_extra_info("ssl_object") is None

    def _has_said_goodbye(self) -> bool:
        tls = self.transport.get_extra_info("ssl_object")
        try:
            return tls is None or tls.read(1) == b""
        except OSError:  # that more is to come
            return False

    @property
    def expired(self) -> bool:
        """Whether it has been idle for too long, though its timer did not yet come to close it."""
        return self.loop.time() - self.active >= IDLE_LIMIT

    @property
    def stale(self) -> bool:
        """Whether the server has hung up, or sent something, and the event loop has not yet come to notice."""
        poll = select.poll()
        poll.register(self.transport.get_extra_info("socket").fileno(), select.POLLIN)
        return bool(poll.poll(0))

    def attach(self, receiver: Receiver, early: bytes, limit: float | None) -> None:
        """Hand the connection over to another protocol, with the bytes of it that came early."""
        self.receiver = receiver
        self.watch(limit)
        if early:
            receiver.feed(memoryview(early))
        if self.lost:
            receiver.lost(None)
        self.resume_reading()

    def done(self, *, reusable: bool) -> None:
        """The receiver has what it wanted: back to the pool, or away."""
        self.receiver = None
        if reusable and not self.closing:
            self.resume_reading()
            self.uses += 1
            self._owner.released(self)
        else:
            self.abort()

    def abort(self) -> None:
        """Drop the connection now.

        Not `close()`: over TLS that goes on reading until the server hangs up, through a body of any size.
        """
        if not self.lost:
            self.transport.abort()

    def fail(self, error: Exception) -> None:
        """Drop the connection and give its receiver this reason."""
        receiver, self.receiver = self.receiver, None
        self.abort()
        if receiver is not None:
            receiver.lost(error)

    async def wait_lost(self, patience: float) -> None:
        """Wait until the connection is down; cut it after `patience` seconds or when cancelled."""
        if self._gone is None:
            self._gone = self.loop.create_future()
        try:
            if not self.lost:
                await asyncio.wait((self._gone,), timeout=patience)
        finally:
            self.abort()
        if not self.lost:
            await asyncio.wait((self._gone,))
