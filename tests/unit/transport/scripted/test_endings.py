"""Calls that are cancelled, and a transport that is closed under them."""

# Some of what matters here does not show at the outside.
# pyright: reportPrivateUsage=false

from __future__ import annotations

import asyncio
import gc

import pytest

from incus_sdk._transport import RawStream, Transport, connection
from incus_sdk._transport.websocket import WebSocket
from incus_sdk.config import Endpoint
from incus_sdk.exceptions import IncusConnectionError

from .frames import TARGET, accept
from .server import OK, PATIENCE, SWITCH, Peer, Serve


async def answering(peer: Peer) -> None:
    """A well-behaved server."""
    while True:
        await peer.answer()


@pytest.mark.parametrize("stage", ["answer", "head", "body", "upload", "streamed head", "streamed body"])
async def test_a_cancelled_call_costs_its_connection(serve: Serve, stage: str) -> None:
    begun = {"head": b"HTTP/1.1 200", "body": b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok"}
    reached = asyncio.Event()

    async def hanging() -> object:
        yield b"x"
        reached.set()
        await asyncio.Event().wait()

    async def script(peer: Peer) -> None:
        await peer.head()
        if peer.number == 1:
            await peer.send(OK)
        elif stage != "upload":
            await peer.send(begun.get(stage.removeprefix("streamed "), b""))
            reached.set()

    async def call() -> None:
        if stage == "upload":
            await transport.request("POST", "/1.0", body=hanging())  # type: ignore[arg-type]  # of bytes
        elif stage.startswith("streamed"):
            async with transport.stream("GET", "/1.0") as response:
                await response.read()
        else:
            await transport.request("GET", "/1.0")

    server, transport = await serve(script)
    task = asyncio.create_task(call())
    await reached.wait()
    await asyncio.sleep(0.01)  # lets what was sent arrive
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await server.peers[0].gone()
    assert (await transport.request("GET", "/1.0")).body == b"ok"
    assert len(server.peers) == 2


async def test_cancelled_while_connecting(serve: Serve) -> None:
    server, transport = await serve(answering)
    task = asyncio.create_task(transport.request("GET", "/1.0"))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (await transport.request("GET", "/1.0")).status == 200
    for peer in server.peers[:-1]:
        await peer.gone()


async def use(transport: Transport, kind: str) -> None:
    """One call of each kind, from its connection to its end."""
    if kind == "request":
        await transport.request("GET", "/1.0")
    elif kind == "stream":
        async with transport.stream("GET", "/1.0") as response:
            await response.read()
    else:
        stream = await (transport.websocket(TARGET) if kind == "websocket" else transport.upgrade("GET", "/", "sftp"))
        assert isinstance(stream, WebSocket | RawStream)
        stream.abort()


@pytest.mark.parametrize("kind", ["request", "stream", "websocket", "upgrade"])
async def test_a_call_cancelled_in_any_turn_leaks_no_connection(serve: Serve, kind: str) -> None:
    """An open connection on which nothing is said holds up a whole Incus 6.0, so none may be forgotten."""

    async def script(peer: Peer) -> None:
        head = await peer.head()
        await peer.send(accept(head) if kind == "websocket" else SWITCH if kind == "upgrade" else OK)

    server, _ = await serve(script)
    completed = turns = 0
    while not completed:
        transport = Transport(server.endpoint)  # so that each call has to dial
        task = asyncio.create_task(use(transport, kind))
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait((task,))
        kept = {held for held in transport._connections if not held.closing}
        assert kept == set(transport._idle)
        assert not transport._dialling
        completed = not task.cancelled()
        turns += 1
        async with asyncio.timeout(PATIENCE):
            await transport.close()
    for peer in server.peers:
        await peer.gone()  # also those that the client had not come to know


async def test_a_call_cancelled_at_any_moment_harms_no_other(serve: Serve) -> None:
    """A connection may serve the next call before the cancelled one, whose answer was complete, comes to notice."""

    async def echo(peer: Peer) -> None:
        while True:
            target = (await peer.head()).split()[1]
            await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(target), target))

    _, transport = await serve(echo)
    cancelled = 0
    for turns in list(range(16)) * 3:
        await transport.request("GET", "/warm")
        first = asyncio.create_task(transport.request("GET", "/first"))
        for _ in range(turns):
            await asyncio.sleep(0)
        others = [asyncio.create_task(transport.request("GET", f"/{number}")) for number in range(3)]
        await asyncio.sleep(0)
        first.cancel()
        bodies = [(await other).body for other in others]
        assert bodies == [b"/0", b"/1", b"/2"]
        await asyncio.wait((first,))
        cancelled += first.cancelled()
    assert cancelled


