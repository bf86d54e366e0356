"""Backups of storage volumes: `/1.0/storage-pools/{pool}/volumes/{type}/{volume}/backups`."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Literal, Unpack, overload

from ..api_client import StreamResponse
from ..models import BackupTarget, StorageVolumeBackupCreateFields, StorageVolumeBackupData
from ..operations import OperationResponse
from ._backups import BackupVerbs, BoundBackup

if TYPE_CHECKING:
    from .._sink import Target

__all__ = ["StorageVolumeBackup", "StorageVolumeBackupsAPI"]


class StorageVolumeBackup(StorageVolumeBackupData, BoundBackup):
    """A backup of a volume, kept by the server, as it was when it was read."""


class StorageVolumeBackupsAPI(BackupVerbs[StorageVolumeBackup]):
    """Backups of one custom volume (`/1.0/storage-pools/{pool}/volumes/custom/{volume}/backups`)."""

    _path = "/1.0/storage-pools/{pool}/volumes/{type}/{volume}/backups"
    _model = StorageVolumeBackup
    _making = StorageVolumeBackupCreateFields

    @overload
    async def create(
        self, name: str | None = None, wait: Literal[False] = False, **fields: Unpack[StorageVolumeBackupCreateFields]
    ) -> OperationResponse: ...
    @overload
    async def create(
        self, name: str | None = None, *, wait: Literal[True], **fields: Unpack[StorageVolumeBackupCreateFields]
    ) -> StorageVolumeBackup: ...
    @overload
    async def create(
        self, name: str | None = None, wait: bool = False, **fields: Unpack[StorageVolumeBackupCreateFields]
    ) -> OperationResponse | StorageVolumeBackup: ...
    async def create(
        self, name: str | None = None, wait: bool = False, **fields: Unpack[StorageVolumeBackupCreateFields]
    ) -> OperationResponse | StorageVolumeBackup:
        """Make a backup that the server keeps (`POST …/backups`); `upload` is for one that it sends elsewhere.

        Example:
            ```python
            backups = client.storage_pools.volumes("default").backups("data")
            backup = await backups.create("nightly", wait=True, compression_algorithm="zstd")
            await backup.export("/srv/backups/data.tar.zst")
            await backup.delete(wait=True)
            ```

        Args:
            name: Its name; `None` lets the server choose one.
            wait: Whether to return the backup itself, when it is there.
            **fields: `compression_algorithm`, `expires_at` (give one, so that a program that ends early leaves nothing
                for good), `optimized_storage`, `volume_only`.

        Returns:
            The backup with `wait=True`; otherwise the answer, whose `wait()` tells how it ended.

        Raises:
            IncusNotFoundError: There is no such volume.
            IncusOperationConflictError: There is a backup of that name already (from the wait).
            IncusBadRequestError: The server does not have that compression.
        """
        return await self._create(name, wait, fields)

    async def upload(
        self, target: BackupTarget, wait: bool = False, **fields: Unpack[StorageVolumeBackupCreateFields]
    ) -> OperationResponse:
        """Make a backup and have the server upload it, keeping none itself (`POST …/backups` with a `target`).

        Needs the API extension `backup_s3_upload` (Incus 7.0).

        Args:
            target: Where to: `protocol` (`s3`), `url`, `bucket_name`, `path`, `access_key`, `secret_key`.
            wait: Whether to return only when it is there; otherwise the answer's `wait()` tells how it ended.
            **fields: How it is made; see `create`.

        Raises:
            IncusMissingExtensionError: The server cannot do that.
            IncusNotFoundError: There is no such volume.
            IncusArgumentError: The target has no such field.
            IncusOperationError: The upload failed (from the wait).
        """
        return await self._upload(target, wait, fields)

    async def direct(self, target: Target, **fields: Unpack[StorageVolumeBackupCreateFields]) -> int:
        """Make a backup and write it to a file at once, and return its size in bytes.

        Nothing is kept on the server (`POST …/backups`, answered with the backup itself). Needs the API extension
        `direct_backup` (Incus 7.0). The server has no way to say what fails once it has begun: it breaks off then.

        Args:
            target: Path of the file, which appears only when all of it has come; or a binary file that is open.
            **fields: How it is made; see `create`.

        Raises:
            IncusMissingExtensionError: The server cannot do that.
            IncusNotFoundError: There is no such volume.
            IncusConnectionError: The connection broke before the end, or the server failed half-way.
            OSError: The file cannot be written.
        """
        return await self._direct(target, fields)

    @asynccontextmanager
    async def stream_direct(self, **fields: Unpack[StorageVolumeBackupCreateFields]) -> AsyncGenerator[StreamResponse]:
        """Make a backup and read it piece by piece, in an `async with` block; see `direct`.

        Args:
            **fields: How it is made; see `create`.

        Raises:
            IncusMissingExtensionError: The server cannot do that.
            IncusNotFoundError: There is no such volume.
        """
        async with self._stream_direct(fields) as response:
            yield response
