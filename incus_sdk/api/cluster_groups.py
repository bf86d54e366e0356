"""Groups of cluster members: `/1.0/cluster/groups`."""

from __future__ import annotations

from typing import Unpack

from ..models import ClusterGroupBody, ClusterGroupData, ClusterGroupPut
from ._bodies import create_body
from ._bound import BoundDelete, BoundGet, BoundRename, BoundWritable
from ._collection import Deletable, Gettable, Listable, Renamable, check_name
from ._writable import Writable

__all__ = ["ClusterGroup", "ClusterGroupsAPI"]


class ClusterGroup(
    ClusterGroupData, BoundGet, BoundWritable[ClusterGroupPut, ClusterGroupBody], BoundRename, BoundDelete
):
    """Some members of the cluster under a name, as they were when they were read."""


class ClusterGroupsAPI(
    Listable[ClusterGroup],
    Gettable[ClusterGroup],
    Writable[ClusterGroup, ClusterGroupPut, ClusterGroupBody],
    Renamable[ClusterGroup],
    Deletable[ClusterGroup],
):
    """Groups of cluster members (`/1.0/cluster/groups`); `client.use_target("@name")` creates instances in one.

    If the server is in no cluster, each of these raises `IncusBadRequestError` or `IncusNotFoundError`.
    """

    _path = "/1.0/cluster/groups"
    _model = ClusterGroup
    _in_project = False
    _put = ClusterGroupPut
    _updating = "PUT"  # 6.0 refuses each PATCH of a group with members that has an ETag, be it right
    _etag_suffices = False  # a PUT is taken whatever its ETag

    async def create(self, name: str, **fields: Unpack[ClusterGroupPut]) -> ClusterGroup:
        """Create a group (`POST /1.0/cluster/groups`).

        Example:
            ```python
            fast = await client.cluster.groups.create("fast", members=["node1", "node2"])
            ```

        Args:
            name: Its name.
            **fields: Its definition: `config` (needs the API extension `clustering_groups_config`), `description`,
                `members`.

        Raises:
            IncusConflictError: There is one of that name already.
            IncusNotFoundError: There is no such member.
            IncusBadRequestError: The server is in no cluster.
        """
        check_name(name)
        body = create_body("ClusterGroup", ClusterGroupPut.__annotations__, fields, name=name)
        await self._api.operation("POST", self._url(), body)
        return await self._made(name)