async def test_an_answer_and_a_cancellation_in_the_same_turn(serve: Serve) -> None:
    _, transport = await serve(answering)
    await transport.request("GET", "/1.0")
    first = asyncio.create_task(transport.request("GET", "/1.0"))
    await asyncio.sleep(0)
    held = next(iter(transport._connections))
    for _ in range(1000):  # until the answer is complete, which the call does not know yet
        await asyncio.sleep(0)
        if held.receiver is None:
            break
    second = asyncio.create_task(transport.request("GET", "/1.0"))
    first.cancel()
    await asyncio.wait((first,))
    assert (await second).body == b"ok"
    assert not held.lost


async def test_closing_ends_what_is_under_way(serve: Serve) -> None:
    async def script(peer: Peer) -> None:
        await peer.head()
        if peer.number == 1:
            await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok")

    server, transport = await serve(script)

    async def stream() -> None:
        async with transport.stream("GET", "/1.0") as response:
            await response.read()

    first = asyncio.create_task(transport.request("POST", "/1.0"))
    await server.peer(0)
    second = asyncio.create_task(stream())
    await server.peer(1)
    await asyncio.sleep(0.01)  # lets the head arrive
    await asyncio.gather(transport.close(), transport.close())
    for task in (first, second):
        with pytest.raises(IncusConnectionError, match="the client was closed") as caught:
            await task
        assert caught.value.sent
    with pytest.raises(IncusConnectionError, match="is closed"):
        await transport.request("GET", "/1.0")


async def test_closing_while_connecting(serve: Serve) -> None:
    _, transport = await serve(answering)
    task = asyncio.create_task(transport.request("GET", "/1.0"))
    await asyncio.sleep(0)
    await transport.close()
    with pytest.raises(IncusConnectionError, match="closed while connecting") as caught:
        await task
    assert not caught.value.sent


async def test_closing_does_not_wait_for_a_server_that_does_not_answer_the_handshake() -> None:
    accepted = asyncio.Event()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        accepted.set()
        await reader.read()
        writer.close()

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    transport = Transport(Endpoint("https://localhost", host="127.0.0.1", port=port, verify=False))
    task = asyncio.create_task(transport.request("GET", "/1.0"))
    await accepted.wait()
    async with asyncio.timeout(2):
        await transport.close()
        with pytest.raises(IncusConnectionError, match="closed while connecting"):
            await task
    server.close()


async def test_closing_leaves_no_timer(serve: Serve) -> None:
    """A timer would keep its connection."""
    _, transport = await serve(answering)
    await transport.request("GET", "/1.0")

    def kept() -> int:
        gc.collect()
        return sum(type(item) is connection.Connection and item._owner is transport for item in gc.get_objects())

    assert kept() == 1
    await transport.close()
    await asyncio.sleep(0)  # the event loop lets go of the connection
    assert kept() == 0


async def test_closing_what_was_never_used() -> None:
    await Transport(Endpoint("unix:///absent", socket="/absent")).close()


async def test_closing_is_quick_with_idle_connections(serve: Serve) -> None:
    server, transport = await serve(answering)
    await asyncio.gather(*(transport.request("GET", "/1.0") for _ in range(5)))
    async with asyncio.timeout(1):
        await transport.close()
    for peer in server.peers:
        await peer.gone()


async def test_a_transport_belongs_to_one_event_loop(serve: Serve) -> None:
    _, transport = await serve(answering)
    await transport.request("GET", "/1.0")

    def elsewhere() -> None:
        with pytest.raises(RuntimeError, match="another event loop"):
            asyncio.run(transport.request("GET", "/1.0"))

    await asyncio.to_thread(elsewhere)
