"""Where a daemon is, and how it proves to be that daemon.

Everything here is plain values: it may look at the file system, it opens no connection.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, NoReturn, cast

from ._discovery import DEFAULT_FOLDERS, find_socket
from .exceptions import IncusConfigurationError

if TYPE_CHECKING:
    from urllib.parse import SplitResult

# What only https needs is imported where it is used: most clients use a unix socket and start faster without.

__all__ = ["DEFAULT_PORT", "Cert", "Endpoint", "PathOrPem", "resolve_endpoint"]

DEFAULT_PORT = 8443

PathOrPem = str | bytes | os.PathLike[str]
"""The path of a PEM file, or PEM text."""

Cert = tuple[PathOrPem, PathOrPem] | PathOrPem
"""A client certificate and its key, or one file or text that holds both."""

_ACCEPTED = (
    "accepted are https://HOST[:PORT] (port 8443 unless given), unix:///PATH, unix:// for the local daemon "
    "wherever its socket is, and the absolute path of a socket"
)
_HOST = re.compile(r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*\.?")
_TRUE = {"1", "true", "yes", "on"}


class Endpoint(NamedTuple):
    """Where a daemon is and how it is proved to be that daemon.

    Attributes:
        url: The address as messages show it, such as `unix:///run/incus/unix.socket` or `https://host:8443`.
        socket: Path of the unix socket; `None` for https.
        host: Name or address of the server, without brackets; https only.
        port: TCP port; https only.
        cert: The client's certificate and key, each the path of a PEM file or PEM text.
        verify: `True` for the system's authorities and the host name, `False` for no check at all, or the pinned
            server certificate as the path of a PEM file or PEM text.
        proxy: URL of the http or https proxy to ask for a tunnel; `None` for a direct connection.
        project: The project that comes with the endpoint; only the restricted user socket has one.
        insecure_tls: Whether TLS 1.2 will do.
        source: The environment variable that the address comes from, if it does.
        candidates: The sockets that were looked for, best first, if nobody named one.
    """

    url: str
    socket: str | None = None
    host: str = ""
    port: int = DEFAULT_PORT
    cert: tuple[str, str] | None = None
    verify: bool | str = True
    proxy: str | None = None
    project: str | None = None
    insecure_tls: bool = False
    source: str = ""
    candidates: tuple[str, ...] = ()

    def __repr__(self) -> str:
        # Not with the rest: that may hold a key, a certificate's text or a proxy's password.
        return f"<{type(self).__name__} {self.url}>"


def resolve_endpoint(
    endpoint: str | os.PathLike[str] | None = None,
    cert: Cert | None = None,
    verify: bool | PathOrPem = True,
    environ: Mapping[str, str] = os.environ,
    *,
    folders: Sequence[str] = DEFAULT_FOLDERS,
) -> Endpoint:
    """Work out where to connect and how, from what a user gave and the environment.

    Without `endpoint` the variable `INCUS_ENDPOINT` is used, else the socket of the local daemon: `INCUS_SOCKET`,
    `INCUS_DIR`/unix.socket, or the default places. The remotes of the command line client are never consulted. Whether
    a daemon is there is only found out by connecting.

    A unix socket has no TLS: who may use it is decided by its mode. `cert` or `verify` together with one are refused
    instead of ignored, so that a program that means a remote server and lost its address does not work on the local
    daemon by mistake.

    Args:
        endpoint: `https://HOST[:PORT]`, `unix:///PATH`, `unix://` (the local daemon wherever its socket is), or the
            absolute path of a socket.
        cert: Client certificate and key as `(certificate, key)`, each a path or PEM text; or one path or text that
            holds both.
        verify: `True` checks the server against the system's authorities and the host name. `False` checks nothing.
            A path or PEM text is the server's own certificate, which then is the only one accepted, byte for byte,
            whatever its names and dates; of several certificates each is accepted as such, none as an authority.
        environ: The environment variables.
        folders: Where the local daemon's socket may be, best first.

    Raises:
        IncusConfigurationError: If an address, a certificate or an environment variable cannot be used.
        TypeError: If an argument has the wrong type.
    """
    text, source = _text(endpoint), ""
    if text is None and environ.get("INCUS_ENDPOINT"):
        text, source = environ["INCUS_ENDPOINT"], "INCUS_ENDPOINT"
    if text is None or text in {"unix:", "unix://"}:
        return _without_tls(_local(environ, folders), cert, verify)
    if text.startswith(("unix:", "/")):
        path = _socket_path(text, source)
        return _without_tls(Endpoint(f"unix://{path}", path, source=source), cert, verify)
    return _with_tls(_https(text, source), cert, verify, environ)


def _text(endpoint: object) -> str | None:
    if endpoint is None:
        return None
    if not isinstance(endpoint, (str, os.PathLike)):
        raise TypeError(f"endpoint must be a string or a path, not {type(endpoint).__name__}")
    return os.fsdecode(cast("str | os.PathLike[str]", endpoint))


def _local(environ: Mapping[str, str], folders: Sequence[str]) -> Endpoint:
    path, project, source, candidates = find_socket(environ, folders)
    return Endpoint(f"unix://{path}", path, project=project, source=source, candidates=candidates)


def _socket_path(text: str, source: str) -> str:
    rest = text.removeprefix("unix:")
    path = rest.removeprefix("//")
    if "\0" in path:
        _refuse(text, source, "a path has no NUL bytes")
    if not path.startswith("/"):
        _refuse(text, source, f"the path must be absolute, as in unix:///{path}")
    return path


def _https(text: str, source: str) -> Endpoint:
    """Parse an https address strictly: what could be misread is refused, not guessed."""
    from urllib.parse import urlsplit

    if not text or any(c <= " " or c == "\x7f" for c in text):
        _refuse(text, source, "there are spaces or control characters in it" if text else "it is empty")
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError as exc:
        _refuse(text, source, str(exc))
    if parts.scheme != "https" or not host:
        _refuse(text, source, _scheme_problem(text, parts))
    if parts.username is not None or parts.path not in {"", "/"} or parts.query or parts.fragment or port == 0:
        _refuse(text, source, "user name, path, query and port 0 have no meaning here")
    host = _host_name(host, text, source)
    port = DEFAULT_PORT if port is None else port
    shown = f"[{host}]" if ":" in host else host
    return Endpoint(f"https://{shown}:{port}", host=host, port=port, source=source)


def _scheme_problem(text: str, parts: SplitResult) -> str:
    if parts.scheme == "http":
        return "Incus servers speak TLS only"
    if "://" in text or not parts.path:
        return "the scheme is unknown or the host is missing"
    return f"the scheme is missing; do you mean https://{text}?"


def _host_name(host: str, text: str, source: str) -> str:
    if ":" in host:
        return _ipv6(host.replace("%25", "%"), text, source)
    try:
        # Names beyond ASCII go over the wire, and into certificates, in their encoded form.
        ascii_host = host if host.isascii() else host.encode("idna").decode("ascii")
    except UnicodeError as exc:
        _refuse(text, source, f"the host name cannot be encoded: {exc}")
    if len(ascii_host) > 253 or not _HOST.fullmatch(ascii_host):
        _refuse(text, source, "this is no host name")
    return ascii_host


def _ipv6(host: str, text: str, source: str) -> str:
    import ipaddress

    try:
        ipaddress.IPv6Address(host)
    except ValueError as exc:
        _refuse(text, source, str(exc))
    return host


def _refuse(text: str, source: str, why: str) -> NoReturn:
    # A password or a token may be in there, in the places where URLs have them.
    shown = re.sub(r"[?#].*", "?***", re.sub(r"//[^/]*@", "//***@", text))
    named = f"{source}={shown!r}" if source else repr(shown)
    raise IncusConfigurationError(f"{named} is not an endpoint that can be used: {why}; {_ACCEPTED}")


def _without_tls(endpoint: Endpoint, cert: object, verify: object) -> Endpoint:
    for name, value, default in (("cert", cert, None), ("verify", verify, True)):
        if value is not default:
            raise IncusConfigurationError(
                f"{name} has no meaning for {endpoint.url}, a unix socket has no TLS; if a server on the network is "
                f"meant, pass its address (https://HOST:{DEFAULT_PORT}), else leave {name} out"
            )
    return endpoint


def _with_tls(endpoint: Endpoint, cert: object, verify: object, environ: Mapping[str, str]) -> Endpoint:
    from ._proxies import proxy_for

    return endpoint._replace(
        cert=None if cert is None else _certificate_and_key(cert),
        verify=verify if isinstance(verify, bool) else _pinned(verify),
        proxy=proxy_for(endpoint.host, endpoint.port, environ),
        insecure_tls=environ.get("INCUS_INSECURE_TLS", "").lower() in _TRUE,
    )


def _certificate_and_key(cert: object) -> tuple[str, str]:
    from . import _pem

    if isinstance(cert, (str, bytes, os.PathLike)):
        pair: Sequence[object] = (cast("PathOrPem", cert),) * 2
    elif isinstance(cert, (tuple, list)):
        pair = cast("Sequence[object]", cert)
    else:
        raise TypeError(f"cert must be (certificate, key) or one path or PEM text, not {type(cert).__name__}")
    if len(pair) != 2:
        raise TypeError("cert must have two parts, the certificate and the key")
    crt = _pem.normalise(pair[0], "the client certificate")
    key = _pem.normalise(pair[1], "the client key")
    # Read here as well as with the first connection: a wrong file should be told where it was passed.
    _pem.read_certificates(crt, "the client certificate")
    _pem.read_key(key, "the client key")
    return crt, key


def _pinned(verify: object) -> str:
    from . import _pem

    if not isinstance(verify, (str, bytes, os.PathLike)):
        raise TypeError(f"verify must be a bool, a path or PEM text, not {type(verify).__name__}")
    pinned = _pem.normalise(cast("PathOrPem", verify), "the pinned server certificate")
    _pem.read_certificates(pinned, "the pinned server certificate")
    return pinned
