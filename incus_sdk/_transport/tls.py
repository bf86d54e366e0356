"""TLS: the context for one endpoint, the check of the peer, and what its failures mean."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import ssl
import tempfile
from collections.abc import Callable, Generator
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

from .. import _pem
from ..exceptions import IncusConfigurationError, IncusConnectionError
from .failures import reason

if TYPE_CHECKING:
    from ..config import Endpoint

__all__ = ["Gate", "Tls", "describe", "shake_hands"]

P = TypeVar("P", bound=asyncio.BaseProtocol)

_CERTIFICATE, _KEY = "the client certificate", "the client key"
_PINNED = "the pinned server certificate"
# More pins than this are no list that a person wants to read in a message.
_PINS_SHOWN = 3
# Seconds to wait for the other side's good-bye when a connection is closed in good order.
_SHUTDOWN_TIMEOUT = 2.0
# asyncio limits handshakes to 60 s by itself; the dialer has one limit for everything.
_NO_LIMIT = 86_400.0


class Tls:
    """What it takes to speak TLS with one endpoint; made once, for loading certificates costs milliseconds.

    Attributes:
        context: The context for every connection to the endpoint.
        pins: SHA-256 fingerprints of the certificates that the server may present; `None` if none is pinned.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self._url = endpoint.url
        self._verify = endpoint.verify
        self.pins: list[str] | None = None
        if isinstance(endpoint.verify, str):
            _, pinned = _pem.read_certificates(endpoint.verify, _PINNED)
            self.pins = [_pem.fingerprint(der) for der in pinned]
        self.context: ssl.SSLContext = _context(checked=endpoint.verify is True)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2 if endpoint.insecure_tls else ssl.TLSVersion.TLSv1_3
        # Servers offer HTTP/2 as well, which nothing here speaks.
        self.context.set_alpn_protocols(["http/1.1"])
        if endpoint.cert is not None:
            _load_client_certificate(self.context, *endpoint.cert)

    def check(self, transport: asyncio.BaseTransport) -> None:
        """Compare the certificate of the peer with the pinned one, if there is one.

        Args:
            transport: A TLS transport whose handshake is over.

        Raises:
            IncusConnectionError: If it is another one.
        """
        if self.pins is None:
            return
        connection: ssl.SSLObject = transport.get_extra_info("ssl_object")
        presented = _pem.fingerprint(connection.getpeercert(binary_form=True) or b"")
        if presented not in self.pins:
            raise IncusConnectionError(self._wrong_peer(presented, self.pins))

    def _wrong_peer(self, presented: str, pins: list[str]) -> str:
        where = _pem.shown(str(self._verify))
        many = f"none of the {len(pins)} certificates in {where}"
        pinned = many if len(pins) > _PINS_SHOWN else f"{' or '.join(pins)} from {where}"
        return (
            f"{self._url} is not the server that is pinned: its certificate has the SHA-256 fingerprint {presented}, "
            f"expected was {pinned}. No request was sent. If the server has a new certificate, compare the fingerprint "
            "with `incus info | grep fingerprint` on the server and pin the new one, else somebody may stand in "
            "between. (A certificate authority cannot be pinned: verify=True checks against those of the system.)"
        )


def _context(*, checked: bool) -> ssl.SSLContext:
    """Make a context that checks the peer against the system's authorities, or one that trusts no authority at all.

    The second one serves pins too: OpenSSL checks nothing then but the handshake's signature, that is, that the peer
    owns the key of the certificate which it presents, and `Tls.check` compares that certificate before the first
    byte. Making the pinned certificate the only authority would refuse an impostor a little earlier, but without
    telling the fingerprint of what it presented, and would judge dates, key usages and names of a certificate that
    is known byte for byte. No authority is loaded, so no environment variable can widen what a pin accepts.
    """
    if checked:
        return ssl.create_default_context()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _load_client_certificate(context: ssl.SSLContext, certificate: str, key: str) -> None:
    certificate_text, _ = _pem.read_certificates(certificate, _CERTIFICATE)
    key_text = _pem.read_key(key, _KEY)

    def no_passphrase() -> str:
        # Without this OpenSSL would ask on the terminal, in the middle of an event loop.
        raise IncusConfigurationError(_pem.encrypted(key, _KEY))

    try:
        with _as_file(certificate_text) as certificate_file, _as_file(key_text) as key_file:
            context.load_cert_chain(certificate_file, key_file, password=no_passphrase)
    except ssl.SSLError as exc:
        raise IncusConfigurationError(_why_not_loaded(exc, _pem.shown(certificate), _pem.shown(key))) from exc


