"""Bodies on their way out, and answers that come before they are sent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from typing import cast

import pytest

from incus_sdk._transport import Body, Transport
from incus_sdk._transport.connection import Connection
from incus_sdk.config import Endpoint
from incus_sdk.exceptions import IncusArgumentError, IncusConnectionError, IncusError

from .server import OK, Peer, Serve

PIECE = b"x" * 65536


async def pieces(count: int, piece: bytes = PIECE) -> AsyncGenerator[bytes]:
    """A body that never waits for anything."""
    for _ in range(count):
        yield piece


class Pieces:
    """An iterator that is no generator."""

    def __init__(self, *given: bytes) -> None:
        self.left = list(given)

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        if not self.left:
            raise StopAsyncIteration
        return self.left.pop(0)


def after_head(head: bytes) -> list[bytes]:
    """The header lines, in lower case."""
    return head.lower().split(b"\r\n")[1:-2]


@pytest.mark.parametrize("size", [0, 1, 65536, 65537, 3 << 20])
@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
async def test_bodies_in_memory(serve: Serve, size: int, kind: type[bytes]) -> None:
    data = bytes(index % 251 for index in range(1000)) * (size // 1000 + 1)

    async def script(peer: Peer) -> None:
        for _ in range(2):
            assert f"content-length: {size}".encode() in after_head(await peer.head())
            assert await peer.reader.readexactly(size) == data[:size]
            await peer.send(OK)

    server, transport = await serve(script)
    for _ in range(2):
        assert (await transport.request("PUT", "/1.0", body=kind(data[:size]))).body == b"ok"
    assert len(server.peers) == 1


async def test_a_memoryview_counts_in_bytes(serve: Serve) -> None:
    async def script(peer: Peer) -> None:
        assert b"content-length: 8" in after_head(await peer.head())
        assert await peer.reader.readexactly(8) == b"abcdefgh"
        await peer.send(OK)

    _, transport = await serve(script)
    assert (await transport.request("PUT", "/1.0", body=memoryview(b"abcdefgh").cast("I"))).status == 200


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE", "POST", "PUT", "PATCH"])
async def test_no_body(serve: Serve, method: str) -> None:
    async def script(peer: Peer) -> None:
        lines = after_head(await peer.answer(b"HTTP/1.1 204 No Content\r\n\r\n"))
        assert (b"content-length: 0" in lines) == (method in {"POST", "PUT", "PATCH"})
        assert not any(line.startswith(b"transfer-encoding") for line in lines)

    _, transport = await serve(script)
    assert (await transport.request(method, "/1.0")).status == 204


async def test_an_iterator_goes_out_in_chunks(serve: Serve) -> None:
    async def script(peer: Peer) -> None:
        assert b"transfer-encoding: chunked" in after_head(await peer.head())
        assert await peer.reader.readuntil(b"0\r\n\r\n") == b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
        await peer.send(OK)
        await peer.answer()

    server, transport = await serve(script)
    response = await transport.request("POST", "/1.0", body=Pieces(b"abc", b"", b"de"))
    assert response.status == 200
    assert (await transport.request("GET", "/1.0")).status == 200
    assert len(server.peers) == 1


async def test_an_iterator_of_announced_length(serve: Serve) -> None:
    async def script(peer: Peer) -> None:
        lines = after_head(await peer.head())
        assert b"content-length: 5" in lines
        assert not any(line.startswith(b"transfer-encoding") for line in lines)
        assert await peer.reader.readexactly(5) == b"abcde"
        await peer.send(OK)

    _, transport = await serve(script)
    response = await transport.request("POST", "/1.0", body=Pieces(b"abc", b"", b"de"), headers={"content-length": "5"})
    assert response.status == 200


async def test_a_piece_of_any_size(serve: Serve) -> None:
    async def script(peer: Peer) -> None:
        await peer.head()
        assert await peer.reader.readexactly(len(b"500000\r\n")) == b"500000\r\n"
        assert await peer.reader.readexactly(5 << 20) == b"y" * (5 << 20)
        assert await peer.reader.readuntil(b"0\r\n\r\n") == b"\r\n0\r\n\r\n"
        await peer.send(OK)

    _, transport = await serve(script)
    assert (await transport.request("POST", "/1.0", body=Pieces(b"y" * (5 << 20)))).status == 200


async def test_buffers_may_be_used_again_for_the_next_piece(serve: Serve) -> None:
    """Event loops keep references to what the system did not take at once."""
    received = bytearray()

    async def script(peer: Peer) -> None:
        await peer.head()
        await asyncio.sleep(0.05)  # the client fills all buffers meanwhile
        received.extend(await peer.reader.readexactly(64 * 65536))
        await peer.send(OK)

    async def reused() -> AsyncGenerator[bytes]:
        buffer = bytearray(65536)
        for number in range(64):
            buffer[:] = bytes([number]) * 65536
            yield cast("bytes", buffer)

    _, transport = await serve(script)
    await transport.request("POST", "/1.0", body=reused(), headers={"Content-Length": str(64 * 65536)})
    assert received == b"".join(bytes([number]) * 65536 for number in range(64))


@pytest.mark.parametrize("link", ["unix"], indirect=True)
@pytest.mark.parametrize("status", [b"403 Forbidden", b"404 Not Found", b"413 Request Entity Too Large"])
@pytest.mark.parametrize("body", ["iterator", "bytes"])
async def test_a_refusal_of_an_upload_is_received_although_the_connection_breaks(
    serve: Serve, status: bytes, body: str
) -> None:
    async def script(peer: Peer) -> None:
        await peer.answer(b"HTTP/1.1 " + status + b"\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno")
        peer.writer.close()  # with most of the body unread

    server, transport = await serve(script)
    for count in range(1, 11):
        given: Body = pieces(4000) if body == "iterator" else b"x" * (16 << 20)
        response = await transport.request("POST", "/1.0", body=given)
        assert (response.status, response.body) == (int(status[:3]), b"no")
        assert len(server.peers) == count


@pytest.mark.parametrize("link", ["unix"], indirect=True)
async def test_the_rest_of_a_streamed_refusal_is_received_as_well(serve: Serve) -> None:
    async def script(peer: Peer) -> None:
        await peer.answer(b"HTTP/1.1 404 Not Found\r\nContent-Length: 60000\r\n\r\n" + b"n" * 60000)
        peer.writer.close()

    _, transport = await serve(script)
    async with transport.stream("POST", "/1.0", body=pieces(4000)) as response:
        assert response.status == 404
        assert await response.read() == b"n" * 60000


@pytest.mark.parametrize("body", ["iterator", "bytes"])
async def test_a_refusal_by_a_server_that_lingers(serve: Serve, body: str) -> None:
    """Go's servers read on for half a second after a refusal, so that it arrives over TCP as well."""

    async def script(peer: Peer) -> None:
        await peer.answer(b"HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno")

    server, transport = await serve(script)
    given: Body = pieces(4000) if body == "iterator" else b"x" * (64 << 20)
    response = await transport.request("POST", "/1.0", body=given)
    assert (response.status, response.body) == (403, b"no")
    await server.peers[0].gone()


