"""Who is not the server that was named gets nothing: not a byte of a request, whatever the environment says.

The servers here note what reaches them, decrypted; the impostors among them take whatever they are given.
"""

from __future__ import annotations

import asyncio
import hashlib
import socket
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest
import trustme
from cryptography import x509

from incus_sdk import Client, IncusConnectionError

from ..contract.support import Face
from ..unit.transport.peers import (
    Server,
    Visit,
    issued_context,
    listen_only,
    make_identity,
    nothing_left,
    server_context,
    tls,
)
from .support import CHECK, outcome, told

VARIABLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_DIR")
"""What OpenSSL, or other clients of servers, take authorities from."""

SECRET = b"secret"


async def pieces() -> AsyncGenerator[bytes]:
    yield SECRET


async def download(client: Client) -> None:
    async with client.api.stream("GET", "/1.0/images/secret/export"):
        pytest.fail("an impostor has answered")


KINDS: dict[str, Callable[[Client], Awaitable[Any]]] = {
    "connecting": lambda client: client.connect(),
    "a read": lambda client: client.instances.get("secret"),
    "a change": lambda client: client.instances.create("secret", {"type": "none"}),
    "a file": lambda client: client.instances.put_files("secret", "/f", SECRET * 50_000),
    "an upload": lambda client: client.api.request("POST", "/1.0/images", data=pieces()),
    "a download": download,
    "a websocket": lambda client: client.api.websocket("/1.0/events", {"secret": "secret"}),
    "an upgrade": lambda client: client.api.upgrade("/1.0/instances/secret/sftp", "sftp"),
}
"""Every kind of connection that there is."""


def blocking_download(client: Any) -> None:
    with client.api.stream("GET", "/1.0/images/secret/export"):
        pytest.fail("an impostor has answered")


def blocking_upload(client: Any) -> None:
    client.api.request("POST", "/1.0/images", data=iter([SECRET]))


BLOCKING = {**KINDS, "an upload": cast("Any", blocking_upload), "a download": cast("Any", blocking_download)}


class Cast:
    """The server that is pinned, and the impostors: one on his own, others with an authority that vouches for them."""

    def __init__(self, folder: Path) -> None:
        self.right = make_identity(folder, "right")
        self.client = make_identity(folder, "client")
        stranger = make_identity(folder, "stranger", sans=("127.0.0.1", "localhost"))
        authority = trustme.CA()
        self.impostors = {
            "on his own": server_context(stranger),
            "of an authority": issued_context(authority, "127.0.0.1"),
            "of an authority, by another name": issued_context(authority, "elsewhere.example"),
        }
        texts = authority.cert_pem.bytes(), stranger.crt.read_bytes()
        self.bundle = folder / "bundle.pem"
        self.bundle.write_bytes(b"".join(texts))
        self.folder = folder / "authorities"
        self.folder.mkdir()
        for text in texts:
            (self.folder / f"{subject_hash(text):08x}.0").write_bytes(text)

    def trusted(self, monkeypatch: pytest.MonkeyPatch, *variables: str) -> None:
        """Let variables of the environment name the authority, and the impostor who is on his own."""
        for variable in VARIABLES:
            monkeypatch.delenv(variable, raising=False)
        for variable in variables:
            monkeypatch.setenv(variable, str(self.folder if variable == "SSL_CERT_DIR" else self.bundle))

    def expecting(self, face: Face, server: Server) -> Client:
        """A client of what should be the right server."""
        url = f"https://127.0.0.1:{server.port}"
        return face.client(url, cert=self.client.files, verify=str(self.right.crt), retries=0)


def subject_hash(pem: bytes) -> int:
    """The number by which OpenSSL finds a certificate in a folder."""
    subject = x509.load_pem_x509_certificate(pem).subject
    plain = x509.Name([x509.NameAttribute(part.oid, " ".join(str(part.value).lower().split())) for part in subject])
    der = plain.public_bytes()
    assert der[1] < 128, "a name that is too long for this"
    return int.from_bytes(hashlib.sha1(der[2:], usedforsecurity=False).digest()[:4], "little")


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Cast:
    return Cast(tmp_path_factory.mktemp("people"))


def once(sock: socket.socket, visit: Visit) -> None:
    """Answer one request, then hang up."""
    visit.received += sock.recv(65536)
    sock.sendall(CHECK)


