"""Certificates like those of Incus, and servers in threads that keep a record of what reaches them."""

from __future__ import annotations

import asyncio
import datetime as dt
import hashlib
import ipaddress
import socket
import ssl
import threading
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self, cast

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from incus_sdk._transport.dial import Dialer

ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


@dataclass(frozen=True)
class Identity:
    """A certificate with its key, as files."""

    crt: Path
    key: Path

    @property
    def pem(self) -> str:
        return self.crt.read_text()

    @property
    def files(self) -> tuple[str, str]:
        return str(self.crt), str(self.key)

    @property
    def fingerprint(self) -> str:
        return hashlib.sha256(ssl.PEM_cert_to_DER_cert(self.pem)).hexdigest()


def make_identity(
    folder: Path,
    name: str,
    *,
    sans: tuple[str, ...] = ("elsewhere",),
    expired: bool = False,
    password: bytes | None = None,
    traditional: bool = False,
) -> Identity:
    """Make a self-signed certificate, for a name that is not the one dialled unless `sans` says otherwise."""
    key = ec.generate_private_key(ec.SECP384R1())
    organisation = x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Linux Containers")
    subject = x509.Name([organisation, x509.NameAttribute(NameOID.COMMON_NAME, f"root@{name}")])
    end = dt.datetime.now(dt.UTC) + dt.timedelta(days=-1 if expired else 3650)
    purposes = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    certificate = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(end - dt.timedelta(days=3651))
        .not_valid_after(end)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
        .add_extension(x509.SubjectAlternativeName([_general_name(san) for san in sans]), critical=False)
        .sign(key, hashes.SHA384())
    )
    encryption = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    identity = Identity(folder / f"{name}.crt", folder / f"{name}.key")
    identity.crt.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    form = serialization.PrivateFormat.TraditionalOpenSSL if traditional else serialization.PrivateFormat.PKCS8
    identity.key.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, encryption))
    return identity


def _general_name(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text)


@dataclass
class Visit:
    """One connection as a server saw it; `received` is what came in, decrypted where there was TLS."""

    received: bytes = b""
    error: Exception | None = None
    client: bytes | None = None
    alpn: str | None = None
    over: threading.Event = field(default_factory=threading.Event)


Serve = Callable[[socket.socket, Visit], None]


class Server:
    """Accepts connections on a loopback address and handles each in a thread, until the `async with` block ends.

    Threads, because then a record is complete when the connection is over, whatever the loop under test does.
    """

    def __init__(self, serve: Serve, host: str = "127.0.0.1", port: int = 0) -> None:
        self._serve = serve
        self._socket = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
        self.port: int = self._socket.getsockname()[1]
        self.visits: list[Visit] = []
        self._arrival = threading.Condition()
        self._threads: list[threading.Thread] = []

    async def __aenter__(self) -> Self:
        self._acceptor = threading.Thread(target=self._accept)
        self._acceptor.start()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        # The loop has to run meanwhile: it is what closes the other ends.
        for thread in (self._acceptor, *self._threads):
            await asyncio.to_thread(thread.join)

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._socket.accept()
            except OSError:  # closed
                return
            sock.settimeout(10)
            visit = Visit()
            thread = threading.Thread(target=self._handle, args=(sock, visit))
            self._threads.append(thread)
            thread.start()
            with self._arrival:
                self.visits.append(visit)
                self._arrival.notify_all()

    def _handle(self, sock: socket.socket, visit: Visit) -> None:
        with sock:
            try:
                self._serve(sock, visit)
            except (OSError, EOFError) as exc:
                visit.error = exc
        visit.over.set()

    async def arrival(self, number: int = 0) -> Visit:
        """The record of one connection, as soon as there is one."""
        assert await asyncio.to_thread(self._wait_for, number)
        return self.visits[number]

    async def visit(self, number: int = 0) -> Visit:
        """The record of one connection, once it is over."""
        visit = await self.arrival(number)
        assert await asyncio.to_thread(visit.over.wait, 10)
        return visit

    def _wait_for(self, number: int) -> bool:
        with self._arrival:
            return self._arrival.wait_for(lambda: len(self.visits) > number, 10)


