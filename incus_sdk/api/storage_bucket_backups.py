"""Backups of storage buckets: `/1.0/storage-pools/{pool}/buckets/{bucket}/backups`."""

from __future__ import annotations

import builtins
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Literal, Unpack, overload

from ..api_client import StreamResponse
from ..models import StorageBucketBackupCreateFields, StorageBucketBackupData
from ..operations import OperationResponse
from ._backups import BackupVerbs, BoundBackup
from ._nested import NestedListable

if TYPE_CHECKING:
    from .._sink import Target

__all__ = ["StorageBucketBackup", "StorageBucketBackupsAPI"]


class StorageBucketBackup(StorageBucketBackupData, BoundBackup):
    """A backup of a bucket, kept by the server, as it was when it was read."""


class StorageBucketBackupsAPI(BackupVerbs[StorageBucketBackup], NestedListable[StorageBucketBackup]):
    """Backups of one bucket (`/1.0/storage-pools/{pool}/buckets/{bucket}/backups`).

    The server reads the bucket by S3, so it must listen for that (`core.storage_buckets_address`).

    Incus 7.0 neither renames nor deletes them, since it looks for them in the wrong places: both operations fail. Give
    them an `expires_at`, or have none kept (`direct`); they also go with the bucket.
    """

    _path = "/1.0/storage-pools/{pool}/buckets/{bucket}/backups"
    _model = StorageBucketBackup
    _making = StorageBucketBackupCreateFields

    async def names(self) -> builtins.list[str]:
        """Return the names of all backups.

        Raises:
            IncusNotFoundError: There is no such bucket.
        """
        # Not by the cheaper request of other lists: it makes Incus 7.0 hang up, if there are any.
        return [backup.name for backup in await self.list()]

    @overload
    async def create(
        self, name: str | None = None, wait: Literal[False] = False, **fields: Unpack[StorageBucketBackupCreateFields]
    ) -> OperationResponse: ...
    @overload
    async def create(
        self, name: str | None = None, *, wait: Literal[True], **fields: Unpack[StorageBucketBackupCreateFields]
    ) -> StorageBucketBackup: ...
    @overload
    async def create(
        self, name: str | None = None, wait: bool = False, **fields: Unpack[StorageBucketBackupCreateFields]
    ) -> OperationResponse | StorageBucketBackup: ...
    async def create(
        self, name: str | None = None, wait: bool = False, **fields: Unpack[StorageBucketBackupCreateFields]
    ) -> OperationResponse | StorageBucketBackup:
        """Make a backup that the server keeps (`POST …/backups`).

        Args:
            name: Its name; `None` lets the server choose one.
            wait: Whether to return the backup itself, when it is there.
            **fields: `compression_algorithm`, `expires_at`.

        Returns:
            The backup with `wait=True`; otherwise the answer, whose `wait()` tells how it ended.

        Raises:
            IncusNotFoundError: There is no such bucket.
            IncusOperationConflictError: There is a backup of that name already (from the wait).
            IncusOperationBadRequestError: The server does not listen for S3 clients (from the wait).
        """
        return await self._create(name, wait, fields)

    async def direct(self, target: Target, **fields: Unpack[StorageBucketBackupCreateFields]) -> int:
        """Make a backup and write it to a file at once, and return its size in bytes.

        Nothing is kept on the server (`POST …/backups`, answered with the backup itself). Needs the API extension
        `direct_backup` (Incus 7.0). The server has no way to say what fails once it has begun: it breaks off then.

        Args:
            target: Path of the file, which appears only when all of it has come; or a binary file that is open.
            **fields: How it is made; see `create`.

        Raises:
            IncusMissingExtensionError: The server cannot do that.
            IncusNotFoundError: There is no such bucket.
            IncusConnectionError: The connection broke before the end, or the server failed half-way.
            OSError: The file cannot be written.
        """
        return await self._direct(target, fields)

    @asynccontextmanager
    async def stream_direct(self, **fields: Unpack[StorageBucketBackupCreateFields]) -> AsyncGenerator[StreamResponse]:
        """Make a backup and read it piece by piece, in an `async with` block; see `direct`.

        Args:
            **fields: How it is made; see `create`.

        Raises:
            IncusMissingExtensionError: The server cannot do that.
            IncusNotFoundError: There is no such bucket.
        """
        async with self._stream_direct(fields) as response:
            yield response
