"""Handshakes and messages of websockets."""

# Some of what matters here does not show at the outside.
# pyright: reportPrivateUsage=false

from __future__ import annotations

import asyncio
import logging
import os
import subprocess
import sys

import pytest
from websockets.frames import Opcode

from incus_sdk._transport import Response, WebSocketClosed
from incus_sdk._transport.websocket import WebSocket
from incus_sdk.exceptions import IncusProtocolError

from .frames import TARGET, accept, close_frame, frame, opened, receive, shake
from .server import Peer, Serve


async def test_the_handshake_offers_nothing(serve: Serve) -> None:
    async def script(peer: Peer) -> None:
        head = (await shake(peer)).lower()
        assert head.startswith(b"get /1.0/events?secret=hush http/1.1\r\n")
        assert b"\r\nconnection: upgrade\r\nupgrade: websocket\r\n" in head
        assert b"\r\nsec-websocket-version: 13\r\n" in head
        assert b"\r\nx-one: 1\r\n" in head
        for unwanted in (b"extensions", b"sec-websocket-protocol", b"origin"):
            assert unwanted not in head

    _, transport = await serve(script)
    assert isinstance(await transport.websocket(TARGET, headers={"X-One": "1"}), WebSocket)


async def test_text_and_binary_are_told_apart(serve: Serve) -> None:
    async def script(peer: Peer) -> None:
        await shake(peer, frame("tëxt".encode(), Opcode.TEXT) + frame(b"bin") + frame(b"", Opcode.TEXT) + frame(b""))
        await peer.hang_up()

    _, transport = await serve(script)
    websocket = await opened(transport)
    assert [message async for message in websocket] == ["tëxt", b"bin", "", b""]


async def test_fragments_with_a_ping_in_between(serve: Serve) -> None:
    async def script(peer: Peer) -> None:
        await shake(peer)
        data = (
            frame("tëx".encode()[:2], Opcode.TEXT, fin=False)
            + frame(b"are you there?", Opcode.PING)
            + frame("tëx".encode()[2:], Opcode.CONT, fin=False)
            + frame(b"t", Opcode.CONT)
            + frame(b"a" * 10, fin=False)
            + frame(b"b" * 10, Opcode.CONT)
        )
        for index in range(len(data)):
            await peer.send(data[index : index + 1])
            await asyncio.sleep(0)
        assert await receive(peer) == (0x8A, b"are you there?")
        await peer.hang_up()

    _, transport = await serve(script)
    websocket = await opened(transport)
    assert [message async for message in websocket] == ["tëxt", b"a" * 10 + b"b" * 10]


async def test_sending(serve: Serve) -> None:
    received: list[tuple[int, bytes]] = []

    async def script(peer: Peer) -> None:
        await shake(peer)
        received.extend([await receive(peer) for _ in range(5)])
        await peer.send(frame(b"done"))

    _, transport = await serve(script)
    websocket = await opened(transport)
    await websocket.send("tëxt")
    await websocket.send(b"bin")
    await websocket.send(bytearray(b"x" * 70_000))
    await websocket.send(memoryview(b""))
    await websocket.ping(b"hey")
    assert await websocket.recv() == b"done"
    assert received == [
        (0x81, "tëxt".encode()),
        (0x82, b"bin"),
        (0x82, b"x" * 70_000),
        (0x82, b""),
        (0x89, b"hey"),
    ]


async def test_big_messages_in_both_directions(serve: Serve) -> None:
    async def script(peer: Peer) -> None:
        await shake(peer)
        _, data = await receive(peer)
        await peer.send(frame(data))

    _, transport = await serve(script)
    websocket = await opened(transport)
    big = os.urandom(3 << 20)
    await websocket.send(big)
    assert await websocket.recv() == big


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (frame(b"x" * 101), "100"),
        (frame(b"x" * 60, fin=False) + frame(b"x" * 60, Opcode.CONT), "100"),
        (frame(b"\xff\xfe", Opcode.TEXT), "UTF-8"),
        (b"\x83\x01x", "opcode"),
        (b"\x82\x81abcdx", "mask"),
        (frame(b"x", Opcode.CONT), "continuation"),
        (b"\xc2\x01x", "reserved"),
        (close_frame(5), "status code"),
    ],
    ids=["size", "size of fragments", "text", "opcode", "masked", "continuation", "reserved bit", "close code"],
)
async def test_a_server_that_breaks_the_protocol(serve: Serve, data: bytes, problem: str) -> None:
    async def script(peer: Peer) -> None:
        await shake(peer, frame(b"good") + data)

    server, transport = await serve(script)
    websocket = await opened(transport, max_size=100)
    assert await websocket.recv() == b"good"
    with pytest.raises(IncusProtocolError, match=r"GET /1\.0/events on .*" + problem):
        await websocket.recv()
    await server.peers[0].gone()


