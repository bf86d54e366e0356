"""Which connection serves which request, and what becomes of it."""

# Some of what matters here does not show at the outside.
# pyright: reportPrivateUsage=false

from __future__ import annotations

import asyncio
import gc
import os
import socket

import pytest

from incus_sdk._transport import Transport, connection, pool
from incus_sdk.config import Endpoint
from incus_sdk.exceptions import IncusConnectionError

from .server import OK, Peer, Serve


async def answering(peer: Peer) -> None:
    """A well-behaved server."""
    while True:
        await peer.answer()


async def test_one_connection_serves_requests_one_after_another(serve: Serve) -> None:
    server, transport = await serve(answering)
    for _ in range(10):
        assert (await transport.request("GET", "/1.0")).body == b"ok"
    assert len(server.peers) == 1


async def test_what_could_not_connect_was_not_sent(tmp_path: object) -> None:
    transport = Transport(Endpoint("unix:///absent", socket=f"{tmp_path}/absent"))
    with pytest.raises(IncusConnectionError) as caught:
        await transport.request("POST", "/1.0")
    assert not caught.value.sent
    await transport.close()


async def test_a_safe_request_on_a_connection_that_just_died_is_repeated(serve: Serve) -> None:
    async def script(peer: Peer) -> None:
        await peer.answer()
        if peer.number < 2:
            await peer.head()
            await peer.hang_up()
        else:
            await answering(peer)

    server, transport = await serve(script)
    await transport.request("GET", "/1.0")
    assert (await transport.request("GET", "/1.0")).body == b"ok"
    assert (await transport.request("HEAD", "/1.0")).status == 200
    assert len(server.peers) == 3


async def test_a_streamed_request_is_repeated_likewise(serve: Serve) -> None:
    async def script(peer: Peer) -> None:
        await peer.answer()
        await peer.head()
        await peer.hang_up()

    server, transport = await serve(script)
    await transport.request("GET", "/1.0")
    async with transport.stream("GET", "/1.0") as response:
        assert await response.read() == b"ok"
    assert len(server.peers) == 2


async def test_a_server_that_hangs_up_at_once(serve: Serve) -> None:
    async def script(peer: Peer) -> None:
        peer.cut()

    _, transport = await serve(script)
    for method in ("GET", "POST"):
        with pytest.raises(IncusConnectionError, match="hung up"):
            await transport.request(method, "/1.0")


async def test_it_is_repeated_on_a_fresh_connection(serve: Serve) -> None:
    """After a restart of the daemon all that are idle are dead."""

    async def script(peer: Peer) -> None:
        await peer.answer()
        await peer.head()
        await peer.hang_up()

    server, transport = await serve(script)
    await asyncio.gather(transport.request("GET", "/1.0"), transport.request("GET", "/1.0"))
    assert len(server.peers) == 2
    assert (await transport.request("GET", "/1.0")).body == b"ok"
    assert len(server.peers) == 3


async def test_it_is_repeated_only_once(serve: Serve) -> None:
    async def script(peer: Peer) -> None:
        if peer.number == 0:
            await peer.answer()
        await peer.head()
        await peer.hang_up()

    server, transport = await serve(script)
    await transport.request("GET", "/1.0")
    with pytest.raises(IncusConnectionError, match=r"GET /1\.0 on .*hung up without an answer") as caught:
        await transport.request("GET", "/1.0")
    assert caught.value.sent
    assert len(server.peers) == 2


async def test_nothing_is_repeated_once_an_answer_has_begun(serve: Serve) -> None:
    async def script(peer: Peer) -> None:
        await peer.answer()
        await peer.answer(b"H")
        await peer.hang_up()

    server, transport = await serve(script)
    await transport.request("GET", "/1.0")
    with pytest.raises(IncusConnectionError, match="cut off in its head"):
        await transport.request("GET", "/1.0")
    assert len(server.peers) == 1


@pytest.mark.parametrize(("method", "body"), [("POST", b"{}"), ("PUT", None), ("DELETE", None), ("GET", b"{}")])
async def test_other_requests_are_not_repeated(serve: Serve, method: str, body: bytes | None) -> None:
    async def script(peer: Peer) -> None:
        await peer.answer()
        await peer.head()
        await peer.hang_up()

    server, transport = await serve(script)
    await transport.request("GET", "/1.0")
    with pytest.raises(IncusConnectionError, match=method + r" /1\.0 on .*unknown") as caught:
        await transport.request(method, "/1.0?secret=1", body=body)
    assert caught.value.sent
    assert "secret" not in str(caught.value)
    assert len(server.peers) == 1


