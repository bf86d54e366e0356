"""Storage volumes: the verbs of what is below one, where the names of the groups are those of data."""

from __future__ import annotations

import builtins
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Literal, Unpack, cast, overload

from ..api_client import StreamResponse
from ..models import BackupTarget, StorageVolumeBackupCreateFields
from ..operations import OperationResponse
from ._bound import Bound

if TYPE_CHECKING:
    from .._sink import Target
    from .storage_volume_backups import StorageVolumeBackup
    from .storage_volume_snapshots import StorageVolumeSnapshot
    from .storage_volumes import StorageVolumesAPI

__all__ = ["BoundParts"]


class BoundParts(Bound):
    """The verbs of a volume's snapshots and backups."""

    __slots__ = ()

    async def get_snapshots(self) -> builtins.list[StorageVolumeSnapshot]:
        """Return its snapshots; see `StorageVolumeSnapshotsAPI.list`."""
        return await self._parts.snapshots(self._key).list()

    @overload
    async def create_snapshot(
        self, name: str | None = None, expires_at: datetime | str | None = None, wait: Literal[False] = False
    ) -> OperationResponse: ...
    @overload
    async def create_snapshot(
        self, name: str | None = None, expires_at: datetime | str | None = None, *, wait: Literal[True]
    ) -> StorageVolumeSnapshot: ...
    @overload
    async def create_snapshot(
        self, name: str | None = None, expires_at: datetime | str | None = None, wait: bool = False
    ) -> OperationResponse | StorageVolumeSnapshot: ...
    async def create_snapshot(
        self, name: str | None = None, expires_at: datetime | str | None = None, wait: bool = False
    ) -> OperationResponse | StorageVolumeSnapshot:
        """Take a snapshot of it; see `StorageVolumeSnapshotsAPI.create`."""
        return await self._parts.snapshots(self._key).create(name, expires_at, wait)

    async def get_backups(self) -> builtins.list[StorageVolumeBackup]:
        """Return its backups on the server; see `StorageVolumeBackupsAPI.list`."""
        return await self._parts.backups(self._key).list()

    @overload
    async def create_backup(
        self, name: str | None = None, wait: Literal[False] = False, **fields: Unpack[StorageVolumeBackupCreateFields]
    ) -> OperationResponse: ...
    @overload
    async def create_backup(
        self, name: str | None = None, *, wait: Literal[True], **fields: Unpack[StorageVolumeBackupCreateFields]
    ) -> StorageVolumeBackup: ...
    @overload
    async def create_backup(
        self, name: str | None = None, wait: bool = False, **fields: Unpack[StorageVolumeBackupCreateFields]
    ) -> OperationResponse | StorageVolumeBackup: ...
    async def create_backup(
        self, name: str | None = None, wait: bool = False, **fields: Unpack[StorageVolumeBackupCreateFields]
    ) -> OperationResponse | StorageVolumeBackup:
        """Make a backup of it, and keep it on the server; see `StorageVolumeBackupsAPI.create`."""
        return await self._parts.backups(self._key).create(name, wait, **fields)

    async def upload_backup(
        self, target: BackupTarget, wait: bool = False, **fields: Unpack[StorageVolumeBackupCreateFields]
    ) -> OperationResponse:
        """Make a backup of it and have the server upload that; see `StorageVolumeBackupsAPI.upload`."""
        return await self._parts.backups(self._key).upload(target, wait, **fields)

    async def direct_backup(self, target: Target, **fields: Unpack[StorageVolumeBackupCreateFields]) -> int:
        """Make a backup of it and write that to a file at once; see `StorageVolumeBackupsAPI.direct`."""
        return await self._parts.backups(self._key).direct(target, **fields)

    @asynccontextmanager
    async def stream_direct_backup(
        self, **fields: Unpack[StorageVolumeBackupCreateFields]
    ) -> AsyncGenerator[StreamResponse]:
        """Make a backup of it and read that piece by piece; see `StorageVolumeBackupsAPI.stream_direct`."""
        async with self._parts.backups(self._key).stream_direct(**fields) as response:
            yield response

    @property
    def _parts(self) -> StorageVolumesAPI:
        return cast("StorageVolumesAPI", self._collection)
