"""A server that does, connection by connection, what a test tells it to do: mostly what no server should."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import sys
from collections.abc import Awaitable, Callable
from typing import Any

from incus_sdk._transport import Transport
from incus_sdk.config import Endpoint

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
SWITCH = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: sftp\r\n\r\n"
KEPT: dict[str, Any] = {"cleanup_socket": False} if sys.version_info >= (3, 13) else {}
"""The socket stays when the server stops, as it did before Python 3.13: nobody listens, and clients must bear that."""

PATIENCE = 10
"""Seconds after which a test that waits has failed."""


class Peer:
    """The server's end of one connection."""

    def __init__(self, number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.number = number
        self.reader = reader
        self.writer = writer
        self.over = asyncio.Event()
        self.flooded = 0

    async def head(self) -> bytes:
        """Read the head of a request."""
        return await self.reader.readuntil(b"\r\n\r\n")

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def answer(self, data: bytes = OK) -> bytes:
        """Read the head of a request and send an answer."""
        head = await self.head()
        await self.send(data)
        return head

    async def answer_slowly(self, data: bytes) -> None:
        """Send each byte on its own."""
        await self.head()
        for index in range(len(data)):
            await self.send(data[index : index + 1])
            await asyncio.sleep(0)  # so that the client reads before the next one comes

    async def flood(self, data: bytes) -> None:
        """Send the same again and again, until the client has had enough."""
        while not self.writer.is_closing():
            await self.send(data)
            self.flooded += len(data)
            await asyncio.sleep(0)

    async def hang_up(self) -> None:
        """Close the connection in good order."""
        self.writer.close()
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            await self.writer.wait_closed()

    def cut(self) -> None:
        """Drop the connection."""
        self.writer.transport.abort()

    async def gone(self) -> None:
        """Wait until the connection is closed."""
        async with asyncio.timeout(PATIENCE):
            await self.over.wait()


Script = Callable[[Peer], Awaitable[None]]


class Server:
    """Runs a script for each connection.

    Attributes:
        peers: The connections so far.
        failures: What scripts raised, apart from connections that the client has closed.
    """

    def __init__(self, script: Script, endpoint: Endpoint, context: ssl.SSLContext | None) -> None:
        self.script = script
        self.peers: list[Peer] = []
        self.failures: list[Exception] = []
        self.endpoint = endpoint
        self._context = context
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self._changed = asyncio.Condition()

    async def start(self) -> None:
        if self.endpoint.socket is not None:
            self._server = await asyncio.start_unix_server(self._accept, self.endpoint.socket, limit=1 << 20, **KEPT)
        else:
            port = self.endpoint.port
            self._server = await asyncio.start_server(
                self._accept, "127.0.0.1", port, ssl=self._context, limit=1 << 20, reuse_address=True
            )
            address = self._server.sockets[0].getsockname()
            self.endpoint = Endpoint(
                f"https://localhost:{address[1]}", host="127.0.0.1", port=address[1], verify=self.endpoint.verify
            )

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        peer = Peer(len(self.peers), reader, writer)
        async with self._changed:
            self.peers.append(peer)
            self._changed.notify_all()
        try:
            await self.script(peer)
            while await reader.read(1 << 20):
                pass
        except (ConnectionError, ssl.SSLError, asyncio.IncompleteReadError):
            pass  # the client has had enough
        except asyncio.CancelledError:
            pass  # by `stop`; asyncio's streams would complain about a task that ends as cancelled
        except Exception as error:  # noqa: BLE001 - told when the test ends
            self.failures.append(error)
        finally:
            self._tasks.discard(task)
            peer.over.set()
            writer.transport.abort()

    async def peer(self, number: int) -> Peer:
        """Wait for a connection."""
        async with asyncio.timeout(PATIENCE), self._changed:
            await self._changed.wait_for(lambda: len(self.peers) > number)
        return self.peers[number]

    async def stop(self) -> None:
        """Stop listening, end all scripts and cut all connections."""
        assert self._server is not None
        self._server.close()
        self.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=PATIENCE)

    def deafen(self) -> None:
        """Accept no connection any more."""
        assert self._server is not None
        self._server.close()

    def cancel(self) -> None:
        for task in self._tasks:
            task.cancel()


Serve = Callable[[Script], Awaitable[tuple[Server, Transport]]]
