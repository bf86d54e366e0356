"""Instances: their consoles, to read, to write to, and to look at."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Literal, cast

from .._values import whole_number
from ..exceptions import IncusError
from ..operations import OperationResponse
from ._bound import Bound
from ._collection import Collection, T

if TYPE_CHECKING:
    from .._commands import Command
    from .._sink import Target
    from ..consoles import Console, GraphicalConsole
    from .instances import InstancesAPI


class ConsoleVerbs(Collection[T]):
    """The verbs for consoles (`/1.0/instances/{name}/console`)."""

    @asynccontextmanager
    async def console(
        self, name: str, *, columns: int = 80, rows: int = 24, force: bool = False
    ) -> AsyncGenerator[Console]:
        """Attach to the console of a running instance, and give what appears there, and take what is typed.

        The `async with` block ends with detaching; the instance does not notice. One at a time can be at a console.

        Example:
            ```python
            async with client.instances.console("web") as console:
                async for line in console:
                    print(line)
            ```

        Args:
            name: Name of the instance.
            columns: Columns of the screen.
            rows: Lines of the screen.
            force: Whether to take the console from somebody else who is there, who is told so.

        Raises:
            IncusConflictError: Somebody else is there.
            IncusBadRequestError: The instance does not run.
            IncusNotFoundError: There is no such instance.
            IncusConnectionError: The connection to the server broke.
        """
        from ..consoles import attended

        async with attended(self._api, self._session(name, "console", force, columns, rows)) as console:
            yield console

    @asynccontextmanager
    async def graphical_console(self, name: str, *, force: bool = False) -> AsyncGenerator[GraphicalConsole]:
        """Attach to the graphical console of a running virtual machine, whose channels speak SPICE.

        The `async with` block ends with detaching. One at a time can be at a console, be it with or without graphics.

        Example:
            ```python
            async with client.instances.graphical_console("desktop") as screen, await screen.open_channel() as main:
                await main.write(link_message)
                reply = await main.readexactly(16)
            ```

        Args:
            name: Name of the instance.
            force: Whether to take the console from somebody else who is there, who is told so.

        Raises:
            IncusConflictError: Somebody else is there.
            IncusBadRequestError: It is no virtual machine, or does not run.
            IncusNotFoundError: There is no such instance.
            IncusConnectionError: The connection to the server broke.
        """
        from ..consoles import attended_graphics

        async with attended_graphics(self._api, self._session(name, "vga", force)) as screen:
            yield screen

    async def console_shell(self, name: str, *, force: bool = False) -> None:
        """Attach this process' own terminal to the console of a running instance, as `incus console` does.

        It ends when Ctrl-a q is pressed, which leaves the instance running, and when the instance stops. The terminal
        here is treated as it is by `shell`. To send a Ctrl-a, press it twice. Where there is no terminal, what comes on
        standard input is typed, and what the console shows goes to standard output.

        Args:
            name: Name of the instance.
            force: Whether to take the console from somebody else who is there, who is told so.

        Raises:
            IncusConflictError: Somebody else is there.
            IncusOperationCancelledError: Somebody else has taken it meanwhile.
            IncusBadRequestError: The instance does not run.
            IncusNotFoundError: There is no such instance.
            IncusConnectionError: The connection to the server broke.
            OSError: The terminal here has hung up, or nobody reads the standard output any more.
        """
        from .._exec_local import take_seat
        from ..consoles import shell

        seat = take_seat(None)
        await shell(self._api, self._session(name, "console", force, *(seat.size or (80, 24))), seat)

    async def attach_console(
        self,
        name: str,
        type: Literal["console", "vga"] = "console",
        *,
        force: bool = False,
        width: int | None = None,
        height: int | None = None,
    ) -> OperationResponse:
        """Begin a session at a console, and leave its websockets to the caller (`POST …/console`).

        This is the call that `console` and `graphical_console` are made of. The answer is an operation with the secrets
        of the websockets in `["metadata"]["metadata"]["fds"]`: `0` is the console, `control` tells it the size of the
        screen, and ends the session when it is closed. Servers wait ten seconds for them, or for ever (6.0).

        Args:
            name: Name of the instance.
            type: `console`, or `vga` for the screen of a virtual machine, which speaks SPICE.
            force: Whether to end the session of somebody else who is at the console.
            width: Columns of the screen.
            height: Lines of the screen.

        Raises:
            IncusConflictError: Somebody else is there.
            IncusBadRequestError: It does not run, or has no such console.
            IncusNotFoundError: There is no such instance.
        """
        return await self._change("POST", self._url(name, suffix="/console"), _body(type, force, width, height))

    async def console_log(self, name: str) -> str:
        """Return what the console of an instance has shown (`GET …/console`).

        Of a container that runs, that is what came since somebody last asked, up to 128 KiB: this empties the log. Of a
        virtual machine it is everything since the start. Bytes that are no UTF-8 are replaced by U+FFFD.

        Args:
            name: Name of the instance.

        Raises:
            IncusNotFoundError: There is no such instance.
        """
        response = await self._api.read_raw(self._url(name, suffix="/console"))
        return response.body.decode(errors="replace")

    def follow_console_log(self, name: str, *, interval: float = 1.0) -> AsyncGenerator[str]:
        """Give what the console of an instance has shown, and goes on to show, until the instance stops.

        The server is asked for the log (`console_log`) again and again, which leaves the console to others. It also
        means that of more than 128 KiB within an interval the beginning is lost, and that somebody else who reads the
        log of the same container gets a part of it, which is missing here then. `console` misses nothing.

        Example:
            ```python
            async for text in client.instances.follow_console_log("web"):
                print(text, end="")
            ```

        Args:
            name: Name of the instance.
            interval: Seconds from one look to the next.

        Raises:
            IncusNotFoundError: There is no such instance, or no more.
            IncusConnectionError: The connection to the server broke.
        """
        from .._link import at_least_zero
        from ..consoles import followed

        at_least_zero(interval, "interval")
        return followed(self._api, self._url(name), interval)

    async def clear_console_log(self, name: str) -> None:
        """Forget what the console of a container has shown (`DELETE …/console`).

        Args:
            name: Name of the instance.

        Raises:
            IncusBadRequestError: It is a virtual machine.
            IncusNotFoundError: There is no such instance.
        """
        await self._api.operation("DELETE", self._url(name, suffix="/console"))

    async def screenshot(self, name: str, target: Target | None = None) -> bytes:
        """Return the screen of a running virtual machine as a PNG image (`GET …/console?type=vga`).

        Args:
            name: Name of the instance.
            target: Where to write it as well: the path of a file, or a binary file that is open.

        Raises:
            IncusNotFoundError: There is no such instance.
            IncusError: It has no screen: it does not run, or is a container.
            OSError: The file cannot be written.
        """
        url = self._url(name, suffix="/console")
        response = await self._api.read_raw(url, {"type": "vga"})
        if response.header("content-type") != "image/png":  # servers send the log then, or nothing
            raise IncusError(
                f"GET {url}: the server has no picture of a screen; only running virtual machines have one"
            )
        if target is not None:
            from .._sink import Sink

            with Sink(target) as sink:
                sink.write(response.body)
                sink.finish()
        return response.body

    def _session(
        self, name: str, type: str, force: bool, columns: int | None = None, rows: int | None = None
    ) -> Command:
        from .._commands import Command, terminal_size

        if columns is not None and rows is not None:
            columns, rows = terminal_size(columns, rows)
        return Command(name, self._url(name, suffix="/console"), _body(type, force, columns, rows))


def _body(type: str, force: bool, width: int | None, height: int | None) -> dict[str, object]:
    numbers = {"width": width, "height": height}
    body: dict[str, object] = {"type": type, **({"force": True} if force else {})}
    return body | {key: whole_number(key, n, 0, 0xFFFF) for key, n in numbers.items() if n is not None}


class BoundConsole(Bound):
    """The verbs for the console of this instance."""

    __slots__ = ()

    @asynccontextmanager
    async def console(self, *, columns: int = 80, rows: int = 24, force: bool = False) -> AsyncGenerator[Console]:
        """Attach to its console; see `InstancesAPI.console`."""
        async with self._consoles.console(self._key, columns=columns, rows=rows, force=force) as console:
            yield console

    @asynccontextmanager
    async def graphical_console(self, *, force: bool = False) -> AsyncGenerator[GraphicalConsole]:
        """Attach to its graphical console; see `InstancesAPI.graphical_console`."""
        async with self._consoles.graphical_console(self._key, force=force) as screen:
            yield screen

    async def console_shell(self, *, force: bool = False) -> None:
        """Attach this process' own terminal to its console; see `InstancesAPI.console_shell`."""
        await self._consoles.console_shell(self._key, force=force)

    async def attach_console(
        self,
        type: Literal["console", "vga"] = "console",
        *,
        force: bool = False,
        width: int | None = None,
        height: int | None = None,
    ) -> OperationResponse:
        """Begin a session at its console; see `InstancesAPI.attach_console`."""
        return await self._consoles.attach_console(self._key, type, force=force, width=width, height=height)

    async def console_log(self) -> str:
        """Return what its console has shown; see `InstancesAPI.console_log`."""
        return await self._consoles.console_log(self._key)

    def follow_console_log(self, *, interval: float = 1.0) -> AsyncGenerator[str]:
        """Give what its console shows; see `InstancesAPI.follow_console_log`."""
        return self._consoles.follow_console_log(self._key, interval=interval)

    async def clear_console_log(self) -> None:
        """Forget what its console has shown; see `InstancesAPI.clear_console_log`."""
        await self._consoles.clear_console_log(self._key)

    async def screenshot(self, target: Target | None = None) -> bytes:
        """Return its screen as a PNG image; see `InstancesAPI.screenshot`."""
        return await self._consoles.screenshot(self._key, target)

    @property
    def _consoles(self) -> InstancesAPI:
        return cast("InstancesAPI", self._collection)
