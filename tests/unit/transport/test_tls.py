"""Who is trusted over TLS, proved on real connections: the record is always what the server received."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
import tempfile
from pathlib import Path
from typing import Any, cast

import pytest
import trustme

from incus_sdk._transport.dial import Dialer
from incus_sdk._transport.tls import Tls, describe
from incus_sdk.config import Endpoint
from incus_sdk.exceptions import IncusConfigurationError, IncusConnectionError

from .peers import (
    Caller,
    Identity,
    Server,
    Visit,
    issued_context,
    listen_only,
    make_identity,
    server_context,
    speak,
    tls,
    tls_server,
)


@pytest.fixture
def server_id(tmp_path: Path) -> Identity:
    return make_identity(tmp_path, "server")


@pytest.fixture
def client_id(tmp_path: Path) -> Identity:
    return make_identity(tmp_path, "client")


def endpoint(server: Server, host: str = "127.0.0.1", **fields: Any) -> Endpoint:
    return Endpoint(f"https://{host}:{server.port}", host=host, port=server.port, **fields)


async def ask(server: Server, host: str = "127.0.0.1", **fields: Any) -> bytes:
    caller = await Dialer(endpoint(server, host, **fields), 10).dial(Caller)
    return await caller.finish()


class Listener(Caller):
    """Says nothing: where the server closes with something unread, its last words may be lost."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep quiet."""
        self.transport = cast("asyncio.Transport", transport)


async def refusal(server: Server, host: str = "127.0.0.1", **fields: Any) -> IncusConnectionError:
    with pytest.raises(IncusConnectionError) as caught:
        await ask(server, host, **fields)
    return caught.value


async def test_pinned_certificate_is_accepted_whatever_its_name(server_id: Identity) -> None:
    async with tls_server(server_id) as server:
        assert b"200 OK" in await ask(server, verify=str(server_id.crt))
        assert b"200 OK" in await ask(server, "localhost", verify=server_id.pem)
        visit = await server.visit(0)
    assert visit.received.startswith(b"GET /secret")
    assert visit.alpn == "http/1.1"
    assert visit.client is None


async def test_impostor_receives_nothing(tmp_path: Path, server_id: Identity) -> None:
    impostor = make_identity(tmp_path, "impostor")
    async with tls_server(impostor) as server:
        error = await refusal(server, verify=str(server_id.crt))
        visit = await server.visit()
    assert visit.received == b""
    assert impostor.fingerprint in error.message
    assert server_id.fingerprint in error.message
    assert str(server_id.crt) in error.message


