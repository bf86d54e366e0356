"""How answers are framed, and what happens to those that are not framed as they should be."""

from __future__ import annotations

import socket
import struct
from collections.abc import Awaitable, Callable

import pytest

from incus_sdk._transport import Transport
from incus_sdk.exceptions import IncusConnectionError, IncusError, IncusProtocolError

from .server import OK, Peer, Serve

CHUNKED = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-One: 1\r\n\r\n"
    b"3\r\nabc\r\n4;extension=1\r\ndefg\r\n0\r\nX-Trailer: 1\r\n\r\n"
)


async def read(transport: Transport, *, streamed: bool, method: str = "GET") -> bytes:
    """The body of an answer, by one of the two ways to get it."""
    if not streamed:
        return (await transport.request(method, "/1.0")).body
    async with transport.stream(method, "/1.0") as response:
        return await response.read()


async def reset(peer: Peer) -> None:
    """Drop the connection so that the client's system reports it as an error, as far as the kind of link allows."""
    sock = peer.writer.get_extra_info("socket")
    if sock.family == socket.AF_INET:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.cut()


async def test_answers_that_come_byte_by_byte(serve: Serve) -> None:
    async def script(peer: Peer) -> None:
        await peer.answer_slowly(CHUNKED)
        await peer.answer_slowly(OK)

    server, transport = await serve(script)
    response = await transport.request("GET", "/1.0")
    assert (response.status, response.body) == (200, b"abcdefg")
    assert response.header("X-ONE") == "1"
    assert response.header("x-trailer") is None
    assert (await transport.request("GET", "/1.0")).body == b"ok"
    assert len(server.peers) == 1


async def test_header_names_are_lower_case_and_values_as_sent(serve: Serve) -> None:
    async def script(peer: Peer) -> None:
        await peer.answer(b'HTTP/1.1 200 OK\r\nETag: "aB"\r\nX-Incus-Type: f\xefle\r\nContent-Length: 0\r\n\r\n')

    _, transport = await serve(script)
    response = await transport.request("GET", "/1.0")
    assert response.headers[0] == (b"etag", b'"aB"')
    assert response.header("ETag") == '"aB"'
    assert response.header("x-incus-type") == "f\xefle"
    assert response.header("absent") is None


async def test_informational_answers_are_skipped(serve: Serve) -> None:
    async def script(peer: Peer) -> None:
        await peer.answer(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + OK)
        await peer.answer()

    server, transport = await serve(script)
    response = await transport.request("GET", "/1.0")
    assert (response.status, response.body, response.header("link")) == (200, b"ok", None)
    assert (await transport.request("GET", "/1.0")).status == 200
    assert len(server.peers) == 1


