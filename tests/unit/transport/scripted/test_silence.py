"""What counts as a server's silence, and what does not."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncGenerator

import pytest

from incus_sdk.exceptions import IncusTimeoutError

from .server import OK, Peer, Serve

LIMIT = 0.2
"""For what must not run into it, though the machine may be busy."""

SHORT = 0.05
"""For what runs into it."""

BIG = b"HTTP/1.1 200 OK\r\nContent-Length: 500000000\r\n\r\n"

patient = pytest.mark.parametrize("timeout", [LIMIT])
short = pytest.mark.parametrize("timeout", [SHORT])
on_unix = pytest.mark.parametrize("link", ["unix"], indirect=True)
"""For tests that take their time."""


@short
@pytest.mark.parametrize("begin", [b"", b"HTTP/1.1 200 OK\r\n", BIG + b"abc"])
async def test_a_server_that_falls_silent(serve: Serve, begin: bytes) -> None:
    async def script(peer: Peer) -> None:
        await peer.answer(begin)

    server, transport = await serve(script)
    started = time.monotonic()
    with pytest.raises(IncusTimeoutError, match=r"POST /1\.0 on .*: no byte came from the server for 0\.05 seconds"):
        await transport.request("POST", "/1.0?secret=1", body=b"{}")
    assert SHORT * 0.9 <= time.monotonic() - started < 2
    await server.peers[0].gone()


@short
async def test_a_request_that_timed_out_is_not_repeated(serve: Serve) -> None:
    async def script(peer: Peer) -> None:
        await peer.answer()

    server, transport = await serve(script)
    await transport.request("GET", "/1.0")
    with pytest.raises(IncusTimeoutError):
        await transport.request("GET", "/1.0")
    assert len(server.peers) == 1


@patient
@on_unix
async def test_a_slow_answer_is_not_a_silent_one(serve: Serve) -> None:
    async def script(peer: Peer) -> None:
        await peer.head()
        for index in range(0, len(OK), 10):
            await asyncio.sleep(LIMIT / 3)
            await peer.send(OK[index : index + 10])

    _, transport = await serve(script)
    assert (await transport.request("GET", "/1.0")).body == b"ok"


async def test_a_limit_for_one_call(serve: Serve) -> None:
    async def script(peer: Peer) -> None:
        await peer.head()
        if peer.number == 1:
            await peer.send(OK)

    _, transport = await serve(script)
    with pytest.raises(IncusTimeoutError, match=r"0\.04 seconds"):
        await transport.request("GET", "/1.0", silence=0.04)
    assert (await transport.request("GET", "/1.0")).status == 200


@patient
@on_unix
async def test_no_limit_for_one_call(serve: Serve) -> None:
    async def script(peer: Peer) -> None:
        await peer.head()
        await asyncio.sleep(2 * LIMIT)
        await peer.send(OK)
        await peer.answer()
        await peer.head()

    _, transport = await serve(script)
    assert (await transport.request("GET", "/1.0", silence=None)).status == 200
    assert (await transport.request("GET", "/1.0")).status == 200
    with pytest.raises(IncusTimeoutError):  # it is back
        await transport.request("GET", "/1.0")


@pytest.mark.parametrize("timeout", [None])
async def test_no_limit_at_all(serve: Serve) -> None:
    async def script(peer: Peer) -> None:
        await peer.answer()

    server, transport = await serve(script)
    call = asyncio.create_task(transport.request("POST", "/1.0"))
    assert (await call).status == 200
    assert len(server.peers) == 1


@short
async def test_a_limit_that_comes_before_the_timer_of_earlier_requests(serve: Serve) -> None:
    async def script(peer: Peer) -> None:
        await peer.answer()
        await peer.answer()

    _, transport = await serve(script)
    await transport.request("GET", "/1.0", silence=60)
    await transport.request("GET", "/1.0", silence=20)
    started = time.monotonic()
    with pytest.raises(IncusTimeoutError):
        await transport.request("GET", "/1.0", silence=SHORT)
    assert time.monotonic() - started < 2


@short
async def test_a_streamed_answer_that_falls_silent(serve: Serve) -> None:
    async def script(peer: Peer) -> None:
        await peer.answer(BIG + b"abc")

    server, transport = await serve(script)
    async with transport.stream("GET", "/1.0") as response:
        assert await response.read(3) == b"abc"
        with pytest.raises(IncusTimeoutError):
            await response.read(3)
    await server.peers[0].gone()


@patient
@on_unix
@pytest.mark.parametrize("pause", [0.8 * LIMIT, 2 * LIMIT])
async def test_a_caller_that_does_not_read_is_not_a_silent_server(serve: Serve, pause: float) -> None:
    go_on = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.answer(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc")
        await go_on.wait()
        await peer.send(b"def")

    _, transport = await serve(script)
    async with transport.stream("GET", "/1.0") as response:
        assert await response.read(3) == b"abc"
        await asyncio.sleep(pause)
        asyncio.get_running_loop().call_later(LIMIT / 2, go_on.set)
        assert await response.read(3) == b"def"


@patient
@on_unix
async def test_back_pressure_is_not_silence(serve: Serve) -> None:
    async def script(peer: Peer) -> None:
        await peer.answer(BIG)
        await peer.flood(b"x" * 65536)

    _, transport = await serve(script)
    async with transport.stream("GET", "/1.0") as response:
        await response.read(1)
        await asyncio.sleep(2 * LIMIT)
        left = 4 << 20
        while left > 0:
            left -= len(await response.read(65536))


@patient
@on_unix
async def test_a_body_that_takes_its_time_is_not_a_silent_server(serve: Serve) -> None:
    async def slow() -> AsyncGenerator[bytes]:
        for _ in range(2):
            await asyncio.sleep(1.5 * LIMIT)
            yield b"x"

    async def script(peer: Peer) -> None:
        await peer.head()
        await peer.reader.readuntil(b"0\r\n\r\n")
        await peer.send(OK)

    _, transport = await serve(script)
    assert (await transport.request("POST", "/1.0", body=slow())).status == 200


@short
@pytest.mark.parametrize("kind", ["bytes", "iterator"])
async def test_a_server_that_takes_no_more_of_a_body(serve: Serve, kind: str) -> None:
    async def pieces() -> AsyncGenerator[bytes]:
        for _ in range(1000):
            yield b"x" * 65536

    async def script(peer: Peer) -> None:
        await peer.head()
        peer.writer.transport.pause_reading()  # type: ignore[attr-defined]  # a transport that reads and writes
        await asyncio.Event().wait()

    _, transport = await serve(script)
    with pytest.raises(IncusTimeoutError, match="took nothing more"):
        await transport.request("POST", "/1.0", body=b"x" * (64 << 20) if kind == "bytes" else pieces())


@on_unix
@pytest.mark.parametrize("timeout", [1.0])
async def test_a_server_that_takes_a_body_slowly_is_not_silent(serve: Serve) -> None:
    """It takes too little at a time for the event loop to report that there is room again."""
    size = 1 << 20

    async def script(peer: Peer) -> None:
        await peer.head()
        peer.writer.transport.pause_reading()  # type: ignore[attr-defined]  # a transport that reads and writes
        descriptor = peer.writer.get_extra_info("socket").fileno()
        for _ in range(50):  # for longer than the limit
            await asyncio.sleep(0.03)
            os.read(descriptor, 10_000)
        peer.writer.transport.resume_reading()  # type: ignore[attr-defined]  # (the same)
        await peer.reader.read(1)
        await peer.send(OK)

    _, transport = await serve(script)
    assert (await transport.request("POST", "/1.0", body=b"x" * size)).status == 200


@patient
@on_unix
async def test_an_idle_connection_is_not_a_silent_one(serve: Serve) -> None:
    async def script(peer: Peer) -> None:
        await peer.answer()
        await peer.answer()

    server, transport = await serve(script)
    await transport.request("GET", "/1.0")
    await asyncio.sleep(2 * LIMIT)
    await transport.request("GET", "/1.0")
    assert len(server.peers) == 1
