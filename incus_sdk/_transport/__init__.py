"""Connections to a daemon: requests, streamed bodies, websockets and raw streams over one pool.

The only package that touches sockets, HTTP framing or websocket frames. Everything else asks a `Transport`.
(`WebSocket` is in `websocket`, which is loaded with the first one.)
"""

from __future__ import annotations

from .errors import UNKNOWN, WebSocketClosed
from .failures import may_come
from .pool import DEFAULT, Transport
from .request import Body
from .response import Response, StreamResponse
from .stream import RawStream

__all__ = [
    "DEFAULT",
    "UNKNOWN",
    "Body",
    "RawStream",
    "Response",
    "StreamResponse",
    "Transport",
    "WebSocketClosed",
    "may_come",
]