def _why_not_loaded(error: ssl.SSLError, certificate: str, key: str) -> str:
    if error.reason == "KEY_VALUES_MISMATCH":
        return f"the client key in {key} does not belong to the client certificate in {certificate}"
    return (
        f"OpenSSL cannot use the client certificate in {certificate} with the key in {key}: "
        f"{error.reason or error}; one of the two is damaged or of a kind that it does not know"
    )


@contextlib.contextmanager
def _as_file(text: str) -> Generator[str, None, None]:
    """Give text a file name for as long as OpenSSL reads it: it takes nothing else.

    In memory where the system has such files, so that a key never reaches a disk; otherwise in a folder of its own.
    """
    with contextlib.ExitStack() as stack:
        name = _in_memory(stack, text)
        if name is None:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="incus_sdk-"))  # mode 0700
            path = Path(folder, "pem")
            path.touch(mode=0o600)
            path.write_text(text, encoding="utf-8")
            name = str(path)
        yield name


def _in_memory(stack: contextlib.ExitStack, text: str) -> str | None:
    try:
        descriptor = os.memfd_create("incus_sdk")
    except (AttributeError, OSError):  # not Linux, or forbidden by a sandbox
        return None
    file = stack.enter_context(os.fdopen(descriptor, "w", encoding="utf-8"))
    file.write(text)
    file.flush()
    name = f"/proc/self/fd/{descriptor}"
    return name if os.access(name, os.R_OK) else None  # /proc may be missing


async def shake_hands(
    transport: asyncio.Transport, protocol: asyncio.Protocol, context: ssl.SSLContext, host: str
) -> asyncio.Transport:
    """Start TLS on a connection, and return the transport that speaks it.

    The caller keeps the old transport, and with it the means to close the connection whatever happens. (Where
    `create_connection` does the handshake as well and is cancelled early, asyncio leaves the connection open.)

    Args:
        transport: The connection, on which nothing has been read.
        protocol: What reads from the new transport; its `connection_made` is left to the caller.
        context: What to offer and accept.
        host: Name or address of the server.

    Raises:
        OSError: If the handshake fails.
    """
    # Neither the zone of a link-local address nor the dot at the end of a full name is part of the name for TLS.
    name = host.partition("%")[0].rstrip(".")
    secured: asyncio.Transport | None = None
    if not transport.is_closing():
        loop = asyncio.get_running_loop()
        secured = await loop.start_tls(
            transport,
            protocol,
            context,
            server_hostname=name,
            ssl_handshake_timeout=_NO_LIMIT,
            ssl_shutdown_timeout=_SHUTDOWN_TIMEOUT,
        )
    # uvloop returns as if all were well where the connection ended before the handshake began.
    if secured is None or secured.get_extra_info("ssl_object").version() is None:
        raise ConnectionResetError(errno.ECONNRESET, "closed by the other side")
    return secured