async def refused(client: Client, face: Face, server: Server, kinds: dict[str, Any]) -> None:
    """Check that each kind of call fails for the peer's sake, after a handshake, and that nothing reaches the peer."""
    before = len(server.visits)
    for number, (kind, make) in enumerate(kinds.items(), before):
        error = told(await outcome(face.start(partial(make, client))), "https://127.0.0.1:")
        assert isinstance(error, IncusConnectionError)
        assert "is not the server that is pinned" in error.message
        assert "No request was sent" in error.message
        assert not error.sent
        assert (await server.visit(number)).received == b"", kind
    assert len(server.visits) == before + len(kinds)


@pytest.mark.parametrize("variables", [(), *[(name,) for name in VARIABLES], VARIABLES], ids="+".join)
@pytest.mark.parametrize("impostor", ["on his own", "of an authority"])
async def test_an_impostor_gets_nothing(
    people: Cast, face: Face, impostor: str, variables: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    people.trusted(monkeypatch, *variables)
    async with nothing_left(), Server(tls(people.impostors[impostor], listen_only)) as server:
        client = people.expecting(face, server)
        await refused(client, face, server, KINDS)
        await face.start(client.disconnect)


@pytest.mark.parametrize("face", ["sync"], indirect=True)
async def test_nor_from_the_other_face(people: Cast, face: Face, monkeypatch: pytest.MonkeyPatch) -> None:
    people.trusted(monkeypatch, *VARIABLES)
    async with Server(tls(people.impostors["of an authority"], listen_only)) as server:
        client = people.expecting(face, server)
        await refused(client, face, server, BLOCKING)
        await face.start(client.disconnect)


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "SSL_CERT_DIR"])
async def test_the_variables_are_in_force(
    people: Cast, face: Face, variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who asks for the system's authorities gets these: otherwise the tests above would prove nothing."""
    people.trusted(monkeypatch, variable)
    async with Server(tls(people.impostors["of an authority"], once)) as server:
        client = face.client(f"https://127.0.0.1:{server.port}", retries=0)
        assert (await client.api.get("/1.0"))["metadata"] == ["alive"]
        await face.start(client.disconnect)


@pytest.mark.parametrize(
    ("impostor", "variables"), [("of an authority", ()), ("of an authority, by another name", VARIABLES)]
)
async def test_without_a_pin_the_system_s_authorities_decide(
    people: Cast, face: Face, impostor: str, variables: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    people.trusted(monkeypatch, *variables)
    async with Server(tls(people.impostors[impostor], listen_only)) as server:
        client = face.client(f"https://127.0.0.1:{server.port}", retries=0)
        for number, make in enumerate(KINDS.values()):
            error = told(await outcome(make(client)), "cannot connect to https://127.0.0.1:")
            assert isinstance(error, IncusConnectionError)
            assert not error.sent
            assert (await server.visit(number)).received == b""
        await face.start(client.disconnect)


@pytest.mark.parametrize("impostor", ["on his own", "of an authority"])
async def test_a_peer_that_changes_between_two_connections(
    people: Cast, face: Face, impostor: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    people.trusted(monkeypatch, *VARIABLES)
    right = tls(server_context(people.right), once)
    async with Server(right) as server:
        client = people.expecting(face, server)
        assert (await client.api.get("/1.0"))["metadata"] == ["alive"]
        assert SECRET not in (await server.visit(0)).received
    async with Server(tls(people.impostors[impostor], listen_only), port=server.port) as other:
        await refused(client, face, other, KINDS)
    async with Server(right, port=server.port):
        assert (await client.api.get("/1.0"))["metadata"] == ["alive"]
    await face.start(client.disconnect)


async def test_a_peer_that_changes_while_the_first_connection_is_in_use(
    people: Cast, face: Face, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As behind a balancer: one good connection does not vouch for the next."""
    people.trusted(monkeypatch, *VARIABLES)
    asked, answer = threading.Event(), threading.Event()

    def hold(sock: socket.socket, visit: Visit) -> None:
        visit.received += sock.recv(65536)
        asked.set()
        answer.wait(10)
        sock.sendall(CHECK)

    serve = [tls(server_context(people.right), hold)]
    impostor = tls(people.impostors["of an authority"], listen_only)

    def take_turns(sock: socket.socket, visit: Visit) -> None:
        (serve.pop() if serve else impostor)(sock, visit)

    async with Server(take_turns) as server:
        client = people.expecting(face, server)
        first = face.start(lambda: client.api.get("/1.0"))
        assert await asyncio.to_thread(asked.wait, 10)
        await refused(client, face, server, KINDS)
        answer.set()
        assert (await first)["metadata"] == ["alive"]
        await face.start(client.disconnect)
