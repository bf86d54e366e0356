"""The console of an instance on the standard streams of this process: its terminal, or whatever they are."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, closing, suppress
from typing import TYPE_CHECKING

from ._exec_local import flush, resized
from ._exec_process import cancelled
from .exceptions import IncusBrokenPipeError

if TYPE_CHECKING:
    from ._exec_local import Seat
    from .consoles import Console

__all__ = ["Escape", "relayed"]

Read = Callable[[], Awaitable[bytes]]
Write = Callable[[bytes], Awaitable[None]]

HINT = b"To detach from the console, press Ctrl-a q\r\n"


class Escape:
    """Looks for Ctrl-a q among the keys, as terminal multiplexers have it; Ctrl-a twice stands for one.

    Attributes:
        found: Whether it was there; keys after that are nobody's.
    """

    START, END = b"\x01", b"q"

    def __init__(self) -> None:
        self.found = False
        self._begun = False

    def sift(self, keys: bytes) -> bytes:
        """Return what of the keys is for the console."""
        passed = bytearray()
        for key in (keys[i : i + 1] for i in range(len(keys))):
            if not self._begun:
                self._begun = key == self.START
                passed += b"" if self._begun else key
            elif key == self.END:
                self.found = True
                break
            else:
                self._begun = False
                passed += key if key == self.START else self.START + key
        return bytes(passed)


async def relayed(console: Console, seat: Seat) -> None:
    """Connect a console to the standard streams of this process until it ends, or the keys to detach are pressed.

    Raises:
        IncusError: The connection broke, or somebody else has taken the console.
        OSError: The terminal has hung up, or nobody reads any more.
    """
    flush()
    async with AsyncExitStack() as stack:
        if (terminal := seat.terminal) is None:
            from ._local_streams import LocalInput, LocalOutput

            keys, screen = stack.enter_context(closing(LocalInput())), stack.enter_context(closing(LocalOutput()))
            shown = asyncio.create_task(_shown(console, screen.write))
            await _first([shown, asyncio.create_task(_fed(console, keys.read, shown))])
            return
        await stack.enter_async_context(terminal)
        await terminal.write(HINT)
        shown = asyncio.create_task(_shown(console, terminal.write))
        typed = asyncio.create_task(_typed(console, terminal.read, shown))
        await _first([shown, typed, asyncio.create_task(resized(console, terminal))])


async def _first(tasks: list[asyncio.Task[None]]) -> None:
    """Wait until one of them ends, and cancel the others."""
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        await cancelled(tasks)
        for task in tasks:
            if not task.cancelled():
                task.exception()  # seen, if several failed


async def _fed(console: Console, read: Read, shown: asyncio.Task[None]) -> None:
    with suppress(IncusBrokenPipeError):
        while data := await read():
            await console.write(data)
    await asyncio.wait([shown])  # the end of the input is not the end of the console


async def _shown(console: Console, write: Write) -> None:
    async for piece in console.chunks():
        await write(piece)


async def _typed(console: Console, read: Read, shown: asyncio.Task[None]) -> None:
    escape = Escape()
    while not escape.found:
        if not (keys := await read()):
            raise OSError(errno.EIO, "the terminal of this process has hung up")
        if for_it := escape.sift(keys):
            try:
                await console.write(for_it)
            except IncusBrokenPipeError:
                await asyncio.wait([shown])  # which sees why, after what there still is to see
                return
