"""The transport: one endpoint, its connections, and what can be done over them."""

from __future__ import annotations

import asyncio
import errno
import logging
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from ..exceptions import IncusConnectionError, IncusProtocolError
from .connection import IDLE_LIMIT, Connection, logger
from .dial import Dialer
from .errors import masked
from .exchange import Exchange
from .request import Body, Request
from .response import Response, StreamResponse
from .sending import send_body
from .stream import RawStream

if TYPE_CHECKING:
    from ..config import Endpoint
    from .websocket import WebSocket

DEFAULT: Final[float] = -1.0
"""Stands for the transport's own `timeout` where a call can have another one."""

MAX_IDLE = 64
"""Connections that are kept for later. Over TLS each of them holds a quarter of a MiB in buffers."""

PEER_SILENCE = 30.0
"""Seconds after which the server of a websocket counts as dead, at least: it pings every ten."""

_BUFFER = 1 << 18

Headers = Mapping[str, str] | None


class Transport:
    """Speaks HTTP/1.1 with one daemon, over as many connections as there are calls under way.

    Connections are opened when needed and kept for up to 25 seconds after use. A `GET` or `HEAD` that hits a
    connection which the server was just closing is repeated once on a fresh one; everything else that goes wrong is
    raised. The number of connections is not limited, because most of what programs wait for, they wait for inside
    requests.

    All calls raise `IncusArgumentError` for methods, targets and headers that cannot be sent, `IncusConnectionError`
    when there is no connection or it breaks (its `sent` tells whether the server may have seen the request),
    `IncusTimeoutError` when the server is silent for too long, and `IncusProtocolError` for answers that are not HTTP.
    HTTP statuses are never errors here.

    Attributes:
        endpoint: Where the daemon is.
        timeout: Seconds that connecting may take, and that the server may be silent; `None` for any time.
    """

    def __init__(self, endpoint: Endpoint, *, timeout: float | None = 30.0) -> None:
        self.endpoint = endpoint
        self.timeout = timeout
        self.buffer = memoryview(bytearray(_BUFFER))
        self._dialer = Dialer(endpoint, timeout)
        self._host = self._dialer.host.decode("ascii")
        self._loop: asyncio.AbstractEventLoop | None = None
        self._connections: set[Connection] = set()
        self._idle: list[Connection] = []
        self._dialling: set[asyncio.Task[Connection]] = set()
        self._emptied: asyncio.Event | None = None

    # -- calls ----------------------------------------------------------------------------------------------------

    async def request(
        self,
        method: str,
        target: str,
        *,
        headers: Headers = None,
        body: Body = None,
        silence: float | None = DEFAULT,
    ) -> Response:
        """Send a request and return the whole answer.

        Args:
            method: `GET`, `HEAD`, `POST`, `PUT`, `PATCH`, `DELETE` or `OPTIONS`.
            target: Path and query, quoted.
            headers: Further headers; `Host` and the framing are added.
            body: What to send. An iterator is asked for pieces at the speed of the server, and not to its end if the
                answer comes before; an asynchronous generator is closed then.
            silence: Seconds without a byte in either direction that are too many; `None` for no limit. Time in which
                `body` does not deliver is not counted.
        """
        if headers is None and body is None and "secret=" not in target:
            request = _plain(method, target, self._host, self.endpoint.url)
        else:
            request = Request(method, target, self._host, self.endpoint.url, headers=headers, body=body)
        return (await self._perform(request, silence)).response()

    @asynccontextmanager
    async def stream(
        self,
        method: str,
        target: str,
        *,
        headers: Headers = None,
        body: Body = None,
        silence: float | None = DEFAULT,
    ) -> AsyncGenerator[StreamResponse]:
        """Send a request and give its answer as soon as the head is there, to read the body from.

        Leaving the block before the end of the body costs the connection. Arguments are those of `request`; time in
        which the caller does not read is not counted as silence.
        """
        request = Request(method, target, self._host, self.endpoint.url, headers=headers, body=body)
        exchange = await self._perform(request, silence, streamed=True)
        try:
            yield exchange.stream()
        finally:
            exchange.abandon()

    async def upgrade(
        self,
        method: str,
        target: str,
        protocol: str,
        *,
        headers: Headers = None,
        body: bytes | None = None,
    ) -> RawStream | Response:
        """Ask the server to switch the connection to another protocol.

        Returns:
            The raw stream, or the server's answer if it refuses.
        """
        request = Request(method, target, self._host, self.endpoint.url, headers=headers, body=body, upgrade=protocol)
        exchange = await self._perform(request, DEFAULT)
        if exchange.status != 101:
            return exchange.response()
        self._check_switch(exchange)
        return RawStream(exchange.connection, request.label, exchange.early)

    async def websocket(
        self,
        target: str,
        *,
        headers: Headers = None,
        max_size: int | None = None,
        silence: float | None = DEFAULT,
    ) -> WebSocket | Response:
        """Open a websocket, without extensions, subprotocol or `Origin`.

        Args:
            target: Path and query, quoted.
            headers: Further headers.
            max_size: Bytes that a message may have; `None` for any number.
            silence: Seconds without a byte from the server after which it counts as dead; by default the transport's
                timeout, but at least 30. Halfway there it is sent a ping.

        Returns:
            The websocket, or the server's answer if it refuses.
        """
        from .websocket import WebSocket, accept_key, new_key

        key = new_key()
        handshake = {"Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": key}
        request = Request(
            "GET",
            target,
            self._host,
            self.endpoint.url,
            headers={**headers, **handshake} if headers else handshake,
            upgrade="websocket",
        )
        exchange = await self._perform(request, DEFAULT)
        if exchange.status != 101:
            return exchange.response()
        self._check_switch(exchange, accept_key(key))
        if silence == DEFAULT:
            silence = None if self.timeout is None else max(self.timeout, PEER_SILENCE)
        return WebSocket(exchange.connection, request.label, exchange.early, max_size=max_size, silence=silence)

    async def close(self) -> None:
        """Close all connections. Calls that are under way, websockets and streams end with an `IncusConnectionError`.

        Returns when every socket is closed. The transport cannot be used again.
        """
        self._forget_the_dead()
        if self._emptied is None:
            self._emptied = asyncio.Event()
        for task in self._dialling:
            task.cancel()
        for connection in list(self._connections):
            connection.fail(IncusConnectionError("the client was closed while this was under way", sent=True))
        if self._connections or self._dialling:
            await self._emptied.wait()

    def abandon(self) -> None:
        """Let go of all connections in a child process, whose parent goes on to use them."""
        self._dialer.abandon()

    # -- the connections' owner -----------------------------------------------------------------------------------

    def opened(self, connection: Connection) -> None:
        self._connections.add(connection)

    def released(self, connection: Connection) -> None:
        connection.watch(IDLE_LIMIT)
        self._idle.append(connection)
        if len(self._idle) > MAX_IDLE:
            self._idle.pop(0).abort()

    def gone(self, connection: Connection) -> None:
        self._connections.discard(connection)
        if connection in self._idle:
            self._idle.remove(connection)
        logger.debug("disconnected from %s (%d open)", self.endpoint.url, len(self._connections))
        self._check_emptied()

    # -- inside ---------------------------------------------------------------------------------------------------

    async def _perform(self, request: Request, silence: float | None, *, streamed: bool = False) -> Exchange:
        """Bring a request and its answer, or for a streamed one the head of its answer, over some connection."""
        self._bind()
        if silence == DEFAULT:
            silence = self.timeout
        logged = logger.isEnabledFor(logging.DEBUG)
        started = time.perf_counter() if logged else 0.0
        connection = self._reuse(request)
        while True:
            reused = connection is not None
            exchange = Exchange(connection or await self._dial(request), request, streamed=streamed)
            try:
                exchange.begin(silence)
                if exchange.sending:
                    await send_body(exchange)
                else:
                    await exchange.arrived
            except BaseException as error:
                exchange.abandon()
                if logged:
                    self._log(request, f"failed after {_since(started)}: {type(error).__name__}")
                # The server may close a connection at the moment when it is used again. Repeating is safe if it
                # answered nothing and the request changes nothing; on a fresh connection, because the other idle
                # ones may have met the same end.
                if not (reused and exchange.repeatable(error)) or self._emptied is not None:
                    raise
                connection = None
                continue
            if logged:
                self._log(request, f"-> {exchange.status} in {_since(started)}")
            return exchange

    @staticmethod
    def _log(request: Request, outcome: str) -> None:
        logger.debug("%s %s %s", request.method, masked(request.target), outcome)

    def _bind(self) -> None:
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self._forget_the_dead()
            if self._connections:
                raise RuntimeError("this client is in use in another event loop; make one for each loop")
            self._loop = loop
        if self._emptied is not None:
            raise IncusConnectionError(f"the client of {self.endpoint.url} is closed")

    def _forget_the_dead(self) -> None:
        """Forget connections that died with their loop, as between two `asyncio.run()` of a script."""
        if self._loop is not None and self._loop.is_closed():
            self._connections.clear()
            self._idle.clear()
            self._dialling.clear()

    def _reuse(self, request: Request) -> Connection | None:
        """An idle connection, the last used first, so that surplus ones get old and are closed."""
        while self._idle:
            connection = self._idle.pop()
            if connection.closing:
                continue
            # What must not be repeated had better not be tried on a connection that is dead already.
            if connection.expired or (not request.repeatable and connection.uses and connection.stale):
                connection.abort()
                continue
            return connection
        return None

    async def _dial(self, request: Request) -> Connection:
        loop = asyncio.get_running_loop()
        # A task of its own, so that `close` can end it.
        task = loop.create_task(self._dialer.dial(lambda: Connection(loop, self)))
        self._dialling.add(task)
        cancelled = _times_cancelled()
        try:
            connection = await task
        except asyncio.CancelledError:
            # In the turn in which it succeeds it cannot be cancelled any more, only the caller: then nobody else
            # would end a connection on which nothing is said, and Incus 6.0 waits for its first word.
            if not task.cancelled() and task.exception() is None:
                task.result().abort()
            if self._emptied is None or _times_cancelled() > cancelled:  # by `close` alone, the caller is not cancelled
                raise
            raise IncusConnectionError(f"the client was closed while connecting to {self.endpoint.url}") from None
        finally:
            self._dialling.discard(task)
            self._check_emptied()
        if self._emptied is not None:
            connection.abort()
            raise IncusConnectionError(f"the client was closed while connecting to {self.endpoint.url}")
        if connection.closing:
            reset = ConnectionResetError(errno.ECONNRESET, "closed by the other side")
            raise IncusConnectionError(f"{request.label}: the server hung up before anything was sent", reset)
        return connection

    def _check_emptied(self) -> None:
        if self._emptied is not None and not self._connections and not self._dialling:
            self._emptied.set()

    @staticmethod
    def _check_switch(exchange: Exchange, accept: str | None = None) -> None:
        """Refuse a switch to something else than was asked for."""
        answer, request = exchange.response(), exchange.request
        wrong = None
        if (answer.header("upgrade") or "").lower() != (request.upgrade or "").lower():
            wrong = f"it switches to {answer.header('upgrade')!r} instead of {request.upgrade!r}"
        elif accept is not None and answer.header("sec-websocket-accept") != accept:
            wrong = "its Sec-WebSocket-Accept does not fit the request"
        elif answer.header("sec-websocket-extensions") or answer.header("sec-websocket-protocol"):
            wrong = "it chose a websocket extension or subprotocol that nobody offered"
        if wrong is not None:
            exchange.abandon()
            raise IncusProtocolError(f"{request.label}: the answer is not HTTP as it should be: {wrong}")


@lru_cache(maxsize=256)
def _plain(method: str, target: str, host: str, url: str) -> Request:
    """A request that is nothing but its target: made once, since programs ask the same again and again."""
    return Request(method, target, host, url)


def _times_cancelled() -> int:
    """How often somebody has cancelled the running task."""
    task = asyncio.current_task()
    return 0 if task is None else task.cancelling()


def _since(started: float) -> str:
    return f"{1000 * (time.perf_counter() - started):.1f} ms"
