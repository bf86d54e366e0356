"""Network ACLs, which are sets of firewall rules: `/1.0/network-acls`."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Unpack, cast

from .._sink import Target
from ..api_client import StreamResponse
from ..models import NetworkACLBody, NetworkACLData, NetworkACLPut
from ._bodies import create_body
from ._bound import BoundDelete, BoundGet, BoundRename, BoundWritable
from ._collection import Deletable, Gettable, ProjectFilterable, Renamable, check_name
from ._writable import Writable

__all__ = ["NetworkACL", "NetworkACLsAPI"]


class NetworkACL(NetworkACLData, BoundGet, BoundWritable[NetworkACLPut, NetworkACLBody], BoundRename, BoundDelete):
    """Rules for what may enter and leave instances, as they were when they were read."""

    async def log(self) -> str:
        """Return what rules have logged; see `NetworkACLsAPI.log`."""
        return await self._acls.log(self.name)

    async def download_log(self, target: Target) -> int:
        """Write what rules have logged to a file; see `NetworkACLsAPI.download_log`."""
        return await self._acls.download_log(self.name, target)

    @asynccontextmanager
    async def stream_log(self) -> AsyncGenerator[StreamResponse]:
        """Read what rules have logged piece by piece; see `NetworkACLsAPI.stream_log`."""
        async with self._acls.stream_log(self.name) as response:
            yield response

    @property
    def _acls(self) -> NetworkACLsAPI:
        return cast("NetworkACLsAPI", self._collection)


class NetworkACLsAPI(
    ProjectFilterable[NetworkACL],
    Gettable[NetworkACL],
    Writable[NetworkACL, NetworkACLPut, NetworkACLBody],
    Renamable[NetworkACL],
    Deletable[NetworkACL],
):
    """Network ACLs (`/1.0/network-acls`): rules for networks and instances, which name them in `security.acls`."""

    _path = "/1.0/network-acls"
    _model = NetworkACL
    _put = NetworkACLPut

    async def create(self, name: str, **fields: Unpack[NetworkACLPut]) -> NetworkACL:
        """Create an ACL (`POST /1.0/network-acls`).

        Example:
            ```python
            ssh = {"action": "allow", "protocol": "tcp", "destination_port": "22", "state": "enabled"}
            await client.network_acls.create("admin", ingress=[ssh])
            ```

        Args:
            name: Its name.
            **fields: Its definition: `config`, `description`, `egress`, `ingress`.

        Raises:
            IncusConflictError: There is one of that name already.
            IncusBadRequestError: The server does not take the name or a rule.
        """
        check_name(name)
        body = create_body("NetworkACL", NetworkACLPut.__annotations__, fields, name=name)
        await self._api.operation("POST", self._url(), body)
        return await self._made(name)

    async def log(self, name: str) -> str:
        """Return what the rules with the state `logged` have logged (`GET /1.0/network-acls/{name}/log`).

        One JSON object a line, for packets of OVN networks: `time`, `proto`, `src`, `dst` …

        Raises:
            IncusNotFoundError: There is none of that name.
            IncusBadRequestError: The server has no OVN.
        """
        return (await self._api.read_raw(self._url(name, suffix="/log"))).body.decode(errors="replace")

    async def download_log(self, name: str, target: Target) -> int:
        """Write what rules have logged to a file, and return its size in bytes; see `log`.

        Args:
            name: Name of the ACL.
            target: Path of the file, which appears when it is complete; or a binary file that is open.

        Raises:
            IncusNotFoundError: There is none of that name.
            IncusBadRequestError: The server has no OVN.
            OSError: The file cannot be written.
        """
        return await self._api.download(self._url(name, suffix="/log"), target)

    @asynccontextmanager
    async def stream_log(self, name: str) -> AsyncGenerator[StreamResponse]:
        """Read what rules have logged piece by piece, in an `async with` block; see `log`.

        Args:
            name: Name of the ACL.

        Raises:
            IncusNotFoundError: There is none of that name.
            IncusBadRequestError: The server has no OVN.
        """
        async with self._api.stream("GET", self._url(name, suffix="/log")) as response:
            yield response
