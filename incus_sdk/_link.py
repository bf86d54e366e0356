"""The connections that all views of a client share, and when a request over them is sent again."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable
from typing import Any, NoReturn, TypeVar
from weakref import WeakSet

from . import config
from ._requests import label
from ._transport import Response, Transport, may_come
from ._transport.response import Answer
from .exceptions import IncusArgumentError, IncusConnectionError

__all__ = ["Link", "at_least_zero"]

A = TypeVar("A")

SAFE = frozenset({"GET", "HEAD"})
"""Methods that change nothing, so that sending them twice does no harm."""

FIRST, FACTOR, LONGEST = 0.2, 4, 5.0
"""Seconds of the first pause at most, by what each is longer than the one before, and how long one can get."""

LONGEST_WISH = 30.0
"""Seconds that are waited if the server names them (`Retry-After`); if it wants more, its answer counts at once."""

_log = logging.getLogger("incus_sdk.api")


class Link:
    """The transport of a client, made when it is needed, and what decides about further attempts.

    Attributes:
        transport: The transport, `None` before the first use and after the end.
        closed: Whether the user has disconnected.
        connected: Whether the server has answered before; who refuses from then on may be restarting.
        timeout: Seconds that connecting may take, and that the server may be silent.
        retries: How many further attempts there are.
        extensions: API extensions that the server is known to have.
    """

    __slots__ = (
        "__weakref__",
        "_cert",
        "_endpoint",
        "_verify",
        "closed",
        "connected",
        "extensions",
        "retries",
        "timeout",
        "transport",
    )

    def __init__(self, endpoint: str | None, cert: Any, verify: Any, timeout: float | None, retries: int) -> None:
        at_least_zero(timeout, "timeout")
        if timeout == 0:
            raise IncusArgumentError("timeout cannot be 0: nothing would be in time; None waits for ever")
        if not isinstance(retries, int):
            raise TypeError(f"retries must be a whole number, not {retries!r}")
        at_least_zero(retries, "retries")
        self._endpoint, self._cert, self._verify = endpoint, cert, verify
        self.timeout, self.retries = timeout, retries
        self.transport: Transport | None = None
        self.closed = self.connected = False
        self.extensions: frozenset[str] = frozenset()
        _links.add(self)

    def open(self) -> Transport:
        """Return the transport, which does not connect before its first request."""
        if self.transport is None:
            if self.closed:
                raise IncusConnectionError(
                    "this client is disconnected; connect() or another with block opens it again"
                )
            found = config.resolve_endpoint(self._endpoint, self._cert, self._verify)
            self.transport = Transport(found, timeout=self.timeout)
        return self.transport

    async def close(self) -> None:
        """Close all connections; calls under way fail."""
        self.closed = True
        transport, self.transport = self.transport, None
        if transport is not None:
            await transport.close()

    def abandon(self) -> None:
        """Let go of all connections in a child process, whose parent goes on to use them."""
        transport, self.transport = self.transport, None
        if transport is not None:
            transport.abandon()

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            "a client cannot be copied or sent to another process: it has connections, and may have a key; make one in "
            "each process"
        )

    async def persist(
        self, method: str, path: str, send: Callable[[Transport], Awaitable[A]], *, again: bool = True
    ) -> A:
        """Send a request, again where that can do no harm, and return what came of it.

        Args:
            method: Its method, which tells whether it changes something.
            path: Its path, for the log.
            send: Sends it.
            again: Whether `send` can be called more than once.
        """
        transport, number = self.open(), 0
        while True:
            try:
                answer = await send(transport)
            except IncusConnectionError as error:
                over = not again or number >= self.retries or self.transport is not transport
                if over or not self._is_passing(error, method):
                    raise
                pause, why = _pause(number), str(error)
            else:
                self.connected = True
                unready = _unready(answer)
                if unready is None or method not in SAFE or not again or number >= self.retries:
                    return answer
                pause, why = _pause(number, unready), "the server is not ready"
                if pause > LONGEST_WISH:
                    return answer
            _log.debug("%s: %s; again in %.1f s", label(method, path), why, pause)
            number += 1
            await asyncio.sleep(pause)

    def _is_passing(self, error: IncusConnectionError, method: str) -> bool:
        """Whether another attempt may fare better, and does no harm."""
        if error.sent:
            return method in SAFE
        # A daemon that restarts makes its socket anew. A peer that is not the one expected stays so.
        gone = self.connected and isinstance(error.cause, FileNotFoundError | PermissionError)
        return gone or may_come(error.cause)


_links: WeakSet[Link] = WeakSet()


def _after_fork() -> None:
    for link in list(_links):
        link.abandon()


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_after_fork)


def _unready(answer: object) -> Answer | None:
    """Return an answer by which a server says that it is starting or stopping, `None` for any other."""
    if not isinstance(answer, Answer) or answer.status < 500:
        return None
    # The last that a stopping server says to reading requests, for some hundredths of a second, is a 500.
    closed = answer.status == 500 and isinstance(answer, Response) and b"sql: database is closed" in answer.body
    return answer if closed or answer.status == 503 else None


def _pause(number: int, answer: Answer | None = None) -> float:
    """Seconds to wait before another attempt: longer each time, and never the same for all clients of a server."""
    import random  # most programs never need it

    pause: float = min(FIRST * FACTOR ** min(number, 9), LONGEST) * random.uniform(0.5, 1.0)  # noqa: S311 - jitter, no secret
    wish = answer.header("retry-after") if answer is not None else None
    return max(pause, _seconds(wish)) if wish else pause


def _seconds(wish: str) -> float:
    """Read a `Retry-After`: a number of seconds or a date."""
    if wish.isascii() and wish.isdigit():
        return float(wish)
    from datetime import UTC, datetime
    from email.utils import parsedate_to_datetime

    try:
        date = parsedate_to_datetime(wish)
    except (ValueError, OverflowError):
        return 0.0
    left = date.replace(tzinfo=date.tzinfo or UTC) - datetime.now(UTC)
    return left.total_seconds()


def at_least_zero(value: object, what: str) -> None:
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{what} must be a number, not {value!r}")
    if not value >= 0:  # nor is NaN
        raise IncusArgumentError(f"{what} cannot be {value}: it must be 0 or more")
