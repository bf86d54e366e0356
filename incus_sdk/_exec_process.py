"""A command that runs in an instance: its streams, and how it ends."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, cast

from ._exec_streams import InputStream, OutputStream
from .exceptions import IncusError, IncusOperationError, IncusProtocolError, IncusTimeoutError, add_to_message
from .operations import AMBIGUOUS
from .processes import named

if TYPE_CHECKING:
    from ._commands import Buffer
    from ._exec_sockets import Sockets

__all__ = ["Execution", "cancelled"]

GRACE = 5.0
"""Seconds that a command gets to end after SIGTERM, and again after SIGKILL."""

LAST = 1.0
"""Seconds that a command whose output has ended gets to end by itself."""

NOT_ENDED = "did not end when it was killed: is the instance frozen? Then it will be dead when that goes on"


class Execution:
    """A command that runs in an instance.

    Attributes:
        args: The program and its arguments.
        instance: Name of the instance.
        label: What to call it in messages.
        sockets: Its websockets.
        stdin: Its standard input.
        stdout: Its standard output; on a terminal, what that shows.
        stderr: Its standard error; `None` on a terminal.
        reported: Whether somebody has been told how it ended.
    """

    def __init__(self, sockets: Sockets, args: list[str], instance: str) -> None:
        self.args: list[str] = args
        self.instance: str = instance
        self.sockets: Sockets = sockets
        self.label: str = named(args, instance)
        self.reported: bool = False
        label = self.label
        streams, terminal = sockets.open, sockets.terminal
        self.stdin: InputStream = InputStream(streams["0"], f"stdin of {label}", terminal=terminal)
        self.stdout: OutputStream = OutputStream(
            streams["0" if terminal else "1"], f"stdout of {label}", hang_up=terminal
        )
        self.stderr: OutputStream | None = None if terminal else OutputStream(streams["2"], f"stderr of {label}")

    @property
    def outputs(self) -> list[OutputStream]:
        """The streams that it writes to."""
        return [self.stdout] if self.stderr is None else [self.stdout, self.stderr]

    def discard(self) -> None:
        """Forget its output."""
        for stream in self.outputs:
            stream.discard()

    def taken(self) -> tuple[bytes, bytes]:
        """Take the output that is here."""
        return self.stdout.taken(), b"" if self.stderr is None else self.stderr.taken()

    def code(self) -> int | None:
        """Return its exit code, `None` while it is not known.

        Raises:
            IncusError: What came instead of one.
        """
        ended = self.sockets.ended
        if not ended.done() or ended.cancelled():
            return None
        error = ended.exception()
        code = _exit_code(ended.result() if error is None else getattr(error, "response", None))
        if error is None and code is None:
            raise IncusProtocolError(f"{self.label}: the server says that it has ended, but not how")
        if error is not None and not (code in AMBIGUOUS and any(stream.received for stream in self.outputs)):
            if isinstance(error, IncusOperationError) and self.label not in error.message:
                add_to_message(error, f" ({self.label})")
            raise error
        return code

    async def communicate(self, data: Buffer) -> int:
        """Write all of the input, fetch all of the output, and return the exit code.

        Raises:
            IncusError: The command could not be run, or the connection broke before the end of the output.
        """
        feeding = asyncio.create_task(self.stdin.feed(data))
        try:
            code = await self.ended()
        finally:
            await cancelled([feeding])
        for stream in self.outputs:
            if stream.error is not None:
                raise stream.error
        return code

    async def ended(self) -> int:
        """Wait for its end, and return its exit code.

        Raises:
            IncusError: What came instead of one.
        """
        await self._settled()
        self.reported = True
        code = self.code()
        if code is None:
            raise IncusError(f"{self.label}: how it ended is unknown, since it was left while it ran")
        return code

    async def signal(self, number: int) -> None:
        """Send it a signal, unless it has ended."""
        if not self.sockets.ended.done():
            await self.sockets.control(json.dumps({"command": "signal", "signal": int(number)}))

    async def end(self) -> bool:
        """End it as gently as it lets us; return whether it has ended."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            with suppress(IncusError):
                await self.signal(number)
            if await self._settles(GRACE):
                return True
        return False

    async def leave(self) -> None:
        """End it unless it has ended, and raise what nobody has been told."""
        silent = all(stream.at_eof() for stream in self.outputs)
        self.discard()
        if not (silent and await self._settles(LAST)) and not await self.end():
            raise IncusTimeoutError(f"{self.label} {NOT_ENDED}")
        if not self.reported:
            self.code()

    async def _settled(self) -> None:
        """Wait until the server says how it ended, and all its output is here."""
        tasks = [asyncio.create_task(stream.collect()) for stream in self.outputs]
        try:
            await asyncio.wait([*tasks, self.sockets.ended])
        finally:
            await cancelled(tasks)

    async def _settles(self, timeout: float) -> bool:
        limit = asyncio.timeout(timeout)
        try:
            async with limit:
                await self._settled()
        except TimeoutError:
            return False
        return True


async def cancelled(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel tasks, and wait until they have ended."""
    tasks = [*tasks]
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks)


def _exit_code(operation: object) -> int | None:
    """Look for the exit code in an operation as the server sent it."""
    for key in ("metadata", "return"):
        operation = cast("dict[str, object]", operation).get(key) if isinstance(operation, dict) else None
    return int(operation) if isinstance(operation, int | float) and operation >= 0 else None
