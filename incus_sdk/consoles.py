"""Consoles of instances: everything about them that is concurrent."""

from __future__ import annotations

import asyncio
import codecs
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from . import _exec_sockets
from ._commands import terminal_size
from ._exec_sockets import CONTROL, OVER, STREAM
from ._exec_streams import InputStream, OutputStream
from ._transport.stream import Closable
from .exceptions import (
    IncusAPIError,
    IncusBrokenPipeError,
    IncusConnectionError,
    IncusError,
    IncusOperationCancelledError,
    IncusOperationError,
    IncusOperationLostError,
)

if TYPE_CHECKING:
    from ._commands import Buffer, Command
    from ._exec_local import Seat
    from ._exec_sockets import Sockets
    from ._transport import Response
    from .api_client import APIClient, WebSocket

__all__ = ["Console", "GraphicalChannel", "GraphicalConsole", "attended", "attended_graphics", "followed", "shell"]

SETTLED = 3.0
"""Seconds for the server to say how a session ended; and to let go of the console, so that the next one can have it."""

BRIEFLY = 1.0
"""The same, where something went wrong already."""

STOPPING = 5.0
"""Seconds that a container which stops may have no log."""

FAILED = 500
"""The status that servers give then."""

PAUSE = 0.2
"""Seconds until they are asked once more, at least."""

TAIL = 4096
"""Bytes of a log that are remembered, to be found again."""

STOPPED = 102
"""The status of an instance that does not run."""


class _Session:
    """A stay at a console.

    Attributes:
        sockets: Its operation and websockets.
        instance: Name of the instance.
        label: What to call it in messages.
        channels: Further websockets that are open.
    """

    def __init__(self, sockets: Sockets, instance: str) -> None:
        self.sockets: Sockets = sockets
        self.instance: str = instance
        self.label: str = f"the console of {instance}"
        self.channels: set[WebSocket] = set()
        self._left = False

    async def ending(self, broken: IncusError | None) -> IncusError | None:
        """Return the error that a stream has ended with; `None`, if it is over as it should be.

        Args:
            broken: What came in place of the server's mark of the end.
        """
        if self._left:
            return None
        if not await self.sockets.over(SETTLED):
            return broken and IncusConnectionError(f"{self.label}: the connection broke", broken, sent=True)
        ended = self.sockets.ended
        reason = None if ended.cancelled() else ended.exception()
        failed = isinstance(reason, IncusOperationError) and not isinstance(reason, IncusOperationLostError)
        if reason is not None and not failed:
            return IncusConnectionError(f"{self.label}: the connection broke: {reason}", reason, sent=True)
        # Who is thrown out gets no mark as a rule, and an operation that was cancelled or, seldom, one that succeeded.
        if isinstance(reason, IncusOperationCancelledError) or (reason is None and broken is not None):
            text = f"{self.label}: somebody else has taken it, by force=True, or has ended this session"
            return IncusOperationCancelledError(text, self.sockets.operation_id, getattr(reason, "response", None))
        return reason if isinstance(reason, IncusError) else None

    async def leave(self) -> None:
        """End it; return when the next one can begin."""
        self._hang_up()
        await self.sockets.over(SETTLED)

    async def close(self) -> None:
        """End it, if nobody has; wait for nothing any more."""
        self._hang_up()
        try:
            await self.sockets.over(BRIEFLY)
        finally:
            await self.sockets.close()

    def _hang_up(self) -> None:
        self._left = True
        for socket in self.channels:
            socket.abort()
        self.sockets.abort()


class _Stream(OutputStream):
    """Bytes in both directions."""

    def __init__(self, session: _Session, socket: WebSocket) -> None:
        super().__init__(socket, session.label)
        self._session = session
        self._input = InputStream(socket, session.label, terminal=True)

    async def write(self, data: Buffer) -> None:
        """Write bytes; return when there is room for more.

        Raises:
            IncusBrokenPipeError: It is over, or the connection broke.
            IncusOperationCancelledError: Somebody else has taken it.
        """
        try:
            await self._input.write(data)
        except IncusBrokenPipeError as error:
            reason = await self._session.ending(None)
            if isinstance(reason, IncusOperationCancelledError):
                raise reason from error
            raise

    async def drain(self) -> None:
        """Return when there is room for more, as `write` has done already; it is here for code written for asyncio."""


class Console(_Stream):
    """The console of an instance: what a screen and a keyboard at it would be. Iterating gives its lines.

    Reading shows what appears from the attachment on, and comes to an end when the instance stops, and when this is
    detached. If somebody else takes the console, it raises `IncusOperationCancelledError`; if the connection breaks, or
    the server ends, `IncusConnectionError`. A read that is cancelled loses nothing.

    Servers say that they have attached some hundredths of a second before they have: what appears or is written in that
    moment is lost.

    Attributes:
        instance: Name of the instance.
        operation_id: Identifier of the operation that the session is for the server.
    """

    def __init__(self, session: _Session) -> None:
        super().__init__(session, session.sockets.open[STREAM])
        self.instance: str = session.instance
        self.operation_id: str = session.sockets.operation_id

    async def resize(self, columns: int, rows: int) -> None:
        """Tell the server the size of the screen; the console of a container does not get to know it.

        Raises:
            IncusArgumentError: None can have that size.
            IncusConnectionError: The connection for that broke.
        """
        columns, rows = terminal_size(columns, rows)
        size = {"width": str(columns), "height": str(rows)}
        await self._session.sockets.control(json.dumps({"command": "window-resize", "args": size}))

    async def detach(self) -> None:
        """Leave the console, which the instance does not notice; it may be called again. The end of the block does.

        What was written at the last moment may get lost on the server. Wait until its echo or effect shows.
        """
        await self._session.leave()

    async def _meaning(self, broken: IncusConnectionError | None) -> IncusError | None:
        self._socket.abort()  # the session is not over for the server before that
        return await self._session.ending(broken)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self.instance}>"


