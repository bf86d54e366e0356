"""Members of a cluster: `/1.0/cluster/members`."""

from __future__ import annotations

import builtins
from collections.abc import Mapping
from typing import cast

from .._filters import fulfils
from .._listing import Listing
from ..models import ClusterMemberBody, ClusterMemberData, ClusterMemberPut, ClusterMemberState
from ..operations import OperationResponse
from ._bound import BoundGet, BoundWritable
from ._collection import Gettable, Listable, check_name
from ._writable import Writable

__all__ = ["ClusterMember", "ClusterMembersAPI"]


class ClusterMember(ClusterMemberData, BoundGet, BoundWritable[ClusterMemberPut, ClusterMemberBody]):
    """A server that is in the cluster, as it was when it was read."""

    @property
    def _key(self) -> str:
        return self.server_name

    @property
    def _members(self) -> ClusterMembersAPI:
        return cast("ClusterMembersAPI", self._collection)

    async def rename(self, new_name: str) -> None:
        """Give the member another name on the server; this Python object keeps the old one."""
        await self._members.rename(self.server_name, new_name)

    async def delete(self, *, force: bool = False, pending: bool = False) -> None:
        """Remove the server from the cluster; see `ClusterMembersAPI.delete`."""
        await self._members.delete(self.server_name, force=force, pending=pending)

    async def state(self) -> ClusterMemberState:
        """Return what it has of memory and disk space, and uses; see `ClusterMembersAPI.state`."""
        return await self._members.state(self.server_name)

    async def evacuate(self, mode: str | None = None, wait: bool = False) -> OperationResponse:
        """Move or stop its instances; see `ClusterMembersAPI.evacuate`."""
        return await self._members.evacuate(self.server_name, mode, wait)

    async def restore(self, mode: str | None = None, wait: bool = False) -> OperationResponse:
        """Bring back what `evacuate` has moved or stopped; see `ClusterMembersAPI.restore`."""
        return await self._members.restore(self.server_name, mode, wait)


class ClusterMembersAPI(
    Listable[ClusterMember],
    Gettable[ClusterMember],
    Writable[ClusterMember, ClusterMemberPut, ClusterMemberBody],
):
    """Servers that are in the cluster (`/1.0/cluster/members`).

    If the server is in no cluster, each of these raises `IncusBadRequestError` or `IncusNotFoundError`.
    """

    _path = "/1.0/cluster/members"
    _model = ClusterMember
    _in_project = False
    _put = ClusterMemberPut

    async def list(self, *, filter: Mapping[str, object] | None = None) -> builtins.list[ClusterMember]:
        """Return all members, or those that fulfil a condition.

        Args:
            filter: Fields and the values that they must have, as in `{"status": "Online"}`: all must hold, and a list
                means any of these. Of a field that is a list, one item is enough: `{"roles": "event-hub"}`. It is
                applied here, to all members: Incus 6.0 ignores conditions on them, and 7.0 takes none on lists.

        Raises:
            IncusBadRequestError: The server is in no cluster.
            TypeError: The filter is no mapping, or has something in it that cannot be compared.
        """
        return Listing(member for member in await super().list() if fulfils(member.to_dict(), filter))

    async def create_token(self, server_name: str) -> OperationResponse:
        """Make a token by which a server can join the cluster, once (`POST /1.0/cluster/members`).

        The answer is an operation that runs until the token is used: do not wait for it, `cancel()` revokes it.
        `incus_sdk.token_text` gives the text that `ClusterAPI.join` takes.

        Args:
            server_name: Name that the server is to have in the cluster.

        Raises:
            IncusConflictError: There is a member of that name.
            IncusBadRequestError: The server is in no cluster.
        """
        check_name(server_name)
        return await self._api.operation("POST", self._url(), {"server_name": server_name})

    async def rename(self, name: str, new_name: str) -> None:
        """Give a member another name (`POST /1.0/cluster/members/{name}`).

        Args:
            name: The name it has.
            new_name: The name it is to have.

        Raises:
            IncusNotFoundError: There is none of that name.
            IncusConflictError: The new name is taken.
        """
        check_name(new_name)
        await self._api.operation("POST", self._url(name), {"server_name": new_name})

    async def delete(self, name: str, *, force: bool = False, pending: bool = False) -> None:
        """Remove a server from the cluster (`DELETE /1.0/cluster/members/{name}`).

        What it has must be moved or deleted before. The server stands alone then, and has forgotten everything.

        Args:
            name: Name of the member.
            force: Whether to remove one that cannot be reached, and will never be again, with all that is on it.
            pending: Whether to remove one that has begun to join, and will not end.

        Raises:
            IncusNotFoundError: There is none of that name.
            IncusBadRequestError: There is something on it, or it is the last member (that is for `disable`).
        """
        params = {"force": True if force else None, "pending": True if pending else None}
        await self._api.operation("DELETE", self._url(name), params=params)

    async def state(self, name: str) -> ClusterMemberState:
        """Return what a member has of memory and disk space, and uses (`GET /1.0/cluster/members/{name}/state`).

        Raises:
            IncusNotFoundError: There is none of that name.
        """
        return await self._api.read(self._url(name, suffix="/state"), ClusterMemberState)

    async def evacuate(self, name: str, mode: str | None = None, wait: bool = False) -> OperationResponse:
        """Move the instances of a member to others, or stop them (`POST /1.0/cluster/members/{name}/state`).

        The member stays in the cluster, and gets no new instances until it is restored.

        Args:
            name: Name of the member.
            mode: What to do with all instances, whatever their `cluster.evacuate` says: `migrate`, `live-migrate`,
                `stop`, `stateful-stop`, `force-stop`.
            wait: Whether to return only when it is done; otherwise the answer's `wait()` tells how it ended.

        Raises:
            IncusNotFoundError: There is none of that name.
            IncusBadRequestError: There is no such mode.
            IncusOperationConflictError: It is evacuated already, which 7.0 does not mind (from the wait).
            IncusOperationError: An instance can be neither moved nor stopped (from the wait).
        """
        return await self._post_state(name, "evacuate", mode, wait)

    async def restore(self, name: str, mode: str | None = None, wait: bool = False) -> OperationResponse:
        """Bring back the instances that were moved, and start those that were stopped, by `evacuate`.

        It is `POST /1.0/cluster/members/{name}/state`.

        Args:
            name: Name of the member.
            mode: `skip` leaves the instances where they are.
            wait: Whether to return only when it is done; otherwise the answer's `wait()` tells how it ended.

        Raises:
            IncusNotFoundError: There is none of that name.
            IncusOperationConflictError: It is not evacuated, which 7.0 does not mind (from the wait).
            IncusOperationError: An instance cannot be moved back, or started (from the wait).
        """
        return await self._post_state(name, "restore", mode, wait)

    async def _post_state(self, name: str, action: str, mode: str | None, wait: bool) -> OperationResponse:
        body = {"action": action} if mode is None else {"action": action, "mode": mode}
        return await self._change("POST", self._url(name, suffix="/state"), body, wait)
