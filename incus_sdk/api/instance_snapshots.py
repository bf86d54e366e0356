"""Snapshots of an instance: `/1.0/instances/{name}/snapshots`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Literal, cast, overload

from ..models import InstancePostTarget, InstanceSnapshotBody, InstanceSnapshotData, InstanceSnapshotPut
from ..operations import OperationResponse
from ._bodies import migration_body
from ._bound import BoundBackgroundDelete, BoundBackgroundRename, BoundBackgroundWritable, BoundGet
from ._collection import BackgroundDeletable, BackgroundRenamable, check_name, check_wait
from ._nested import NestedListable, created
from ._writable import BackgroundWritable

__all__ = ["InstanceSnapshot", "InstanceSnapshotsAPI"]

Target = InstancePostTarget | Mapping[str, object]


class InstanceSnapshot(
    InstanceSnapshotData,
    BoundGet,
    BoundBackgroundWritable[InstanceSnapshotPut, InstanceSnapshotBody],
    BoundBackgroundRename,
    BoundBackgroundDelete,
):
    """A snapshot of an instance, as it was when it was read, with the verbs of its group."""

    @property
    def _snapshots(self) -> InstanceSnapshotsAPI:
        return cast("InstanceSnapshotsAPI", self._collection)

    async def restore(
        self, stateful: bool = False, wait: bool = False, *, disk_only: bool = False
    ) -> OperationResponse:
        """Bring its instance back to it; see `InstanceSnapshotsAPI.restore`."""
        return await self._snapshots.restore(self.name, stateful, wait, disk_only=disk_only)

    async def migrate(
        self, target: Target | None = None, wait: bool = False, *, live: bool = False
    ) -> OperationResponse:
        """Offer it to another server, or send it there; see `InstanceSnapshotsAPI.migrate`."""
        return await self._snapshots.migrate(self.name, target, wait, live=live)


class InstanceSnapshotsAPI(
    NestedListable[InstanceSnapshot],
    BackgroundWritable[InstanceSnapshot, InstanceSnapshotPut, InstanceSnapshotBody],
    BackgroundRenamable[InstanceSnapshot],
    BackgroundDeletable[InstanceSnapshot],
):
    """Snapshots of an instance (`/1.0/instances/{name}/snapshots`).

    The only field that can be changed is `expires_at`; the time `0001-01-01T00:00:00Z` stands for never.
    """

    _path = "/1.0/instances/{instance}/snapshots"
    _model = InstanceSnapshot
    _put = InstanceSnapshotPut
    _lists_quoted = False

    @overload
    async def create(
        self,
        name: str | None = None,
        stateful: bool = False,
        expires_at: datetime | str | None = None,
        wait: Literal[False] = False,
    ) -> OperationResponse: ...
    @overload
    async def create(
        self,
        name: str | None = None,
        stateful: bool = False,
        expires_at: datetime | str | None = None,
        *,
        wait: Literal[True],
    ) -> InstanceSnapshot: ...
    @overload
    async def create(
        self,
        name: str | None = None,
        stateful: bool = False,
        expires_at: datetime | str | None = None,
        wait: bool = False,
    ) -> OperationResponse | InstanceSnapshot: ...
    async def create(
        self,
        name: str | None = None,
        stateful: bool = False,
        expires_at: datetime | str | None = None,
        wait: bool = False,
    ) -> OperationResponse | InstanceSnapshot:
        """Take a snapshot (`POST /1.0/instances/{name}/snapshots`).

        Example:
            ```python
            await client.instances.snapshots("web").create("before-upgrade", wait=True)
            ```

        Args:
            name: Name of the snapshot; `None` lets the server make one up, by the instance's `snapshots.pattern`.
            stateful: Whether to save the memory of a running instance, too; it needs `migration.stateful` for that.
            expires_at: When the server is to delete it; by default as the instance's `snapshots.expiry` says.
            wait: Whether to return the snapshot itself, when it is there.

        Returns:
            The `InstanceSnapshot` with `wait=True`; otherwise the answer, whose `wait()` tells how it ended.

        Raises:
            IncusNotFoundError: There is no such instance.
            IncusBadRequestError: The name is not one that a snapshot can have.
            IncusOperationConflictError: There is one of that name already (from the wait).
            IncusOperationBadRequestError: Its state cannot be saved (from the wait).
        """
        check_wait(wait)
        if name is not None:
            check_name(name)
        fields = {"name": name, "stateful": stateful or None, "expires_at": expires_at}
        body = {key: value for key, value in fields.items() if value is not None}
        operation = await self._api.operation("POST", self._url(), body)
        if not wait:
            return operation
        await operation.wait()
        return await self._made(name or created(operation, "instances_snapshots"))

    async def restore(
        self, name: str, stateful: bool = False, wait: bool = False, *, disk_only: bool = False
    ) -> OperationResponse:
        """Bring the instance back to a snapshot (`PUT /1.0/instances/{name}`), its configuration included.

        A running instance is stopped for that, and started again.

        Args:
            name: Name of the snapshot.
            stateful: Whether to restore the memory that a stateful snapshot has.
            wait: Whether to return only when it is done; otherwise the answer's `wait()` tells how it ended.
            disk_only: Whether to leave the configuration as it is. Needs the API extension
                `instance_snapshot_disk_only_restore` (Incus 7.0).

        Raises:
            IncusNotFoundError: There is no such instance.
            IncusOperationNotFoundError: It has no such snapshot (from the wait).
        """
        check_name(name)
        body: dict[str, object] = {"restore": name, "stateful": stateful}
        return await self._change(
            "PUT", self._url_of_instance(), {**body, **({"disk_only": True} if disk_only else {})}, wait
        )

    async def migrate(
        self, name: str, target: Target | None = None, wait: bool = False, *, live: bool = False
    ) -> OperationResponse:
        """Offer a snapshot to another server, or send it there; see `InstancesAPI.migrate` (`POST …/snapshots/{name}`).

        Args:
            name: Name of the snapshot.
            target: The operation that waits for it on the other server: `operation`, `secrets`, `certificate`.
            wait: Whether to return only when it is there, which needs a target.
            live: Whether its saved state goes along.

        Raises:
            IncusArgumentError: It is to be waited for without a target, or the target has no such field.
            IncusNotFoundError: There is no such snapshot.
            IncusOperationError: The other server cannot be reached, or refuses (from the wait).
        """
        body = migration_body(f"{name!r:.80}", InstancePostTarget.__annotations__, target, wait, live=live)
        return await self._change("POST", self._url(name), body, wait)

    def _url_of_instance(self) -> str:
        return self._root.removesuffix("/snapshots")
