"""A daemon that is cheap enough for ten thousands of requests, and misbehaves as the names in them say.

A name such as `web-17--cut-40-1-2` has its second and third request (first 1, times 2) answered by 40 % of the answer
and the end of the connection. So what happens is decided by who asks, and is the same however the calls interleave.

Run as a program, it serves in a process of its own, so that memory and descriptors of the client can be measured.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import os
import re
import signal
import socket
import ssl
import struct
import sys
from collections import Counter, deque
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from typing import cast

from ..unit.daemon import sync
from .answers_soak import Asked, answer, half, html, no_envelope, refusal

FAULT = re.compile(rb"[\w.-]*--([a-z]+)-(\d+)-(\d+)-(\d+)")
QUIETEN = "/soak/quieten"
SWITCH = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: {}\r\n"
UNASKED = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"
LATER = 0.001
"""Seconds after which bytes come that nobody asked for, or a connection is closed without a word."""


class Peer(asyncio.Protocol):
    """The server's end of one connection."""

    transport: asyncio.Transport

    def __init__(self, daemon: Daemon) -> None:
        self._daemon = daemon
        self._buffer = bytearray()
        self._take: Callable[[], bool] = self._take_request
        self._stalled = False
        self._slow: deque[bytes] = deque()

    @property
    def busy(self) -> bool:
        """Whether a request, or an answer, is on its way."""
        return self._take != self._take_request or bool(
            self._buffer or self._stalled or self._slow or self.transport.get_write_buffer_size()
        )

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self._daemon.peers.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._daemon.peers.discard(self)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while self._buffer and self._take():
            pass

    # -- requests -----------------------------------------------------------------------------------------------------

    def _take_request(self) -> bool:
        buffer = self._buffer
        end = buffer.find(b"\r\n\r\n") + 4
        if end < 4:
            return False
        head = bytes(buffer[:end])
        length = _body_length(head, buffer, end)
        if length is None or len(buffer) < end + length:
            return False
        method, target, _ = head.split(b"\r\n", 1)[0].decode().split(" ")
        asked = Asked(method, target, _without_boundary(head, bytes(buffer[end : end + length])))
        del buffer[: end + length]
        self._daemon.asked(asked)
        self._act(asked, head)
        return True

    def _act(self, asked: Asked, head: bytes) -> None:
        if b"\r\nUpgrade: " in head:
            self._switch(asked, head)
            return
        whole = sync(self._daemon.quieten(self)) if asked.path == QUIETEN else answer(asked)
        found = FAULT.search(asked.target.encode()) or FAULT.search(asked.body[:256])
        if found is None:
            self.transport.write(whole)
            return
        kind, percent, first, times = found.groups()
        name = found[0].decode().rpartition(".")[2]  # operations begin with what they do
        self._daemon.seen[name] += 1
        if int(first) < self._daemon.seen[name] <= int(first) + int(times):
            _FAULTS[kind.decode()](self, whole, int(percent), name)
        else:
            self.transport.write(whole)

    # -- faults -------------------------------------------------------------------------------------------------------

    def refuse(self, _: bytes, code: int, name: str) -> None:
        self.transport.write(refusal(code, name))

    def cut(self, whole: bytes, percent: int, _: str) -> None:
        self.transport.write(_part(whole, percent))
        self.transport.close()

    def reset(self, whole: bytes, percent: int, _: str) -> None:
        self.transport.write(_part(whole, percent))
        sock = self.transport.get_extra_info("socket")
        if sock.family != socket.AF_UNIX:  # there, hanging up is all that there is
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()

    def stall(self, whole: bytes, percent: int, _: str) -> None:
        self._stalled = True
        self.transport.write(_part(whole, percent))

    def slow(self, whole: bytes, percent: int, _: str) -> None:
        size = max(1, len(whole) * percent // 100)
        self._slow.extend(whole[start : start + size] for start in range(0, len(whole), size))
        self._next_slow()

    def _next_slow(self) -> None:
        if self._slow and not self.transport.is_closing():
            self.transport.write(self._slow.popleft())
            asyncio.get_running_loop().call_soon(self._next_slow)

    def behind(self, whole: bytes, _percent: int, _: str) -> None:
        self.transport.write(whole + UNASKED)

    def later(self, whole: bytes, _percent: int, _: str) -> None:
        self.transport.write(whole)
        asyncio.get_running_loop().call_later(LATER, self._disturb)

    def _disturb(self) -> None:
        noise = b"\x16\x03 not asked for"
        if self._slow:  # in the middle of an answer nobody could tell it from what belongs there
            self._slow.append(noise)
        elif not self.transport.is_closing():
            self.transport.write(noise)

    def bye(self, whole: bytes, _percent: int, _: str) -> None:
        self.transport.write(whole)
        asyncio.get_running_loop().call_later(LATER, self.transport.close)

    def page(self, _: bytes, _percent: int, name: str) -> None:
        self.transport.write(html())

    def halve(self, whole: bytes, _percent: int, _: str) -> None:
        self.transport.write(half(whole))

    def stranger(self, _: bytes, _percent: int, name: str) -> None:
        self.transport.write(no_envelope())

    def well(self, whole: bytes, _percent: int, _: str) -> None:
        self.transport.write(whole)

    # -- other protocols ----------------------------------------------------------------------------------------------

    def _switch(self, asked: Asked, head: bytes) -> None:
        """Switch; the first thing said is the name that was asked for, then all comes back."""
        name = asked.path.rpartition("/")[2].encode()
        found = re.search(rb"\r\nSec-WebSocket-Key: (\S+)", head)
        if found is None:
            self._take = self._take_bytes
            self.transport.write(SWITCH.format("echo").encode() + b"\r\n" + name)
            return
        self._take = self._take_frame
        accept = hashlib.sha1(found[1] + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11", usedforsecurity=False).digest()
        lines = SWITCH.format("websocket") + f"Sec-WebSocket-Accept: {base64.b64encode(accept).decode()}\r\n\r\n"
        self.transport.write(lines.encode() + _frame(0x81, name))

    def _take_bytes(self) -> bool:
        self.transport.write(bytes(self._buffer))
        self._buffer.clear()
        return False

    def _take_frame(self) -> bool:
        """Send a message back, answer a ping, and close when asked to."""
        buffer = self._buffer
        size, at = buffer[1] & 0x7F if len(buffer) > 1 else 0, 2
        if size > 125:
            at = 4 if size == 126 else 10
            size = int.from_bytes(buffer[2:at], "big")
        if len(buffer) < max(6, at + 4 + size):
            return False
        mask, data = bytes(buffer[at : at + 4]), bytes(buffer[at + 4 : at + 4 + size])
        opcode = buffer[0] & 0x0F
        del buffer[: at + 4 + size]
        plain = int.from_bytes(data, "big") ^ int.from_bytes((mask * (size // 4 + 1))[:size], "big")
        self.transport.write(_frame(0x8A if opcode == 9 else 0x80 | opcode, plain.to_bytes(size, "big")))
        if opcode == 8:
            self.transport.close()
        return True


_FAULTS: dict[str, Callable[[Peer, bytes, int, str], None]] = {
    "refuse": Peer.refuse,
    "cut": Peer.cut,
    "reset": Peer.reset,
    "stall": Peer.stall,
    "slow": Peer.slow,
    "behind": Peer.behind,
    "later": Peer.later,
    "bye": Peer.bye,
    "page": Peer.page,
    "half": Peer.halve,
    "stranger": Peer.stranger,
    "fail": Peer.well,  # the operation fails, its answers are good
}


class Daemon:
    """All connections to one socket and one port.

    Attributes:
        peers: The connections that are open.
        seen: How many requests came with a name that asks for a fault.
        requests: What came, if somebody wants to know.
    """

    def __init__(self, *, remember: bool = False) -> None:
        self.peers: set[Peer] = set()
        self.seen: Counter[str] = Counter()
        self.requests: list[Asked] = []
        self._remember = remember

    def asked(self, asked: Asked) -> None:
        if self._remember:
            self.requests.append(asked)

    def quieten(self, by: Peer) -> int:
        """Close all connections that have nothing to do but one; return how many there are yet."""
        for peer in self.peers - {by}:
            if not peer.busy:
                peer.transport.close()
        return len(self.peers)

    @contextlib.asynccontextmanager
    async def serving(self, path: Path, context: ssl.SSLContext | None = None) -> AsyncGenerator[int]:
        """Listen on a unix socket and, with a context, on a port, which is given."""
        loop = asyncio.get_running_loop()
        servers = [await loop.create_unix_server(lambda: Peer(self), str(path), backlog=256)]
        if context is not None:
            servers.append(await loop.create_server(lambda: Peer(self), "127.0.0.1", 0, ssl=context, backlog=256))
        try:
            yield servers[-1].sockets[0].getsockname()[1] if context is not None else 0
        finally:
            for server in servers:
                server.close()
            for peer in list(self.peers):
                peer.transport.abort()


def _part(whole: bytes, percent: int) -> bytes:
    return whole[: len(whole) * percent // 100]


def _body_length(head: bytes, buffer: bytearray, end: int) -> int | None:
    """Bytes of the body as it is on the wire; `None` if its end has not come."""
    if b"\r\nTransfer-Encoding: chunked" in head:
        last = buffer.find(b"0\r\n\r\n", max(end, len(buffer) - 5))
        return None if last < 0 else last + 5 - end
    found = re.search(rb"\r\nContent-Length: (\d+)", head)
    return int(found[1]) if found else 0


def _without_boundary(head: bytes, body: bytes) -> bytes:
    """The body with what is different each time, the line between the parts of a form, left out."""
    found = re.search(rb"boundary=\"?([^\"\r\n;]+)", head)
    return body.replace(found[1], b"") if found else body


def _frame(first: int, data: bytes) -> bytes:
    size = len(data)
    if size < 126:
        return bytes([first, size]) + data
    return bytes([first, 126]) + struct.pack("!H", size) + data if size < 1 << 16 else _long_frame(first, data)


def _long_frame(first: int, data: bytes) -> bytes:
    return bytes([first, 127]) + struct.pack("!Q", len(data)) + data


async def _serve(path: Path, certificate: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with Daemon().serving(path, context) as port:
        os.write(1, f"{port}\n".encode())
        await stop.wait()


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[1]), Path(sys.argv[2])))
