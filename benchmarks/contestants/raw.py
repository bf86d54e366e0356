"""The baseline: an asyncio stream that sends the library's own bytes, and reads to the end of the answer."""

from __future__ import annotations

import asyncio

from ._running import at_once, one_after_another

__all__ = ["Player", "read_answer"]

CHUNKED = b"transfer-encoding: chunked"
LENGTH = b"content-length:"
LAST_CHUNK = b"\r\n0\r\n\r\n"

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def read_answer(reader: asyncio.StreamReader) -> bytes:
    """One answer, head and body, with no more understanding of it than finding its end takes."""
    head = await reader.readuntil(b"\r\n\r\n")
    lower = head.lower()
    if CHUNKED in lower:
        return head + await reader.readuntil(LAST_CHUNK)
    length = int(lower.partition(LENGTH)[2].partition(b"\r\n")[0])
    return head + await reader.readexactly(length)


class Player:
    """Connections to a unix socket.

    Args:
        socket: Path of the socket.
        request: What to send, in hexadecimal digits.
    """

    def __init__(self, socket: str, request: str) -> None:
        self._path = socket
        self._request = bytes.fromhex(request)
        self._open: list[Streams] = []
        self._runner = asyncio.Runner()

    def get(self, repetitions: int) -> None:
        """One after another."""
        self._runner.run(one_after_another(self.answer, repetitions))

    def get_at_once(self, repetitions: int) -> None:
        """64 at once."""
        self._runner.run(at_once(self.answer, repetitions))

    async def answer(self) -> bytes:
        """Send the request over a connection that is free, and return the answer."""
        connection = self._open.pop() if self._open else await asyncio.open_unix_connection(self._path)
        reader, writer = connection
        writer.write(self._request)
        answer = await read_answer(reader)
        self._open.append(connection)
        return answer

    def close(self) -> None:
        """Close the connections."""
        self._runner.run(self._close())
        self._runner.close()

    async def _close(self) -> None:
        for _, writer in self._open:
            writer.close()
            await writer.wait_closed()
