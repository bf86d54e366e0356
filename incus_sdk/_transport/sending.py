"""Sending the body of a request while watching for an answer that comes before its end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator
from typing import TYPE_CHECKING

from ..exceptions import IncusArgumentError, IncusConnectionError

if TYPE_CHECKING:
    from .exchange import Exchange


async def send_body(exchange: Exchange) -> None:
    """Send the body of a request; return when the answer has arrived.

    Servers refuse uploads without reading them. So the answer is awaited while the body goes out, and ends it.

    Raises:
        IncusArgumentError: The body is shorter or longer than its Content-Length.
        Exception: Whatever the caller's iterator raises.
    """
    body = _Sender(exchange)
    sender = asyncio.ensure_future(body.run())
    arrived = exchange.arrived
    try:
        await asyncio.wait((sender, arrived), return_when=asyncio.FIRST_COMPLETED)
        if not arrived.done():
            _raise_callers(sender, body)
        # After a failed write, the answer that explains it may still be on its way.
        await arrived
    finally:
        await _end(sender)


def _raise_callers(sender: asyncio.Future[None], body: _Sender) -> None:
    try:
        sender.result()
    except IncusConnectionError as error:  # of this connection, unless the iterator has one of its own
        if error is body.failure:
            raise


async def _end(sender: asyncio.Future[None]) -> None:
    sender.cancel()
    await asyncio.wait((sender,))
    if not sender.cancelled():
        sender.exception()  # seen: an answer, or another error, came first


class _Sender:
    """Writes one body.

    Attributes:
        failure: What the caller's iterator has raised.
    """

    __slots__ = ("_connection", "_exchange", "failure")

    def __init__(self, exchange: Exchange) -> None:
        self.failure: BaseException | None = None
        self._exchange = exchange
        self._connection = exchange.connection

    async def run(self) -> None:
        body = self._exchange.request.body
        if isinstance(body, AsyncIterable):
            await self._all(body)
        elif body is not None:
            await self._connection.send(body)
        self._exchange.sending = False

    async def _all(self, body: AsyncIterable[bytes]) -> None:
        iterator = aiter(body)
        try:
            if self._exchange.request.length is None:
                await self._chunked(iterator)
            else:
                await self._announced(iterator, self._exchange.request.length)
        finally:
            # A generator that is not used up would otherwise be finished by a task of the event loop, later.
            if (close := getattr(iterator, "aclose", None)) is not None:
                await close()

    async def _chunked(self, iterator: AsyncIterator[bytes]) -> None:
        write = self._connection.transport.write
        while (piece := await self._next(iterator)) is not None:
            if piece:
                write(b"%x\r\n" % len(piece))
                await self._connection.send(piece)
                write(b"\r\n")
            else:
                await asyncio.sleep(0)  # an iterator that has nothing and does not wait would block everything
        write(b"0\r\n\r\n")

    async def _announced(self, iterator: AsyncIterator[bytes], length: int) -> None:
        left = length
        while (piece := await self._next(iterator)) is not None:
            left -= len(piece)
            if left < 0:
                raise self._mismatch(f"has more than the {length} bytes that its Content-Length announces")
            await self._connection.send(piece)
        if left:
            raise self._mismatch(f"ends {left} bytes before the {length} that its Content-Length announces")

    async def _next(self, iterator: AsyncIterator[bytes]) -> memoryview | None:
        """The caller's next piece. The time that it takes is not the server's."""
        exchange = self._exchange
        exchange.held = True
        try:
            piece = await anext(iterator)
        except StopAsyncIteration:
            return None
        except BaseException as error:
            self.failure = error
            raise
        finally:
            exchange.held = False
            self._connection.touch()
        try:
            return memoryview(piece).cast("B")
        except TypeError:
            text = f"{exchange.request.label}: the body's iterator must give bytes, not {type(piece).__name__}"
            raise TypeError(text) from None

    def _mismatch(self, what: str) -> IncusArgumentError:
        return IncusArgumentError(f"{self._exchange.request.label}: the body {what}")