async def test_certificate_signed_by_the_pinned_one_is_refused(tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.crt")
    context = issued_context(authority, "127.0.0.1")
    async with Server(tls(context)) as server:
        error = await refusal(server, verify=str(tmp_path / "ca.crt"))
        assert (await server.visit()).received == b""
    assert "authority cannot be pinned" in error.message


async def test_each_of_several_pinned_certificates_is_accepted(tmp_path: Path, server_id: Identity) -> None:
    successor, stranger = make_identity(tmp_path, "successor"), make_identity(tmp_path, "stranger")
    pins = server_id.pem + successor.pem
    async with tls_server(server_id) as old, tls_server(successor) as new, tls_server(stranger) as wrong:
        assert b"200 OK" in await ask(old, verify=pins)
        assert b"200 OK" in await ask(new, verify=pins)
        error = await refusal(wrong, verify=pins)
    assert f"{server_id.fingerprint} or {successor.fingerprint}" in error.message
    assert "BEGIN" not in error.message


async def test_long_list_of_pins_is_only_counted(tmp_path: Path, server_id: Identity) -> None:
    pins = "".join(make_identity(tmp_path, f"other{number}").pem for number in range(4))
    async with tls_server(server_id) as server:
        error = await refusal(server, verify=pins)
    assert "none of the 4 certificates" in error.message


async def test_expired_pinned_certificate_is_still_that_certificate(tmp_path: Path) -> None:
    expired = make_identity(tmp_path, "expired", expired=True)
    async with tls_server(expired) as server:
        assert b"200 OK" in await ask(server, verify=str(expired.crt))


async def test_peer_that_changes_between_two_connections(tmp_path: Path, server_id: Identity) -> None:
    impostor = make_identity(tmp_path, "impostor")
    async with tls_server(server_id) as server:
        dialer = Dialer(endpoint(server, verify=str(server_id.crt)), 10)
        assert b"200 OK" in await (await dialer.dial(Caller)).finish()
    async with tls_server(impostor, port=server.port) as server:
        with pytest.raises(IncusConnectionError, match=impostor.fingerprint):
            await dialer.dial(Caller)
        assert (await server.visit()).received == b""
    async with tls_server(server_id, port=server.port):
        assert b"200 OK" in await (await dialer.dial(Caller)).finish()


async def test_environment_cannot_widen_a_pin(
    tmp_path: Path, server_id: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = trustme.CA()
    bundle, folder = tmp_path / "bundle.pem", tmp_path / "authorities"
    authority.cert_pem.write_to_path(bundle)
    folder.mkdir()
    authority.cert_pem.write_to_path(folder / "authority.pem")
    for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.setenv(name, str(bundle))
    monkeypatch.setenv("SSL_CERT_DIR", str(folder))
    context = issued_context(authority, "127.0.0.1")
    async with Server(tls(context)) as server:
        # The variables do work: whoever asks for the system's authorities gets them.
        assert b"200 OK" in await ask(server, verify=True)
        await refusal(server, verify=str(server_id.crt))
        assert (await server.visit(1)).received == b""


async def test_no_check_at_all(server_id: Identity) -> None:
    async with tls_server(server_id) as server:
        assert b"200 OK" in await ask(server, verify=False)


async def test_self_signed_server_is_refused_with_a_hint(server_id: Identity) -> None:
    async with tls_server(server_id) as server:
        error = await refusal(server)
        assert (await server.visit()).received == b""
    assert isinstance(error.cause, ssl.SSLCertVerificationError)
    assert "verify='/path/to/server.crt'" in error.message
    assert "/var/lib/incus/server.crt" in error.message
    assert "token" not in error.message  # there is no method for one


async def test_host_name_is_checked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.crt")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.crt"))
    context = issued_context(authority, "server.example")
    lookup = socket.getaddrinfo

    def only_here(_: str, port: int, **more: Any) -> Any:
        return lookup("127.0.0.1", port, **more)

    monkeypatch.setattr(socket, "getaddrinfo", only_here)
    async with Server(tls(context)) as server:
        assert b"200 OK" in await ask(server, "server.example")
        assert b"200 OK" in await ask(server, "server.example.")
        error = await refusal(server, "127.0.0.1")
    assert "for another name" in error.message


