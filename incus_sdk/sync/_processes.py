"""Commands in instances, for threads that wait: each method is the one of the same name in `incus_sdk`."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self

from .. import execution
from ..processes import CompletedProcess, RunOutcome
from ._bridge import parts
from ._held import held, iterated

if TYPE_CHECKING:
    from .._commands import Buffer, Command, RunSettings
    from .._exec_local import Seat
    from ._bridge import APIClient
    from ._portal import Portal

CHUNK = 1 << 20
"""Bytes that `chunks` gives at most."""

__all__ = ["InputStream", "OutputStream", "Process", "attached", "run", "run_many", "shell", "started"]


class OutputStream:
    """What a command writes to its standard output or error; iterating gives its lines.

    It is read from the server as it is read here, and up to 2 MiB ahead: a command whose output nobody takes is made to
    wait. Where the connection broke before the end of the output, reads beyond what had come raise
    `IncusConnectionError`, and leave that to be read.
    """

    def __init__(self, inner: execution.OutputStream, portal: Portal) -> None:
        self._inner = inner
        self._portal = portal

    @property
    def received(self) -> int:
        """Number of bytes that have come so far."""
        return self._inner.received

    def at_eof(self) -> bool:
        """Whether everything has been read."""
        return self._inner.at_eof()

    def read(self, n: int = -1) -> bytes:
        """Read at least one and up to `n` bytes; everything until the end if `n` is negative.

        Returns:
            The bytes; empty at the end.

        Raises:
            IncusConnectionError: The connection broke before the end of the output.
        """
        return self._portal.run(self._inner.read, n)

    def readexactly(self, n: int) -> bytes:
        """Read `n` bytes.

        Raises:
            asyncio.IncompleteReadError: The output ended before that; the error's `partial` has what there was.
            IncusConnectionError: The connection broke before the end of the output.
        """
        return self._portal.run(self._inner.readexactly, n)

    def readline(self) -> bytes:
        """Read a line, of any length, with its newline; the last may have none.

        Returns:
            The line; empty at the end.

        Raises:
            IncusConnectionError: The connection broke before the end of the output.
        """
        return self._portal.run(self._inner.readline)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        if line := self.readline():
            return line
        raise StopIteration

    def chunks(self) -> Generator[bytes]:
        """Iterate over the pieces as they arrive, of any size: the fastest way to read much."""
        while piece := self._portal.run(self._inner.read, CHUNK):
            yield piece


class InputStream:
    """What a command reads from its standard input.

    A write that does not fit into the pipes on the way blocks until the command has read enough. So where a command
    answers while it still has input to read, read its output at the same time, in another thread.
    """

    def __init__(self, inner: execution.InputStream, portal: Portal) -> None:
        self._inner = inner
        self._portal = portal

    def write(self, data: Buffer) -> None:
        """Write bytes; return when there is room for more.

        Raises:
            IncusBrokenPipeError: The command has ended, or its connection broke.
            IncusArgumentError: The end of the input was written already.
        """
        self._portal.run(self._inner.write, data)

    def drain(self) -> None:
        """Return when there is room for more, as `write` has done already."""
        self._portal.run(self._inner.drain)

    def write_eof(self) -> None:
        """Tell the command that this was all; on a terminal with Ctrl-D, which counts at the beginning of a line only.

        It may be called again, and after the end of the command.
        """
        self._portal.run(self._inner.write_eof)


class Process:
    """A command that runs in an instance, much like `subprocess.Popen`.

    Several threads may use it at the same time.

    Attributes:
        args: The program and its arguments.
        instance: Name of the instance that it runs in.
        operation_id: Identifier of the operation that it is for the server.
        stdin: Its standard input.
        stdout: Its standard output; on a terminal, what that shows.
        stderr: Its standard error; `None` on a terminal, which shows both.
    """

    def __init__(self, inner: execution.Process, portal: Portal) -> None:
        self._inner = inner
        self._portal = portal
        self.args: list[str] = inner.args
        self.instance: str = inner.instance
        self.operation_id: str = inner.operation_id
        self.stdin: InputStream = InputStream(inner.stdin, portal)
        self.stdout: OutputStream = OutputStream(inner.stdout, portal)
        self.stderr: OutputStream | None = None if inner.stderr is None else OutputStream(inner.stderr, portal)

    @property
    def returncode(self) -> int | None:
        """Its exit code, 128 + n if signal n ended it; `None` while it runs, and if it could not be run."""
        return self._inner.returncode

    def wait(self, timeout: float | None = None) -> int:
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
        return self._portal.run(self._inner.wait, timeout)

    def communicate(self, input: Buffer = b"") -> tuple[bytes, bytes]:
        """Write all of the input, read all of the output, and wait until the command has ended.

        Args:
            input: What the command reads.

        Returns:
            Its standard output and its standard error, the latter empty on a terminal.

        Raises:
            IncusOperationError: The command could not be run; see `wait`.
            IncusConnectionError: The connection broke before the end of the output.
        """
        return self._portal.run(self._inner.communicate, input)

    def send_signal(self, signal: int) -> None:
        """Send a signal to the command itself, not to what it has started; one that has ended is left alone.

        Raises:
            IncusConnectionError: The connection for signals broke.
            IncusArgumentError: No signal has that number.
        """
        self._portal.run(self._inner.send_signal, signal)

    def terminate(self) -> None:
        """Send SIGTERM; see `send_signal`."""
        self._portal.run(self._inner.terminate)

    def kill(self) -> None:
        """Send SIGKILL; see `send_signal`."""
        self._portal.run(self._inner.kill)

    def resize(self, columns: int, rows: int) -> None:
        """Give the command's terminal another size.

        Raises:
            IncusArgumentError: It has no terminal, or none can have that size.
            IncusConnectionError: The connection for that broke.
        """
        self._portal.run(self._inner.resize, columns, rows)

    def __repr__(self) -> str:
        return repr(self._inner)


@contextmanager
def started(api: APIClient, command: Command) -> Generator[Process]:
    """Start a command and yield it; it is ended with the block, unless it has ended by itself."""
    inner, portal = parts(api)
    with held(portal, execution.started(inner, command)) as process:
        yield Process(process, portal)


@contextmanager
def attached(api: APIClient, operation: Mapping[str, Any]) -> Generator[Process]:
    """Connect to a command that waits for its websockets, and yield it; it ends as that of `started` does."""
    inner, portal = parts(api)
    with held(portal, execution.attached(inner, operation)) as process:
        yield Process(process, portal)


def shell(api: APIClient, command: Command, seat: Seat) -> int:
    """Run a command on the standard streams of this process; see `InstancesAPI.shell`."""
    inner, portal = parts(api)
    with seat.signals():
        return portal.run(execution.shell, inner, command, seat)


def run(api: APIClient, command: Command, settings: RunSettings) -> CompletedProcess[Any]:
    """Run a command to its end; see `InstancesAPI.run`."""
    inner, portal = parts(api)
    return portal.run(execution.run, inner, command, settings)


def run_many(api: APIClient, commands: Iterable[Command], settings: RunSettings, limit: int) -> Generator[RunOutcome]:
    """Run commands, `limit` at a time, and yield what comes of each as it comes; see `InstancesAPI.run_many`."""
    inner, portal = parts(api)
    yield from iterated(portal, execution.run_many(inner, commands, settings, limit))
