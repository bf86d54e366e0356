"""Instances: connections that become streams of another protocol."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, cast

from .._values import text, whole_number
from ..api_client import RawStream
from ._bound import Bound
from ._collection import Collection, T

if TYPE_CHECKING:
    from .instances import InstancesAPI


class StreamVerbs(Collection[T]):
    """The verbs that turn a connection into a stream; whoever opens one speaks its protocol."""

    async def open_sftp(self, name: str) -> RawStream:
        """Open a stream that speaks SFTP, version 3, with the files of an instance (`GET …/sftp`).

        It is open until it is closed, or an `async with` block around it ends.

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

    @asynccontextmanager
    async def port_forward(self, name: str, port: int, address: str = "127.0.0.1") -> AsyncGenerator[RawStream]:
        r"""Connect to a TCP port from within an instance (`POST …/port-forward`); the connection lasts as the block.

        The server takes the end of one direction for the end of both, so there is no `write_eof`.

        Needs the API extension `instance_port_forward` (Incus 7.0 has it from 7.0.2 on).

        Example:
            ```python
            async with client.instances.port_forward("web", 80) as stream:
                await stream.write(b"GET / HTTP/1.0\r\n\r\n")
                print(await stream.read())
            ```

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
        url = self._url(name, suffix="/port-forward")
        async with await self._api.upgrade(url, "tcp", method="POST", data=body) as stream:
            yield stream


class BoundStreams(Bound):
    """The verbs for streams of another protocol with this instance."""

    __slots__ = ()

    async def open_sftp(self) -> RawStream:
        """Open a stream that speaks SFTP; see `InstancesAPI.open_sftp`."""
        return await self._streams.open_sftp(self._key)

    async def open_nbd(self, *, reuse: bool = False) -> RawStream:
        """Open a stream that speaks NBD; see `InstancesAPI.open_nbd`."""
        return await self._streams.open_nbd(self._key, reuse=reuse)

    @asynccontextmanager
    async def port_forward(self, port: int, address: str = "127.0.0.1") -> AsyncGenerator[RawStream]:
        """Connect to a TCP port from within it; see `InstancesAPI.port_forward`."""
        async with self._streams.port_forward(self._key, port, address) as stream:
            yield stream

    @property
    def _streams(self) -> InstancesAPI:
        return cast("InstancesAPI", self._collection)