def speak(sock: socket.socket, visit: Visit) -> None:
    """Answer whatever comes, until the other side closes."""
    while data := sock.recv(65536):
        visit.received += data
        sock.sendall(ANSWER)


def listen_only(sock: socket.socket, visit: Visit) -> None:
    """Take everything and say nothing, until the other side closes."""
    while data := sock.recv(65536):
        visit.received += data


def tls(context: ssl.SSLContext, inner: Serve = speak) -> Serve:
    """Shake hands, then do something over the encrypted connection."""

    def serve(sock: socket.socket, visit: Visit) -> None:
        with context.wrap_socket(sock, server_side=True) as secured:
            visit.client, visit.alpn = secured.getpeercert(binary_form=True), secured.selected_alpn_protocol()
            inner(secured, visit)

    return serve


def server_context(identity: Identity, **settings: Any) -> ssl.SSLContext:
    """A context like that of an Incus server, which would rather speak HTTP/2; settings are attributes of it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(identity.crt, identity.key)
    context.set_alpn_protocols(["h2", "http/1.1"])
    for name, value in settings.items():
        setattr(context, name, value)
    return context


def issued_context(authority: trustme.CA, name: str) -> ssl.SSLContext:
    """A context for a server with a certificate of an authority."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate = authority.issue_cert(name)
    certificate.configure_cert(context)  # pyright: ignore[reportUnknownMemberType] - the hint names pyOpenSSL as well
    return context


def tls_server(identity: Identity, *, port: int = 0, **settings: Any) -> Server:
    """A server over TLS."""
    return Server(tls(server_context(identity, **settings)), port=port)


class Caller(asyncio.Protocol):
    """Asks something as soon as it is connected, like the most careless user of a dialer."""

    transport: asyncio.Transport

    def __init__(self) -> None:
        self.answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self.lost: asyncio.Future[Exception | None] = asyncio.get_running_loop().create_future()
        self.connected = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.connected += 1
        self.transport = cast("asyncio.Transport", transport)
        self.transport.write(b"GET /secret HTTP/1.1\r\n\r\n")

    def data_received(self, data: bytes) -> None:
        if not self.answer.done():
            self.answer.set_result(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost.set_result(exc)
        self.answer.cancel()

    async def finish(self) -> bytes:
        """Wait for the answer, then close."""
        answer = await asyncio.wait_for(self.answer, 10)
        self.transport.abort()
        await asyncio.wait_for(self.lost, 10)
        return answer


def descriptors() -> set[str]:
    """The sockets of this process, by their numbers in the kernel."""
    found: set[str] = set()
    for path in Path("/proc/self/fd").iterdir():
        try:
            target = str(path.readlink())
        except FileNotFoundError:  # the descriptor of the listing itself
            continue
        if target.startswith("socket:"):
            found.add(target)
    return found


@asynccontextmanager
async def nothing_left() -> AsyncGenerator[None, None]:
    """Fail if there are more sockets or tasks after a block than before."""
    await asyncio.to_thread(int)  # the loop's own sockets are there from now on
    sockets, tasks = descriptors(), asyncio.all_tasks()
    yield
    # Closing a transport takes a turn of the loop or two.
    for _ in range(5):
        await asyncio.sleep(0)
    assert descriptors() <= sockets
    assert asyncio.all_tasks() <= tasks


async def cancel_ever_later(dialer: Dialer) -> None:
    """Cancel attempts to connect after more and more turns of the loop, until one comes through."""
    turns = 0
    while True:
        dialling = asyncio.create_task(dialer.dial(Caller))
        for _ in range(turns):
            await asyncio.sleep(0)
        if dialling.done():
            await (await dialling).finish()
            return
        dialling.cancel()
        with pytest.raises(asyncio.CancelledError):
            await dialling
        turns += 1 + turns // 16