class Gate(asyncio.Protocol, Generic[P]):
    """Stands in for a protocol during the handshake, and lets it see the connection only if the peer is the right one.

    So whatever the protocol does when it is connected, not one byte of it can reach a wrong peer.

    Args:
        protocol: The protocol that waits.
        check: Raises `IncusConnectionError` for a wrong peer.
    """

    def __init__(self, protocol: P, check: Callable[[asyncio.BaseTransport], None]) -> None:
        self._protocol = protocol
        self._check = check
        self._passed = False
        self._disturbed = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The handshake is over: check, then step aside.

        Raises:
            IncusConnectionError: If the peer is the wrong one.
            OSError: If it has closed the connection, or said something, before it was asked.
        """
        self._check(transport)
        if self._disturbed or transport.is_closing():
            raise ConnectionResetError(
                errno.ECONNRESET, "closed by the other side before a request, or used out of turn"
            )
        self._passed = True
        transport.set_protocol(self._protocol)
        self._protocol.connection_made(transport)

    def data_received(self, data: bytes) -> None:
        """Nothing may come before a request; it would be taken for the answer."""
        self._disturbed = True

    def connection_lost(self, exc: Exception | None) -> None:
        """Pass on what the loop had meant for this protocol before the other took over."""
        self._disturbed = True
        if self._passed:
            self._protocol.connection_lost(exc)


def describe(error: OSError) -> str:
    """Say in a user's words why TLS failed, and what to do about it.

    Args:
        error: What connecting gave, or reading from a connection: a server that wants another client certificate says
            so only when TLS 1.3 has finished the handshake.
    """
    if isinstance(error, ssl.SSLCertVerificationError):
        return _describe_verification(error)
    if isinstance(error, ssl.SSLEOFError) or not isinstance(error, ssl.SSLError):
        return f"the connection was cut off during the TLS handshake ({reason(error)})"
    # Newer alerts have no symbolic name in Python, only OpenSSL's words for it.
    code = f"{error.reason} {error}".upper().replace(" ", "_")
    text = next((text for part, text in _REASONS.items() if part in code), "the TLS handshake failed")
    return f"{text} ({error.reason or error})"


def _describe_verification(error: ssl.SSLCertVerificationError) -> str:
    said = error.verify_message or str(error)
    if error.verify_code in _UNTRUSTED:
        return (
            f"no authority of this system vouches for the server's certificate ({said}). Incus servers sign their "
            "own: pin it with verify='/path/to/server.crt', a copy of the server's certificate (the server keeps it as "
            "/var/lib/incus/server.crt, or cluster.crt beside it in a cluster; Incus' client, once it knows the "
            "server, as ~/.config/incus/servercerts/REMOTE.crt)"
        )
    if error.verify_code in _OTHER_NAME:
        return (
            f"the server's certificate is for another name ({said}): use a name that is in the certificate, or pin it "
            "with verify='/path/to/server.crt', which makes names irrelevant"
        )
    return (
        f"the server's certificate is not acceptable ({said}); if it is known to be the right one, pin it with verify="
    )


# Codes of OpenSSL's x509_vfy.h: self-signed (alone, in a chain), issuer not found (two kinds), leaf not verifiable.
_UNTRUSTED = {18, 19, 2, 20, 21}
_OTHER_NAME = {62, 64}

# Parts of OpenSSL's reasons; the first one that fits is taken.
_REASONS = {
    "CERTIFICATE_REQUIRED": "the server wants a client certificate: pass cert=(certificate, key)",
    "PROTOCOL_VERSION": "the server has no TLS 1.3; INCUS_INSECURE_TLS=true in the environment allows TLS 1.2",
    "UNSUPPORTED_PROTOCOL": "the server has no TLS 1.3; INCUS_INSECURE_TLS=true in the environment allows TLS 1.2",
    "NO_APPLICATION_PROTOCOL": "the server does not speak HTTP/1.1",
    "WRONG_VERSION_NUMBER": "the other side does not speak TLS; is this the port of an Incus server?",
    "HTTP_REQUEST": "the other side does not speak TLS; is this the port of an Incus server?",
    "PACKET_LENGTH": "the other side does not speak TLS; is this the port of an Incus server?",
    "RECORD_LAYER_FAILURE": "the other side does not speak TLS; is this the port of an Incus server?",
    "ALERT_UNKNOWN_CA": "the server does not accept the client certificate",
    "ALERT_BAD_CERTIFICATE": "the server does not accept the client certificate",
    "ALERT_CERTIFICATE": "the server does not accept the client certificate",
    "ALERT_ACCESS_DENIED": "the server does not accept the client certificate",
    "HANDSHAKE_FAILURE": "the server broke off; it may want a client certificate: cert=(certificate, key)",
}
