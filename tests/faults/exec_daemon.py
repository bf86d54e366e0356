"""A scripted daemon that starts commands; what becomes of them and their sockets is in the hands of the test."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from websockets.frames import Opcode

from incus_sdk import Client
from incus_sdk.config import Endpoint

from ..unit.daemon import error, reply, sync
from ..unit.transport.scripted.frames import accept, frame, receive
from ..unit.transport.scripted.server import PATIENCE, Peer, Server

STREAMS = ("0", "1", "2", "control")
TERMINAL = ("0", "control")
TOO_LATE = "Timed out waiting for websockets to connect"


class Running:
    """A command, from the daemon's side.

    Attributes:
        number: How many there were before it.
        got: Frames of the client by the names of the sockets: their first byte and their content.
    """

    def __init__(self, number: int, names: tuple[str, ...]) -> None:
        self.number = number
        self.names = names
        self.got: dict[str, list[tuple[int, bytes]]] = {name: [] for name in names}
        self.peers: dict[str, Peer] = {}
        self.ended: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._changed = asyncio.Condition()

    @property
    def operation(self) -> dict[str, Any]:
        """As the daemon describes it while it runs."""
        return {
            "id": f"op-{self.number}",
            "class": "websocket",
            "description": "Executing command",
            "status": "Running",
            "status_code": 103,
            "resources": {"instances": ["/1.0/instances/web"]},
            "metadata": {"command": ["job"], "fds": {name: f"hush-{self.number}-{name}" for name in self.names}},
        }

    async def socket(self, name: str) -> Peer:
        """Wait for a socket to be connected."""
        async with asyncio.timeout(PATIENCE), self._changed:
            await self._changed.wait_for(lambda: name in self.peers)
        return self.peers[name]

    async def begin(self) -> None:
        """Wait for all sockets."""
        for name in self.names:
            await self.socket(name)

    async def hears(self, name: str, count: int = 1) -> list[tuple[int, bytes]]:
        """Wait for frames from the client."""
        async with asyncio.timeout(PATIENCE), self._changed:
            await self._changed.wait_for(lambda: len(self.got[name]) >= count)
        return self.got[name]

    async def say(self, name: str, data: bytes) -> None:
        """Send a message."""
        await (await self.socket(name)).send(frame(data))

    async def close(self, *names: str) -> None:
        """End streams as daemons do: with an empty text, and by hanging up."""
        for name in names:
            peer = await self.socket(name)
            await peer.send(frame(b"", Opcode.TEXT))
            await peer.hang_up()

    def end(self, code: int | None = 0, failure: str = "", status_code: int | None = None) -> None:
        """End the operation."""
        details = {"command": ["job"], **({} if code is None else {"return": code})}
        if self.ended.done():
            return
        number = status_code or (400 if failure else 200)
        status = {200: "Success", 400: "Failure", 401: "Cancelled"}[number]
        self.ended.set_result(
            {**self.operation, "status": status, "status_code": number, "err": failure, "metadata": details}
        )

    async def attach(self, name: str, peer: Peer) -> None:
        """Take a connection, and what comes on it."""
        peer.writer.transport.set_write_buffer_limits(0)  # what was sent has been taken, before anybody hangs up
        async with self._changed:
            self.peers[name] = peer
            self._changed.notify_all()
        while True:
            got = await receive(peer)
            async with self._changed:
                self.got[name].append(got)
                self._changed.notify_all()


Refusal = Callable[[Running, str], Awaitable[bytes | None]]
"""Decides what is answered to the handshake of a socket; nothing lets it in."""


async def _nothing(_: Running, __: str) -> bytes | None:
    return None


class ExecDaemon:
    """The daemon.

    Attributes:
        commands: What was started so far.
        names: The sockets that commands have.
        refuse: What is answered to handshakes, if they are not to be let in.
        job: What commands do; by default nothing, and the test does it.
        jobs: Those that are under way.
    """

    def __init__(self, socket: Path) -> None:
        self.server = Server(self._serve, Endpoint(f"unix://{socket}", socket=str(socket)), None)
        self.commands: list[Running] = []
        self.names: tuple[str, ...] = STREAMS
        self.refuse: Refusal = _nothing
        self.job: Callable[[Running], Coroutine[Any, Any, None]] | None = None
        self.jobs: set[asyncio.Task[None]] = set()
        self._clients: list[Client] = []
        self._changed = asyncio.Condition()

    def client(self, **options: Any) -> Client:
        client = Client(self.server.endpoint.url, **options)
        self._clients.append(client)
        return client

    async def command(self, number: int = 0) -> Running:
        """Wait until a command is started, and has all of its sockets."""
        async with asyncio.timeout(PATIENCE), self._changed:
            await self._changed.wait_for(lambda: len(self.commands) > number)
        await self.commands[number].begin()
        return self.commands[number]

    def forget(self) -> None:
        """End what commands still do; nobody is told how they ended."""
        for job in self.jobs:
            job.cancel()
        for command in self.commands:
            command.ended.cancel()

    async def stop(self) -> None:
        for client in self._clients:
            await client.disconnect()
        await self.server.stop()
        self.forget()
        assert not self.server.failures

    async def _serve(self, peer: Peer) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError):
            while True:
                head = await peer.head()
                await self._answer(head, peer)

    async def _answer(self, head: bytes, peer: Peer) -> None:
        method, target, _ = head.split(b"\r\n")[0].decode().split(" ")
        parts = urlsplit(target)
        if method == "POST":
            await peer.reader.readexactly(int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0]))
            await peer.send(await self._start())
            return
        command = self.commands[int(parts.path.split("/")[3].removeprefix("op-"))]
        if parts.path.endswith("/websocket"):
            await self._attach(command, parse_qs(parts.query)["secret"][0], head, peer)
        elif parts.path.endswith("/wait"):
            await asyncio.wait([command.ended])
            if not command.ended.cancelled():
                await peer.send(sync(command.ended.result()))
        else:
            await peer.send(sync(command.ended.result() if command.ended.done() else command.operation))

    async def _start(self) -> bytes:
        command = Running(len(self.commands), self.names)
        async with self._changed:
            self.commands.append(command)
            self._changed.notify_all()
        if self.job is not None:
            task = asyncio.ensure_future(self.job(command))
            self.jobs.add(task)
            task.add_done_callback(self.jobs.discard)
        operation = command.operation
        return reply({"type": "async", "operation": f"/1.0/operations/{operation['id']}", "metadata": operation}, 202)

    async def _attach(self, command: Running, secret: str, head: bytes, peer: Peer) -> None:
        name = secret.rpartition("-")[2]
        if (refusal := await self.refuse(command, name)) is not None:
            await peer.send(refusal)
            return
        await peer.send(accept(head))
        await command.attach(name, peer)


GONE = error(500, "Only running operations can be connected")
"""What is answered to the sockets of an operation that has ended."""
