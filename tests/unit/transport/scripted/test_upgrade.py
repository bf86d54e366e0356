"""Raw streams after a switch of protocols."""

# Some of what matters here does not show at the outside.
# pyright: reportPrivateUsage=false

from __future__ import annotations

import asyncio
import hashlib

import pytest

from incus_sdk._transport import RawStream, Response, Transport
from incus_sdk.exceptions import IncusConnectionError, IncusProtocolError

from .server import OK, SWITCH, Peer, Serve

TARGET = "/1.0/instances/c1/sftp"


async def upgraded(transport: Transport) -> RawStream:
    stream = await transport.upgrade("GET", TARGET, "sftp")
    assert isinstance(stream, RawStream)
    return stream


async def write_on(stream: RawStream) -> None:
    """Write until it is noticed that nobody reads."""
    for _ in range(100):
        await stream.write(b"x")
        await asyncio.sleep(0)


async def test_bytes_at_the_heels_of_the_answer_are_not_lost(serve: Serve) -> None:
    async def script(peer: Peer) -> None:
        head = await peer.answer(SWITCH + b"EARLY")
        assert b"\r\nConnection: Upgrade\r\nUpgrade: sftp\r\n" in head
        await peer.send(await peer.reader.readexactly(3))
        await peer.hang_up()

    _, transport = await serve(script)
    stream = await upgraded(transport)
    await asyncio.sleep(0.01)
    assert await stream.readexactly(5) == b"EARLY"
    await stream.write(b"abc")
    assert await stream.readexactly(3) == b"abc"
    assert await stream.read() == b""
    assert await stream.read(1) == b""


async def test_a_switch_that_comes_byte_by_byte(serve: Serve) -> None:
    async def script(peer: Peer) -> None:
        await peer.answer_slowly(b"HTTP/1.1 100 Continue\r\n\r\n" + SWITCH + b"EARLY")
        await peer.hang_up()

    _, transport = await serve(script)
    stream = await upgraded(transport)
    assert await stream.read() == b"EARLY"


async def test_much_that_follows_at_once(serve: Serve) -> None:
    data = bytes(range(256)) * 40_000

    async def script(peer: Peer) -> None:
        await peer.answer(SWITCH + data)
        await peer.hang_up()

    _, transport = await serve(script)
    assert await (await upgraded(transport)).read() == data


async def test_a_body_may_go_with_the_request(serve: Serve) -> None:
    async def script(peer: Peer) -> None:
        head = await peer.head()
        assert b"Content-Length: 15\r\n" in head
        assert await peer.reader.readexactly(15) == b'{"port":"8080"}'
        await peer.send(SWITCH.replace(b"sftp", b"tcp"))

    _, transport = await serve(script)
    stream = await transport.upgrade("POST", "/1.0/instances/c1/port-forward", "tcp", body=b'{"port":"8080"}')
    assert isinstance(stream, RawStream)


async def test_what_comes_before_the_caller_knows_of_the_switch(serve: Serve) -> None:
    """With a big body, several turns of the event loop pass between the answer and the call's return."""
    data = bytes(range(100))

    async def script(peer: Peer) -> None:
        await peer.head()
        await peer.reader.readexactly(100_000)
        await peer.send(SWITCH)
        for index in range(len(data)):
            await asyncio.sleep(0)
            await peer.send(data[index : index + 1])

    _, transport = await serve(script)
    stream = await transport.upgrade("POST", TARGET, "sftp", body=b"x" * 100_000)
    assert isinstance(stream, RawStream)
    assert await stream.readexactly(len(data)) == data


async def test_a_refusal_is_an_answer(serve: Serve) -> None:
    async def script(peer: Peer) -> None:
        await peer.answer(b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n{}")
        await peer.answer()

    server, transport = await serve(script)
    refused = await transport.upgrade("GET", TARGET, "sftp")
    assert isinstance(refused, Response)
    assert (refused.status, refused.body) == (404, b"{}")
    assert (await transport.request("GET", "/1.0")).status == 200
    assert len(server.peers) == 1


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: nbd\r\n\r\n",
        b"HTTP/1.1 101 Switching\r\n\r\n",
        b"HTTP/1.1 101 Switching\r\nUpgrade: sftp\r\n\r\n",
    ],
)
async def test_a_switch_to_something_else(serve: Serve, answer: bytes) -> None:
    async def script(peer: Peer) -> None:
        await peer.answer(answer)

    server, transport = await serve(script)
    with pytest.raises(IncusProtocolError, match=TARGET):
        await transport.upgrade("GET", TARGET, "sftp")
    await server.peers[0].gone()


async def test_the_name_of_a_protocol_has_no_case(serve: Serve) -> None:
    async def script(peer: Peer) -> None:
        await peer.answer(SWITCH.replace(b"sftp", b"SFTP"))

    _, transport = await serve(script)
    await upgraded(transport)


