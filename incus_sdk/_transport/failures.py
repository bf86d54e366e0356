"""Why a connection could not be opened, in words that help."""

from __future__ import annotations

import errno
import socket
from typing import TYPE_CHECKING

from .._discovery import why_not

if TYPE_CHECKING:
    from ..config import Endpoint

__all__ = ["Progress", "explain", "may_come", "named", "reason"]

_COMING = frozenset({errno.ECONNREFUSED, errno.ECONNRESET, errno.EHOSTUNREACH, errno.ENETUNREACH, socket.EAI_AGAIN})


class Progress:
    """What one attempt to connect is busy with.

    Attributes:
        doing: The present step.
        proxy: The proxy that is on the way, if there is one.
        tls: Whether the server has been reached, and only TLS is left.
    """

    __slots__ = ("doing", "proxy", "tls")

    def __init__(self) -> None:
        self.doing = "connecting"
        self.proxy = ""
        self.tls = False

    def __str__(self) -> str:
        return f"{self.doing}, by way of the proxy {self.proxy}" if self.proxy else self.doing


def may_come(cause: BaseException | None) -> bool:
    """Whether this is what a system says of a daemon that is about to listen.

    A socket that is not there, or one that may not be used, is none of it, nor is a peer that is not the one expected.
    """
    return isinstance(cause, OSError) and cause.errno in _COMING


def named(endpoint: Endpoint) -> str:
    """The environment variable that an address comes from, in brackets, or nothing."""
    return f" (from {endpoint.source})" if endpoint.source else ""


def explain(endpoint: Endpoint, error: OSError, progress: Progress) -> str:
    """Say why a connection could not be opened, and what to do about it.

    Args:
        endpoint: Where it should have gone.
        error: What connecting gave.
        progress: How far it came.
    """
    if endpoint.candidates:
        return _explain_search(endpoint, error)
    start = f"cannot connect to {endpoint.url}{named(endpoint)}"
    if endpoint.socket is not None:
        return f"{start}: {why_not(endpoint.socket, error)}"
    if progress.tls:
        from .tls import describe

        return f"{start}: {describe(error)}"
    if progress.proxy:
        return f"{start}: the proxy {progress.proxy} failed: {reason(error)}"
    return f"{start}: {_explain_tcp(endpoint, error)}"


def _explain_search(endpoint: Endpoint, error: OSError) -> str:
    """Nobody said where the daemon is, so every place that was looked at may be the one that was meant."""
    lines = [f"  {path}: {why_not(path, error if path == endpoint.socket else None)}" for path in endpoint.candidates]
    where = f" in {endpoint.source}" if endpoint.source else ""
    advice = "Start the daemon, or say where it is: Client('unix:///PATH'), INCUS_SOCKET, INCUS_DIR or INCUS_ENDPOINT."
    return "\n".join([f"found no Incus daemon on this machine that can be used{where}:", *lines, advice])


def _explain_tcp(endpoint: Endpoint, error: OSError) -> str:
    if isinstance(error, socket.gaierror):
        return f"the name {endpoint.host!r} cannot be resolved ({reason(error)})"
    if isinstance(error, ConnectionRefusedError):
        return (
            f"nothing listens on port {endpoint.port} there; the server's side is switched on with "
            f"`incus config set core.https_address :{endpoint.port}`"
        )
    return reason(error)


def reason(error: OSError) -> str:
    """What the system said, or at least the kind of the error, with what is known about further attempts."""
    said = error.strerror or str(error) or type(error).__name__
    return "; ".join([said, *getattr(error, "__notes__", [])])
