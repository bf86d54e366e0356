"""Commands in instances: everything about them that is concurrent."""

from __future__ import annotations

import asyncio
import itertools
import json
import signal
from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from . import _exec_sockets
from ._commands import terminal_size
from ._exec_process import NOT_ENDED, Execution, cancelled
from ._exec_streams import InputStream, OutputStream
from ._link import at_least_zero
from ._paths import name_and_project
from ._values import whole_number
from .exceptions import IncusArgumentError, IncusError, IncusProcessTimeoutError, IncusTimeoutError
from .processes import CompletedProcess, RunOutcome, named

if TYPE_CHECKING:
    from ._commands import Buffer, Command, RunSettings
    from ._exec_local import Seat
    from .api_client import APIClient

__all__ = ["InputStream", "OutputStream", "Process", "attached", "run", "run_many", "shell", "started"]


HIGHEST = 64
"""The last of Linux' signals."""


class Process:
    """A command that runs in an instance, much like `asyncio.subprocess.Process`.

    Attributes:
        args: The program and its arguments.
        instance: Name of the instance that it runs in.
        operation_id: Identifier of the operation that it is for the server.
        stdin: Its standard input.
        stdout: Its standard output; on a terminal, what that shows.
        stderr: Its standard error; `None` on a terminal, which shows both.
    """

    def __init__(self, execution: Execution) -> None:
        self._execution = execution
        self.args: list[str] = execution.args
        self.instance: str = execution.instance
        self.operation_id: str = execution.sockets.operation_id
        self.stdin: InputStream = execution.stdin
        self.stdout: OutputStream = execution.stdout
        self.stderr: OutputStream | None = execution.stderr

    @property
    def returncode(self) -> int | None:
        """Its exit code, 128 + n if signal n ended it; `None` while it runs, and if it could not be run."""
        try:
            return self._execution.code()
        except IncusError:
            return None

    async def wait(self, timeout: float | None = None) -> int:
        """Wait until the command has ended, and return its exit code.

        Output that nobody has read by then is kept in memory, to be read later: read first what may be big.

        Args:
            timeout: Seconds to wait at most; the command itself goes on after that. `None` waits for ever.

        Raises:
            IncusOperationNotFoundError: There is no such command in the instance.
            IncusOperationBadRequestError: The command cannot be executed.
            IncusOperationError: It could not be run for another reason.
            IncusTimeoutError: It is still running.
            IncusConnectionError: The server went away.
        """
        at_least_zero(timeout, "timeout")
        limit = asyncio.timeout(timeout)
        try:
            async with limit:
                return await self._execution.ended()
        except TimeoutError:
            if not limit.expired():
                raise
        raise IncusTimeoutError(f"{self._execution.label} is still running after {timeout} s, and goes on")

    async def communicate(self, input: Buffer = b"") -> tuple[bytes, bytes]:
        """Write all of the input, read all of the output, and wait until the command has ended.

        Args:
            input: What the command reads.

        Returns:
            Its standard output and its standard error, the latter empty on a terminal.

        Raises:
            IncusOperationError: The command could not be run; see `wait`.
            IncusConnectionError: The connection broke before the end of the output.
        """
        await self._execution.communicate(input)
        return self._execution.taken()

    async def send_signal(self, signal: int) -> None:
        """Send a signal to the command itself, not to what it has started; one that has ended is left alone.

        Raises:
            IncusConnectionError: The connection for signals broke.
            IncusArgumentError: No signal has that number.
        """
        await self._execution.signal(whole_number("signal", signal, 0, HIGHEST))

    async def terminate(self) -> None:
        """Send SIGTERM; see `send_signal`."""
        await self._execution.signal(signal.SIGTERM)

    async def kill(self) -> None:
        """Send SIGKILL; see `send_signal`."""
        await self._execution.signal(signal.SIGKILL)

    async def resize(self, columns: int, rows: int) -> None:
        """Give the command's terminal another size.

        Raises:
            IncusArgumentError: It has no terminal, or none can have that size.
            IncusConnectionError: The connection for that broke.
        """
        if self.stderr is not None:
            raise IncusArgumentError(f"{self._execution.label} has no terminal to resize: it needs tty=True")
        columns, rows = terminal_size(columns, rows)
        size = {"width": str(columns), "height": str(rows)}
        await self._execution.sockets.control(json.dumps({"command": "window-resize", "args": size}))

    def __repr__(self) -> str:
        code = self.returncode
        return f"<{type(self).__name__} {self._execution.label} {'running' if code is None else code}>"