async def test_head_answers_have_no_body_whatever_they_announce(serve: Serve) -> None:
    async def script(peer: Peer) -> None:
        await peer.answer(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n")
        await peer.answer(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        await peer.answer(b"HTTP/1.1 200 OK\r\n\r\n")
        await peer.answer(b"HTTP/1.1 200 OK\r\nContent-Length: 98\r\n\r\n")
        await peer.answer()

    server, transport = await serve(script)
    for _ in range(3):
        response = await transport.request("HEAD", "/1.0")
        assert (response.status, response.body) == (200, b"")
    async with transport.stream("HEAD", "/1.0") as streamed:
        assert streamed.content_length == 98
        assert await streamed.read() == b""
    assert (await transport.request("GET", "/1.0")).body == b"ok"
    assert len(server.peers) == 1


async def test_a_head_answer_with_a_body_costs_the_connection(serve: Serve) -> None:
    async def script(peer: Peer) -> None:
        await peer.answer()

    server, transport = await serve(script)
    assert (await transport.request("HEAD", "/1.0")).status == 200
    await server.peers[0].gone()
    assert (await transport.request("HEAD", "/1.0")).status == 200
    assert len(server.peers) == 2


@pytest.mark.parametrize("closes", [b"Connection: close\r\n", b"connection: Keep-Alive, CLOSE\r\n"])
async def test_a_head_answer_may_close_the_connection(serve: Serve, closes: bytes) -> None:
    async def script(peer: Peer) -> None:
        await peer.answer(b"HTTP/1.1 200 OK\r\n" + closes + b"Content-Length: 9\r\n\r\n")

    server, transport = await serve(script)
    for count in (1, 2):
        await transport.request("HEAD", "/1.0")
        assert len(server.peers) == count


async def test_answers_without_a_body_by_their_status(serve: Serve) -> None:
    async def script(peer: Peer) -> None:
        await peer.answer(b"HTTP/1.1 204 No Content\r\n\r\n")
        await peer.answer(b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n")
        await peer.answer()

    server, transport = await serve(script)
    statuses = [(await transport.request("GET", "/1.0")).status for _ in range(3)]
    assert statuses == [204, 304, 200]
    assert len(server.peers) == 1


@pytest.mark.parametrize("streamed", [False, True])
async def test_a_body_that_ends_with_the_connection(serve: Serve, streamed: bool) -> None:
    async def script(peer: Peer) -> None:
        await peer.answer(b"HTTP/1.1 200 OK\r\n\r\nto the ")
        await peer.send(b"end")
        await peer.hang_up()

    _, transport = await serve(script)
    assert await read(transport, streamed=streamed) == b"to the end"


@pytest.mark.parametrize("link", ["tls"], indirect=True)
@pytest.mark.parametrize("streamed", [False, True])
async def test_over_tls_it_must_be_the_server_who_ends_the_connection(serve: Serve, streamed: bool) -> None:
    """Who stands in between can cut a connection, and would so cut the body."""

    async def script(peer: Peer) -> None:
        await peer.answer(b"HTTP/1.1 200 OK\r\n\r\nto the ")
        peer.cut()

    _, transport = await serve(script)
    with pytest.raises(IncusConnectionError, match="cut off in its body"):
        await read(transport, streamed=streamed)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
    ],
)
async def test_connections_that_the_server_will_close_are_not_used_again(serve: Serve, answer: bytes) -> None:
    async def script(peer: Peer) -> None:
        await peer.answer(answer)

    server, transport = await serve(script)
    for count in (1, 2):
        assert (await transport.request("GET", "/1.0")).body == b"ok"
        await server.peers[-1].gone()
        assert len(server.peers) == count


@pytest.mark.asyncio(loop_factories=["asyncio"])
@pytest.mark.parametrize("link", ["unix"], indirect=True)
@pytest.mark.parametrize("answer", [b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabcd", CHUNKED])
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_answers_cut_off_anywhere(serve: Serve, answer: bytes, method: str) -> None:
    cut = 0

    async def script(peer: Peer) -> None:
        await peer.answer(answer[:cut])
        await peer.hang_up()

    server, transport = await serve(script)
    for cut in range(len(answer)):
        for streamed in (False, True):
            with pytest.raises(IncusError) as caught:
                await read(transport, streamed=streamed, method=method)
            assert "/1.0 on " in str(caught.value)
            assert isinstance(caught.value, IncusConnectionError)
            assert caught.value.sent
            assert ("unknown" in str(caught.value)) == (method == "POST")
            assert ("cut off" in str(caught.value)) == (cut > 0)
    assert len(server.peers) == 2 * len(answer)  # nothing was repeated: the connections were fresh


@pytest.mark.parametrize("end", [Peer.hang_up, reset])
@pytest.mark.parametrize("streamed", [False, True])
async def test_a_body_that_is_cut_off(serve: Serve, streamed: bool, end: Callable[[Peer], Awaitable[None]]) -> None:
    """A daemon that dies while an operation is waited for, for one, has sent the head of its answer already."""

    async def script(peer: Peer) -> None:
        await peer.answer()
        await peer.answer(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok")
        await end(peer)

    server, transport = await serve(script)
    await transport.request("GET", "/1.0")
    with pytest.raises(
        IncusConnectionError, match=r"GET /1\.0 on .*: the connection broke, .* cut off in its body"
    ) as caught:
        await read(transport, streamed=streamed)
    assert caught.value.sent
    assert len(server.peers) == 1  # it was not repeated, although the connection was an old one


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-OpenSSH_9.2p1\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcde",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        b"HTTP/1.1 200 OK\r\nX: a\0b\r\n\r\n",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_garbage_is_an_error_and_never_repeated(serve: Serve, answer: bytes, method: str) -> None:
    async def script(peer: Peer) -> None:
        await peer.answer(answer)

    server, transport = await serve(script)
    with pytest.raises(IncusProtocolError, match=method + r" /1\.0 on .*: the answer is not HTTP"):
        await transport.request(method, "/1.0")
    await server.peers[0].gone()
    assert len(server.peers) == 1


@pytest.mark.parametrize(
    "start",
    [
        b"HTTP/1.1 200 OK\r\nX-Long: ",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Long: ",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;extension=",
    ],
    ids=["head", "trailers", "chunk extension"],
)
async def test_heads_and_trailers_without_end(serve: Serve, start: bytes) -> None:
    async def script(peer: Peer) -> None:
        await peer.answer(start)
        await peer.flood(b"x" * 65536)

    server, transport = await serve(script)
    with pytest.raises(IncusProtocolError, match="longer than 262144 bytes"):
        await transport.request("GET", "/1.0")
    assert server.peers[0].flooded < 4 << 20


@pytest.mark.asyncio(loop_factories=["asyncio"])
@pytest.mark.parametrize("link", ["unix"], indirect=True)
async def test_informational_answers_without_end(serve: Serve) -> None:
    async def script(peer: Peer) -> None:
        await peer.head()
        await peer.flood(b"HTTP/1.1 102 Processing\r\n\r\n" * 1000)

    _, transport = await serve(script)
    with pytest.raises(IncusProtocolError, match="longer than"):
        await transport.request("GET", "/1.0")


async def test_a_long_head_is_fine(serve: Serve) -> None:
    async def script(peer: Peer) -> None:
        await peer.answer(b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 200_000 + b"\r\nContent-Length: 2\r\n\r\nok")

    _, transport = await serve(script)
    response = await transport.request("GET", "/1.0")
    assert len(response.header("x-long") or "") == 200_000


@pytest.mark.parametrize("smuggled", [OK, b"HTTP/1.1 2", b"garbage"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_what_follows_an_answer_never_answers_the_next_request(
    serve: Serve, smuggled: bytes, method: str
) -> None:
    async def script(peer: Peer) -> None:
        body = b"ok" if method == "GET" else b""
        await peer.answer(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n" + body + smuggled)

    server, transport = await serve(script)
    for count in (1, 2):
        response = await transport.request(method, "/1.0")
        assert (response.status, len(server.peers)) == (200, count)
        await server.peers[-1].gone()


async def test_bytes_that_nobody_asked_for_cost_an_idle_connection(serve: Serve) -> None:
    async def script(peer: Peer) -> None:
        await peer.answer()
        if peer.number == 0:
            await peer.head()
            await peer.send(OK + b"HTTP/1.1 200 OK\r\n")

    server, transport = await serve(script)
    await transport.request("GET", "/1.0")
    await transport.request("GET", "/1.0")
    await server.peers[0].gone()
    await transport.request("GET", "/1.0")
    assert len(server.peers) == 2


async def test_bytes_that_come_while_a_connection_is_idle(serve: Serve) -> None:
    async def script(peer: Peer) -> None:
        await peer.answer()

    server, transport = await serve(script)
    await transport.request("GET", "/1.0")
    await server.peers[0].send(b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n")
    await server.peers[0].gone()
    assert (await transport.request("GET", "/1.0")).status == 200
    assert len(server.peers) == 2


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 101 Switching Protocols\r\n\r\nzzz",
        b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: sftp\r\n\r\n",
    ],
)
async def test_a_switch_of_protocols_that_nobody_asked_for(serve: Serve, answer: bytes) -> None:
    async def script(peer: Peer) -> None:
        await peer.answer(answer)

    server, transport = await serve(script)
    with pytest.raises(IncusProtocolError, match="which nobody asked for"):
        await transport.request("GET", "/1.0")
    await server.peers[0].gone()
