"""The baseline for many at once: asyncio's `Protocol` below the streams, which only looks for the end of the answer."""

from __future__ import annotations

import asyncio

from ._running import at_once, one_after_another

__all__ = ["Connection", "Player"]

HEAD_END = b"\r\n\r\n"
LENGTH = b"content-length:"
LAST_CHUNK = b"\r\n0\r\n\r\n"


class Connection(asyncio.Protocol):
    """One connection, for one request at a time."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[bytes] | None = None
        self._data = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way to send."""
        if isinstance(transport, asyncio.Transport):
            self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        """Fail the request that waits."""
        if self._answer is not None:
            self._answer.set_exception(exc or ConnectionResetError())

    def request(self, request: bytes) -> asyncio.Future[bytes]:
        """Send a request, and return a future for the answer."""
        if self._transport is None:
            raise ConnectionResetError
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return self._answer

    def data_received(self, data: bytes) -> None:
        """Collect the answer."""
        self._data += data
        if self._answer is not None and (self._data.endswith(LAST_CHUNK) or _has_length(self._data)):
            self._answer.set_result(self._data)
            self._answer, self._data = None, b""

    def close(self) -> None:
        """Close it."""
        if self._transport is not None:
            self._transport.close()


def _has_length(answer: bytes) -> bool:
    """Tell whether an answer has come as far as its head says."""
    head, end, body = answer.partition(HEAD_END)
    _, found, rest = head.lower().partition(LENGTH)
    return bool(end and found) and len(body) >= int(rest.partition(b"\r\n")[0])


class Player:
    """Connections to a unix socket.

    Args:
        socket: Path of the socket.
        request: What to send, in hexadecimal digits.
    """

    kind: type[Connection] = Connection
    """What receives the answers."""

    def __init__(self, socket: str, request: str) -> None:
        self._path = socket
        self._request = bytes.fromhex(request)
        self._open: list[Connection] = []
        self._runner = asyncio.Runner()

    def get(self, repetitions: int) -> None:
        """One after another."""
        self._runner.run(one_after_another(self.answer, repetitions))

    def get_at_once(self, repetitions: int) -> None:
        """64 at once."""
        self._runner.run(at_once(self.answer, repetitions))

    async def answer(self) -> bytes:
        """Send the request over a connection that is free, and return the answer."""
        connection = self._open.pop() if self._open else await self._connect()
        answer = await connection.request(self._request)
        self._open.append(connection)
        return answer

    async def _connect(self) -> Connection:
        loop = asyncio.get_running_loop()
        return (await loop.create_unix_connection(self.kind, self._path))[1]

    def close(self) -> None:
        """Close the connections."""
        for connection in self._open:
            connection.close()
        self._runner.run(asyncio.sleep(0))
        self._runner.close()
