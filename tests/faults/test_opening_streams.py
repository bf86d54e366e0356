"""Websockets and upgrades that do not come about, whatever the server makes of the request for them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from incus_sdk import APIClient, IncusAPIError, IncusConnectionError, IncusProtocolError, IncusTimeoutError

from ..contract.support import Face
from ..unit.daemon import Behaviour, Request, reply
from ..unit.transport.peers import descriptors
from ..unit.transport.scripted.frames import accept, close_frame, frame
from ..unit.transport.scripted.server import SWITCH, Peer
from .support import Faulty, as_type, check, cut, outcome, stall, told, using

KEY = "sec-websocket-key"


async def websocket(api: APIClient) -> None:
    (await api.websocket("/1.0/events")).abort()


async def upgrade(api: APIClient) -> None:
    (await api.upgrade("/1.0/instances/web/sftp", "sftp")).abort()


async def stream(api: APIClient) -> bytes:
    async with api.stream("GET", "/1.0/images/x/export") as response:
        return await response.read()


KINDS: dict[str, tuple[Callable[[APIClient], Awaitable[Any]], str]] = {
    "websocket": (websocket, "GET /1.0/events"),
    "upgrade": (upgrade, "GET /1.0/instances/web/sftp"),
    "stream": (stream, "GET /1.0/images/x/export"),
}

each_kind = pytest.mark.parametrize("kind", KINDS)


def good(kind: str, request: Request) -> bytes:
    """What a server in good health answers."""
    if kind == "websocket":
        return accept(b"Sec-WebSocket-Key: " + request.headers[KEY].encode() + b"\r\n")
    return SWITCH if kind == "upgrade" else reply(b"hello")


def partly(kind: str, size: int, then: Callable[[bytes], Behaviour]) -> Behaviour:
    async def behave(peer: Peer, request: Request) -> None:
        await then(good(kind, request)[:size])(peer, request)

    return behave


@each_kind
@pytest.mark.parametrize("end", ["closed", "reset"])
async def test_cut_off_at_every_byte(daemon: Faulty, face: Face, kind: str, end: str) -> None:
    make, request = KINDS[kind]
    sockets = len(descriptors())
    size = len(good(kind, Request("GET", "/", {KEY: "x" * 24}, b"", 0)))
    async with using(daemon, face, retries=0) as client:
        for number in range(1, size):
            await check(daemon, client, face)
            daemon.will(partly(kind, number, lambda data: cut(data, end)))
            error = as_type(told(await outcome(make(client.api)), request), IncusConnectionError)
            assert error.sent
            assert "cut off in its " in error.message
            await daemon.alone(sockets)
        await check(daemon, client, face)


@each_kind
@pytest.mark.parametrize("size", [0, 9, 40])
async def test_stalled(daemon: Faulty, face: Face, kind: str, size: int) -> None:
    make, request = KINDS[kind]
    async with using(daemon, face, timeout=0.1) as client:
        await check(daemon, client, face)
        daemon.will(partly(kind, size, stall))
        error = told(await outcome(make(client.api)), request)
        assert isinstance(error, IncusTimeoutError)
        await check(daemon, client, face)


@each_kind
async def test_refused(daemon: Faulty, face: Face, kind: str) -> None:
    make, request = KINDS[kind]
    async with using(daemon, face, retries=0) as client:
        for status in (400, 403, 404, 500, 502):
            for body in (b'{"type":"error","error":"not today","error_code":%d}' % status, b"not today", b""):
                daemon.will(reply(body, status))
                error = as_type(told(await outcome(make(client.api)), request), IncusAPIError)
                assert error.status_code == status
        await check(daemon, client, face)
        assert len(daemon.server.peers) == 1


@pytest.mark.parametrize("kind", ["websocket", "upgrade"])
async def test_another_answer_than_the_switch(daemon: Faulty, face: Face, kind: str) -> None:
    make, request = KINDS[kind]
    answers = [
        reply(b""),
        reply(b"<html>"),
        reply({"type": "sync", "metadata": {}}),
        reply(b"", 204),
        reply(b"", 302, {"Location": "/elsewhere"}),
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nConnection: close\r\nUpgrade: sftp, websocket\r\n\r\n",
    ]
    async with using(daemon, face, retries=0) as client:
        for answer in answers:
            daemon.will(cut(answer, "closed"))
            assert isinstance(told(await outcome(make(client.api)), request), IncusProtocolError)
            await check(daemon, client, face)


BREAKS = {
    "an unmasked frame of a client": b"\x81\x85abcdhello",
    "a reserved bit": b"\xf1\x00",
    "an opcode that there is not": b"\x83\x00",
    "a control frame that is too long": b"\x89\x7e\x01\x00" + bytes(256),
    "a control frame in two": b"\x09\x00",
    "a continuation of nothing": b"\x80\x01x",
    "a text that is no UTF-8": b"\x81\x02\xff\xfe",
    "HTTP": reply(bytes(100)),
}


async def test_a_websocket_that_breaks_the_rules(daemon: Faulty, face: Face) -> None:
    """What came before the break is given out; then the error comes, and the connection is gone."""
    async with using(daemon, face, retries=0) as client:
        for what, data in BREAKS.items():

            async def behave(peer: Peer, request: Request, data: bytes = data) -> None:
                await stall(good("websocket", request) + frame(b"first") + data)(peer, request)

            daemon.will(behave)
            socket = await client.api.websocket("/1.0/events")
            assert await socket.recv() == b"first"
            error = told(await outcome(socket.recv()), "GET /1.0/events")
            assert isinstance(error, IncusProtocolError), f"{what}: {error!r}"
            await socket.close()
            await check(daemon, client, face)


async def test_a_websocket_that_ends_in_any_byte_of_a_frame(daemon: Faulty, face: Face) -> None:
    async with using(daemon, face, retries=0) as client:
        data = frame(b"whole") + frame(b"cut off") + close_frame(1000)
        for size in range(len(data)):

            async def behave(peer: Peer, request: Request, size: int = size) -> None:
                await peer.send(good("websocket", request) + data[:size])
                await peer.hang_up()

            daemon.will(behave)
            socket = await client.api.websocket("/1.0/events")
            messages: list[object] = []
            async with asyncio.timeout(30):
                try:
                    while True:
                        messages.append(await socket.recv())
                except IncusConnectionError as error:
                    told(error, "GET /1.0/events")
            assert messages == [b"whole", b"cut off"][: (size >= 7) + (size >= 16)]
            await socket.close()
        await check(daemon, client, face)
