"""Instances: their console, and connections that become streams of another protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, cast

from .._values import text, whole_number
from ..api_client import RawStream
from ..exceptions import IncusError
from ..operations import OperationResponse
from ._bound import Bound
from ._collection import Collection, T

if TYPE_CHECKING:
    from .instances import InstancesAPI


class StreamVerbs(Collection[T]):
    """The verbs for consoles (`/1.0/instances/{name}/console`), and those that turn a connection into a stream.

    Whoever opens a stream speaks its protocol, and closes it.
    """

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

    async def open_sftp(self, name: str) -> RawStream:
        """Open a stream that speaks SFTP, version 3, with the files of an instance (`GET …/sftp`).

        Args:
            name: Name of the instance; a container need not run, a virtual machine needs its agent.

        Raises:
            IncusNotFoundError: There is no such instance.
        """
        return await self._api.upgrade(self._url(name, suffix="/sftp"), "sftp")

    async def open_nbd(self, name: str, *, reuse: bool = False) -> RawStream:
        """Open a stream that speaks NBD with all disks of a running virtual machine (`GET …/nbd`); the server begins.

        Needs the API extension `instance_nbd` (Incus 7.0 has it from 7.0.1 on).

        Args:
            name: Name of the instance.
            reuse: Whether to join the session that another stream has open, instead of beginning one.

        Raises:
            IncusNotFoundError: There is no such instance.
            IncusBadRequestError: It is no virtual machine, or does not run; or there is no session to join.
        """
        params = {"reuse": 1} if reuse else None
        return await self._api.upgrade(self._url(name, suffix="/nbd"), "nbd", params=params)

    async def open_port(self, name: str, port: int, address: str = "127.0.0.1") -> RawStream:
        """Open a connection to a TCP port, made from within an instance (`POST …/port-forward`).

        Needs the API extension `instance_port_forward` (Incus 7.0 has it from 7.0.2 on).

        Args:
            name: Name of the instance.
            port: Port to connect to.
            address: IP address to connect to, as the instance sees it.

        Raises:
            IncusNotFoundError: There is no such instance.
            IncusBadRequestError: It does not run, or the address is none.
            IncusAPIError: Nobody listens there.
        """
        body = {"address": text(address, "address"), "port": whole_number("port", port, 1, 0xFFFF)}
        return await self._api.upgrade(self._url(name, suffix="/port-forward"), "tcp", method="POST", data=body)


class BoundStreams(Bound):
    """The verbs for the console of this instance, and for streams of another protocol."""

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
        return await self._streams.attach_console(self._key, type, force=force, width=width, height=height)

    async def console_log(self) -> str:
        """Return what its console has shown; see `InstancesAPI.console_log`."""
        return await self._streams.console_log(self._key)

    async def clear_console_log(self) -> None:
        """Forget what its console has shown; see `InstancesAPI.clear_console_log`."""
        await self._streams.clear_console_log(self._key)

    async def screenshot(self) -> bytes:
        """Return its screen as a PNG image; see `InstancesAPI.screenshot`."""
        return await self._streams.screenshot(self._key)

    async def open_sftp(self) -> RawStream:
        """Open a stream that speaks SFTP; see `InstancesAPI.open_sftp`."""
        return await self._streams.open_sftp(self._key)

    async def open_nbd(self, *, reuse: bool = False) -> RawStream:
        """Open a stream that speaks NBD; see `InstancesAPI.open_nbd`."""
        return await self._streams.open_nbd(self._key, reuse=reuse)

    async def open_port(self, port: int, address: str = "127.0.0.1") -> RawStream:
        """Open a connection to a TCP port from within it; see `InstancesAPI.open_port`."""
        return await self._streams.open_port(self._key, port, address)

    @property
    def _streams(self) -> InstancesAPI:
        return cast("InstancesAPI", self._collection)
