"""Answers that are not HTTP as it should be, or more than was asked for: never a wrong result, never a hang."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from incus_sdk import IncusError, IncusProtocolError, Instance

from ..contract.support import Face
from ..unit.daemon import Request, reply
from ..unit.transport.scripted.server import Peer
from .support import CALLS, CHECK, Faulty, check, chunked, cut, outcome, started, told, until, using

BODY = b'{"type":"sync","metadata":{"name":"web"}}'
SIZE = b"%d" % len(BODY)
OTHER = reply({"type": "sync", "metadata": {"name": "other"}})
START = b"HTTP/1.1 200 OK\r\n"
CHUNKED = START + b"Transfer-Encoding: chunked\r\n\r\n"

each_link = pytest.mark.parametrize(
    ("link", "face"), [("unix", "async"), ("unix", "sync"), ("tls", "async")], indirect=True
)


def with_head(*lines: bytes, body: bytes = BODY) -> bytes:
    return START + b"".join(line + b"\r\n" for line in lines) + b"\r\n" + body


BROKEN = {
    "two lengths": with_head(b"Content-Length: " + SIZE, b"Content-Length: 5"),
    "the same length twice": with_head(b"Content-Length: " + SIZE, b"Content-Length: " + SIZE),
    "two lengths in one": with_head(b"Content-Length: " + SIZE + b", " + SIZE),
    "a negative length": with_head(b"Content-Length: -1"),
    "a signed length": with_head(b"Content-Length: +" + SIZE),
    "a length in hexadecimal": with_head(b"Content-Length: 0x29"),
    "a length with a fraction": with_head(b"Content-Length: 41.0"),
    "a length in words": with_head(b"Content-Length: many"),
    "a length of blanks": with_head(b"Content-Length: 4 1"),
    "a length of 128 bits": with_head(b"Content-Length: 340282366920938463463374607431768211497"),
    "a length and chunks": with_head(
        b"Content-Length: " + SIZE, b"Transfer-Encoding: chunked", body=chunked(BODY, b"")
    ),
    "chunks and a length": with_head(
        b"Transfer-Encoding: chunked", b"Content-Length: " + SIZE, body=chunked(BODY, b"")
    ),
    "a chunk of a negative size": CHUNKED + b"-1\r\n" + BODY,
    "a chunk of a size in words": CHUNKED + b"xyz\r\n" + BODY,
    "a chunk without a size": CHUNKED + b"\r\n" + BODY + b"\r\n0\r\n\r\n",
    "a chunk of 128 bits": CHUNKED + b"1" + b"0" * 32 + b"\r\n" + BODY,
    "a chunk that is longer than its size": CHUNKED + b"5\r\n" + BODY + b"\r\n0\r\n\r\n",
    "a chunk that ends without a line": CHUNKED + b"29\r\n" + BODY + b"0\r\n\r\n",
    "a length among the trailers": CHUNKED + b"29\r\n" + BODY + b"\r\n0\r\nContent-Length: 3\r\n\r\n",
    "no version": b"200 OK\r\n\r\n" + BODY,
    "a version of another kind": b"HTTP/9.9 200 OK\r\nContent-Length: " + SIZE + b"\r\n\r\n" + BODY,
    "another protocol": b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n",
    "the preface of HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "the first frame of HTTP/2": b"\x00\x00\x12\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x64",
    "a status line of HTTP/2": b"HTTP/2 200\r\nContent-Length: " + SIZE + b"\r\n\r\n" + BODY,
    "a status in words": b"HTTP/1.1 abc\r\n\r\n" + BODY,
    "a status of two digits": b"HTTP/1.1 20 OK\r\n\r\n" + BODY,
    "a status of four digits": b"HTTP/1.1 2000 OK\r\n\r\n" + BODY,
    "a request": b"GET / HTTP/1.1\r\nHost: incus\r\n\r\n",
    "a header without a name": with_head(b": x", b"Content-Length: " + SIZE),
    "a header without a colon": with_head(b"Content-Length", b"X: y"),
    "a header with a blank in its name": with_head(b"Content Length: " + SIZE, b"X: y"),
    "a header with a NUL": with_head(b"X: a\0b", b"Content-Length: " + SIZE),
    "a body at once": BODY,
    "TLS": b"\x16\x03\x03\x00\x7a\x02\x00\x00\x76\x03\x03",
    "no line at all": b"\r\n\r\n\r\n\r\n",
}
"""What cannot be read, or not in one way only."""


@each_link
async def test_what_is_not_http(daemon: Faulty, face: Face) -> None:
    async with using(daemon, face, retries=0) as client:
        for what, answer in BROKEN.items():
            for name in ("envelope", "file", "change"):
                call = CALLS[name]
                await check(daemon, client, face)
                daemon.will(cut(answer, "closed"))
                result = await outcome(started(face, call, client))
                assert isinstance(result, IncusError), f"{what}: {result!r}"
                told(result, call.requests[0], doubt=call.changes(0))
        await check(daemon, client, face)


GOOD = {
    "a reason of no words": b"HTTP/1.1 200\r\nContent-Length: " + SIZE + b"\r\n\r\n" + BODY,
    "HTTP/1.0": b"HTTP/1.0 200 OK\r\nContent-Length: " + SIZE + b"\r\n\r\n" + BODY,
    "HTTP/1.0 without a length": b"HTTP/1.0 200 OK\r\n\r\n" + BODY,
    "HTTP/1.0 that stays": b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: " + SIZE + b"\r\n\r\n" + BODY,
    "a body as long as the connection": with_head(),
    "a close that is announced": with_head(b"Connection: close", b"Content-Length: " + SIZE),
    "informational answers": b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nA: b\r\n\r\n"
    + with_head(b"Content-Length: " + SIZE),
    "sizes with extensions": CHUNKED + b"029;a=b\r\n" + BODY + b"\r\n0\r\n\r\n",
    "trailers": CHUNKED + b"29\r\n" + BODY + b"\r\n0\r\nX-Incus-type: directory\r\nX: y\r\n\r\n",
    "a long head": with_head(b"X: " + b"x" * 200_000, b"Content-Length: " + SIZE),
    "many headers": with_head(*[b"X: y"] * 2000, b"Content-Length: " + SIZE),
    "another 2xx": b"HTTP/1.1 299 Odd\r\nContent-Length: " + SIZE + b"\r\n\r\n" + BODY,
}
"""What is odd and yet can be read in one way only."""


@each_link
async def test_what_is_odd_but_clear(daemon: Faulty, face: Face) -> None:
    async with using(daemon, face, retries=0) as client:
        for what, answer in GOOD.items():
            await check(daemon, client, face)
            daemon.will(cut(answer, "closed"))
            result: Any = await outcome(started(face, CALLS["envelope"], client))
            assert not isinstance(result, IncusError), f"{what}: {result!r}"
            assert result.name == "web"
            await until(lambda: len(daemon.server.peers) == 0 or daemon.server.peers[-1].over.is_set())
        await check(daemon, client, face)


@pytest.mark.parametrize("status", [204, 304])
@pytest.mark.parametrize("head", [b"", b"Content-Length: " + SIZE + b"\r\n"])
async def test_statuses_without_a_body_have_none(daemon: Faulty, face: Face, status: int, head: bytes) -> None:
    """What follows is no answer to the next request either."""
    async with using(daemon, face) as client:
        daemon.will(b"HTTP/1.1 %d Odd\r\n%b\r\n" % (status, head) + OTHER, CHECK)
        error = told(await outcome(client.instances.get("web")), "GET /1.0/instances/web")
        assert isinstance(error, IncusProtocolError)
        assert (await client.api.get("/1.0"))["metadata"] == ["alive"]


@each_link
async def test_a_body_that_is_longer_than_announced(daemon: Faulty, face: Face) -> None:
    async with using(daemon, face) as client:
        for surplus in (b"x", b"\r\n", OTHER, OTHER[:9], b"HTTP/1.1 100 Continue\r\n\r\n", bytes(1 << 16)):
            for name in ("envelope", "chunked", "file", "change"):
                call = CALLS[name]
                daemon.will(call.answers[0] + surplus, *call.answers)
                for _ in range(2):
                    assert call.right(await outcome(started(face, call, client)))


@each_link
async def test_a_body_that_is_shorter_than_announced(daemon: Faulty, face: Face) -> None:
    """The next answer would be taken for its rest, so nothing is read until more comes or the silence is too long."""
    async with using(daemon, face, retries=0) as client:
        for name in ("envelope", "file", "change"):
            call = CALLS[name]
            await check(daemon, client, face)
            head, _, body = call.answers[0].partition(b"\r\n\r\n")
            daemon.will(cut(head.replace(b"Content-Length: ", b"Content-Length: 1") + b"\r\n\r\n" + body, "closed"))
            error = told(await outcome(started(face, call, client)), call.requests[0], doubt=call.changes(0))
            assert "cut off in its body" in error.message


@pytest.mark.parametrize("face", ["async", "sync"], indirect=True)
async def test_bytes_on_an_idle_connection(daemon: Faulty, face: Face) -> None:
    async with using(daemon, face) as client:
        for surplus in (OTHER, b"x", b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n"):
            await check(daemon, client, face)
            peer = daemon.server.peers[-1]
            await peer.send(surplus)
            await peer.gone()
            daemon.will(CHECK)
            result = await face.start(lambda: client.api.get("/1.0"))
            assert result["metadata"] == ["alive"]


async def test_a_server_that_speaks_first(daemon: Faulty, face: Face) -> None:
    """Its answer has no request; what comes of the call is that answer or an error, and the client goes on to work."""

    async def blurt(peer: Peer) -> None:
        await peer.send(OTHER)
        await peer.over.wait()

    serve = daemon.server.script
    async with using(daemon, face, retries=0) as client:
        for _ in range(10):
            daemon.server.script = blurt
            result = await outcome(client.instances.get("web"))
            if not isinstance(result, Instance):
                told(result, "GET /1.0/instances/web")
            for peer in daemon.server.peers:
                peer.cut()
                peer.over.set()
            await asyncio.sleep(0)
            daemon.server.script = serve
            await check(daemon, client, face)
            daemon.server.peers[-1].cut()


@pytest.mark.parametrize(
    "start",
    [
        START + b"X: ",
        CHUNKED + b"3\r\nabc\r\n0\r\nX: ",
        CHUNKED + b"3;a=",
        b"HTTP/1.1 200 ",
        START + b"X",
        CHUNKED + b"0",
    ],
    ids=["a header", "trailers", "an extension", "a reason", "a name", "a size"],
)
@pytest.mark.parametrize("name", ["envelope", "change"])
async def test_a_head_without_end(daemon: Faulty, face: Face, start: bytes, name: str) -> None:
    async def behave(peer: Peer, _: Request) -> None:
        await peer.send(start)
        await peer.flood((b"0" if start.endswith(b"0") else b"x") * 65536)

    call = CALLS[name]
    async with using(daemon, face) as client:
        await check(daemon, client, face)
        daemon.will(behave)
        error = told(await outcome(started(face, call, client)), call.requests[0], doubt=call.changes(0))
        assert isinstance(error, IncusProtocolError)
        assert daemon.server.peers[-1].flooded < 8 << 20
        await check(daemon, client, face)


@pytest.mark.parametrize("what", [b"HTTP/1.1 102 Processing\r\n\r\n", b"HTTP/1.1 100 Continue\r\nX: y\r\n\r\n"])
async def test_informational_answers_without_end(daemon: Faulty, face: Face, what: bytes) -> None:
    async def behave(peer: Peer, _: Request) -> None:
        await peer.flood(what * 1000)

    async with using(daemon, face) as client:
        daemon.will(behave)
        error = told(await outcome(client.instances.get("web")), "GET /1.0/instances/web")
        assert isinstance(error, IncusProtocolError)
        await check(daemon, client, face)


@pytest.mark.parametrize("name", ["envelope", "change"])
async def test_a_switch_of_protocols_that_nobody_asked_for(daemon: Faulty, face: Face, name: str) -> None:
    call = CALLS[name]
    async with using(daemon, face) as client:
        for head in (b"", b"Connection: Upgrade\r\nUpgrade: websocket\r\n", b"Upgrade: h2c\r\n"):
            daemon.will(b"HTTP/1.1 101 Switching Protocols\r\n" + head + b"\r\n" + call.answers[0])
            error = told(await outcome(started(face, call, client)), call.requests[0], doubt=call.changes(0))
            assert isinstance(error, IncusProtocolError)
        await check(daemon, client, face)
