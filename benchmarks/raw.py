"""The baseline: a bare asyncio socket that sends the library's own bytes, and reads to the end of the answer."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import TracebackType
from typing import Self

from incus_sdk import Client

__all__ = ["RawConnections", "read_answer", "recorded_request"]

CHUNKED = b"transfer-encoding: chunked"
LENGTH = b"content-length:"
LAST_CHUNK = b"\r\n0\r\n\r\n"
NOTHING = b'{"type":"error","error_code":404,"error":"nothing here"}'
NOT_FOUND = b"HTTP/1.1 404 Not Found\r\nContent-Length: %d\r\n\r\n%s" % (len(NOTHING), NOTHING)


async def recorded_request(name: str, folder: Path) -> bytes:
    """The bytes that the library sends to read one instance."""
    heads: list[bytes] = []

    async def record(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(NOT_FOUND)
        await writer.drain()
        writer.close()

    path = str(folder / "record.socket")
    server = await asyncio.start_unix_server(record, path)
    client = Client(f"unix://{path}")
    async with server:
        await client.instances.exists(name)
        await client.disconnect()
    return heads[0]


async def read_answer(reader: asyncio.StreamReader) -> bytes:
    """One answer, head and body, with no more understanding of it than finding its end takes."""
    head = await reader.readuntil(b"\r\n\r\n")
    lower = head.lower()
    if CHUNKED in lower:
        return head + await reader.readuntil(LAST_CHUNK)
    length = int(lower.partition(LENGTH)[2].partition(b"\r\n")[0])
    return head + await reader.readexactly(length)


class RawConnections:
    """Connections to a unix socket.

    Args:
        path: The socket.
        request: What to send.
    """

    def __init__(self, path: str, request: bytes) -> None:
        self._path = path
        self._request = request
        self._open: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for _, writer in self._open:
            writer.close()
            await writer.wait_closed()

    async def get(self) -> bytes:
        """Send the request over a connection that is free, and return the answer."""
        connection = self._open.pop() if self._open else await asyncio.open_unix_connection(self._path)
        reader, writer = connection
        writer.write(self._request)
        answer = await read_answer(reader)
        self._open.append(connection)
        return answer