async def test_both_directions_at_full_speed(serve: Serve) -> None:
    data = bytes(range(256)) * 30_000

    async def script(peer: Peer) -> None:
        await peer.answer(SWITCH)
        while piece := await peer.reader.read(100_000):
            await peer.send(piece)

    _, transport = await serve(script)
    stream = await upgraded(transport)

    async def write() -> None:
        for start in range(0, len(data), 70_000):
            await stream.write(memoryview(data)[start : start + 70_000])

    writing = asyncio.create_task(write())
    received = hashlib.sha256()
    left = len(data)
    while left:
        piece = await stream.readexactly(min(left, 33_333))
        received.update(piece)
        left -= len(piece)
    await writing
    assert received.digest() == hashlib.sha256(data).digest()


async def test_more_than_is_usually_kept_can_be_read_at_once(serve: Serve) -> None:
    data = bytes(range(256)) * 20_000

    async def script(peer: Peer) -> None:
        await peer.answer(SWITCH)
        await peer.send(data)

    _, transport = await serve(script)
    stream = await upgraded(transport)
    assert await stream.readexactly(len(data)) == data


async def test_a_server_is_not_read_faster_than_the_caller_reads(serve: Serve) -> None:
    async def script(peer: Peer) -> None:
        await peer.answer(SWITCH)
        await peer.flood(b"x" * 65536)

    server, transport = await serve(script)
    stream = await upgraded(transport)
    await stream.read(1)
    peer = server.peers[0]
    seen = -1
    while seen != peer.flooded:  # until it has come to a stand-still
        seen = peer.flooded
        await asyncio.sleep(0.05)
    assert seen < 16 << 20
    await stream.close()
    await peer.gone()


async def test_a_writer_waits_for_a_slow_server(serve: Serve) -> None:
    go_on = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.answer(SWITCH)
        peer.writer.transport.pause_reading()  # type: ignore[attr-defined]  # a transport that reads and writes
        await go_on.wait()
        peer.writer.transport.resume_reading()  # type: ignore[attr-defined]  # (the same)

    _, transport = await serve(script)
    stream = await upgraded(transport)
    written = 0

    async def write() -> None:
        nonlocal written
        for _ in range(500):
            await stream.write(b"x" * 65536)
            written += 65536

    task = asyncio.create_task(write())
    seen = -1
    while seen != written:
        seen = written
        await asyncio.sleep(0.05)
    assert written < 500 * 65536
    go_on.set()
    await task


async def test_a_buffer_may_be_used_again_after_a_write(serve: Serve) -> None:
    received = bytearray()

    async def script(peer: Peer) -> None:
        await peer.answer(SWITCH)
        await asyncio.sleep(0.05)
        received.extend(await peer.reader.readexactly(64 * 65536))
        await peer.send(b"!")

    _, transport = await serve(script)
    stream = await upgraded(transport)
    buffer = bytearray(65536)
    for number in range(64):
        buffer[:] = bytes([number]) * 65536
        await stream.write(buffer)
    assert await stream.readexactly(1) == b"!"
    assert received == b"".join(bytes([number]) * 65536 for number in range(64))


@pytest.mark.parametrize("exactly", [False, True])
async def test_a_cancelled_read_loses_nothing(serve: Serve, exactly: bool) -> None:
    go_on = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.answer(SWITCH + b"ab")
        await go_on.wait()
        await peer.send(b"cd")

    _, transport = await serve(script)
    stream = await upgraded(transport)
    task = asyncio.create_task(stream.readexactly(4) if exactly else stream.read())
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    go_on.set()
    assert await stream.readexactly(4) == b"abcd"


async def test_an_end_that_comes_too_early(serve: Serve) -> None:
    async def script(peer: Peer) -> None:
        await peer.answer(SWITCH + b"abc")
        await peer.hang_up()

    _, transport = await serve(script)
    stream = await upgraded(transport)
    with pytest.raises(IncusConnectionError, match=TARGET + " on .* after 3 of 4 bytes"):
        await stream.readexactly(4)
    assert await stream.read() == b"abc"
    with pytest.raises(IncusConnectionError, match="nothing more can be written"):
        await write_on(stream)


async def test_iterating(serve: Serve) -> None:
    async def script(peer: Peer) -> None:
        await peer.answer(SWITCH + b"abc")
        await peer.hang_up()

    _, transport = await serve(script)
    stream = await upgraded(transport)
    assert b"".join([piece async for piece in stream]) == b"abc"


