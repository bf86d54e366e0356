"""Snapshots of storage volumes: `/1.0/storage-pools/{pool}/volumes/{type}/{volume}/snapshots`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Literal, cast, overload

from ..models import (
    StorageVolumePostTarget,
    StorageVolumeSnapshotBody,
    StorageVolumeSnapshotData,
    StorageVolumeSnapshotPut,
)
from ..operations import OperationResponse
from ._bodies import create_body, migration_body
from ._bound import BoundBackgroundDelete, BoundBackgroundRename, BoundGet, BoundWritable
from ._collection import BackgroundDeletable, BackgroundRenamable, Listable, check_name, check_wait
from ._nested import Nested, created
from ._writable import Writable

__all__ = ["StorageVolumeSnapshot", "StorageVolumeSnapshotsAPI"]

Target = StorageVolumePostTarget | Mapping[str, object]


class StorageVolumeSnapshot(
    StorageVolumeSnapshotData,
    BoundGet,
    BoundWritable[StorageVolumeSnapshotPut, StorageVolumeSnapshotBody],
    BoundBackgroundRename,
    BoundBackgroundDelete,
):
    """A volume as it was at some time; its `name` is that of the snapshot alone. Lists leave `content_type` empty."""

    async def restore(self) -> None:
        """Bring its volume back to it; see `StorageVolumeSnapshotsAPI.restore`."""
        await cast("StorageVolumeSnapshotsAPI", self._collection).restore(self._key)

    async def migrate(self, target: Target | None = None, wait: bool = False) -> OperationResponse:
        """Offer it to another server, or send it there; see `StorageVolumeSnapshotsAPI.migrate`."""
        group = cast("StorageVolumeSnapshotsAPI", self._collection)
        return await group.migrate(self._key, target, wait)


class StorageVolumeSnapshotsAPI(
    Nested[StorageVolumeSnapshot],
    Listable[StorageVolumeSnapshot],
    Writable[StorageVolumeSnapshot, StorageVolumeSnapshotPut, StorageVolumeSnapshotBody],
    BackgroundRenamable[StorageVolumeSnapshot],
    BackgroundDeletable[StorageVolumeSnapshot],
):
    """Snapshots of one volume (`/1.0/storage-pools/{pool}/volumes/{type}/{volume}/snapshots`).

    Those of an instance's volume are here to be looked at; they are made and removed as snapshots of the instance.
    """

    _path = "/1.0/storage-pools/{pool}/volumes/{type}/{volume}/snapshots"
    _model = StorageVolumeSnapshot
    _put = StorageVolumeSnapshotPut
    _lists_quoted = False

    def _bind(self, item: StorageVolumeSnapshot) -> StorageVolumeSnapshot:
        item.name = item.name.rpartition("/")[2]  # lists name it together with its volume
        return super()._bind(item)

    @overload
    async def create(
        self, name: str | None = None, expires_at: datetime | str | None = None, wait: Literal[False] = False
    ) -> OperationResponse: ...
    @overload
    async def create(
        self, name: str | None = None, expires_at: datetime | str | None = None, *, wait: Literal[True]
    ) -> StorageVolumeSnapshot: ...
    @overload
    async def create(
        self, name: str | None = None, expires_at: datetime | str | None = None, wait: bool = False
    ) -> OperationResponse | StorageVolumeSnapshot: ...
    async def create(
        self, name: str | None = None, expires_at: datetime | str | None = None, wait: bool = False
    ) -> OperationResponse | StorageVolumeSnapshot:
        """Take a snapshot of the volume, which must be a custom one (`POST …/snapshots`).

        Example:
            ```python
            snapshots = client.storage_pools.volumes("default").snapshots("data")
            before = await snapshots.create("before-upgrade", wait=True)
            ```

        Args:
            name: Its name; `None` lets the server choose one, by the volume's `snapshots.pattern`.
            expires_at: When the server deletes it; `None` leaves it to the volume's `snapshots.expiry`.
            wait: Whether to return the snapshot itself, when it is there.

        Returns:
            The snapshot with `wait=True`; otherwise the answer, whose `wait()` tells how it ended.

        Raises:
            IncusNotFoundError: There is no such volume.
            IncusConflictError: There is a snapshot of that name already.
        """
        check_wait(wait)
        if name is not None:
            check_name(name)
        body = create_body("StorageVolumeSnapshot", (), {}, name=name, expires_at=expires_at)
        operation = await self._change("POST", self._url(), body, wait)
        return await self._made(name or created(operation, "storage_volume_snapshots")) if wait else operation

    async def restore(self, name: str) -> None:
        """Bring the volume, which must be a custom one, back to a snapshot (`PUT …/{volume}` with `restore`).

        What was written since is lost. No running instance may use it, unless the driver can do that.

        Args:
            name: Name of the snapshot.

        Raises:
            IncusNotFoundError: There is no such volume or snapshot.
            IncusBadRequestError: The volume is in use.
        """
        check_name(name)
        await self._api.operation("PUT", self._parent, {"restore": name})

    async def migrate(self, name: str, target: Target | None = None, wait: bool = False) -> OperationResponse:
        """Offer a snapshot to another server, or send it there; see `StorageVolumesAPI.migrate`.

        It is a `POST …/snapshots/{name}` with `migration`.

        Args:
            name: Name of the snapshot.
            target: The operation that waits for it on the other server: `operation`, `secrets`, `certificate`.
            wait: Whether to return only when it is there, which needs a target.

        Raises:
            IncusArgumentError: It is to be waited for without a target, or the target has no such field.
            IncusNotFoundError: There is no such snapshot (from the wait).
            IncusOperationError: The other server cannot be reached, or refuses (from the wait).
        """
        body = migration_body(f"{name!r:.80}", StorageVolumePostTarget.__annotations__, target, wait, name)
        return await self._change("POST", self._url(name), body, wait)
