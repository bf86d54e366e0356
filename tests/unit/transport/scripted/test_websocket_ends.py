"""The many ways in which a websocket ends."""

# Some of what matters here does not show at the outside.
# pyright: reportPrivateUsage=false

from __future__ import annotations

import asyncio
import time

import pytest
from websockets.frames import Opcode

from incus_sdk._transport import WebSocketClosed
from incus_sdk._transport.websocket import WebSocket
from incus_sdk.exceptions import IncusConnectionError

from .frames import TARGET, close_frame, frame, opened, receive, shake
from .server import Peer, Serve


async def send_on(websocket: WebSocket) -> None:
    """Send until it is noticed that nobody reads."""
    for _ in range(100):
        await websocket.send(b"x")
        await asyncio.sleep(0)


async def test_hanging_up_is_an_end(serve: Serve) -> None:
    async def script(peer: Peer) -> None:
        await shake(peer, frame(b"last"))
        await peer.hang_up()

    _, transport = await serve(script)
    websocket = await opened(transport)
    assert await websocket.recv() == b"last"
    for _ in range(2):
        with pytest.raises(WebSocketClosed, match=r"GET /1\.0/events on .*hanging up") as caught:
            await websocket.recv()
        assert (caught.value.code, caught.value.reason) == (1006, "")
        assert "hush" not in str(caught.value)
    with pytest.raises(WebSocketClosed):
        await websocket.send(b"x")
    await websocket.close()


async def test_a_close_frame_is_an_end_and_is_answered(serve: Serve) -> None:
    async def script(peer: Peer) -> None:
        await shake(peer, frame(b"last") + close_frame(1001, "going"))
        assert await receive(peer) == (0x88, (1001).to_bytes(2, "big") + b"going")
        await peer.hang_up()

    server, transport = await serve(script)
    websocket = await opened(transport)
    assert [message async for message in websocket] == [b"last"]
    with pytest.raises(WebSocketClosed, match=r"code 1001, 'going'") as caught:
        await websocket.recv()
    assert (caught.value.code, caught.value.reason) == (1001, "going")
    await server.peers[0].gone()


