"""Tunnels through an http or https proxy (the CONNECT method)."""

from __future__ import annotations

import asyncio
import base64
import re
from typing import TYPE_CHECKING

from ..exceptions import IncusConnectionError

if TYPE_CHECKING:
    import ssl

    from .._proxies import Proxy

__all__ = ["open_tunnel"]

# Answers to CONNECT are short; a proxy that sends more than this is broken, or is no proxy.
_MAX_HEAD = 16 * 1024
_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})(?: ([^\r\n]*))?\r?\n")


async def open_tunnel(
    transport: asyncio.Transport, proxy: Proxy, target: str, context: ssl.SSLContext | None
) -> asyncio.Transport:
    """Ask a proxy for a connection to a server.

    Args:
        transport: A connection to the proxy; closing it is left to the caller.
        proxy: The proxy.
        target: The server, as `host:port`.
        context: For the connection to the proxy, if that is encrypted.

    Returns:
        A transport on which the server answers, once its reading is resumed.

    Raises:
        IncusConnectionError: If the proxy refuses, or answers something else than HTTP.
        OSError: If the connection to the proxy breaks.
    """
    tunnel = _Tunnel()
    if context is None:
        transport.set_protocol(tunnel)
    else:
        from .tls import shake_hands

        transport = await shake_hands(transport, tunnel, context, proxy.host)
    tunnel.begin(transport, _request(proxy, target))
    _check(await tunnel.answer, proxy, target)
    return transport


def _request(proxy: Proxy, target: str) -> bytes:
    lines = [f"CONNECT {target} HTTP/1.1", f"Host: {target}"]
    if proxy.credentials is not None:
        lines.append(f"Proxy-Authorization: Basic {base64.b64encode(proxy.credentials.encode()).decode('ascii')}")
    return "\r\n".join([*lines, "", ""]).encode("ascii")


class _Tunnel(asyncio.Protocol):
    """Sends the request and collects the answer, up to the end of its head."""

    def __init__(self) -> None:
        self._received = bytearray()
        self._transport: asyncio.Transport | None = None
        self.answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def begin(self, transport: asyncio.Transport, request: bytes) -> None:
        self._transport = transport
        transport.write(request)
        transport.resume_reading()

    def data_received(self, data: bytes) -> None:
        self._received += data
        if b"\r\n\r\n" in self._received or len(self._received) > _MAX_HEAD:
            self._finish()

    def eof_received(self) -> None:
        self._finish()

    def connection_lost(self, exc: Exception | None) -> None:
        self._finish()

    def _finish(self) -> None:
        if self._transport is not None:
            # What comes next is for TLS, even the end of the connection.
            self._transport.pause_reading()
        if not self.answer.done():
            self.answer.set_result(bytes(self._received))


def _check(answer: bytes, proxy: Proxy, target: str) -> None:
    """Raise unless the answer is a success and nothing but that."""
    start = f"the proxy {proxy.url}, asked for a tunnel to {target},"
    head, end, surplus = answer.partition(b"\r\n\r\n")
    said = _STATUS.match(answer)
    if said is None:
        what = "answered something that is not HTTP" if answer else "closed the connection without an answer"
        raise IncusConnectionError(f"{start} {what}")
    if not end:
        what = "sent an answer without end" if len(answer) > _MAX_HEAD else "broke off in the middle of its answer"
        raise IncusConnectionError(f"{start} {what}")
    status, reason = int(said[1]), (said[2] or b"").decode("latin-1").strip()
    if status == 407:
        raise IncusConnectionError(f"{start} {_authentication(head, proxy)}")
    if not 200 <= status < 300:
        raise IncusConnectionError(
            f"{start} refused: {status} {reason}; if this server needs no proxy, add it to no_proxy"
        )
    if surplus:
        raise IncusConnectionError(f"{start} opened one and sent data of its own into it")


def _authentication(head: bytes, proxy: Proxy) -> str:
    schemes = re.findall(r"(?im)^proxy-authenticate:[ \t]*([^\s,]+)", head.decode("latin-1"))
    if schemes and "basic" not in {scheme.lower() for scheme in schemes}:
        return f"wants authentication of a kind that is not supported (407, {', '.join(schemes)}); Basic is"
    if proxy.credentials is not None:
        return "does not accept the user and password in its URL (407)"
    return "wants user and password (407): put them into its URL, https_proxy=http://USER:PASSWORD@HOST:PORT"