async def test_a_refusal_that_keeps_the_connection_open_costs_it_all_the_same(serve: Serve) -> None:
    async def script(peer: Peer) -> None:
        if peer.number == 0:
            await peer.answer(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno")
        else:
            await peer.answer()

    server, transport = await serve(script)
    assert (await transport.request("POST", "/1.0", body=pieces(4000))).status == 403
    await server.peers[0].gone()
    assert (await transport.request("GET", "/1.0")).status == 200
    assert len(server.peers) == 2


class Bottomless(asyncio.Transport):
    """The event loop's end of a connection that takes whatever is written."""

    def write(self, data: bytes | bytearray | memoryview) -> None:
        pass

    def is_closing(self) -> bool:
        return False


async def test_the_event_loop_has_its_turn_though_nobody_ever_waits() -> None:
    """Otherwise a refusal would not be noticed before the end of the body."""
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    counting = asyncio.create_task(count())
    one = Connection(asyncio.get_running_loop(), Transport(Endpoint("unix:///absent", socket="/absent")))
    one.connection_made(Bottomless())
    await one.send(b"x" * (8 << 20))
    assert turns >= 8
    counting.cancel()
    await asyncio.wait((counting,))


async def test_empty_pieces_without_end(serve: Serve) -> None:
    async def nothing() -> AsyncGenerator[bytes]:
        while True:
            yield b""

    async def script(peer: Peer) -> None:
        await peer.answer()

    _, transport = await serve(script)
    assert (await transport.request("POST", "/1.0", body=nothing())).status == 200


@pytest.mark.parametrize("link", ["tls"], indirect=True)
async def test_a_server_that_drops_an_upload_over_tls(serve: Serve) -> None:
    async def script(peer: Peer) -> None:
        await peer.head()
        peer.cut()

    _, transport = await serve(script)
    with pytest.raises(IncusConnectionError, match="unknown") as caught:
        await transport.request("POST", "/1.0", body=pieces(4000))
    assert caught.value.sent


async def test_a_body_that_hangs_does_not_delay_the_answer(serve: Serve) -> None:
    closed = asyncio.Event()

    async def hanging() -> AsyncGenerator[bytes]:
        yield b"x"
        try:
            await asyncio.Event().wait()
        finally:
            closed.set()

    async def script(peer: Peer) -> None:
        await peer.answer()

    server, transport = await serve(script)
    assert (await transport.request("POST", "/1.0", body=hanging())).status == 200
    assert closed.is_set()
    await server.peers[0].gone()


async def test_a_generator_that_is_not_used_up_is_closed(serve: Serve) -> None:
    closed = False

    async def endless() -> AsyncGenerator[bytes]:
        nonlocal closed
        try:
            while True:
                yield PIECE
        finally:
            closed = True

    async def script(peer: Peer) -> None:
        await peer.answer(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")

    _, transport = await serve(script)
    assert (await transport.request("POST", "/1.0", body=endless())).status == 413
    assert closed


async def test_what_the_iterator_raises_comes_through(serve: Serve) -> None:
    """Also an error of the kinds that the connection itself has: another one may be what is read from."""

    async def failing(error: Exception) -> AsyncGenerator[bytes]:
        yield b"x"
        raise error

    async def script(peer: Peer) -> None:
        await peer.head()

    server, transport = await serve(script)
    for number, error in enumerate((KeyError("mine"), IncusConnectionError("mine"), ConnectionResetError("mine"))):
        with pytest.raises(type(error), match="mine") as caught:
            await transport.request("POST", "/1.0", body=failing(error))
        assert caught.value is error
        await server.peers[number].gone()


@pytest.mark.parametrize("given", ["text", 1, None])
async def test_pieces_that_are_no_bytes(serve: Serve, given: object) -> None:
    received = bytearray()

    async def script(peer: Peer) -> None:
        await peer.head()
        while data := await peer.reader.read(100):
            received.extend(data)
            if received.endswith(b"0\r\n\r\n"):
                await peer.send(OK)

    server, transport = await serve(script)
    body = Pieces(b"x", cast("bytes", given), b"y")
    with pytest.raises(TypeError, match=r"POST /1\.0 on .*must give bytes, not (str|int|NoneType)"):
        await transport.request("POST", "/1.0", body=body)
    await server.peers[0].gone()
    assert bytes(received) in (b"", b"1\r\nx\r\n")  # nothing that says that this was all


async def test_the_iterator_is_asked_at_the_speed_of_the_server(serve: Serve) -> None:
    asked = 0
    full = asyncio.Event()
    go_on = asyncio.Event()

    async def counted() -> AsyncGenerator[bytes]:
        nonlocal asked
        while asked < 400:
            asked += 1
            yield PIECE

    async def script(peer: Peer) -> None:
        head = await peer.head()
        assert head
        peer.writer.transport.pause_reading()  # type: ignore[attr-defined]  # a transport that reads and writes
        full.set()
        await go_on.wait()
        peer.writer.transport.resume_reading()  # type: ignore[attr-defined]  # (the same)
        await peer.reader.readexactly(400 * len(PIECE))
        await peer.send(OK)

    _, transport = await serve(script)
    call = asyncio.create_task(
        transport.request("POST", "/1.0", body=counted(), headers={"Content-Length": str(400 * len(PIECE))})
    )
    await full.wait()
    seen = -1
    while seen != asked:  # until it has come to a stand-still
        seen = asked
        await asyncio.sleep(0.05)
    assert asked < 200
    go_on.set()
    assert (await call).status == 200


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (Pieces(b"abcde"), "ends 4 bytes before the 9"),
        (Pieces(b"abcde", b"fghij"), "has more than the 9 bytes"),
    ],
)
async def test_bodies_of_another_length_than_announced(serve: Serve, body: Pieces, problem: str) -> None:
    received = bytearray()

    async def script(peer: Peer) -> None:
        await peer.head()
        received.extend(await peer.reader.read(100))

    server, transport = await serve(script)
    with pytest.raises(IncusArgumentError, match=problem):
        await transport.request("POST", "/1.0", body=Pieces(*body.left), headers={"Content-Length": "9"})
    await server.peers[0].gone()
    assert bytes(received) in (b"", b"abcde")


async def test_an_upload_is_never_repeated(serve: Serve) -> None:
    async def script(peer: Peer) -> None:
        await peer.answer()
        await peer.head()
        peer.cut()

    server, transport = await serve(script)
    await transport.request("GET", "/1.0")
    with pytest.raises(IncusError, match="unknown"):
        await transport.request("POST", "/1.0", body=pieces(4))
    assert len(server.peers) == 1