async def test_a_connection_that_the_server_has_closed_is_not_used(serve: Serve) -> None:
    async def script(peer: Peer) -> None:
        await peer.answer()
        if peer.number == 0:
            await peer.hang_up()

    server, transport = await serve(script)
    await transport.request("GET", "/1.0")
    await server.peers[0].gone()
    await transport.request("POST", "/1.0")
    assert len(server.peers) == 2


@pytest.mark.parametrize("link", ["unix"], indirect=True)
async def test_a_change_notices_a_dead_connection_before_the_event_loop_does(serve: Serve) -> None:
    """After a restart of the daemon, the first POST must not fail for want of a look."""

    async def script(peer: Peer) -> None:
        await peer.answer()

    server, transport = await serve(script)
    await transport.request("GET", "/1.0")
    descriptor = server.peers[0].writer.get_extra_info("socket").fileno()
    with socket.socket(fileno=os.dup(descriptor)) as sock:
        sock.shutdown(socket.SHUT_RDWR)  # at once, while the client's event loop is not running
    assert (await transport.request("POST", "/1.0")).status == 200
    assert len(server.peers) == 2


async def test_old_connections_are_closed_by_a_timer(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "IDLE_LIMIT", 0.05)
    monkeypatch.setattr(pool, "IDLE_LIMIT", 0.05)
    server, transport = await serve(answering)
    await transport.request("GET", "/1.0")
    await server.peers[0].gone()
    await transport.request("GET", "/1.0")
    assert len(server.peers) == 2


async def test_the_limit_is_below_that_of_servers() -> None:
    assert connection.IDLE_LIMIT == 25.0  # they close after 30.0


async def test_old_connections_are_not_used_though_their_timer_is_late(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, transport = await serve(answering)
    await transport.request("GET", "/1.0")
    monkeypatch.setattr(connection, "IDLE_LIMIT", 0.0)
    await transport.request("GET", "/1.0")
    await server.peers[0].gone()
    assert len(server.peers) == 2


async def test_the_number_of_connections_kept_is_limited(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "MAX_IDLE", 3)
    server, transport = await serve(answering)
    await asyncio.gather(*(transport.request("GET", "/1.0") for _ in range(10)))
    assert len(server.peers) == 10
    closed = [asyncio.create_task(peer.gone()) for peer in server.peers]
    while sum(task.done() for task in closed) < 7:
        await asyncio.wait(closed, return_when=asyncio.FIRST_COMPLETED)
        closed = [task for task in closed if not task.done()] + [task for task in closed if task.done()]
        await asyncio.sleep(0)
    assert sum(task.done() for task in closed) == 7
    for task in closed:
        task.cancel()
    await asyncio.gather(*(transport.request("GET", "/1.0") for _ in range(3)))
    assert len(server.peers) == 10


async def test_a_hundred_waiting_requests_hold_up_nothing(serve: Serve) -> None:
    finish = asyncio.Event()

    async def script(peer: Peer) -> None:
        while True:
            if b"/wait" in await peer.head():
                await finish.wait()
            await peer.send(OK)

    server, transport = await serve(script)
    waiting = [asyncio.create_task(transport.request("GET", "/1.0/operations/1/wait")) for _ in range(100)]
    await server.peer(99)
    async with asyncio.timeout(5):
        assert (await transport.request("GET", "/1.0")).status == 200
    assert not any(task.done() for task in waiting)
    finish.set()
    assert {response.status for response in await asyncio.gather(*waiting)} == {200}


async def test_sixty_four_at_once_use_sixty_four_connections_again(serve: Serve) -> None:
    server, transport = await serve(answering)
    for _ in range(3):
        await asyncio.gather(*(transport.request("GET", "/1.0") for _ in range(64)))
    assert len(server.peers) == 64


@pytest.mark.parametrize("streamed", [False, True])
async def test_requests_leave_no_garbage(serve: Serve, streamed: bool) -> None:
    _, transport = await serve(answering)

    async def once() -> None:
        if streamed:
            async with transport.stream("GET", "/1.0") as response:
                await response.read()
        else:
            await transport.request("GET", "/1.0")

    await once()
    gc.collect()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        for _ in range(1000):
            await once()
        gc.collect()
        ours = [item for item in gc.garbage if type(item).__module__.startswith(("incus_sdk", "httptools"))]
        count = len(gc.garbage)
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()
    assert not ours
    assert count < 1000
