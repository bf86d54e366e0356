"""A command in an instance on the standard streams of this process: its terminal, or whatever they are."""

from __future__ import annotations

import asyncio
import errno
import os
import sys
import threading
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import AbstractContextManager, AsyncExitStack, closing, nullcontext, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ._commands import CommandOptions
from ._exec_process import cancelled
from .exceptions import IncusBrokenPipeError, IncusError

if TYPE_CHECKING:
    from ._commands import Arguments
    from ._exec_streams import InputStream, OutputStream
    from ._terminal import Terminal
    from .consoles import Console
    from .execution import Process

__all__ = ["Seat", "flush", "login", "relayed", "resized", "take_seat", "with_term"]

Sink = Callable[[bytes], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Seat:
    """What a command gets of this process.

    Attributes:
        size: Columns and rows of the terminal that it gets in the instance; `None` for pipes.
        terminal: The terminal here that keys are read from, which is raw meanwhile; `None` if there is none.
    """

    size: tuple[int, int] | None = None
    terminal: Terminal | None = None

    def signals(self) -> AbstractContextManager[None]:
        """Listen to the signals of the terminal, in the main thread; where there are none to be heard, to nothing."""
        main = threading.current_thread() is threading.main_thread()
        return self.terminal.signals() if self.terminal is not None and main else nullcontext()


def take_seat(tty: bool | None) -> Seat:
    """Choose what a command gets: a terminal if one is wanted; if nobody said, where this process is on one.

    Raises:
        IncusError: This is no Unix.
    """
    try:
        from ._terminal import Terminal, on_terminal
    except ImportError as error:
        raise IncusError(f"commands on the streams of this process are for Unix, and this is {sys.platform}") from error
    if not (on_terminal() if tty is None else tty):
        return Seat()
    terminal = Terminal()
    return Seat(terminal.size, terminal if os.isatty(0) else None)


def login(options: CommandOptions) -> Arguments:
    """Return the command of a login shell; not that of `su` where it would undo what is wanted of it."""
    return ["sh", "-l"] if any(value is not None for value in options.values()) else ["su", "-l"]


def with_term(options: CommandOptions) -> CommandOptions:
    """Add the kind of the terminal here, unless another one is wanted."""
    given = options.get("environment") or {}
    if "TERM" not in os.environ or not isinstance(given, Mapping):  # which is refused later
        return options
    added = options.copy()
    added["environment"] = {"TERM": os.environ["TERM"], **given}
    return added


async def relayed(process: Process, seat: Seat) -> int:
    """Connect a command to the standard streams of this process until it ends, and return its exit code.

    Raises:
        IncusError: The command could not be run, or the connection broke.
        OSError: One of the streams here is of no use: `BrokenPipeError`, if nobody reads any more.
    """
    flush()
    async with AsyncExitStack() as stack:
        if seat.terminal is None:
            return await _piped(process, stack)
        terminal = await stack.enter_async_context(seat.terminal)
        return await _first(
            _ended(process, [(process.stdout, terminal.write)]),
            _typed(process.stdin, terminal),
            resized(process, terminal),
        )


async def _piped(process: Process, stack: AsyncExitStack) -> int:
    from ._local_streams import LocalInput, LocalOutput

    source = stack.enter_context(closing(LocalInput()))
    sinks: list[tuple[OutputStream, Sink]] = []
    for number, stream in ((1, process.stdout), (2, process.stderr)):
        if stream is not None:
            sinks.append((stream, stack.enter_context(closing(LocalOutput(number))).write))
    return await _first(_ended(process, sinks), _fed(process.stdin, source.read))


async def _first(main: Coroutine[Any, Any, int], *beside: Coroutine[Any, Any, None]) -> int:
    """Return what comes of the first one; the others, which may end before it, are cancelled then."""
    end = asyncio.create_task(main)
    tasks = [end, *map(asyncio.create_task, beside)]
    pending: set[asyncio.Task[Any]] = set(tasks)
    try:
        while not end.done():
            done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        return end.result()
    finally:
        await cancelled(tasks)
        for task in tasks:
            if not task.cancelled():
                task.exception()  # seen, if several failed


async def _ended(process: Process, sinks: list[tuple[OutputStream, Sink]]) -> int:
    # Output first: while somebody waits for the end, all that comes is fetched.
    copies = [asyncio.create_task(_copied(stream, write)) for stream, write in sinks]
    try:
        await asyncio.gather(*copies)
    finally:
        await cancelled(copies)
    return await process.wait()


async def _copied(stream: OutputStream, write: Sink) -> None:
    async for piece in stream.chunks():
        await write(piece)


async def _fed(stdin: InputStream, read: Callable[[], Awaitable[bytes]]) -> None:
    with suppress(IncusBrokenPipeError):  # it wants no more
        while data := await read():
            await stdin.write(data)
        await stdin.write_eof()


async def _typed(stdin: InputStream, terminal: Terminal) -> None:
    with suppress(IncusBrokenPipeError):
        while data := await terminal.read():
            await stdin.write(data)
        raise OSError(errno.EIO, "the terminal of this process has hung up")


async def resized(there: Process | Console, terminal: Terminal) -> None:
    """Tell of each size of the terminal, until this is cancelled."""
    while True:
        await there.resize(*await terminal.resized())


def flush() -> None:
    """Write what was printed before, so that it comes before."""
    for written in (sys.stdout, sys.stderr):
        if written is not None:
            written.flush()
