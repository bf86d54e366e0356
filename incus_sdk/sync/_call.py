"""One coroutine in the loop of a client, and one thread that waits for it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterable, Iterator, Mapping
from contextvars import Context, ContextVar, copy_context
from queue import Empty, SimpleQueue
from typing import Any, Generic, Protocol, TypeVar, cast
from weakref import ReferenceType, ref

from ..exceptions import IncusConnectionError

__all__ = ["FORKED", "Call", "lend"]

T = TypeVar("T")

WAKE = 1.0
"""Seconds between two looks for signals while a thread waits."""

FORKED = (
    "this was opened by the parent of this process, to which its connection belongs; the client itself can be used, "
    "and connects anew"
)
"""Why a loop is gone in a child process."""


class Loop(Protocol):
    """The loop, as its calls see it.

    Attributes:
        loop: The event loop.
        gone: Why there are no calls any more; `None` if there are.
        muted: Whether those who wait are no longer told how calls ended.
    """

    loop: asyncio.AbstractEventLoop
    gone: str | None
    muted: bool

    def tell(self, function: Callable[..., object], *args: object) -> None:
        """Have the loop call a function, unless there is no loop any more."""


class Call(Generic[T]):
    """One coroutine in the loop, and one thread that waits for it.

    While it waits, the thread runs what the coroutine asks it to: code of the user, such as a generator that makes a
    body, belongs in the user's thread.

    Args:
        loop: The loop.
        function: Makes the coroutine, in the loop.
        args: Its arguments.
        kwargs: Those with names.
    """

    __slots__ = (
        "__weakref__",
        "_args",
        "_context",
        "_ended",
        "_error",
        "_function",
        "_kwargs",
        "_loop",
        "_requests",
        "_task",
        "_value",
    )

    def __init__(
        self,
        loop: Loop,
        function: Callable[..., Coroutine[Any, Any, T]],
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
    ) -> None:
        self._loop, self._function, self._args, self._kwargs = loop, function, args, kwargs
        self._requests: SimpleQueue[Callable[[], None] | None] = SimpleQueue()  # None at the end
        self._task: asyncio.Task[None] | None = None
        self._ended = False
        self._value: T | None = None
        self._error: BaseException | None = None
        # That of the caller, for what depends on it, such as tracing; until it has begun, or been cancelled.
        self._context: Context | None = copy_context()

    # -- in the loop --------------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Start, unless everything is about to end."""
        if self._context is None or self._loop.gone:
            self.end()
            return
        context, self._context = self._context, None  # it refers to this: no cycle of the two
        context.run(_current.set, ref(self))
        self._task = self._loop.loop.create_task(self._run(), context=context)

    async def _run(self) -> None:
        try:
            # The coroutine is made here, so that one that an interrupt left aside is not one that was never awaited.
            self._value = await self._function(*self._args, **self._kwargs)
        except BaseException as error:  # noqa: BLE001 - it is raised where somebody waits
            self._error = error
        else:
            self._error = _NONE
        self.end()  # not in the loop's next turn

    async def ask(self, function: Callable[[], T]) -> T:
        """Run a function in the thread that waits."""
        answer: asyncio.Future[T] = self._loop.loop.create_future()

        def run() -> None:
            try:
                value = function()
            except Exception as error:  # noqa: BLE001 - it goes where the value would have gone
                self._loop.tell(_settle, answer, None, error)
            else:
                self._loop.tell(_settle, answer, value, None)

        self._requests.put(run)
        return await answer

    def end(self, task: asyncio.Task[None] | None = None) -> None:
        """Let go of who waits, once. Without a result by now there will be none."""
        self._task = None
        if not self._ended:
            self._ended = True
            if not self._loop.muted:
                self._requests.put(None)

    def _cancel(self) -> None:
        self._context = None
        if self._task is not None:
            self._task.add_done_callback(self.end)  # of a task that is cancelled before its first step nothing runs
            self._task.cancel()
        else:  # it never began
            self.end()

    # -- in the thread that calls -------------------------------------------------------------------------------------

    def result(self) -> T:
        """Wait for the end."""
        while request := self._next_request():
            request()
        error, self._error = self._error, None
        try:
            if error is _NONE:
                return cast("T", self._value)
            if error is None or isinstance(error, asyncio.CancelledError):
                text = "the client was disconnected while this was under way"
                raise IncusConnectionError(text, sent=self._context is None) from None
            raise error
        finally:
            del error  # it refers to this frame: no cycle of the two

    def abandon(self) -> None:
        """Cancel the coroutine unless it has ended, and wait until it has."""
        if not self._ended and self._loop.gone is not FORKED:
            self._loop.tell(self._cancel)
            while self._next_request():
                pass  # nothing is run any more; who asked is cancelled
        self._error = None

    def _next_request(self) -> Callable[[], None] | None:
        while self._loop.gone is not FORKED:
            # A signal that arrives just before the thread goes to sleep is noticed only when it wakes up.
            with contextlib.suppress(Empty):
                return self._requests.get(timeout=WAKE)
        raise IncusConnectionError(FORKED, sent=True)  # by a body of the user, which goes on in both processes


_NONE = BaseException()
"""The error of a call that has a result."""

_current: ContextVar[ReferenceType[Call[Any]]] = ContextVar("_current")
"""The call that is under way. A connection that it opens keeps its context, and must not keep its result."""


def _settle(answer: asyncio.Future[Any], value: object, error: Exception | None) -> None:
    if answer.done():  # cancelled
        return
    if error is None:
        answer.set_result(value)
    else:  # no future takes a StopIteration, and who waits would wait for ever
        answer.set_exception(RuntimeError(repr(error)) if isinstance(error, StopIteration) else error)


_END = object()  # not None, which a broken iterator may give in the middle of a body


async def lend(pieces: Iterable[bytes]) -> AsyncGenerator[bytes]:
    """Iterate in the thread that waits for the call which this is part of."""
    call = _current.get()()
    if call is None:  # it waits for this, so it is there
        raise RuntimeError("a body is read by a call that has ended")
    iterator: Iterator[bytes] = await call.ask(lambda: iter(pieces))
    while (piece := await call.ask(lambda: next(iterator, _END))) is not _END:
        yield cast("bytes", piece)