class GraphicalChannel(_Stream, Closable):
    """One of the connections of a SPICE client; open until it is closed, or an `async with` block ends.

    `chunks()` and `read` give what comes, up to the end of the channel or the session, as a `Console` does. A read that
    is under way when this side hangs up comes to its end.
    """

    _closed = False

    async def close(self) -> None:
        """Hang up, when what was written has arrived."""
        self._closed = True
        await self._socket.close()
        self._session.channels.discard(self._socket)

    def abort(self) -> None:
        """Hang up at once."""
        self._closed = True
        self._socket.abort()
        self._session.channels.discard(self._socket)

    async def _meaning(self, broken: IncusConnectionError | None) -> IncusError | None:
        return None if broken is None or self._closed else await self._session.ending(broken)


class GraphicalConsole:
    """The screen of a virtual machine, with keyboard and mouse, for a client that speaks SPICE.

    Attributes:
        instance: Name of the instance.
        operation_id: Identifier of the operation that the session is for the server.
    """

    def __init__(self, session: _Session) -> None:
        self._session = session
        self.instance: str = session.instance
        self.operation_id: str = session.sockets.operation_id

    async def open_channel(self) -> GraphicalChannel:
        """Make a further connection: SPICE has one for each of main, display, inputs, cursor and so on.

        Raises:
            IncusOperationCancelledError: Somebody else has taken the console.
            IncusConnectionError: The connection broke.
            IncusAPIError: The session is over.
        """
        try:
            socket = await self._session.sockets.another(STREAM)
        except IncusAPIError as error:
            reason = await self._session.ending(error) if error.status_code in OVER else None
            raise reason or error from None
        self._session.channels.add(socket)
        return GraphicalChannel(self._session, socket)

    async def detach(self) -> None:
        """Hang up all channels, and leave; it may be called again. The end of the block does."""
        await self._session.leave()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self.instance}>"


@asynccontextmanager
async def attended(api: APIClient, wanted: Command) -> AsyncGenerator[Console]:
    """Attach to a console, and detach with the block; see `InstancesAPI.console`."""
    session = _Session(await _exec_sockets.start(api, wanted), wanted.instance)
    try:
        console = Console(session)
        yield console
        await console.detach()
    finally:
        await session.close()


@asynccontextmanager
async def attended_graphics(api: APIClient, wanted: Command) -> AsyncGenerator[GraphicalConsole]:
    """Attach to a graphical console, and detach with the block; see `InstancesAPI.graphical_console`."""
    session = _Session(await _exec_sockets.start(api, wanted, CONTROL), wanted.instance)
    try:
        screen = GraphicalConsole(session)
        yield screen
        await screen.detach()
    finally:
        await session.close()


async def shell(api: APIClient, wanted: Command, seat: Seat) -> None:
    """Attach to a console with the standard streams of this process; see `InstancesAPI.console_shell`."""
    from ._console_local import relayed

    async with attended(api, wanted) as console:
        await relayed(console, seat)


async def followed(api: APIClient, path: str, interval: float) -> AsyncGenerator[str]:
    """Yield what is in the log of a console, and what is added to it; see `InstancesAPI.follow_console_log`."""
    instance: dict[str, Any] = await api.read(path, dict[str, Any])
    whole = instance.get("type") == "virtual-machine"
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    before, last, stopped = (b"", b""), False, False
    while not last:
        answer = await _log(api, f"{path}/console", interval)
        # Servers send the log of what does not run from a file, which they name, unless it is empty.
        last = stopped or bool((answer.header("content-disposition") or "").partition("filename=")[2])
        if text := decoder.decode(_added(before, answer.body, whole=whole, last=last), last):
            yield text
        before = ((before[0] + answer.body)[-TAIL:], answer.body or before[1])
        if not last and not answer.body:
            stopped = (await api.read(path, dict[str, Any])).get("status_code") == STOPPED  # then a last look
        if not last and not stopped:
            await asyncio.sleep(interval)


async def _log(api: APIClient, path: str, interval: float) -> Response:
    """Get the log of a console, which servers cannot give while a container stops."""
    until = asyncio.get_running_loop().time() + STOPPING
    while True:
        try:
            return await api.read_raw(path)
        except IncusAPIError as error:
            if error.status_code != FAILED or asyncio.get_running_loop().time() > until:
                raise
        await asyncio.sleep(max(interval, PAUSE))


def _added(before: tuple[bytes, bytes], now: bytes, *, whole: bool, last: bool) -> bytes:
    """Return what an answer with a log has that those before did not have.

    Args:
        before: The end of all that came before, and the last answer that was not empty.
        now: The answer.
        whole: Whether answers have everything from the start of the instance on.
        last: Whether it is the log of an instance that does not run.
    """
    if whole:
        return now.removeprefix(before[1])
    # Each answer empties the log of a container that runs. What is kept of one that has stopped may begin anywhere.
    for known in before if last else ():
        if known and known in now:
            return now.partition(known)[2]
    return now
