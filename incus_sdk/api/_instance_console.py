"""Instances: their console, what it has shown, and the screen of virtual machines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, cast

from .._values import whole_number
from ..exceptions import IncusError
from ..operations import OperationResponse
from ._bound import Bound
from ._collection import Collection, T

if TYPE_CHECKING:
    from .instances import InstancesAPI


class ConsoleVerbs(Collection[T]):
    """The verbs for consoles (`/1.0/instances/{name}/console`)."""

    async def attach_console(
        self,
        name: str,
        type: Literal["console", "vga"] = "console",
        *,
        force: bool = False,
        width: int | None = None,
        height: int | None = None,
    ) -> OperationResponse:
        """Begin a session at the console of a running instance (`POST …/console`).

        The answer is an operation with the secrets of its websockets in `["metadata"]["metadata"]["fds"]`: `0` is the
        console, `control` tells it the size of the terminal. The session lasts until they are closed.

        Args:
            name: Name of the instance.
            type: `console`, or `vga` for the screen of a virtual machine, which speaks SPICE.
            force: Whether to end the session of somebody else who is at the console.
            width: Columns of the terminal.
            height: Lines of the terminal.

        Raises:
            IncusNotFoundError: There is no such instance.
            IncusBadRequestError: It does not run, has no such console, or somebody is at it.
        """
        numbers = {"width": width, "height": height}
        body: dict[str, object] = {"type": type, **({"force": True} if force else {})}
        body |= {key: whole_number(key, n, 0, 0xFFFF) for key, n in numbers.items() if n is not None}
        return await self._change("POST", self._url(name, suffix="/console"), body)

    async def console_log(self, name: str) -> str:
        """Return what the console of an instance has shown (`GET …/console`), since it was last cleared.

        Bytes that are no UTF-8 are replaced by U+FFFD.

        Args:
            name: Name of the instance.

        Raises:
            IncusNotFoundError: There is no such instance.
        """
        response = await self._api.read_raw(self._url(name, suffix="/console"))
        return response.body.decode(errors="replace")

    async def clear_console_log(self, name: str) -> None:
        """Forget what the console of an instance has shown (`DELETE …/console`).

        Args:
            name: Name of the instance.

        Raises:
            IncusNotFoundError: There is no such instance.
        """
        await self._api.operation("DELETE", self._url(name, suffix="/console"))

    async def screenshot(self, name: str) -> bytes:
        """Return the screen of a running virtual machine as a PNG image (`GET …/console?type=vga`).

        Args:
            name: Name of the instance.

        Raises:
            IncusNotFoundError: There is no such instance.
            IncusError: It has no screen: it does not run, or is a container.
        """
        url = self._url(name, suffix="/console")
        response = await self._api.read_raw(url, {"type": "vga"})
        if response.header("content-type") != "image/png":  # servers send the log then, or nothing
            raise IncusError(
                f"GET {url}: the server has no picture of a screen; only running virtual machines have one"
            )
        return response.body


class BoundConsole(Bound):
    """The verbs for the console of this instance."""

    __slots__ = ()

    async def attach_console(
        self,
        type: Literal["console", "vga"] = "console",
        *,
        force: bool = False,
        width: int | None = None,
        height: int | None = None,
    ) -> OperationResponse:
        """Begin a session at its console; see `InstancesAPI.attach_console`."""
        return await self._console.attach_console(self._key, type, force=force, width=width, height=height)

    async def console_log(self) -> str:
        """Return what its console has shown; see `InstancesAPI.console_log`."""
        return await self._console.console_log(self._key)

    async def clear_console_log(self) -> None:
        """Forget what its console has shown; see `InstancesAPI.clear_console_log`."""
        await self._console.clear_console_log(self._key)

    async def screenshot(self) -> bytes:
        """Return its screen as a PNG image; see `InstancesAPI.screenshot`."""
        return await self._console.screenshot(self._key)

    @property
    def _console(self) -> InstancesAPI:
        return cast("InstancesAPI", self._collection)