async def test_a_refusal_is_an_answer(serve: Serve) -> None:
    async def script(peer: Peer) -> None:
        await peer.answer(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\n{}")
        await peer.answer()

    server, transport = await serve(script)
    refused = await transport.websocket(TARGET)
    assert isinstance(refused, Response)
    assert (refused.status, refused.body) == (403, b"{}")
    assert (await transport.request("GET", "/1.0")).status == 200
    assert len(server.peers) == 1


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"Accept: ", b"Accept: x"),
        (b"Upgrade: websocket", b"Upgrade: sftp"),
        (b"\r\n\r\n", b"\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n"),
        (b"\r\n\r\n", b"\r\nSec-WebSocket-Protocol: chat\r\n\r\n"),
    ],
)
async def test_a_wrong_handshake(serve: Serve, old: bytes, new: bytes) -> None:
    async def script(peer: Peer) -> None:
        await peer.send(accept(await peer.head()).replace(old, new))

    server, transport = await serve(script)
    with pytest.raises(IncusProtocolError, match=r"GET /1\.0/events on "):
        await transport.websocket(TARGET)
    await server.peers[0].gone()


@pytest.mark.parametrize("data", [frame(b"x" * 65536), frame(b"") * 1000], ids=["big", "empty"])
async def test_a_server_is_not_read_faster_than_the_caller_receives(serve: Serve, data: bytes) -> None:
    async def script(peer: Peer) -> None:
        await shake(peer)
        await peer.flood(data)

    server, transport = await serve(script)
    websocket = await opened(transport)
    await websocket.recv()
    peer = server.peers[0]
    seen = -1
    while seen != peer.flooded:  # until it has come to a stand-still
        seen = peer.flooded
        await asyncio.sleep(0.05)
    assert seen < 16 << 20
    assert len(websocket._messages) < 150_000
    for _ in range(len(websocket._messages) + 2):
        await websocket.recv()
    websocket.abort()


async def test_a_sender_waits_for_a_slow_server(serve: Serve) -> None:
    async def script(peer: Peer) -> None:
        await shake(peer)
        peer.writer.transport.pause_reading()  # type: ignore[attr-defined]  # a transport that reads and writes
        await asyncio.Event().wait()

    _, transport = await serve(script)
    websocket = await opened(transport)

    async def send() -> None:
        while True:
            await websocket.send(b"x" * 65536)

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(send(), 0.3)
    task = asyncio.create_task(send())
    await asyncio.sleep(0)
    websocket.abort()
    with pytest.raises(WebSocketClosed):
        await task


async def test_a_cancelled_recv_loses_nothing(serve: Serve) -> None:
    go_on = asyncio.Event()

    async def script(peer: Peer) -> None:
        await shake(peer)
        await go_on.wait()
        await peer.send(frame(b"1") + frame(b"2"))

    _, transport = await serve(script)
    websocket = await opened(transport)
    task = asyncio.create_task(websocket.recv())
    await asyncio.sleep(0)
    with pytest.raises(RuntimeError, match="another task"):
        await websocket.recv()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    go_on.set()
    assert [await websocket.recv(), await websocket.recv()] == [b"1", b"2"]


@pytest.mark.parametrize("link", ["unix"], indirect=True)
async def test_frames_are_not_logged(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    async def script(peer: Peer) -> None:
        await shake(peer, frame(b"password"))
        await receive(peer)

    _, transport = await serve(script)
    with caplog.at_level(logging.DEBUG):
        websocket = await opened(transport)
        await websocket.recv()
        await websocket.send("password")
        websocket.abort()
    assert "password" not in caplog.text
    assert "hush" not in caplog.text
    assert "/1.0/events?secret=*** -> 101" in caplog.text


def test_the_library_is_loaded_with_the_first_websocket() -> None:
    code = "import sys, incus_sdk._transport; sys.exit('websockets' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