@asynccontextmanager
async def started(api: APIClient, command: Command) -> AsyncGenerator[Process]:
    """Start a command and yield it; it is ended with the block, unless it has ended by itself."""
    sockets = await _exec_sockets.start(api, command)
    async with _left(Execution(sockets, command.args, command.instance)) as process:
        yield process


@asynccontextmanager
async def attached(api: APIClient, operation: Mapping[str, Any]) -> AsyncGenerator[Process]:
    """Connect to a command that waits for its websockets, and yield it; it ends as that of `started` does.

    Args:
        api: The client.
        operation: The answer to `execute`.
    """
    details: dict[str, Any] = operation.get("metadata") or {}
    sockets = await _exec_sockets.attach(api, details)
    async with _left(Execution(sockets, *_described(details))) as process:
        yield process


@asynccontextmanager
async def _left(execution: Execution) -> AsyncGenerator[Process]:
    try:
        yield Process(execution)
        await execution.leave()
    finally:
        await execution.sockets.close()


async def shell(api: APIClient, command: Command, seat: Seat) -> int:
    """Run a command on the standard streams of this process; see `InstancesAPI.shell`."""
    from ._exec_local import relayed

    async with started(api, command) as process:
        return await relayed(process, seat)


async def run(api: APIClient, command: Command, settings: RunSettings) -> CompletedProcess[Any]:
    """Run a command to its end; see `InstancesAPI.run`."""
    execution: Execution | None = None
    limit = asyncio.timeout(settings.timeout)
    try:
        async with limit:
            execution = Execution(await _exec_sockets.start(api, command), command.args, command.instance)
            if not settings.capture:
                execution.discard()
            code = await execution.communicate(settings.input)
        out, err = map(settings.decode, execution.taken())
    except TimeoutError:
        if not limit.expired():
            raise
        raise await _too_late(command, settings, execution) from None
    finally:
        if execution is not None:
            await execution.sockets.close()
    completed = CompletedProcess(command.args, code, out, err, command.instance)
    if settings.check:
        completed.check_returncode()
    return completed


async def _too_late(command: Command, settings: RunSettings, execution: Execution | None) -> IncusProcessTimeoutError:
    """End a command whose time is over; return the error that says so, with its output."""
    timeout = settings.timeout or 0.0
    what = f"{named(command.args, command.instance)} was not done after {timeout} s"
    if execution is None:
        text, code, output = f"{what}: the server had not even started it", None, (b"", b"")
    else:
        text = f"{what}, so it was ended" if await execution.end() else f"{what}, and {NOT_ENDED}"
        code, output = Process(execution).returncode, execution.taken()
    return IncusProcessTimeoutError(text, command.args, timeout, code, *map(settings.decode, output))


async def run_many(
    api: APIClient, commands: Iterable[Command], settings: RunSettings, limit: int
) -> AsyncGenerator[RunOutcome]:
    """Run commands, `limit` at a time, and yield what comes of each as it comes; see `InstancesAPI.run_many`."""
    left = iter(commands)
    running: set[asyncio.Task[RunOutcome]] = set()
    try:
        while True:
            for command in itertools.islice(left, limit - len(running)):
                running.add(asyncio.create_task(_outcome(api, command, settings)))
            if not running:
                return
            done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            while done:
                yield done.pop().result()
    finally:
        await cancelled(running)


async def _outcome(api: APIClient, command: Command, settings: RunSettings) -> RunOutcome:
    try:
        return RunOutcome(command.instance, await run(api, command, settings))
    except IncusError as error:
        return RunOutcome(command.instance, error=error)


def _described(operation: Mapping[str, Any]) -> tuple[list[str], str]:
    """Return the arguments and the instance of a command's operation."""
    args: list[str] = operation["metadata"].get("command") or ["a command"]
    resources: dict[str, list[str]] = operation.get("resources") or {}
    instances = resources.get("instances") or ["/1.0/instances/an-instance"]
    return args, name_and_project(instances[0])[0]
