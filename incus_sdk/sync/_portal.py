"""The event loop of a sync client, in a thread of its own, and the way into it.

Each client has one, shared with its views. It starts with the first call and ends with `close`, or when the client is
garbage. That it is another thread makes calls work where a loop runs already, as in notebooks.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import os
import selectors
import sys
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, ParamSpec, TypeVar

from .._transport.forks import forget
from ..exceptions import IncusConnectionError
from ._call import FORKED, Call

__all__ = ["Entrance", "Portal"]

P = ParamSpec("P")
T = TypeVar("T")

AT_EXIT = 2.0
"""Seconds that the interpreter's end is held up at most, for connections to be closed."""

DISCONNECTED = "this client is disconnected; connect() or another with block opens it again"

Disconnect = Callable[[], Coroutine[Any, Any, None]]


class Entrance:
    """The way into the loop of a client, which is started when it is needed.

    Args:
        disconnect: Closes everything that belongs to the loop; it runs there, last of all.
    """

    def __init__(self, disconnect: Disconnect) -> None:
        self._disconnect = disconnect
        self._lock = threading.RLock()  # a signal handler may make a call, too
        self._closed = False
        self._portal: Portal | None = None
        _living.add(self)

    def portal(self) -> Portal:
        """Return the loop that runs, or start one.

        Raises:
            IncusConnectionError: It is closed, or the system has nothing left to make a loop of.
        """
        while True:
            portal = self._portal
            if portal is not None and not portal.closed:
                return portal
            if portal is not None and not self._closed:
                portal.close()  # its end, if it is still under way, would close what is opened from now on
            with self._lock:
                if self._closed:
                    raise IncusConnectionError(DISCONNECTED)
                if self._portal is portal:
                    self._start(portal)

    def _start(self, before: Portal | None) -> None:
        try:
            portal = Portal(self._disconnect)
        except (OSError, RuntimeError) as error:  # no descriptors, or no threads
            raise IncusConnectionError(f"the client's event loop cannot be started: {error}", error) from error
        # A signal handler may have made a call meanwhile, or closed this; none comes in the middle of such a line.
        self._portal = portal if self._portal is before and not self._closed else self._portal
        if self._portal is not portal:
            portal.close()

    def reopen(self) -> None:
        """Let calls in again after `close`."""
        with self._lock:
            self._closed = False

    def close(self) -> None:
        """End the loop and its thread; calls under way in other threads raise `IncusConnectionError`."""
        with self._lock:
            self._closed = True
            portal = self._portal
        if portal is not None:
            portal.close()

    def at_exit(self) -> None:
        """Refuse calls from functions that run later."""
        self._closed = True

    def after_fork(self) -> None:
        """Begin anew, in a child process: the loop's thread is not there, and another may have held the lock."""
        self._lock = threading.RLock()
        self._portal = None


