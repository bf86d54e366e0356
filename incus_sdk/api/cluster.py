"""The cluster that a server is in: `/1.0/cluster`, its members and their groups."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from .._values import body_values
from ..api_client import APIClient
from ..exceptions import IncusArgumentError
from ..models import Cluster, ClusterMemberConfigKeyDict
from ..operations import OperationResponse
from ._collection import check_name, check_wait

if TYPE_CHECKING:
    from .cluster_groups import ClusterGroupsAPI
    from .cluster_members import ClusterMembersAPI

__all__ = ["ClusterAPI"]


class ClusterAPI:
    """The cluster that the server is in, if it is in one (`/1.0/cluster`).

    Args:
        client: The client that makes the requests.
    """

    def __init__(self, client: APIClient) -> None:
        self._api = client

    def __repr__(self) -> str:
        return f"<{type(self).__name__} /1.0/cluster>"

    @cached_property
    def members(self) -> ClusterMembersAPI:
        """Servers that are in the cluster (`/1.0/cluster/members`)."""
        from .cluster_members import ClusterMembersAPI

        return ClusterMembersAPI(self._api)

    @cached_property
    def groups(self) -> ClusterGroupsAPI:
        """Groups of servers, to be named as targets (`/1.0/cluster/groups`)."""
        from .cluster_groups import ClusterGroupsAPI

        return ClusterGroupsAPI(self._api)

    async def get(self) -> Cluster:
        """Return whether the server is in a cluster, and what a new member would have to say (`GET /1.0/cluster`)."""
        return await self._api.read("/1.0/cluster", Cluster)

    async def enable(self, server_name: str, wait: bool = False) -> OperationResponse:
        """Make this server the first member of a new cluster (`PUT /1.0/cluster`); it keeps all that it has.

        The server must have a `core.https_address` that others can reach. Its certificate becomes that of the cluster.

        Args:
            server_name: Name of this server in the cluster.
            wait: Whether to return only when it is done; otherwise the answer's `wait()` tells how it ended.

        Raises:
            IncusOperationError: The server is in a cluster already, or has no such address (from the wait).
        """
        check_name(server_name)
        return await self._put({"enabled": True, "server_name": server_name}, wait)

    async def join(
        self,
        server_name: str,
        server_address: str,
        cluster_address: str,
        cluster_certificate: str,
        cluster_token: str,
        member_config: Sequence[ClusterMemberConfigKeyDict] = (),
        wait: bool = False,
    ) -> OperationResponse:
        """Make this server a member of a cluster that there is (`PUT /1.0/cluster`).

        It must be empty: pools, networks, profiles and projects become those of the cluster. It restarts its listener
        on the way, and has the certificate of the cluster from then on.

        Example:
            ```python
            token = token_text(await first.cluster.members.create_token("node2"))
            await second.cluster.join("node2", "192.0.2.2:8443", "192.0.2.1:8443", certificate, token, wait=True)
            ```

        Args:
            server_name: Name of this server in the cluster: that for which the token was made.
            server_address: Where the others reach this server, as `host:port`.
            cluster_address: Where it reaches a member, as `host:port`.
            cluster_certificate: The certificate of the cluster, as PEM text.
            cluster_token: Text of a join token, as `incus_sdk.token_text` returns it.
            member_config: What `get` on a member has as `member_config`, each with a `value` for this server. A value
                that is left out is empty.
            wait: Whether to return only when it is done; otherwise the answer's `wait()` tells how it ended.

        Raises:
            IncusBadRequestError: The token is none, or this server is in a cluster.
            IncusOperationError: The cluster cannot be reached, or refuses (from the wait).
        """
        check_name(server_name)
        body: dict[str, object] = {
            "enabled": True,
            "server_name": server_name,
            "server_address": server_address,
            "cluster_address": cluster_address,
            "cluster_certificate": cluster_certificate,
            "cluster_token": cluster_token,
            "member_config": list(member_config),
        }
        return await self._put(body, wait)

    async def disable(self) -> None:
        """Make this server stand alone again, **and empty its database** (`PUT /1.0/cluster`).

        Instances, images, pools, networks, projects, trusted certificates: the server forgets them all, and restarts.
        A member leaves its cluster by `members.delete` on any member, which does this to it; so this is for the last
        member, or for one whose cluster is lost. A server that is in no cluster would do it as well: here it is
        refused.

        Raises:
            IncusArgumentError: The server is in no cluster.
        """
        if not (await self.get()).enabled:
            raise IncusArgumentError(
                "this server is in no cluster, so there is none to leave; it would empty its database all the same"
            )
        await self._api.operation("PUT", "/1.0/cluster", {"enabled": False})

    async def update_certificate(self, certificate: str, key: str) -> None:
        """Give the cluster another certificate, on all members at once (`PUT /1.0/cluster/certificate`).

        Clients that have pinned the old one have to be told.

        Args:
            certificate: The certificate, as PEM text.
            key: Its private key, as PEM text.

        Raises:
            IncusBadRequestError: It is no certificate, or the key of another.
        """
        body = {"cluster_certificate": certificate, "cluster_certificate_key": key}
        await self._api.operation("PUT", "/1.0/cluster/certificate", body)

    async def _put(self, body: dict[str, object], wait: bool) -> OperationResponse:
        check_wait(wait)
        operation = await self._api.operation("PUT", "/1.0/cluster", body_values(body))
        return await operation.wait() if wait else operation
