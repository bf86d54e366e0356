"""The websockets of a command in an instance, from the start of the command to its end."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast
from weakref import WeakKeyDictionary

from ._failures import operation_error
from .exceptions import (
    IncusAPIError,
    IncusArgumentError,
    IncusConnectionError,
    IncusOperationError,
)

if TYPE_CHECKING:
    from ._commands import Command
    from .api_client import APIClient, WebSocket

__all__ = ["Sockets", "attach", "start"]

AT_ONCE = 32
"""How many commands are started on a server at a time, each with five connections; any number may run."""

ATTEMPTS = 3
"""How often a command is started whose websockets come too late for the server: then it has not run at all."""

TOO_LATE = "Timed out waiting for websockets to connect"
"""What servers say then, after five (6.0) or ten seconds."""

OVER = frozenset({404, 500})
"""How servers refuse the sockets of an operation that has ended."""

FAILED = 400
"""Status codes of operations from here on are those of failures."""

LOST = 3.0
"""Seconds for the server to say that a command has ended whose control socket is gone: it has it killed then."""

VERDICT = 15.0
"""Seconds to wait for the reason why sockets cannot be connected."""

CONTROL = "control"

STREAM = "0"
"""The socket for input; of terminals and consoles, for both directions."""


class Sockets:
    """The operation of a command, and its websockets.

    Attributes:
        operation_id: Identifier of the operation.
        open: The websockets that are connected, by the names that the server has for them.
        ended: Waits for the end of the operation, from the beginning: the server forgets it soon after.
    """

    def __init__(self, api: APIClient, operation: Mapping[str, Any]) -> None:
        self._api = api
        self.operation_id: str = str(operation["id"])
        self._secrets = _secrets(operation)
        self.open: dict[str, WebSocket] = {}
        self.ended: asyncio.Task[dict[str, Any]] = asyncio.create_task(api.wait(self.operation_id))
        self.ended.add_done_callback(_look)

    @property
    def terminal(self) -> bool:
        """Whether the command has a terminal."""
        return "1" not in self._secrets

    async def connect(self, only: str | None = None) -> None:
        """Connect all of them, or one alone; the one for input when the one for control is there, the rest at once.

        No command starts without the one for input. So none, however short, ends at the moment in which its control
        socket connects. Servers would overlook that then, and wait for the end of the socket, as we for that of the
        command.

        Raises:
            IncusError: One cannot be connected.
        """
        names = [CONTROL, *sorted(self._secrets.keys() - {CONTROL})] if only is None else [only]
        tasks: dict[str, asyncio.Task[None]] = {}
        for name in names:
            tasks[name] = asyncio.create_task(self._connect(name, tasks.get(CONTROL) if name == STREAM else None))
            tasks[name].add_done_callback(_look)
        try:
            await asyncio.wait(tasks.values(), return_when=asyncio.FIRST_EXCEPTION)
            for task in tasks.values():
                if task.done():
                    task.result()
        except BaseException:
            for task in tasks.values():
                task.cancel()
            await asyncio.wait(tasks.values())
            raise

    async def another(self, name: str) -> WebSocket:
        """Connect one of them once more, as servers let it be done for graphical consoles."""
        path = f"/1.0/operations/{self.operation_id}/websocket"
        return await self._api.websocket(path, {"secret": self._secrets[name]})

    async def _connect(self, name: str, after: asyncio.Task[None] | None) -> None:
        """Connect one of them, but not before another."""
        if after is not None:
            await asyncio.wait((after,))
            if after.cancelled() or after.exception() is not None:
                return  # its error is the one that is raised
        self.open[name] = await self.another(name)

    async def control(self, message: str) -> None:
        """Tell the server something about the command, unless that has ended.

        Raises:
            IncusConnectionError: The control socket is lost, so the server is killing the command.
        """
        try:
            await self.open[CONTROL].send(message)
        except IncusConnectionError as error:
            # The server closes it at the end of the command, and tells how that ended up to a second later.
            if await self.over(LOST):
                return
            text = "the control socket is lost: signals and sizes of terminals no longer reach the instance"
            raise IncusConnectionError(text, error, sent=True) from error

    async def over(self, timeout: float) -> bool:
        """Wait for the end of the operation; return whether it came within `timeout` seconds."""
        done, _ = await asyncio.wait((self.ended,), timeout=timeout)
        return bool(done)

    def abort(self) -> None:
        """Hang up at once; a command that runs is killed by the server."""
        for _, socket in sorted(self.open.items(), reverse=True):  # control first
            socket.abort()

    async def close(self) -> None:
        """Hang up, and wait for nothing any more."""
        self.abort()
        self.ended.cancel()
        await asyncio.wait((self.ended,))


async def start(api: APIClient, command: Command, only: str | None = None) -> Sockets:
    """Start a command, and connect its websockets, or one alone.

    Raises:
        IncusError: It cannot be started.
    """
    number = 1
    while True:
        try:
            async with _turn(api):
                operation = await api.operation("POST", command.path, command.body)
                return await attach(api, operation["metadata"], only)
        except IncusOperationError as error:
            if TOO_LATE not in str(error) or number == ATTEMPTS:
                raise
        number += 1


def _turn(api: APIClient) -> asyncio.Semaphore:
    """What one has to hold to start a command: more at a time would only be late for each other's sockets."""
    turns = _turns.setdefault(asyncio.get_running_loop(), {})
    return turns.setdefault(api.endpoint, asyncio.Semaphore(AT_ONCE))


_turns: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, asyncio.Semaphore]] = WeakKeyDictionary()
"""By event loop and server: what has been waited for in one loop cannot be in another."""


async def attach(api: APIClient, operation: Mapping[str, Any], only: str | None = None) -> Sockets:
    """Connect the websockets of a command that waits for them, or one alone.

    Raises:
        IncusOperationError: The server has given it up.
        IncusError: They cannot be connected for another reason.
    """
    if operation.get("status_code", 0) >= FAILED:
        raise operation_error(dict(operation))
    sockets = Sockets(api, operation)
    connected = False
    try:
        await sockets.connect(only)
        connected = True
    except IncusAPIError as error:
        if error.status_code in OVER and await sockets.over(VERDICT):
            sockets.ended.result()  # that the operation failed is the reason
        raise
    finally:
        if not connected:
            await sockets.close()
    return sockets


def _secrets(operation: Mapping[str, Any]) -> dict[str, str]:
    details = cast("dict[str, Any]", operation.get("metadata") or {})
    secrets: dict[str, str] = details.get("fds") or {}
    if not {"0", CONTROL} <= secrets.keys():
        raise IncusArgumentError(
            f"operation {operation.get('id')!r} has no websockets of a command: start it with wait_for_websocket=True"
        )
    return secrets


def _look(task: asyncio.Task[Any]) -> None:
    """See an exception that nobody may come to ask for."""
    if not task.cancelled():
        task.exception()
