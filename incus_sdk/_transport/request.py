"""The head of a request: checked, framed and encoded before any connection is touched."""

from __future__ import annotations

from collections.abc import AsyncIterable, Mapping
from functools import lru_cache

from ..exceptions import IncusArgumentError
from .errors import path_of

Body = bytes | bytearray | memoryview | AsyncIterable[bytes] | None
"""What a request can carry. Asynchronous iterables go out in chunks, unless a Content-Length header announces them."""

SMALL = 1 << 16
"""Bodies up to this many bytes go out in one write with the head."""

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_REPEATABLE = frozenset({"GET", "HEAD"})
_BODILESS = frozenset({"GET", "HEAD", "DELETE", "OPTIONS"})
_PLAIN, _LENGTH, _REFUSED = range(3)
_RESERVED = frozenset({"host", "connection", "upgrade", "transfer-encoding"})


class Request:
    """A request ready to be written.

    Attributes:
        method: The method.
        target: Path and query.
        data: The encoded head, with a small body behind it.
        body: What has to be sent after `data`, `None` for nothing.
        length: The announced size of `body` in bytes, `None` if it goes out in chunks.
        upgrade: The protocol to switch to, `None` for an ordinary request.
    """

    __slots__ = ("body", "data", "length", "method", "target", "upgrade", "url")

    def __init__(
        self,
        method: str,
        target: str,
        host: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: Body = None,
        upgrade: str | None = None,
    ) -> None:
        if method not in _METHODS:
            raise IncusArgumentError(f"{method!r} is not a method that Incus knows; use one of {_listed(_METHODS)}")
        if not (target.startswith("/") and target.isascii() and target.isprintable()) or " " in target or "#" in target:
            raise IncusArgumentError(
                f"{method} {path_of(target)!r}: a target starts with a slash and consists of printable ASCII without"
                " spaces and #; quote the rest"
            )
        if upgrade is not None and not (upgrade.isascii() and upgrade.isalnum()):
            raise IncusArgumentError(f"{method} {path_of(target)}: {upgrade!r} is not the name of a protocol")
        self.method, self.target, self.url, self.upgrade = method, target, url, upgrade
        self.body: Body = None
        self.length: int | None = None
        head = f"{method} {target} HTTP/1.1\r\nHost: {host}\r\n"
        if headers:
            head += self._lines(headers)
        if upgrade is not None:
            head += f"Connection: Upgrade\r\nUpgrade: {upgrade}\r\n"
        self.data: bytes = self._framed(head, body)

    @property
    def label(self) -> str:
        """Method, path and endpoint, for messages."""
        return f"{self.method} {path_of(self.target)} on {self.url}"

    @property
    def repeatable(self) -> bool:
        """Whether sending it twice does what sending it once does."""
        return self.method in _REPEATABLE and self.body is None and self.length is None

    def _lines(self, headers: Mapping[str, str]) -> str:
        lines = ""
        for name, value in headers.items():
            # Values are never shown: some are credentials.
            kind = _kind(name)
            if kind == _REFUSED:
                raise IncusArgumentError(
                    f"{self.label}: {name!r} is not a header that can be given; names consist of letters, digits and"
                    f" hyphens, and {_listed(_RESERVED)} are set by the transport"
                )
            if not (value.isascii() and value.isprintable()):
                raise IncusArgumentError(f"{self.label}: the value of the header {name} is not printable ASCII")
            if kind == _LENGTH:
                self.length = self._announced(value)
            else:
                lines += f"{name}: {value}\r\n"
        return lines

    def _announced(self, value: str) -> int:
        if not value.isdigit():
            raise IncusArgumentError(f"{self.label}: Content-Length is {value!r}, not a number of bytes")
        return int(value)

    def _framed(self, head: str, body: Body) -> bytes:
        if body is None:
            if self.length:
                raise IncusArgumentError(
                    f"{self.label}: Content-Length announces {self.length} bytes, but no body is given"
                )
            self.length = None
            return (head + ("\r\n" if self.method in _BODILESS else "Content-Length: 0\r\n\r\n")).encode("ascii")
        if isinstance(body, bytes | bytearray | memoryview):
            return self._framed_bytes(head, body)
        self.body = body
        framing = "Transfer-Encoding: chunked" if self.length is None else f"Content-Length: {self.length}"
        return f"{head}{framing}\r\n\r\n".encode("ascii")

    def _framed_bytes(self, head: str, body: bytes | bytearray | memoryview) -> bytes:
        size = len(body) if isinstance(body, bytes) else memoryview(body).nbytes
        if self.length is not None and self.length != size:
            raise IncusArgumentError(f"{self.label}: Content-Length announces {self.length} bytes, the body has {size}")
        self.length = size
        data = f"{head}Content-Length: {size}\r\n\r\n".encode("ascii")
        if size <= SMALL:
            return data + body
        self.body = body
        return data


@lru_cache(maxsize=256)
def _kind(name: str) -> int:
    """What to do with a header. The same few names come with every request."""
    if not (name.isascii() and name.replace("-", "").isalnum()) or name.lower() in _RESERVED:
        return _REFUSED
    return _LENGTH if name.lower() == "content-length" else _PLAIN


def _listed(names: frozenset[str]) -> str:
    return ", ".join(sorted(names))