async def test_closing_sends_what_is_written_first(serve: Serve) -> None:
    received = bytearray()

    async def script(peer: Peer) -> None:
        await peer.answer(SWITCH)
        while piece := await peer.reader.read(65536):
            received.extend(piece)
            await asyncio.sleep(0)

    server, transport = await serve(script)
    stream = await upgraded(transport)
    await stream.write(b"x" * (1 << 20))
    async with asyncio.timeout(1.5):
        await stream.close()
        await stream.close()
    await server.peers[0].gone()
    assert len(received) == 1 << 20
    with pytest.raises(IncusConnectionError, match="is closed"):
        await stream.read()
    with pytest.raises(IncusConnectionError):
        await stream.write(b"x")


async def test_aborting(serve: Serve) -> None:
    async def script(peer: Peer) -> None:
        await peer.answer(SWITCH + b"abc")

    server, transport = await serve(script)
    stream = await upgraded(transport)
    task = asyncio.create_task(stream.readexactly(4))
    await asyncio.sleep(0)
    stream.abort()
    with pytest.raises(IncusConnectionError, match="is closed"):
        await task
    await server.peers[0].gone()
    with pytest.raises(IncusConnectionError):
        await stream.write(b"x")


async def test_a_server_that_does_not_hang_up_is_cut_off(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("incus_sdk._transport.stream.CLOSE_PATIENCE", 0.05)

    async def script(peer: Peer) -> None:
        await peer.answer(SWITCH)
        peer.writer.transport.pause_reading()  # type: ignore[attr-defined]  # a transport that reads and writes
        await asyncio.Event().wait()

    _, transport = await serve(script)
    stream = await upgraded(transport)
    writing = asyncio.create_task(stream.write(b"x" * (64 << 20)))
    await asyncio.sleep(0.01)
    async with asyncio.timeout(1):
        await stream.close()
    with pytest.raises(IncusConnectionError):
        await asyncio.wait_for(writing, 1)


async def test_closing_the_transport_ends_a_stream(serve: Serve) -> None:
    async def script(peer: Peer) -> None:
        await peer.answer(SWITCH)

    _, transport = await serve(script)
    stream = await upgraded(transport)
    reading = asyncio.create_task(stream.read(1))
    await asyncio.sleep(0)
    await transport.close()
    with pytest.raises(IncusConnectionError, match="the client was closed"):
        await reading


@pytest.mark.parametrize("timeout", [0.05])
async def test_a_raw_stream_may_be_silent(serve: Serve) -> None:
    async def script(peer: Peer) -> None:
        await peer.answer(SWITCH)
        await asyncio.sleep(0.2)
        await peer.send(b"!")

    _, transport = await serve(script)
    assert await (await upgraded(transport)).readexactly(1) == b"!"


@pytest.mark.parametrize("link", ["unix"], indirect=True)
async def test_the_last_words_of_a_server_survive_a_failed_write(serve: Serve) -> None:
    async def script(peer: Peer) -> None:
        await peer.answer(SWITCH)
        await peer.reader.readexactly(1)
        await peer.send(b"last words")
        peer.writer.close()

    server, transport = await serve(script)
    stream = await upgraded(transport)
    stream._connection.pause_reading()  # as it is when much is unread
    await stream.write(b"x")
    await server.peers[0].gone()
    with pytest.raises(IncusConnectionError):
        await write_on(stream)
    assert await stream.readexactly(10) == b"last words"


async def test_an_upgrade_on_a_connection_that_just_died_is_repeated(serve: Serve) -> None:
    async def script(peer: Peer) -> None:
        if peer.number == 0:
            await peer.answer(OK)
            await peer.head()
            await peer.hang_up()
        else:
            await peer.answer(SWITCH)

    server, transport = await serve(script)
    await transport.request("GET", "/1.0")
    await upgraded(transport)
    assert len(server.peers) == 2


async def test_a_block_closes_what_it_has_opened(serve: Serve) -> None:
    """In good order, or at once if it raises."""

    async def script(peer: Peer) -> None:
        await peer.answer(SWITCH)
        read.append(await peer.reader.read())

    read: list[bytes] = []
    server, transport = await serve(script)
    async with await upgraded(transport) as stream:
        await stream.write(b"the last words")
    await server.peers[0].gone()
    assert read == [b"the last words"]
    with pytest.raises(RuntimeError, match="a change of mind"):
        await _raise_within(await upgraded(transport))
    await server.peers[1].gone()


async def _raise_within(stream: RawStream) -> None:
    async with stream:
        raise RuntimeError("a change of mind")


@pytest.mark.parametrize("link", ["tls"], indirect=True)
async def test_over_tls_it_must_be_the_server_who_ends_the_stream(serve: Serve) -> None:
    """Who stands in between can cut a connection, and would so cut what is transferred."""

    async def script(peer: Peer) -> None:
        await peer.answer(SWITCH + b"half")
        peer.cut()

    _, transport = await serve(script)
    stream = await upgraded(transport)
    assert await stream.read(10) == b"half"
    with pytest.raises(IncusConnectionError, match=r"was cut, not ended|connection broke"):
        await stream.read(10)
