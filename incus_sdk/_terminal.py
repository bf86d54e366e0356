"""The terminal that this process runs on, lent to a command elsewhere; only where there is Unix."""

from __future__ import annotations

import asyncio
import atexit
import os
import signal
import termios
import threading
import tty
from collections.abc import Generator
from contextlib import ExitStack, contextmanager, suppress
from types import FrameType, TracebackType
from typing import Any, Self

from ._local_streams import LocalInput, LocalOutput

__all__ = ["Terminal", "on_terminal"]

FATAL = (signal.SIGHUP, signal.SIGQUIT, signal.SIGTERM)
"""Signals that end a process which does nothing about them; Ctrl-C is an exception in Python, and needs no care."""

LOOK = 1.0
"""Seconds between two looks at the size, where no signal tells of a change: those are for the main thread only."""

USUAL = (80, 24)
"""Columns and rows of a terminal that does not know its size, such as a serial line."""


def on_terminal(stdin: int = 0, stdout: int = 1) -> bool:
    """Whether this process reads from a terminal and writes to one."""
    return os.isatty(stdin) and os.isatty(stdout)


class Terminal:
    """This process' own terminal, in raw mode within an `async with` block: keys come as they are typed.

    Nothing is interpreted here meanwhile: Ctrl-C is the byte 3. The terminal is as it was before when the block ends,
    when the process does, and when a signal kills or stops it. Output of other parts of the process is not prevented,
    but lacks its carriage returns.

    Signals can be heard in the main thread only. Where the event loop runs in another, the main thread enters
    `signals()` around all of it; without that, changes of the size are noticed after a second, and a signal that kills
    leaves the terminal as it is.

    Args:
        stdin: Descriptor to read keys from; it must be a terminal.
        stdout: Descriptor to write to.
    """

    def __init__(self, stdin: int = 0, stdout: int = 1) -> None:
        self._stdin = stdin
        self._stdout = stdout
        self._before: list[Any] | None = None  # while it is raw
        self._listening = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._changed = asyncio.Event()
        self._told: tuple[int, int] | None = None
        self._stack = ExitStack()

    @property
    def size(self) -> tuple[int, int]:
        """Columns and rows."""
        for fd in (self._stdout, self._stdin):
            with suppress(OSError):  # it is none
                columns, rows = os.get_terminal_size(fd)
                return columns or USUAL[0], rows or USUAL[1]
        return USUAL

    async def __aenter__(self) -> Self:
        with ExitStack() as stack:
            self._keys, self._screen = LocalInput(self._stdin), LocalOutput(self._stdout)
            stack.callback(self._keys.close)
            stack.callback(self._screen.close)
            self._loop = asyncio.get_running_loop()
            if not self._listening and threading.current_thread() is threading.main_thread():
                stack.enter_context(self.signals())
            atexit.register(self.restore)  # for threads that do not come to an end
            stack.callback(atexit.unregister, self.restore)
            stack.callback(self.restore)
            self._make_raw()
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop = None
        self._stack.close()

    async def read(self) -> bytes:
        """Wait for keys, and return their bytes; none when the terminal has hung up."""
        return await self._keys.read()

    async def write(self, data: bytes) -> None:
        """Show bytes, waiting for room; a terminal that is held, as by Ctrl-S, makes only this wait.

        Raises:
            OSError: The terminal has hung up.
        """
        await self._screen.write(data)

    async def resized(self) -> tuple[int, int]:
        """Wait until the size is another than this has returned before, and return it; at once for the first time."""
        while (size := self.size) == self._told:
            with suppress(TimeoutError):
                async with asyncio.timeout(None if self._listening else LOOK):
                    await self._changed.wait()
            self._changed.clear()
        self._told = size
        return size

    def restore(self) -> None:
        """Put the terminal back to how it was before, from whatever thread; nothing if it is."""
        before, self._before = self._before, None
        if before is not None and not _in_background(self._stdin):  # there it is the shell's
            with suppress(termios.error):  # it has hung up
                termios.tcsetattr(self._stdin, termios.TCSANOW, before)

    @contextmanager
    def signals(self) -> Generator[None]:
        """Within the block, listen to signals that concern the terminal; in the main thread only.

        Signals that somebody else has a handler for, other than those of the terminal itself, are left to that.
        """
        handlers: dict[signal.Signals, Any] = {
            signal.SIGWINCH: self._on_change,
            signal.SIGCONT: self._on_continue,
            signal.SIGTSTP: self._on_stop,
        } | dict.fromkeys(FATAL, self._on_end)
        own = {signal.SIGWINCH, signal.SIGCONT}
        before = {number: signal.getsignal(number) for number in handlers}
        wanted = [number for number in handlers if before[number] is signal.SIG_DFL or number in own]
        for number in wanted:
            signal.signal(number, handlers[number])
        self._listening = True
        try:
            yield
        finally:
            self._listening = False
            for number in wanted:
                signal.signal(number, before[number] or signal.SIG_DFL)  # `None` is one that is not of Python

    # -- signals, in the main thread ----------------------------------------------------------------------------------

    def _on_change(self, number: int, frame: FrameType | None) -> None:
        if (loop := self._loop) is not None:
            with suppress(RuntimeError):  # the loop is closed
                loop.call_soon_threadsafe(self._changed.set)

    def _on_continue(self, number: int, frame: FrameType | None) -> None:
        # Whoever had the terminal meanwhile has set it up in another way, and may have changed its size.
        if self._before is not None and not _in_background(self._stdin):
            with suppress(termios.error):  # it has hung up, of which the kernel tells by this signal as well
                tty.setraw(self._stdin, termios.TCSANOW)
        self._on_change(number, frame)

    def _on_stop(self, number: int, frame: FrameType | None) -> None:
        before = self._before
        self.restore()
        self._before = before
        os.kill(os.getpid(), signal.SIGSTOP)

    def _on_end(self, number: int, frame: FrameType | None) -> None:
        self.restore()
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)

    def _make_raw(self) -> None:
        self._before = termios.tcgetattr(self._stdin)
        tty.setraw(self._stdin, termios.TCSANOW)  # not TCSAFLUSH: what was typed ahead is meant for the command


def _in_background(fd: int) -> bool:
    """Whether the terminal is another job's now: then it is not ours to set up, and trying to would stop us."""
    try:
        return os.tcgetpgrp(fd) != os.getpgrp()
    except OSError:  # it is not what controls this process, or has hung up
        return False
