"""Tunnels through a proxy: what is asked, what is trusted, and what a failing proxy looks like."""

from __future__ import annotations

import base64
import contextlib
import logging
import select
import socket
import ssl
from pathlib import Path

import pytest
import trustme

from incus_sdk._transport.dial import Dialer
from incus_sdk.config import Endpoint
from incus_sdk.exceptions import IncusConnectionError, IncusTimeoutError

from .peers import (
    Caller,
    Identity,
    Serve,
    Server,
    Visit,
    cancel_ever_later,
    issued_context,
    listen_only,
    make_identity,
    nothing_left,
    tls,
    tls_server,
)

PASSWORD = "s3cret:/@"  # with everything that has to be quoted in a URL
QUOTED = "s3cret%3A%2F%40"


def read_request(sock: socket.socket, visit: Visit) -> None:
    while not visit.received.endswith(b"\r\n\r\n"):
        data = sock.recv(65536)
        if not data:
            raise EOFError
        visit.received += data


def tunnel_to(port: int) -> Serve:
    """Do what a proxy does, whatever name the client asks for; `received` is the client's request."""

    def serve(sock: socket.socket, visit: Visit) -> None:
        read_request(sock, visit)
        with socket.create_connection(("127.0.0.1", port), 10) as onward:
            sock.sendall(b"HTTP/1.1 200 Connection established\r\nvia: here\r\n\r\n")
            relay(sock, onward)

    return serve


def relay(one: socket.socket, other: socket.socket) -> None:
    """Pass on what either side says until one hangs up.

    All in one thread: a TLS socket of Python before 3.13 breaks if one thread reads while another writes.
    """
    with contextlib.suppress(OSError):
        while True:
            decrypted = [side for side in (one, other) if isinstance(side, ssl.SSLSocket) and side.pending()]
            for source in decrypted or select.select([one, other], [], [])[0]:
                data = source.recv(65536)
                if not data:
                    return
                (other if source is one else one).sendall(data)


def answering(answer: bytes) -> Serve:
    """Read the request, say something, and hang up."""

    def serve(sock: socket.socket, visit: Visit) -> None:
        read_request(sock, visit)
        sock.sendall(answer)

    return serve


def behind(proxy: Server, verify: bool | str = False, user: str = "", scheme: str = "http") -> Endpoint:
    url = f"{scheme}://{user}localhost:{proxy.port}"
    return Endpoint("https://server.example:8443", host="server.example", verify=verify, proxy=url)


async def failure(endpoint: Endpoint) -> str:
    with pytest.raises(IncusConnectionError) as caught:
        await Dialer(endpoint, 10).dial(Caller)
    return caught.value.message


@pytest.fixture
def identity(tmp_path: Path) -> Identity:
    return make_identity(tmp_path, "server")