async def test_expired_certificate_of_a_known_authority(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    expired = make_identity(tmp_path, "expired", sans=("127.0.0.1",), expired=True)
    monkeypatch.setenv("SSL_CERT_FILE", str(expired.crt))
    async with tls_server(expired) as server:
        error = await refusal(server)
    assert "certificate has expired" in error.message


async def test_client_certificate_from_files_and_from_text(server_id: Identity, client_id: Identity) -> None:
    key = client_id.key.read_text()
    both = client_id.pem + key
    wanted = ssl.PEM_cert_to_DER_cert(client_id.pem)
    settings = {"verify_mode": ssl.CERT_REQUIRED}
    context = server_context(server_id, **settings)
    context.load_verify_locations(client_id.crt)
    async with Server(tls(context)) as server:
        for cert in (client_id.files, (client_id.pem, key), (str(client_id.crt), key), (both, both)):
            assert b"200 OK" in await ask(server, verify=str(server_id.crt), cert=cert)
    assert [visit.client for visit in server.visits] == [wanted] * 4


async def test_missing_client_certificate_is_explained(server_id: Identity) -> None:
    """With TLS 1.3 the refusal comes after the handshake, on the connection; `describe` serves its owner as well."""
    async with tls_server(server_id, verify_mode=ssl.CERT_REQUIRED) as server:
        listener = await Dialer(endpoint(server, verify=str(server_id.crt)), 10).dial(Listener)
        error = await asyncio.wait_for(listener.lost, 10)
    assert isinstance(error, OSError)
    assert "wants a client certificate" in describe(error)


async def test_missing_client_certificate_with_tls_1_2(server_id: Identity) -> None:
    version = ssl.TLSVersion.TLSv1_2
    async with tls_server(server_id, verify_mode=ssl.CERT_REQUIRED, maximum_version=version) as server:
        error = await refusal(server, verify=str(server_id.crt), insecure_tls=True)
    assert "client certificate" in error.message


async def test_tls_1_2_is_refused_unless_allowed(server_id: Identity) -> None:
    async with tls_server(server_id, maximum_version=ssl.TLSVersion.TLSv1_2) as server:
        error = await refusal(server, verify=str(server_id.crt))
        assert "INCUS_INSECURE_TLS=true" in error.message
        assert b"200 OK" in await ask(server, verify=str(server_id.crt), insecure_tls=True)


async def test_http_2_only_is_refused(server_id: Identity) -> None:
    # OpenSSL's servers ignore a failed negotiation, so the alert of stricter ones is made by hand.
    def alert(sock: Any, visit: Any) -> None:
        sock.recv(65536)
        sock.sendall(b"\x15\x03\x03\x00\x02\x02\x78")

    async with Server(alert) as server:
        error = await refusal(server, verify=str(server_id.crt))
    assert "does not speak HTTP/1.1" in error.message


async def test_peer_without_tls(server_id: Identity) -> None:
    async with Server(speak) as server:
        error = await refusal(server, verify=str(server_id.crt))
        assert b"GET" not in (await server.visit()).received
    assert "does not speak TLS" in error.message


async def test_peer_that_hangs_up_during_the_handshake(server_id: Identity) -> None:
    async with Server(lambda sock, _: sock.shutdown(2)) as server:
        error = await refusal(server, verify=str(server_id.crt))
    assert "cut off during the TLS handshake" in error.message
    assert error.cause is not None


async def test_wrong_peer_is_told_even_if_it_speaks_first(tmp_path: Path, server_id: Identity) -> None:
    impostor = make_identity(tmp_path, "impostor")

    def blurt(sock: Any, visit: Any) -> None:
        sock.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        listen_only(sock, visit)

    async with Server(tls(server_context(impostor), blurt)) as server:
        error = await refusal(server, verify=str(server_id.crt))
        assert (await server.visit()).received == b""
    assert impostor.fingerprint in error.message


async def dial_or_reset(dialer: Dialer) -> Listener | None:
    try:
        return await dialer.dial(Listener)
    except IncusConnectionError as exc:
        if not isinstance(exc.cause, ConnectionResetError):
            raise
        return None


def hang_up(sock: socket.socket, visit: Visit) -> None:
    """Do nothing: the connection is closed when this returns."""


async def test_peer_that_hangs_up_after_the_handshake(server_id: Identity) -> None:
    """Whether the dialer notices or the protocol, somebody must."""
    async with Server(tls(server_context(server_id), hang_up)) as server:
        dialer = Dialer(endpoint(server, verify=str(server_id.crt)), 10)
        for _ in range(20):
            listener = await dial_or_reset(dialer)
            if listener is not None:
                await asyncio.wait_for(listener.lost, 10)


async def test_right_peer_that_speaks_first(server_id: Identity) -> None:
    """What it says is an error or reaches the protocol, which judges it; it is not lost."""

    def blurt(sock: Any, visit: Any) -> None:
        sock.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        listen_only(sock, visit)

    async with Server(tls(server_context(server_id), blurt)) as server:
        dialer = Dialer(endpoint(server, verify=str(server_id.crt)), 10)
        for _ in range(20):
            listener = await dial_or_reset(dialer)
            if listener is not None:
                assert await asyncio.wait_for(listener.answer, 10) == b"HTTP/1.1 200 OK\r\n\r\n"
                listener.transport.abort()


class TestClientCertificateFiles:
    """What is wrong with a certificate or key is said by name, before anything is dialled."""

    def refused(self, crt: object, key: object) -> str:
        with pytest.raises(IncusConfigurationError) as caught:
            Tls(Endpoint("https://host:8443", host="host", cert=(str(crt), str(key))))
        assert "PRIVATE KEY-----" not in str(caught.value)
        return caught.value.message

    def test_key_of_another_certificate(self, tmp_path: Path, client_id: Identity) -> None:
        other = make_identity(tmp_path, "other")
        message = self.refused(client_id.crt, other.key)
        assert f"key in '{other.key}' does not belong to the client certificate in '{client_id.crt}'" in message
        assert "the PEM text given does not belong" in self.refused(client_id.crt, other.key.read_text())

    def test_encrypted_key(self, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
        secret = make_identity(tmp_path, "secret", password=b"pass")
        message = self.refused(secret.crt, secret.key)
        assert f"'{secret.key}' is encrypted" in message
        assert capfd.readouterr() == ("", "")

    def test_key_that_openssl_finds_encrypted(self, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
        """The net below the text search: whatever a key looks like, OpenSSL must never ask on the terminal."""
        secret = make_identity(tmp_path, "secret", password=b"pass", traditional=True)
        text = secret.key.read_text().replace("Proc-Type: 4", "Proc-Type:  4")  # OpenSSL skips blanks
        assert "the PEM text given is encrypted" in self.refused(secret.crt, text)
        assert capfd.readouterr() == ("", "")

    def test_missing_files(self, client_id: Identity) -> None:
        assert "client certificate: cannot read '/nowhere.crt': No such file" in self.refused(
            "/nowhere.crt", client_id.key
        )
        assert "client key: cannot read '/nowhere.key': No such file" in self.refused(client_id.crt, "/nowhere.key")

    def test_folder_instead_of_a_file(self, tmp_path: Path, client_id: Identity) -> None:
        assert f"cannot read '{tmp_path}': Is a directory" in self.refused(client_id.crt, tmp_path)

    def test_damaged_key(self, tmp_path: Path, client_id: Identity) -> None:
        damaged = tmp_path / "damaged.key"
        damaged.write_text("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
        assert f"with the key in '{damaged}'" in self.refused(client_id.crt, damaged)

    def test_swapped(self, client_id: Identity) -> None:
        assert "are certificate and key swapped?" in self.refused(client_id.key, client_id.crt)

    def test_openssh_key(self, client_id: Identity) -> None:
        key = "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n"
        assert "ssh-keygen -p -m PEM" in self.refused(client_id.crt, key)


class TestKeyMaterial:
    """PEM text reaches OpenSSL by way of a file that nobody else can read and that is gone at once."""

    def test_in_memory(self, monkeypatch: pytest.MonkeyPatch, client_id: Identity) -> None:
        def no_folder(*args: object, **kwargs: object) -> None:
            raise AssertionError("a key was written to disk")

        monkeypatch.setattr(tempfile, "TemporaryDirectory", no_folder)
        before = len(list(Path("/proc/self/fd").iterdir()))
        Tls(Endpoint("https://host:8443", host="host", cert=(client_id.pem, client_id.key.read_text())))
        assert len(list(Path("/proc/self/fd").iterdir())) == before

    def test_on_disk_where_there_is_no_memory_file(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, client_id: Identity
    ) -> None:
        def unsupported(name: str) -> int:
            raise OSError(38, "Function not implemented")

        seen: list[tuple[int, int]] = []
        load = ssl.SSLContext.load_cert_chain

        def spy(context: ssl.SSLContext, certfile: str, keyfile: str, password: Any) -> None:
            seen.append((Path(keyfile).stat().st_mode & 0o777, Path(keyfile).parent.stat().st_mode & 0o777))
            load(context, certfile, keyfile, password)

        spool = tmp_path / "spool"
        spool.mkdir()
        monkeypatch.setattr(os, "memfd_create", unsupported)
        monkeypatch.setattr(tempfile, "tempdir", str(spool))
        monkeypatch.setattr(ssl.SSLContext, "load_cert_chain", spy)
        Tls(Endpoint("https://host:8443", host="host", cert=(client_id.pem, client_id.key.read_text())))
        assert seen == [(0o600, 0o700)]
        assert list(spool.iterdir()) == []
