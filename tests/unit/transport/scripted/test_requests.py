"""What is refused before anything is sent, and what is logged."""

from __future__ import annotations

import asyncio
import logging
import pickle

import pytest

from incus_sdk._transport import WebSocketClosed
from incus_sdk._transport.request import Request
from incus_sdk.exceptions import IncusArgumentError

from .server import OK, Peer, Serve


def build(method: str = "GET", target: str = "/1.0", **more: object) -> Request:
    return Request(method, target, "incus", "unix:///socket", **more)  # type: ignore[arg-type]  # bad ones among them


@pytest.mark.parametrize("method", ["", "get", "G T", "GET /x HTTP/1.1\r\nX:", "CONNECT", "GET\0", "GÉT"])
def test_bad_methods(method: str) -> None:
    with pytest.raises(IncusArgumentError, match="not a method"):
        build(method)


@pytest.mark.parametrize(
    "target",
    ["", "1.0", "/a b", "/\r\nX: y", "/a\nb", "/a\0b", "/\x7f", "/é", "/a\tb", "/a#b", "http://host/1.0"],
)
def test_bad_targets(target: str) -> None:
    with pytest.raises(IncusArgumentError, match="a target starts with a slash"):
        build(target=target)


def test_queries_are_not_shown() -> None:
    with pytest.raises(IncusArgumentError) as caught:
        build(target="/1.0?secret=hush hush")
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize(
    "headers",
    [
        {"A": "b\r\nC: d"},
        {"A": "b\nC: d"},
        {"A": "b\0"},
        {"A": "bé"},
        {"A": "b\x7f"},
        {"A\r\nB": "c"},
        {"A B": "c"},
        {"A:": "c"},
        {"": "c"},
        {"É": "c"},
        {"Host": "elsewhere"},
        {"connection": "close"},
        {"Upgrade": "h2c"},
        {"Transfer-Encoding": "chunked"},
        {"Content-Length": "1"},
        {"Content-Length": "-1"},
        {"Content-Length": "x"},
        {"Content-Length": "²"},
    ],
)
def test_bad_headers(headers: dict[str, str]) -> None:
    with pytest.raises(IncusArgumentError, match=r"GET /1\.0 on unix:///socket: "):
        build(headers=headers)


def test_values_of_bad_headers_are_not_shown() -> None:
    with pytest.raises(IncusArgumentError, match="Authorization") as caught:
        build(headers={"Authorization": "Bearer hush\n"})
    assert "hush" not in str(caught.value)


def test_a_length_that_does_not_fit_a_body_in_memory() -> None:
    with pytest.raises(IncusArgumentError, match="announces 3 bytes, the body has 2"):
        build("POST", body=b"ab", headers={"Content-Length": "3"})
    assert build("POST", body=b"ab", headers={"Content-Length": "2"}).data.count(b"Content-Length: 2") == 1


def test_the_head() -> None:
    request = build("PUT", "/1.0/x?a=b%20c", body=b"{}", headers={"If-Match": '"abc"', "X-Incus-uid": "0"})
    assert request.data == (
        b'PUT /1.0/x?a=b%20c HTTP/1.1\r\nHost: incus\r\nIf-Match: "abc"\r\nX-Incus-uid: 0\r\n'
        b"Content-Length: 2\r\n\r\n{}"
    )


@pytest.mark.parametrize("protocol", ["", "sf tp", "sftp\r\nX: y", "sftp\u017f"])
def test_bad_protocols(protocol: str) -> None:
    with pytest.raises(IncusArgumentError, match="protocol"):
        build(upgrade=protocol)


@pytest.mark.parametrize("link", ["unix"], indirect=True)
async def test_nothing_is_sent_for_bad_input(serve: Serve) -> None:
    async def script(peer: Peer) -> None:
        await peer.answer()

    server, transport = await serve(script)
    for call in (
        transport.request("GET", "/\r\n"),
        transport.upgrade("GET", "/ ", "sftp"),
        transport.websocket("/ "),
    ):
        with pytest.raises(IncusArgumentError):
            await call
    with pytest.raises(IncusArgumentError):
        async with transport.stream("GET", "/ "):
            pass
    assert not server.peers


async def test_the_host_header(serve: Serve, link: str) -> None:
    async def script(peer: Peer) -> None:
        head = await peer.answer()
        assert (b"\r\nHost: incus\r\n" in head) == (link == "unix")
        assert (b"\r\nHost: 127.0.0.1:" in head) == (link == "tls")

    _, transport = await serve(script)
    await transport.request("GET", "/1.0")


@pytest.mark.parametrize("link", ["unix"], indirect=True)
async def test_what_is_logged(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    async def script(peer: Peer) -> None:
        await peer.answer(OK.replace(b"ok", b"no"))
        await peer.head()
        await peer.hang_up()

    _, transport = await serve(script)
    with caplog.at_level(logging.DEBUG, "incus_sdk.transport"):
        await transport.request("POST", "/1.0?a=1&secret=hush&b=2", body=b"hidden")
        with pytest.raises(Exception, match="hung up"):
            await transport.request("POST", "/1.0/x", body=b"hidden")
        await transport.close()
    text = caplog.text
    assert "POST /1.0?a=1&secret=***&b=2 -> 200 in " in text
    assert "POST /1.0/x failed after " in text
    assert "connected to unix:///scripted" in text
    assert "disconnected from unix:///scripted (0 open)" in text
    assert {record.name for record in caplog.records} == {"incus_sdk.transport"}
    for hidden in ("hush", "hidden", "no\n"):
        assert hidden not in text


def test_the_end_of_a_websocket_can_be_pickled() -> None:
    error = WebSocketClosed("the server closed it", 1001, "going")
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.code, again.reason, again.sent) == ("the server closed it", 1001, "going", True)


@pytest.mark.parametrize("link", ["unix"], indirect=True)
async def test_a_call_leaves_no_task(serve: Serve) -> None:
    async def script(peer: Peer) -> None:
        await peer.answer()
        for _ in range(2):
            await peer.head()
            await peer.reader.readexactly(100_000)
            await peer.send(OK)

    _, transport = await serve(script)
    await transport.request("GET", "/1.0")
    before = asyncio.all_tasks()
    for _ in range(2):
        await transport.request("POST", "/1.0", body=b"x" * 100_000)
        assert asyncio.all_tasks() - before <= {task for task in asyncio.all_tasks() if "_accept" in repr(task)}
