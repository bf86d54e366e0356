"""Instances: connections that become streams of another protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from .._values import text, whole_number
from ..api_client import RawStream
from ._bound import Bound
from ._collection import Collection, T

if TYPE_CHECKING:
    from .instances import InstancesAPI


class StreamVerbs(Collection[T]):
    """The verbs that turn a connection into a stream; whoever calls them speaks the protocol, and closes it."""

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
    """The verbs that turn a connection into a stream of another protocol."""

    __slots__ = ()

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
