"""Answers that are read while they arrive."""

from __future__ import annotations

import asyncio

import pytest

from incus_sdk._transport import Transport
from incus_sdk.exceptions import IncusConnectionError

from .server import OK, Peer, Serve

BIG = b"HTTP/1.1 200 OK\r\nContent-Length: 500000000\r\n\r\n"


def with_length(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


async def test_pieces_come_as_they_arrive(serve: Serve) -> None:
    taken = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.answer(with_length(b"abcdef")[:-3])
        await taken.wait()
        await peer.send(b"def")
        await peer.answer()

    server, transport = await serve(script)
    async with transport.stream("GET", "/1.0") as response:
        assert (response.status, response.content_length) == (200, 6)
        assert await anext(response) == b"abc"
        taken.set()
        assert [piece async for piece in response] == [b"def"]
    assert (await transport.request("GET", "/1.0")).body == b"ok"
    assert len(server.peers) == 1


async def test_reading_in_portions(serve: Serve) -> None:
    async def script(peer: Peer) -> None:
        await peer.answer(with_length(b"abcdefghij"))

    _, transport = await serve(script)
    async with transport.stream("GET", "/1.0") as response:
        assert await response.read(0) == b""
        assert await response.read(3) == b"abc"
        assert await response.read(1) == b"d"
        assert await anext(response) == b"efghij"
        assert await response.read(3) == b""
        assert await response.read() == b""
        assert [piece async for piece in response] == []


async def test_reading_all_of_a_big_body(serve: Serve) -> None:
    body = bytes(range(256)) * 20_000

    async def script(peer: Peer) -> None:
        await peer.answer(with_length(body))
        await peer.answer(with_length(body))

    server, transport = await serve(script)
    async with transport.stream("GET", "/1.0") as response:
        first = await response.read(1000)
        assert first + await response.read() == body
    assert (await transport.request("GET", "/1.0")).body == body
    assert len(server.peers) == 1


async def test_a_chunked_body_has_no_announced_length(serve: Serve) -> None:
    async def script(peer: Peer) -> None:
        await peer.answer(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n")

    _, transport = await serve(script)
    async with transport.stream("GET", "/1.0") as response:
        assert response.content_length is None
        assert await response.read() == b"ok"


async def test_a_server_is_not_read_faster_than_the_caller_reads(serve: Serve) -> None:
    async def script(peer: Peer) -> None:
        await peer.answer(BIG)
        await peer.flood(b"x" * 65536)

    server, transport = await serve(script)
    async with transport.stream("GET", "/1.0") as response:
        await anext(response)
        peer = server.peers[0]
        seen = -1
        while seen != peer.flooded:  # until it has come to a stand-still
            seen = peer.flooded
            await asyncio.sleep(0.05)
        assert seen < 16 << 20  # most of it in the system's buffers, which grow as they like
        left = 2 * seen
        while left > 0:
            left -= len(await response.read(100_000))
        assert peer.flooded > seen
    await peer.gone()


async def test_a_stream_that_is_left_early_costs_its_connection_at_once(serve: Serve) -> None:
    async def script(peer: Peer) -> None:
        if peer.number == 0:
            await peer.answer(BIG)
            await peer.flood(b"x" * 65536)
        else:
            await peer.answer()

    server, transport = await serve(script)
    async with transport.stream("GET", "/1.0") as response:
        await anext(response)
    async with asyncio.timeout(1):
        await server.peers[0].gone()
    assert (await transport.request("GET", "/1.0")).body == b"ok"


async def test_a_stream_that_was_received_costs_nothing_though_nobody_read_it(serve: Serve) -> None:
    async def script(peer: Peer) -> None:
        await peer.answer()
        await peer.answer()

    server, transport = await serve(script)
    async with transport.stream("GET", "/1.0") as response:
        await anext(response)
    assert (await transport.request("GET", "/1.0")).body == b"ok"
    assert len(server.peers) == 1


async def test_an_error_in_the_block_closes_the_stream(serve: Serve) -> None:
    async def script(peer: Peer) -> None:
        await peer.answer(BIG)

    server, transport = await serve(script)
    with pytest.raises(KeyError):
        async with transport.stream("GET", "/1.0"):
            raise KeyError
    await server.peers[0].gone()


@pytest.mark.parametrize("count", [1, -1, None])
async def test_a_cancelled_read_loses_nothing(serve: Serve, count: int | None) -> None:
    go_on = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.answer(with_length(b"abcd")[:-2])
        await go_on.wait()
        await peer.send(b"cd")

    _, transport = await serve(script)
    async with transport.stream("GET", "/1.0") as response:
        begin = b"" if count == -1 else await response.read(2)
        task = asyncio.create_task(response.read(count) if count is not None else anext(response))
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        go_on.set()
        assert begin + await response.read() == b"abcd"


async def test_one_reader_at_a_time(serve: Serve) -> None:
    async def script(peer: Peer) -> None:
        await peer.answer(BIG)

    _, transport = await serve(script)
    async with transport.stream("GET", "/1.0") as response:
        task = asyncio.create_task(response.read())
        await asyncio.sleep(0)
        with pytest.raises(RuntimeError, match="another task"):
            await response.read(1)
        task.cancel()
        await asyncio.wait((task,))


async def test_what_came_before_a_failure_can_be_read(serve: Serve) -> None:
    async def script(peer: Peer) -> None:
        await peer.answer(BIG + b"begin")
        await peer.hang_up()

    _, transport = await serve(script)
    async with transport.stream("GET", "/1.0") as response:
        assert await response.read(5) == b"begin"
        for _ in range(2):
            with pytest.raises(Exception, match="cut off in its body"):
                await response.read(5)


async def test_closing_the_transport_ends_a_stream(serve: Serve) -> None:
    async def script(peer: Peer) -> None:
        await peer.answer(BIG)

    _, transport = await serve(script)

    async def read(given: Transport) -> None:
        async with given.stream("GET", "/1.0") as response:
            closing = asyncio.create_task(given.close())
            try:
                await response.read()
            finally:
                await closing

    with pytest.raises(IncusConnectionError, match="closed"):
        await read(transport)


async def test_headers_of_both_kinds_of_answers_are_alike(serve: Serve) -> None:
    async def script(peer: Peer) -> None:
        await peer.answer(OK)
        await peer.answer(OK)

    _, transport = await serve(script)
    response = await transport.request("GET", "/1.0")
    async with transport.stream("GET", "/1.0") as streamed:
        assert streamed.headers == response.headers == [(b"content-length", b"2")]