class Portal:
    """One loop while it runs; what was opened in it can be used in no other.

    Any number of threads may use it at the same time. It ends when it is garbage, too: nothing in the loop's thread
    refers to it.

    Args:
        disconnect: See `Entrance`.
    """

    def __init__(self, disconnect: Disconnect) -> None:
        self._loop = _Loop()
        weakref.finalize(self, self._loop.end).atexit = False
        self._loop.start(disconnect)
        _living.add(self)

    def run(self, function: Callable[P, Coroutine[Any, Any, T]], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Run the coroutine that `function` makes in the loop, and return its result.

        A `KeyboardInterrupt` cancels the coroutine, and waits until it has cleaned up; a second one waits no longer.

        Raises:
            IncusConnectionError: The portal is closed, or was closed meanwhile.
        """
        loop = self._loop
        if threading.current_thread() is loop.thread:
            raise RuntimeError(
                "a client was called from inside its own event loop, which would wait for itself for ever; logging "
                "handlers that use the client do that, for example"
            )
        call = Call(loop, function, args, kwargs)
        try:
            # In this order: either this sees that the loop has gone, or the loop's end sees the call.
            loop.calls.add(call)
            loop.used = True
            if loop.gone:
                raise IncusConnectionError(loop.gone)
            try:
                loop.tell(call.begin)
                return call.result()
            except BaseException:  # Ctrl-C can come at any line of this
                call.abandon()
                raise
        finally:
            loop.calls.discard(call)

    def run_last(
        self, function: Callable[P, Coroutine[Any, Any, object]], /, *args: P.args, **kwargs: P.kwargs
    ) -> None:
        """Run a coroutine that cleans up, if there still is something to do.

        The garbage collector, which finishes generators, may be at work in the loop's own thread: that does not wait.
        """
        loop = self._loop
        if self.closed:
            return
        if threading.current_thread() is loop.thread:
            loop.tell(Call(loop, function, args, kwargs).begin)
        else:
            self.run(function, *args, **kwargs)

    @property
    def open(self) -> list[Callable[[], Coroutine[Any, Any, None]]]:
        """What is to be run at the end, the last first, for what is still open by then; for the loop to use."""
        return self._loop.open

    @property
    def closed(self) -> bool:
        """Whether calls are refused: it has ended, or was the parent's before a fork."""
        return self._loop.gone is not None

    def close(self) -> None:
        """End the loop and its thread; calls under way in other threads raise `IncusConnectionError`."""
        self._loop.end()
        if threading.current_thread() is not self._loop.thread:
            self._loop.thread.join()

    def after_fork(self) -> None:
        """Refuse calls in a child process, where the loop does not run."""
        self._loop.after_fork()

    def at_exit(self) -> None:
        """End the loop without a word to the threads that wait: daemons', which would print tracebacks."""
        self._loop.muted = True
        self._loop.end()

    def join(self, timeout: float) -> None:
        """Wait until the thread has ended, but not for long."""
        self._loop.thread.join(timeout)


class _Loop:
    """A thread with a loop in it.

    Attributes:
        thread: The thread.
        calls: Calls that are under way.
        open: See `Portal.open`.
        gone: Why calls are refused; `None` if they are not.
        muted: Whether nobody is told any more how a call ended.
        used: Whether there ever was a call.
    """

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        # Not what a policy says: uvloop's loop cannot be left alone after a fork.
        self.loop: asyncio.AbstractEventLoop = asyncio.SelectorEventLoop(self._selector)
        try:
            bell = _Bell(self.loop, self._take)
        except OSError:
            self.loop.close()
            raise
        self._ring: Callable[[], None] = bell.ring
        self._stop = asyncio.Event()
        self.thread: threading.Thread
        self.calls: set[Call[Any]] = set()
        self.open: list[Callable[[], Coroutine[Any, Any, None]]] = []
        self._inbox: deque[tuple[Callable[..., object], tuple[object, ...]]] = deque()
        self.gone: str | None = None
        self.muted = self.used = False

    def start(self, disconnect: Disconnect) -> None:
        """Start the thread."""
        # A daemon, because a script that never disconnects has to end nevertheless.
        self.thread = threading.Thread(target=self._serve, args=(disconnect,), name="incus_sdk", daemon=True)
        try:
            self.thread.start()
        except RuntimeError:  # too many threads
            self.gone = DISCONNECTED
            self.loop.close()
            self._ring = _silent
            raise

    def _serve(self, disconnect: Disconnect) -> None:
        async def until_stopped() -> None:
            await self._stop.wait()
            try:
                if self.used:  # not if Ctrl-C came as it was started: the client knows nothing of it, and goes on
                    await disconnect()
            finally:
                while self.open:  # one inside of the other; asyncio would close their generators all at once
                    drop = self.open[-1]
                    with contextlib.suppress(Exception):  # that the connection is gone
                        await drop()

        # Not by `asyncio.Runner`, which waits for threads that look up names, minutes if need be.
        try:
            try:
                self.loop.run_until_complete(until_stopped())
            finally:
                self.loop.run_until_complete(_cancel_the_rest())
                self.loop.run_until_complete(self.loop.shutdown_asyncgens())
                self.loop.close()
        finally:
            self.gone = self.gone or DISCONNECTED
            self._ring = _silent
            for call in list(self.calls):
                call.end()

    def end(self) -> None:
        """Tell the loop to end, from whatever thread, and as often as you like."""
        if self.gone is None:
            self.gone = DISCONNECTED
        self.tell(self._stop.set)  # again, too: Ctrl-C may have come just here

    def tell(self, function: Callable[..., object], *args: object) -> None:
        """Have the loop call a function, unless there is no loop any more."""
        if self.gone is FORKED:  # the way to wake it up is the parent's, too
            return
        self._inbox.append((function, args))
        # Each time. Who left that to others who have not got so far would wait for them: a signal handler that makes a
        # call for the line that it has interrupted, and so for ever.
        self._ring()

    def _take(self) -> None:
        try:
            while self._inbox:
                function, args = self._inbox.popleft()
                function(*args)
        except BaseException:
            self._ring()  # for the others
            raise

    def after_fork(self) -> None:
        """Leave the loop alone, in a child process."""
        self.gone = FORKED
        # What watches the parent's sockets is shared with it: even closing the loop here would blind the parent.
        with contextlib.suppress(OSError, ValueError, AttributeError):  # it is closed, or nothing of the system's
            forget(self._selector.fileno())


class _Bell:
    """Makes a loop call a function, from any thread; nothing happens any more when the loop has ended.

    On Linux it is cheaper than asyncio's own way, which is a socket that it reads until there is nothing more.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, function: Callable[[], None]) -> None:
        self._loop, self._function = loop, function
        self._number: int | None = None
        if sys.platform == "linux" and hasattr(os, "eventfd"):  # not every build of Python has it
            self._number = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
            # When nobody can be about to write to it any more: its number will be another's.
            weakref.finalize(self, os.close, self._number).atexit = False
            loop.add_reader(self._number, self._answer)

    def ring(self) -> None:
        if sys.platform == "linux" and self._number is not None:
            os.eventfd_write(self._number, 1)
        else:
            with contextlib.suppress(RuntimeError):  # it has ended
                self._loop.call_soon_threadsafe(self._function)

    def _answer(self) -> None:
        if sys.platform == "linux" and self._number is not None:
            os.eventfd_read(self._number)
        self._function()


async def _cancel_the_rest() -> None:
    """Cancel what is left of the calls, and wait until all has ended."""
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _silent() -> None:
    """Take the place of a bell, which can go then."""


_living: weakref.WeakSet[Entrance | Portal] = weakref.WeakSet()


def _after_fork() -> None:
    for each in list(_living):
        each.after_fork()


def _at_exit() -> None:
    """Close what was left open, so that nobody has to complain about it."""
    for each in (everything := list(_living)):
        each.at_exit()
    portals = [each for each in everything if isinstance(each, Portal)]
    limit = time.monotonic() + AT_EXIT
    for portal in portals:
        portal.join(max(limit - time.monotonic(), 0))


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_after_fork)
atexit.register(_at_exit)
