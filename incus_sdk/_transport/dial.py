"""Opens connections: the only place that does, and the only one that checks who is at the other end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar, cast
from weakref import WeakSet

from ..exceptions import IncusConfigurationError, IncusConnectionError, IncusTimeoutError
from .failures import Progress, explain, named
from .forks import forget

if TYPE_CHECKING:
    import ssl

    from .._proxies import Proxy
    from ..config import Endpoint
    from .tls import Tls

__all__ = ["Dialer"]

logger = logging.getLogger("incus_sdk.transport")

P = TypeVar("P", bound=asyncio.BaseProtocol)

QUEUE_PAUSE = 0.02
"""Seconds between two attempts to get into the queue of a daemon's socket."""

# `sun_path` of Linux, less its closing NUL.
_LONGEST_SOCKET_PATH = 107


class Dialer:
    """Opens connections to one endpoint; the only place that does, and the only one that checks the peer.

    Args:
        endpoint: Where to connect and whom to expect.
        timeout: Seconds that opening a connection may take, with name lookup, proxy and TLS; `None` for no limit.

    Attributes:
        host: Value for the `Host` header.
    """

    def __init__(self, endpoint: Endpoint, timeout: float | None) -> None:
        self.host: bytes = b"incus" if endpoint.socket is not None else _authority(endpoint).encode("ascii")
        self._endpoint = endpoint
        self._timeout = timeout
        self._tls: Tls | None = None
        self._proxy: Proxy | None = None
        if endpoint.proxy is not None:
            from .._proxies import parse_proxy

            self._proxy = parse_proxy(endpoint.proxy)
        self._proxy_context: ssl.SSLContext | None = None
        self._opened: WeakSet[asyncio.BaseTransport] = WeakSet()

    async def dial(self, factory: Callable[[], P]) -> P:
        """Open a connection and check the peer.

        Args:
            factory: Makes the protocol. Its `connection_made` is called only if the peer is the right one.

        Returns:
            The protocol, connected.

        Raises:
            IncusConfigurationError: If a certificate or key cannot be used.
            IncusConnectionError: If nobody answers, TLS or a proxy fails, or the peer is not the one expected.
            IncusTimeoutError: If it takes too long.
        """
        progress, began = Progress(), time.monotonic()
        limit = asyncio.timeout(self._timeout)
        try:
            async with limit:
                if self._endpoint.socket is not None:
                    protocol = await self._dial_unix(factory, self._endpoint.socket, progress)
                else:
                    protocol = await self._dial_tls(factory, progress)
        except OSError as exc:
            if limit.expired():
                raise IncusTimeoutError(
                    f"connecting to {self._endpoint.url} took longer than {self._timeout:g} s; it was {progress}"
                ) from None
            raise IncusConnectionError(explain(self._endpoint, exc, progress), exc) from exc
        logger.debug("connected to %s in %.1f ms", self._endpoint.url, (time.monotonic() - began) * 1e3)
        return protocol

    def abandon(self) -> None:
        """Let go of all sockets in a child process, without a word to the server: they are its parent's."""
        for transport in list(self._opened):
            descriptor: int = transport.get_extra_info("socket").fileno()
            if descriptor >= 0:
                forget(descriptor)

    def _paused(self) -> _Paused:
        return _Paused(self._opened)

    async def _dial_unix(self, factory: Callable[[], P], path: str, progress: Progress) -> P:
        if len(os.fsencode(path)) > _LONGEST_SOCKET_PATH:
            raise IncusConfigurationError(
                f"the path of the socket{named(self._endpoint)} is too long, the system takes {_LONGEST_SOCKET_PATH} "
                f"bytes: {path!r}; a symbolic link in a shorter place will do"
            )
        progress.doing = "waiting until the daemon takes those who came before"
        transport = await _connect_unix(self._paused, path)
        # Not before: uvloop closes what is cancelled while it connects, but never tells the protocol.
        protocol = factory()
        transport.set_protocol(protocol)
        protocol.connection_made(transport)
        transport.resume_reading()
        return protocol

    async def _dial_tls(self, factory: Callable[[], P], progress: Progress) -> P:
        # Loaded here, because most clients use a unix socket and start faster without.
        from .proxy import open_tunnel
        from .tls import Gate, shake_hands

        tls, protocol = self._tls_once(), factory()
        gate = Gate(protocol, tls.check)
        transport = tcp = await self._connect(progress)
        try:
            if self._proxy is not None:
                progress.doing = "waiting for the proxy to open a tunnel"
                transport = await open_tunnel(tcp, self._proxy, _authority(self._endpoint), self._context_for_proxy())
            progress.doing, progress.tls = "waiting for the TLS handshake", True
            gate.connection_made(await shake_hands(transport, gate, tls.context, self._endpoint.host))
        except BaseException:
            tcp.abort()
            raise
        return protocol

    async def _connect(self, progress: Progress) -> asyncio.Transport:
        from .tcp import connect_tcp, look_up

        host, port = self._endpoint.host, self._endpoint.port
        if self._proxy is not None:
            host, port = self._proxy.host, self._proxy.port
            progress.proxy = self._proxy.url
        progress.doing = f"looking up {host!r}"
        addresses = await look_up(host, port)
        progress.doing = f"connecting to {host!r}, port {port}"
        sock = await connect_tcp(addresses)
        transport, _ = await asyncio.get_running_loop().create_connection(self._paused, sock=sock)
        return transport

    def _tls_once(self) -> Tls:
        if self._tls is None:
            from .tls import Tls

            self._tls = Tls(self._endpoint)
        return self._tls

    def _context_for_proxy(self) -> ssl.SSLContext | None:
        if self._proxy is not None and self._proxy.tls and self._proxy_context is None:
            import ssl

            # A proxy is judged like any web server; what is pinned is the server behind it.
            self._proxy_context = ssl.create_default_context()
        return self._proxy_context


async def _connect_unix(factory: Callable[[], _Paused], path: str) -> asyncio.Transport:
    """Connect to a socket; wait for room in the queue of a daemon that takes nobody.

    To the system's "try again" uvloop raises, and asyncio goes on as if it were connected: a request would count as
    sent and lost.
    """
    loop = asyncio.get_running_loop()
    while True:
        with contextlib.suppress(BlockingIOError):
            transport, _ = await loop.create_unix_connection(factory, path)
            if transport.get_extra_info("peername") is not None:
                return transport
            transport.abort()
        await asyncio.sleep(QUEUE_PAUSE)  # nothing tells when there is room


class _Paused(asyncio.Protocol):
    """Reads nothing: whatever comes is for who takes over."""

    def __init__(self, opened: WeakSet[asyncio.BaseTransport]) -> None:
        self._opened = opened

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._opened.add(transport)
        cast("asyncio.Transport", transport).pause_reading()  # uvloop's are no subclasses


def _authority(endpoint: Endpoint) -> str:
    host = endpoint.host.partition("%")[0]
    return f"[{host}]:{endpoint.port}" if ":" in host else f"{host}:{endpoint.port}"
