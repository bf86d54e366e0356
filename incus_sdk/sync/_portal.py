"""The event loop of a sync client, in a thread of its own, and the way into it.

Each client has one, shared with its views. It starts with the first call and ends with `close`, or when the client is
garbage. That it is another thread makes calls work where a loop runs already, as in notebooks.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import threading
import weakref
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterable, Iterator
from contextvars import Context, ContextVar, copy_context
from queue import Empty, SimpleQueue
from typing import Any, Generic, ParamSpec, TypeVar, cast

from ..exceptions import IncusConnectionError

__all__ = ["Portal", "lend"]

P = ParamSpec("P")
T = TypeVar("T")

WAKE = 1.0
"""Seconds between two looks for signals while a thread waits."""

Disconnect = Callable[[], Coroutine[Any, Any, None]]


class Portal:
    """Runs coroutines for threads that wait for them; any number of threads may do so at the same time.

    Args:
        disconnect: Closes everything that belongs to the loop; it runs there, last of all. It must not refer to the
            portal, since the loop's thread holds on to it.
    """

    def __init__(self, disconnect: Disconnect) -> None:
        self._disconnect = disconnect
        # Guards these, and orders calls before the end: whatever is scheduled under it comes to run.
        self._lock = threading.Lock()
        self._closed = False
        self._running: _Running | None = None

    def run(self, function: Callable[P, Coroutine[Any, Any, T]], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Run the coroutine that `function` makes in the loop, and return its result.

        A `KeyboardInterrupt` cancels the coroutine, and waits until it has cleaned up; a second one waits no longer.

        Raises:
            IncusConnectionError: The portal is closed, or was closed meanwhile.
        """
        call: _Call[T] | None = None
        try:
            with self._lock:
                running = self._start()
                call = _Call(running.loop, functools.partial(function, *args, **kwargs))
                running.loop.call_soon_threadsafe(call.begin, copy_context())
            return call.result()
        except BaseException:  # Ctrl-C can come at any line of this
            if call is not None:
                call.abandon()
            raise

    @property
    def closed(self) -> bool:
        """Whether calls are refused, since `close` and until `reopen`."""
        return self._closed

    def reopen(self) -> None:
        """Let calls in again after `close`."""
        with self._lock:
            self._closed = False

    def close(self) -> None:
        """End the loop and its thread; calls under way in other threads raise `IncusConnectionError`."""
        with self._lock:
            self._closed = True
            running, self._running = self._running, None
        if running is not None:
            running.end()
            running.thread.join()

    def _start(self) -> _Running:
        if self._closed:
            raise IncusConnectionError("this client is disconnected; connect() or another with block opens it again")
        if self._running is None:
            self._running = _Running(self._disconnect)
            weakref.finalize(self, self._running.end)
        if threading.current_thread() is self._running.thread:
            raise RuntimeError(
                "a client was called from inside its own event loop, which would wait for itself for ever; logging "
                "handlers that use the client do that, for example"
            )
        return self._running


class _Running:
    """A thread with a loop in it. Nothing in there refers to the portal, so that the latter can become garbage."""

    def __init__(self, disconnect: Disconnect) -> None:
        started: SimpleQueue[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = SimpleQueue()
        # A daemon, because a script that never disconnects has to end nevertheless.
        self.thread = threading.Thread(target=_serve, args=(disconnect, started), name="incus_sdk", daemon=True)
        self.thread.start()
        self.loop, self._stop = started.get()

    def end(self) -> None:
        """Tell the loop to end, from whatever thread, and as often as you like."""
        with contextlib.suppress(RuntimeError):  # it has ended
            self.loop.call_soon_threadsafe(self._stop.set)


def _serve(disconnect: Disconnect, started: SimpleQueue[tuple[asyncio.AbstractEventLoop, asyncio.Event]]) -> None:
    async def until_stopped() -> None:
        stop = asyncio.Event()
        started.put((asyncio.get_running_loop(), stop))
        await stop.wait()
        await disconnect()

    asyncio.run(until_stopped())  # which cancels what is left of the calls, and so wakes those who wait for them


class _Call(Generic[T]):
    """One coroutine in the loop, and one thread that waits for it.

    While it waits, the thread runs what the coroutine asks it to: code of the user, such as a generator that makes a
    body, belongs in the user's thread.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, function: Callable[[], Coroutine[Any, Any, T]]) -> None:
        self._loop = loop
        self._function = function
        self._requests: SimpleQueue[Callable[[], None] | None] = SimpleQueue()  # None at the end
        self._task: asyncio.Task[T] | None = None
        self._ended = False

    def begin(self, context: Context) -> None:
        """Start; runs in the loop. The context is that of the caller, for what depends on it, such as tracing."""
        context.run(_current_call.set, self)
        self._task = self._loop.create_task(self._run(), context=context)
        self._task.add_done_callback(self._end)

    def result(self) -> T:
        """Wait for the end; runs in the thread that called."""
        while request := self._next_request():
            request()
        task, self._task = self._task, None
        try:
            return cast("asyncio.Task[T]", task).result()
        except asyncio.CancelledError:
            raise IncusConnectionError("the client was disconnected while this was under way", sent=True) from None
        finally:
            del task  # its exception refers to this frame: no cycle of the two

    async def _run(self) -> T:
        # The coroutine is made here, so that one that an interrupt left aside is not one that was never awaited.
        return await self._function()

    async def ask(self, function: Callable[[], T]) -> T:
        """Run a function in the waiting thread; called from the loop."""
        if self._ended:  # a stream's request body that goes on after the answer has begun
            return await asyncio.to_thread(function)
        answer: asyncio.Future[T] = self._loop.create_future()

        def run() -> None:
            try:
                value = function()
            except Exception as error:  # noqa: BLE001 - it goes where the value would have gone
                self._loop.call_soon_threadsafe(_settle, answer, None, error)
            else:
                self._loop.call_soon_threadsafe(_settle, answer, value, None)

        self._requests.put(run)
        return await answer

    def abandon(self) -> None:
        """Cancel the coroutine unless it has ended, and wait until it has."""
        if self._ended:
            return
        self._loop.call_soon_threadsafe(self._cancel)
        while self._next_request():
            pass  # nothing is run any more; who asked is cancelled

    def _cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()
        else:  # it never began
            self._end()

    def _end(self, task: asyncio.Task[T] | None = None) -> None:
        if task is not None and not task.cancelled():
            task.exception()  # seen: asyncio would complain about one that nobody looks at after Ctrl-C
        self._ended = True
        self._requests.put(None)

    def _next_request(self) -> Callable[[], None] | None:
        while True:
            # A signal that arrives just before the thread goes to sleep is noticed only when it wakes up.
            with contextlib.suppress(Empty):
                return self._requests.get(timeout=WAKE)


_current_call: ContextVar[_Call[Any]] = ContextVar("_current_call")


def _settle(answer: asyncio.Future[Any], value: object, error: Exception | None) -> None:
    if answer.done():  # cancelled
        return
    if error is None:
        answer.set_result(value)
    else:
        answer.set_exception(error)


_END = object()  # not None, which a broken iterator may give in the middle of a body


async def lend(pieces: Iterable[bytes]) -> AsyncGenerator[bytes]:
    """Iterate in the thread that waits for the call which this is part of."""
    iterator: Iterator[bytes] = iter(pieces)
    call = _current_call.get()
    while (piece := await call.ask(lambda: next(iterator, _END))) is not _END:
        yield cast("bytes", piece)