@pytest.fixture
def proxy_context(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """The identity of an https proxy, vouched for by an authority that this system knows."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    return issued_context(authority, "localhost")


async def test_tunnel(identity: Identity) -> None:
    async with nothing_left(), tls_server(identity) as server, Server(tunnel_to(server.port)) as proxy:
        caller = await Dialer(behind(proxy, str(identity.crt)), 10).dial(Caller)
        assert b"200 OK" in await caller.finish()
        asked = (await proxy.visit()).received
        assert (await server.visit()).received.startswith(b"GET /secret")
    assert caller.connected == 1
    assert asked == b"CONNECT server.example:8443 HTTP/1.1\r\nHost: server.example:8443\r\n\r\n"


async def test_user_and_password(identity: Identity, caplog: pytest.LogCaptureFixture) -> None:
    async with tls_server(identity) as server, Server(tunnel_to(server.port)) as proxy:
        endpoint = behind(proxy, user=f"me:{QUOTED}@")
        with caplog.at_level(logging.DEBUG):
            await (await Dialer(endpoint, 10).dial(Caller)).finish()
        asked = (await proxy.visit()).received
    encoded = base64.b64encode(f"me:{PASSWORD}".encode())
    assert b"Proxy-Authorization: Basic " + encoded + b"\r\n" in asked
    assert "s3cret" not in caplog.text
    assert "s3cret" not in repr(endpoint)


async def test_tls_within_tls(identity: Identity, proxy_context: ssl.SSLContext) -> None:
    async with (
        nothing_left(),
        tls_server(identity) as server,
        Server(tls(proxy_context, tunnel_to(server.port))) as proxy,
    ):
        caller = await Dialer(behind(proxy, str(identity.crt), scheme="https"), 10).dial(Caller)
        assert b"200 OK" in await caller.finish()
        visit = await server.visit()
    assert visit.received.startswith(b"GET /secret")


async def test_unknown_https_proxy_is_refused(identity: Identity) -> None:
    """A pin is about the server; it does not vouch for a proxy, and `verify=False` does not excuse one."""
    async with nothing_left(), Server(tls(server_context_of(identity), listen_only)) as proxy:
        for verify in (False, str(identity.crt)):
            message = await failure(behind(proxy, verify, scheme="https", user="me:s3cret@"))
            assert f"the proxy https://localhost:{proxy.port} failed" in message
            assert "s3cret" not in message
            assert "certificate verify failed" in message
        assert (await proxy.visit()).received == b""


def server_context_of(identity: Identity) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(identity.crt, identity.key)
    return context


@pytest.mark.parametrize("encrypted", [False, True], ids=["http", "https"])
async def test_impostor_behind_a_proxy(
    tmp_path: Path, identity: Identity, proxy_context: ssl.SSLContext, encrypted: bool
) -> None:
    impostor = make_identity(tmp_path, "impostor")
    async with nothing_left(), tls_server(impostor) as server:
        serve = tunnel_to(server.port)
        async with Server(tls(proxy_context, serve) if encrypted else serve) as proxy:
            message = await failure(behind(proxy, str(identity.crt), scheme="https" if encrypted else "http"))
            assert impostor.fingerprint in message
            assert (await server.visit()).received == b""


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        pytest.param(
            b"HTTP/1.1 403 Filtered\r\n\r\n",
            "asked for a tunnel to server.example:8443, refused: 403 Filtered; ",
            id="403",
        ),
        pytest.param(b"HTTP/1.0 502\r\n\r\n", "refused: 502 ", id="no reason"),
        pytest.param(b"HTTP/1.1 302 Found\r\nLocation: /login\r\n\r\n", "302 Found", id="redirect"),
        pytest.param(b"HTTP/1.1 407 Auth\r\n\r\n", "wants user and password (407)", id="407"),
        pytest.param(b"", "closed the connection without an answer", id="nothing"),
        pytest.param(b"SSH-2.0-OpenSSH\r\n\r\n", "answered something that is not HTTP", id="not HTTP"),
        pytest.param(b"HTTP/1.1 200 OK\r\nvia: h", "broke off in the middle of its answer", id="half an answer"),
        pytest.param(b"HTTP/1.1 200 OK\r\nx: " + b"y" * 40_000, "sent an answer without end", id="endless"),
        pytest.param(b"HTTP/1.1 200 OK\r\n\r\nextra", "sent data of its own", id="data in the tunnel"),
    ],
)
async def test_refusal(answer: bytes, message: str) -> None:
    async with nothing_left(), Server(answering(answer)) as proxy:
        said = await failure(behind(proxy))
        assert message in said
        assert f"the proxy http://localhost:{proxy.port}" in said


async def test_refused_password_is_not_shown() -> None:
    answer = b'HTTP/1.1 407 Auth\r\nProxy-Authenticate: Negotiate\r\nproxy-authenticate: Basic realm="x"\r\n\r\n'
    async with Server(answering(answer)) as proxy:
        message = await failure(behind(proxy, user="me:s3cret@"))
    assert "does not accept the user and password" in message
    assert "s3cret" not in message


async def test_unsupported_authentication() -> None:
    async with Server(answering(b"HTTP/1.1 407 Auth\r\nProxy-Authenticate: NTLM\r\n\r\n")) as proxy:
        assert "of a kind that is not supported (407, NTLM)" in await failure(behind(proxy))


async def test_proxy_that_is_down() -> None:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port = sock.getsockname()[1]
    endpoint = Endpoint(
        "https://server.example:8443", host="server.example", proxy=f"http://me:s3cret@127.0.0.1:{port}"
    )
    message = await failure(endpoint)
    assert f"the proxy http://127.0.0.1:{port} failed: " in message
    assert "s3cret" not in message


async def test_proxy_without_address() -> None:
    endpoint = Endpoint("https://server.example:8443", host="server.example", proxy="nowhere.invalid")
    assert "the proxy http://nowhere.invalid:80 failed: Name or service not known" in await failure(endpoint)


async def test_silent_proxy() -> None:
    async with nothing_left(), Server(listen_only) as proxy:
        with pytest.raises(
            IncusTimeoutError, match=rf"open a tunnel, by way of the proxy http://localhost:{proxy.port}"
        ):
            await Dialer(behind(proxy), 0.2).dial(Caller)
        assert (await proxy.visit()).received.startswith(b"CONNECT")


async def test_silent_server_behind_a_proxy() -> None:
    async with nothing_left(), Server(listen_only) as server, Server(tunnel_to(server.port)) as proxy:
        with pytest.raises(IncusTimeoutError, match="waiting for the TLS handshake, by way of the proxy"):
            await Dialer(behind(proxy), 0.2).dial(Caller)
        await proxy.visit()


async def test_server_without_tls_behind_a_proxy() -> None:
    async with nothing_left(), Server(answering_at_once) as server, Server(tunnel_to(server.port)) as proxy:
        assert "does not speak TLS" in await failure(behind(proxy))


def answering_at_once(sock: socket.socket, visit: Visit) -> None:
    visit.received += sock.recv(65536)
    sock.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")


@pytest.mark.parametrize("encrypted", [False, True], ids=["http", "https"])
async def test_cancelled_at_every_turn_of_the_loop(
    identity: Identity, proxy_context: ssl.SSLContext, encrypted: bool
) -> None:
    async with nothing_left(), tls_server(identity) as server:
        serve = tunnel_to(server.port)
        async with Server(tls(proxy_context, serve) if encrypted else serve) as proxy:
            dialer = Dialer(behind(proxy, str(identity.crt), scheme="https" if encrypted else "http"), 10)
            await cancel_ever_later(dialer)
            for number in range(len(proxy.visits)):
                await proxy.visit(number)
