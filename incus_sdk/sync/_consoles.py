"""Consoles of instances, for threads that wait: each method is the one of the same name in `incus_sdk`."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Self

from .. import consoles
from ._bridge import parts
from ._held import called, held, iterated, obtained
from ._processes import OutputStream

if TYPE_CHECKING:
    from .._commands import Buffer, Command
    from .._exec_local import Seat
    from ._bridge import APIClient
    from ._portal import Portal

__all__ = ["Console", "GraphicalChannel", "GraphicalConsole", "attended", "attended_graphics", "followed", "shell"]


class _Stream(OutputStream):
    """Bytes in both directions."""

    _inner: consoles.Console | consoles.GraphicalChannel

    def write(self, data: Buffer) -> None:
        """Write bytes; return when there is room for more.

        Raises:
            IncusBrokenPipeError: It is over, or the connection broke.
            IncusOperationCancelledError: Somebody else has taken it.
        """
        self._portal.run(self._inner.write, data)

    def drain(self) -> None:
        """Return when there is room for more, as `write` has done already."""
        self._portal.run(self._inner.drain)


class Console(_Stream):
    """The console of an instance: what a screen and a keyboard at it would be. Iterating gives its lines.

    Reading shows what appears from the attachment on, and comes to an end when the instance stops, and when this is
    detached. If somebody else takes the console, it raises `IncusOperationCancelledError`; if the connection breaks, or
    the server ends, `IncusConnectionError`. One thread may read and others may write at the same time.

    Servers say that they have attached some hundredths of a second before they have: what appears or is written in that
    moment is lost.

    Attributes:
        instance: Name of the instance.
        operation_id: Identifier of the operation that the session is for the server.
    """

    def __init__(self, inner: consoles.Console, portal: Portal) -> None:
        super().__init__(inner, portal)
        self._console = inner
        self.instance: str = inner.instance
        self.operation_id: str = inner.operation_id

    def resize(self, columns: int, rows: int) -> None:
        """Tell the server the size of the screen; the console of a container does not get to know it.

        Raises:
            IncusArgumentError: None can have that size.
            IncusConnectionError: The connection for that broke.
        """
        self._portal.run(self._console.resize, columns, rows)

    def detach(self) -> None:
        """Leave the console, which the instance does not notice; it may be called again. The end of the block does.

        What was written at the last moment may get lost on the server. Wait until its echo or effect shows.
        """
        self._portal.run(self._console.detach)

    def __repr__(self) -> str:
        return repr(self._inner)


class GraphicalChannel(_Stream):
    """One of the connections of a SPICE client; open until it is closed, or a `with` block ends.

    `chunks()` and `read` give what comes, up to the end of the channel or the session, as a `Console` does. A read that
    is under way when this side hangs up comes to its end.
    """

    def __init__(self, inner: consoles.GraphicalChannel, portal: Portal) -> None:
        super().__init__(inner, portal)
        self._channel = inner

    def close(self) -> None:
        """Hang up, when what was written has arrived."""
        self._portal.run(self._channel.close)

    def abort(self) -> None:
        """Hang up at once."""
        self._portal.run_last(called, self._channel.abort)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.abort()


class GraphicalConsole:
    """The screen of a virtual machine, with keyboard and mouse, for a client that speaks SPICE.

    Attributes:
        instance: Name of the instance.
        operation_id: Identifier of the operation that the session is for the server.
    """

    def __init__(self, inner: consoles.GraphicalConsole, portal: Portal) -> None:
        self._inner = inner
        self._portal = portal
        self.instance: str = inner.instance
        self.operation_id: str = inner.operation_id

    def open_channel(self) -> GraphicalChannel:
        """Make a further connection: SPICE has one for each of main, display, inputs, cursor and so on.

        Raises:
            IncusOperationCancelledError: Somebody else has taken the console.
            IncusConnectionError: The connection broke.
            IncusAPIError: The session is over.
        """
        return GraphicalChannel(obtained(self._portal, self._inner.open_channel), self._portal)

    def detach(self) -> None:
        """Close all channels, and leave; it may be called again. The end of the block does."""
        self._portal.run(self._inner.detach)

    def __repr__(self) -> str:
        return repr(self._inner)


@contextmanager
def attended(api: APIClient, wanted: Command) -> Generator[Console]:
    """Attach to a console, and detach with the block; see `InstancesAPI.console`."""
    inner, portal = parts(api)
    with held(portal, consoles.attended(inner, wanted)) as console:
        yield Console(console, portal)


@contextmanager
def attended_graphics(api: APIClient, wanted: Command) -> Generator[GraphicalConsole]:
    """Attach to a graphical console, and detach with the block; see `InstancesAPI.graphical_console`."""
    inner, portal = parts(api)
    with held(portal, consoles.attended_graphics(inner, wanted)) as screen:
        yield GraphicalConsole(screen, portal)


def shell(api: APIClient, wanted: Command, seat: Seat) -> None:
    """Attach to a console with the standard streams of this process; see `InstancesAPI.console_shell`."""
    inner, portal = parts(api)
    with seat.signals():
        portal.run(consoles.shell, inner, wanted, seat)


def followed(api: APIClient, path: str, interval: float) -> Generator[str]:
    """Yield what is in the log of a console, and what is added to it; see `InstancesAPI.follow_console_log`."""
    inner, portal = parts(api)
    yield from iterated(portal, consoles.followed(inner, path, interval))
