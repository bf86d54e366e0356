"""Which proxy, if any, stands before an https endpoint: the variables `https_proxy` and `no_proxy`."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from .exceptions import IncusConfigurationError

__all__ = ["Proxy", "parse_proxy", "proxy_for"]


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy that is asked for tunnels.

    Attributes:
        url: Its address without user and password, for messages.
        host: Its name or address, without brackets.
        port: Its TCP port.
        tls: Whether the connection to the proxy itself is encrypted.
        credentials: User and password, joined by a colon; `None` if the URL has none.
    """

    url: str
    host: str
    port: int
    tls: bool = False
    credentials: str | None = field(default=None, repr=False)


def proxy_for(host: str, port: int, environ: Mapping[str, str]) -> str | None:
    """Find the proxy for an https endpoint.

    The upper-case variable comes first, as for Incus' own client. This machine itself (`localhost`, loopback
    addresses) is never reached through a proxy.

    Args:
        host: Name or address of the server.
        port: Port of the server.
        environ: The environment variables.

    Returns:
        The URL of the proxy, or `None` for a direct connection.

    Raises:
        IncusConfigurationError: If the variable holds no usable URL; its value is not shown, it may hold a password.
    """
    name, url = _first(environ, "HTTPS_PROXY", "https_proxy")
    if not url or _is_local(host):
        return None
    _, exceptions = _first(environ, "NO_PROXY", "no_proxy")
    if any(_matches(entry.strip().lower(), host.lower(), port) for entry in exceptions.split(",")):
        return None
    parse_proxy(url, name)
    return url


def parse_proxy(url: str, source: str = "https_proxy") -> Proxy:
    """Take the URL of a proxy apart; without a scheme it is `http://`.

    Args:
        url: The URL.
        source: Where it comes from, for messages.

    Raises:
        IncusConfigurationError: If it is not an http or https URL with a host.
    """
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port, parts = None, None, urlsplit("")
    if parts.scheme not in {"http", "https"} or not host or any(c <= " " for c in url):
        raise IncusConfigurationError(
            f"the proxy in {source} cannot be used: it must be http://[USER:PASSWORD@]HOST[:PORT], or https:// likewise"
        )
    tls = parts.scheme == "https"
    port = port or (443 if tls else 80)
    name = f"[{host}]" if ":" in host else host
    credentials = None
    if parts.username is not None:
        credentials = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return Proxy(f"{parts.scheme}://{name}:{port}", host, port, tls, credentials)


def _first(environ: Mapping[str, str], *names: str) -> tuple[str, str]:
    return next(((name, environ[name].strip()) for name in names if environ.get(name)), ("", ""))


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _is_local(host: str) -> bool:
    address = _address(host)
    return host.lower().rstrip(".") == "localhost" or (address is not None and address.is_loopback)


def _matches(entry: str, host: str, port: int) -> bool:
    """Whether an entry of `no_proxy` covers a host: `*`, a name or suffix, an address, a network; each with a port."""
    if not entry or entry == "*":
        return bool(entry)
    pattern, entry_port = _split_port(entry)
    if entry_port and entry_port != str(port):
        return False
    address = _address(host)
    if address is not None:
        return _covers(pattern, address)
    # "*.example.org" and ".example.org" mean the same as "example.org": the domain and all below it.
    suffix = pattern.removeprefix("*").lstrip(".")
    return bool(suffix) and (host == suffix or host.endswith(f".{suffix}"))


def _split_port(entry: str) -> tuple[str, str]:
    if entry.startswith("["):
        address, _, rest = entry[1:].partition("]")
        return address, rest.removeprefix(":")
    if entry.count(":") == 1:  # more of them make an IPv6 address or network
        name, _, port = entry.partition(":")
        return name, port
    return entry, ""


def _covers(pattern: str, address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    try:
        return address in ipaddress.ip_network(pattern, strict=False)
    except ValueError:
        return False
