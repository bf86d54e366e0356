"""A daemon that falls silent, at whatever stage, costs the time that `timeout` says, and an error that says so."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Self

import pytest

from incus_sdk import IncusError, IncusTimeoutError

from ..contract.support import Face
from ..unit.transport.peers import Server as ThreadServer
from ..unit.transport.peers import listen_only, nothing_left
from ..unit.transport.scripted.server import Peer
from .support import CALLS, CHECK, PATIENCE, Faulty, as_type, check, outcome, stall, started, told, using

SHORT = 0.1
"""Seconds of silence that are too many."""

CHUNKS = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

STAGES = {
    "before the head": b"",
    "in the status line": b"HTTP/1.1 2",
    "in the head": b"HTTP/1.1 200 OK\r\nContent-Len",
    "at the end of the head": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r",
    "before the body": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
    "in the body": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc",
    "in the size of a chunk": CHUNKS + b"1",
    "in a chunk": CHUNKS + b"5\r\nabc",
    "before the last chunk": CHUNKS + b"3\r\nabc\r\n",
    "in the trailers": CHUNKS + b"3\r\nabc\r\n0\r\nX: y\r\n",
    "after an informational answer": b"HTTP/1.1 100 Continue\r\n\r\n",
    "in a body of unknown length": b"HTTP/1.1 200 OK\r\n\r\nabc",
}


@pytest.mark.parametrize("face", ["async", "sync"], indirect=True)
async def test_silence_at_every_stage(daemon: Faulty, face: Face) -> None:
    async def each(stage: str, name: str) -> None:
        call = CALLS[name]
        async with using(daemon, face, timeout=SHORT) as client:
            async with lock:  # its connection is there before the silence, however long connecting takes
                await check(daemon, client, face)
                silent = asyncio.Event()
                step = len(call.answers) - 1 if name == "change" else 0
                daemon.will(*call.answers[:step], stall(STAGES[stage], silent))
                running = started(face, call, client)
                await silent.wait()
            error = as_type(told(await outcome(running), call.requests[step], doubt=call.changes(step)), IncusError)
            assert isinstance(error, IncusTimeoutError), f"{stage}: {error!r}"
            assert "no byte came from the server for 0.1 seconds" in error.message
            async with lock:
                await check(daemon, client, face)

    lock = asyncio.Lock()
    async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as group:
        for stage in STAGES:
            for name in ("envelope", "file", "change"):
                group.create_task(each(stage, name))


async def test_a_stream_that_stalls(daemon: Faulty, face: Face) -> None:
    async with using(daemon, face, timeout=SHORT) as client:
        await check(daemon, client, face)
        daemon.will(stall(STAGES["in the body"]))

        async def read() -> bytes:
            async with client.api.stream("GET", "/1.0/images/x/export") as response:
                assert await anext(response) == b"abc"
                return await response.read()

        error = told(await outcome(read()), "GET /1.0/images/x/export")
        assert isinstance(error, IncusTimeoutError)
        await check(daemon, client, face)


async def test_an_upload_that_nobody_takes(daemon: Faulty, face: Face) -> None:
    async def stuff() -> AsyncGenerator[bytes]:
        while True:
            yield bytes(1 << 16)

    async def take_nothing(peer: Peer) -> None:
        await peer.head()
        peer.writer.transport.pause_reading()  # type: ignore[attr-defined]  # it reads as well
        await over.wait()
        peer.writer.transport.resume_reading()  # type: ignore[attr-defined]  # as above

    over = asyncio.Event()
    serve, daemon.server.script = daemon.server.script, take_nothing
    async with using(daemon, face, timeout=SHORT * 5) as client:
        error = told(
            await outcome(client.api.request("POST", "/1.0/images", data=stuff())), "POST /1.0/images", doubt=True
        )
        assert isinstance(error, IncusTimeoutError)
        assert "the server took nothing more" in error.message
        over.set()
        daemon.server.script = serve
        await check(daemon, client, face)


async def test_a_tls_handshake_that_does_not_come(face: Face) -> None:
    async with nothing_left(), ThreadServer(listen_only) as server:
        client = face.client(f"https://127.0.0.1:{server.port}", verify=False, timeout=SHORT, retries=0)
        error = await outcome(face.start(lambda: client.api.post("/1.0/x")))
        assert isinstance(error, IncusTimeoutError)
        assert "it was waiting for the TLS handshake" in error.message
        await face.start(client.disconnect)


class Full:
    """A socket whose queue is full: nobody gets a connection, and nobody is refused.

    Args:
        folder: Where to put a unix socket; `None` for a TCP port.
    """

    def __init__(self, folder: Path | None) -> None:
        self.listener = socket.socket(socket.AF_INET if folder is None else socket.AF_UNIX)
        self.listener.bind(("127.0.0.1", 0) if folder is None else str(folder / "full"))
        self.listener.listen(0)
        self.listener.setblocking(False)
        address = self.listener.getsockname()
        self.url: str = f"https://127.0.0.1:{address[1]}" if folder is None else f"unix://{address}"
        self.waiting = [socket.socket(self.listener.family) for _ in range(4)]
        for sock in self.waiting:
            sock.setblocking(False)
        self.queued = [sock.connect_ex(address) for sock in self.waiting].count(0)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for sock in (self.listener, *self.waiting):
            sock.close()


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_connection_that_is_not_taken(tmp_path: Path, link: str, face: Face, method: str) -> None:
    async with nothing_left():
        with Full(tmp_path if link == "unix" else None) as full:
            options = {} if link == "unix" else {"verify": False}
            client = face.client(full.url, timeout=SHORT, retries=0, **options)
            error = await outcome(face.start(lambda: client.api.request(method, "/1.0/x")))
            assert isinstance(error, IncusTimeoutError)
            assert error.message.startswith(f"connecting to {full.url} took longer than 0.1 s; it was ")
            await face.start(client.disconnect)


async def test_a_connection_that_is_taken_late(tmp_path: Path, face: Face) -> None:
    loop = asyncio.get_running_loop()
    with Full(tmp_path) as full:
        client = face.client(full.url)
        running = face.start(lambda: client.api.get("/1.0"))
        for _ in range(5):  # it has found no room by then
            await asyncio.sleep(0)
        accepted = [(await loop.sock_accept(full.listener))[0] for _ in range(full.queued + 1)]
        assert await loop.sock_recv(accepted[-1], 1000)
        await loop.sock_sendall(accepted[-1], CHECK)
        assert await outcome(running) == {"type": "sync", "metadata": ["alive"]}
        await face.start(client.disconnect)
        for sock in accepted:
            sock.close()