async def test_a_server_that_does_not_hang_up_after_its_close_frame(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("incus_sdk._transport.websocket.CLOSE_PATIENCE", 0.05)

    async def script(peer: Peer) -> None:
        await shake(peer, close_frame(1000))

    server, transport = await serve(script)
    websocket = await opened(transport)
    assert [message async for message in websocket] == []
    await server.peers[0].gone()


async def test_nothing_may_follow_a_close_frame(serve: Serve) -> None:
    async def script(peer: Peer) -> None:
        await shake(peer, close_frame(1000))
        await receive(peer)
        await peer.send(frame(b"one more thing"))

    server, transport = await serve(script)
    websocket = await opened(transport)
    assert [message async for message in websocket] == []
    await server.peers[0].gone()


async def test_closing(serve: Serve) -> None:
    async def script(peer: Peer) -> None:
        await shake(peer, frame(b"unread"))
        assert await receive(peer) == (0x88, (1000).to_bytes(2, "big"))
        await peer.send(frame(b"on its way") + close_frame(1000))

    server, transport = await serve(script)
    websocket = await opened(transport)
    started = time.monotonic()
    await websocket.close()
    await websocket.close()
    assert time.monotonic() - started < 1  # both have said goodbye: no need to wait for more
    await server.peers[0].gone()
    with pytest.raises(WebSocketClosed, match="closed at this side"):
        await websocket.recv()
    with pytest.raises(WebSocketClosed, match="closed at this side"):
        await websocket.send(b"x")
    assert [message async for message in websocket] == []


async def test_closing_with_much_unread(serve: Serve) -> None:
    async def script(peer: Peer) -> None:
        await shake(peer)
        for _ in range(100):
            await peer.send(frame(b"x" * 65536))
        await receive(peer)
        await peer.hang_up()

    server, transport = await serve(script)
    websocket = await opened(transport)
    await websocket.recv()
    await websocket.close()
    await server.peers[0].gone()


async def test_a_server_that_does_not_answer_a_goodbye_is_cut_off(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("incus_sdk._transport.websocket.CLOSE_PATIENCE", 0.05)

    async def script(peer: Peer) -> None:
        await shake(peer)

    server, transport = await serve(script)
    websocket = await opened(transport)
    async with asyncio.timeout(1):
        await websocket.close()
    await server.peers[0].gone()


async def test_a_cancelled_close_cuts_the_connection(serve: Serve) -> None:
    async def script(peer: Peer) -> None:
        await shake(peer)

    server, transport = await serve(script)
    websocket = await opened(transport)
    task = asyncio.create_task(websocket.close())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await server.peers[0].gone()


async def test_closing_ends_another_task_s_reading(serve: Serve) -> None:
    async def script(peer: Peer) -> None:
        await shake(peer)
        await receive(peer)
        await peer.hang_up()

    _, transport = await serve(script)
    websocket = await opened(transport)

    async def read() -> list[object]:
        return [message async for message in websocket]

    task = asyncio.create_task(read())
    await asyncio.sleep(0)
    await websocket.close()
    assert await task == []


async def test_aborting(serve: Serve) -> None:
    async def script(peer: Peer) -> None:
        await shake(peer, frame(b"unread"))

    server, transport = await serve(script)
    websocket = await opened(transport)
    websocket.abort()
    await server.peers[0].gone()
    assert [message async for message in websocket] == [b"unread"]


async def test_closing_the_transport_is_no_end_but_an_error(serve: Serve) -> None:
    async def script(peer: Peer) -> None:
        await shake(peer)

    _, transport = await serve(script)
    websocket = await opened(transport)
    task = asyncio.create_task(websocket.recv())
    await asyncio.sleep(0)
    await transport.close()
    with pytest.raises(IncusConnectionError, match="the client was closed") as caught:
        await task
    assert not isinstance(caught.value, WebSocketClosed)
    with pytest.raises(IncusConnectionError, match="the client was closed"):
        await websocket.send(b"x")


async def test_a_dead_peer(serve: Serve) -> None:
    async def script(peer: Peer) -> None:
        await shake(peer)
        assert (await receive(peer))[0] == 0x89  # it is asked first

    server, transport = await serve(script)
    websocket = await transport.websocket(TARGET, silence=0.1)
    assert isinstance(websocket, WebSocket)
    started = time.monotonic()
    with pytest.raises(IncusConnectionError, match=r"nothing came from the server for 0\.1 seconds") as caught:
        await websocket.recv()
    assert not isinstance(caught.value, WebSocketClosed)
    assert 0.09 <= time.monotonic() - started < 2
    await server.peers[0].gone()


@pytest.mark.parametrize("link", ["unix"], indirect=True)
async def test_a_peer_that_answers_pings_is_not_dead(serve: Serve) -> None:
    async def script(peer: Peer) -> None:
        await shake(peer)
        for _ in range(3):
            _, data = await receive(peer)
            await peer.send(frame(data, Opcode.PONG))
        await peer.send(frame(b"alive"))

    _, transport = await serve(script)
    websocket = await transport.websocket(TARGET, silence=0.4)
    assert isinstance(websocket, WebSocket)
    assert await websocket.recv() == b"alive"


@pytest.mark.parametrize("link", ["unix"], indirect=True)
@pytest.mark.parametrize(("timeout", "limit"), [(None, None), (5.0, 15.0), (100.0, 50.0)])
async def test_how_long_a_peer_may_be_silent(serve: Serve, limit: float | None) -> None:
    async def script(peer: Peer) -> None:
        await shake(peer)

    _, transport = await serve(script)
    websocket = await opened(transport)
    assert websocket._connection._limit == limit  # half of the time, then a ping


@pytest.mark.parametrize("link", ["unix"], indirect=True)
async def test_a_caller_that_does_not_receive_makes_no_dead_peer(serve: Serve) -> None:
    async def script(peer: Peer) -> None:
        await shake(peer)
        await peer.flood(frame(b"x" * 65536))

    _, transport = await serve(script)
    websocket = await transport.websocket(TARGET, silence=0.1)
    assert isinstance(websocket, WebSocket)
    await asyncio.sleep(0.3)
    for _ in range(100):
        await websocket.recv()
    websocket.abort()


@pytest.mark.parametrize("link", ["unix"], indirect=True)
async def test_the_last_words_of_a_server_survive_a_failed_write(serve: Serve) -> None:
    """A terminal whose command has ended, while somebody is still typing."""

    async def script(peer: Peer) -> None:
        await shake(peer)
        await receive(peer)
        await peer.send(frame(b"last words"))
        peer.writer.close()

    server, transport = await serve(script)
    websocket = await opened(transport)
    await websocket.send(b"x")
    websocket._connection.pause_reading()
    await server.peers[0].gone()
    with pytest.raises(WebSocketClosed):
        await send_on(websocket)
    assert [message async for message in websocket] == [b"last words"]
