"""Websockets as a server speaks them, frame by frame."""

from __future__ import annotations

import base64
import hashlib

from websockets.frames import Frame, Opcode

from incus_sdk._transport import Transport
from incus_sdk._transport.websocket import WebSocket

from .server import Peer

TARGET = "/1.0/events?secret=hush"


def frame(data: bytes, opcode: Opcode = Opcode.BINARY, *, fin: bool = True) -> bytes:
    """A frame as a server sends it."""
    return Frame(opcode, data, fin).serialize(mask=False)


def close_frame(code: int, reason: str = "") -> bytes:
    return frame(code.to_bytes(2, "big") + reason.encode(), Opcode.CLOSE)


def accept(head: bytes) -> bytes:
    """The server's half of the handshake."""
    key = next(line.split(b": ")[1] for line in head.split(b"\r\n") if line.startswith(b"Sec-WebSocket-Key"))
    digest = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
    return (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + digest + b"\r\n\r\n"
    )


async def shake(peer: Peer, early: bytes = b"") -> bytes:
    head = await peer.head()
    await peer.send(accept(head) + early)
    return head


async def receive(peer: Peer) -> tuple[int, bytes]:
    """Read a frame of the client: its first byte and its content."""
    first, size = await peer.reader.readexactly(2)
    assert size & 0x80, "clients mask their frames"
    size &= 0x7F
    if size > 125:
        size = int.from_bytes(await peer.reader.readexactly(2 if size == 126 else 8), "big")
    mask = int.from_bytes(await peer.reader.readexactly(4) * (size // 4 + 1), "big")
    data = int.from_bytes(await peer.reader.readexactly(size) + bytes(4 - size % 4), "big") ^ mask
    return first, data.to_bytes(size + 4 - size % 4, "big")[:size]


async def opened(transport: Transport, max_size: int | None = None) -> WebSocket:
    websocket = await transport.websocket(TARGET, max_size=max_size)
    assert isinstance(websocket, WebSocket)
    return websocket
