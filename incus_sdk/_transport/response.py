"""Answers, as callers get them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .inbox import Inbox


class Answer:
    """Status and headers of an answer.

    Attributes:
        status: HTTP status.
        headers: Names, in lower case, and values, as they were sent.
    """

    __slots__ = ("headers", "status")

    def __init__(self, status: int, headers: list[tuple[bytes, bytes]]) -> None:
        self.status: int = status
        self.headers: list[tuple[bytes, bytes]] = headers

    def header(self, name: str) -> str | None:
        """Value of the first header of that name, whatever its case; `None` if there is none."""
        wanted = name.lower().encode("latin-1")
        for key, value in self.headers:
            if key == wanted:
                return value.decode("latin-1")
        return None


class Response(Answer):
    """An answer with its whole body.

    Attributes:
        body: The body; empty where there is none.
    """

    __slots__ = ("body",)

    def __init__(self, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
        super().__init__(status, headers)
        self.body: bytes = body


class StreamResponse(Answer):
    """An answer whose body is read while it arrives.

    Iterating gives the pieces as they come. A read that is cancelled loses nothing. All ways to read raise
    `IncusTimeoutError` when the server falls silent, `IncusConnectionError` when the connection breaks before the end
    of the body and `IncusProtocolError` when its framing is wrong.
    """

    __slots__ = ("_inbox",)

    def __init__(self, status: int, headers: list[tuple[bytes, bytes]], inbox: Inbox) -> None:
        super().__init__(status, headers)
        self._inbox = inbox

    @property
    def content_length(self) -> int | None:
        """Announced size of the body in bytes, `None` if it was not announced."""
        value = self.header("content-length")
        return int(value) if value is not None else None

    async def read(self, n: int = -1) -> bytes:
        """Read up to `n` bytes, or the rest of the body if `n` is negative; empty at the end."""
        return await self._inbox.read(n)

    def __aiter__(self) -> StreamResponse:
        return self

    async def __anext__(self) -> bytes:
        if piece := await self._inbox.piece():
            return piece
        raise StopAsyncIteration
