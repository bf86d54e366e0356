"""What is open in the loop while a thread uses it: it is closed in the end, wherever an interrupt comes."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from contextlib import AbstractAsyncContextManager, contextmanager
from types import TracebackType
from typing import Any, Generic, ParamSpec, Protocol, TypeVar, cast

from ..exceptions import IncusConnectionError
from ._portal import Portal

__all__ = ["called", "held", "iterated", "obtained"]

P = ParamSpec("P")
T = TypeVar("T")


class Abortable(Protocol):
    """A connection of its own."""

    def abort(self) -> None:
        """Hang up at once."""


A = TypeVar("A", bound=Abortable)


class _Inside(Generic[T]):
    """An asynchronous context manager, and whether somebody is inside of it: both are the loop's affair.

    So it is known when Ctrl-C comes just as it has been entered, and the thread does not get to see that.
    """

    def __init__(self, portal: Portal, manager: AbstractAsyncContextManager[T]) -> None:
        self._open, self._manager = portal.open, manager
        self._entered = False

    async def enter(self) -> T:
        value = await self._manager.__aenter__()
        self._entered = True
        self._open.append(self.drop)
        return value

    async def leave(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._entered:
            self._entered = False
            self._open.remove(self.drop)
            await self._manager.__aexit__(kind, error, trace)

    async def drop(self) -> None:
        error = asyncio.CancelledError()
        await self.leave(type(error), error, None)


@contextmanager
def held(portal: Portal, manager: AbstractAsyncContextManager[T], *, by_then: bool = False) -> Generator[T]:
    """Enter an asynchronous context manager for a block; what the block raises is what counts.

    Args:
        portal: The loop.
        manager: What to enter.
        by_then: Whether it is all right if the loop has ended when the block does.
    """
    inside = _Inside(portal, manager)
    try:
        yield portal.run(inside.enter)
        if by_then:
            portal.run_last(inside.leave, None, None, None)
        else:
            portal.run(inside.leave, None, None, None)
    except BaseException:  # Ctrl-C, too, while it is left
        try:
            portal.run_last(inside.leave, *sys.exc_info())
        except IncusConnectionError:
            if not portal.closed:
                raise
        except KeyboardInterrupt:
            portal.run_last(inside.drop)  # unless it has been left by now
            raise
        raise


def obtained(portal: Portal, function: Callable[P, Coroutine[Any, Any, A]], /, *args: P.args, **kwargs: P.kwargs) -> A:
    """Open a connection; one that nobody gets to see, because of an interrupt, is dropped."""
    found: list[A] = []

    async def obtain() -> None:
        found.append(await function(*args, **kwargs))

    try:
        portal.run(obtain)
        return found[0]
    except BaseException:
        for each in found:
            portal.run_last(called, each.abort)
        raise


def iterated(portal: Portal, source: AsyncGenerator[T]) -> Generator[T]:
    """Iterate; the generator is closed when the loop over this is left."""
    try:
        while (item := portal.run(_next, source)) is not _END:
            yield cast("T", item)
    finally:
        portal.run_last(source.aclose)


_END = object()


async def _next(source: AsyncGenerator[T]) -> T | object:
    return await anext(source, _END)


async def called(function: Callable[[], None]) -> None:
    """Call a function in the loop, to which it belongs."""
    function()
