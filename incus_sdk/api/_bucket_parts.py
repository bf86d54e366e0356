"""Storage buckets: the verbs of what is below one, where the names of the groups are those of data."""

from __future__ import annotations

import builtins
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Literal, Unpack, cast, overload

from ..api_client import StreamResponse
from ..models import StorageBucketBackupCreateFields
from ..operations import OperationResponse
from ._bound import Bound

if TYPE_CHECKING:
    from .._sink import Target
    from .storage_bucket_backups import StorageBucketBackup
    from .storage_bucket_keys import StorageBucketKey
    from .storage_buckets import StorageBucketsAPI

__all__ = ["BoundParts"]


class BoundParts(Bound):
    """The verbs of a bucket's keys and backups."""

    __slots__ = ()

    async def get_keys(self) -> builtins.list[StorageBucketKey]:
        """Return its keys; see `StorageBucketKeysAPI.list`."""
        return await self._parts.keys(self._key).list()

    async def create_key(
        self,
        name: str,
        role: str = "read-only",
        *,
        description: str | None = None,
        access_key: str | None = None,
        secret_key: str | None = None,
    ) -> StorageBucketKey:
        """Create a key for it; see `StorageBucketKeysAPI.create`."""
        return await self._parts.keys(self._key).create(
            name, role, description=description, access_key=access_key, secret_key=secret_key
        )

    async def get_backups(self) -> builtins.list[StorageBucketBackup]:
        """Return its backups on the server; see `StorageBucketBackupsAPI.list`."""
        return await self._parts.backups(self._key).list()

    @overload
    async def create_backup(
        self, name: str | None = None, wait: Literal[False] = False, **fields: Unpack[StorageBucketBackupCreateFields]
    ) -> OperationResponse: ...
    @overload
    async def create_backup(
        self, name: str | None = None, *, wait: Literal[True], **fields: Unpack[StorageBucketBackupCreateFields]
    ) -> StorageBucketBackup: ...
    @overload
    async def create_backup(
        self, name: str | None = None, wait: bool = False, **fields: Unpack[StorageBucketBackupCreateFields]
    ) -> OperationResponse | StorageBucketBackup: ...
    async def create_backup(
        self, name: str | None = None, wait: bool = False, **fields: Unpack[StorageBucketBackupCreateFields]
    ) -> OperationResponse | StorageBucketBackup:
        """Make a backup of it, and keep it on the server; see `StorageBucketBackupsAPI.create`."""
        return await self._parts.backups(self._key).create(name, wait, **fields)

    async def direct_backup(self, target: Target, **fields: Unpack[StorageBucketBackupCreateFields]) -> int:
        """Make a backup of it and write that to a file at once; see `StorageBucketBackupsAPI.direct`."""
        return await self._parts.backups(self._key).direct(target, **fields)

    @asynccontextmanager
    async def stream_direct_backup(
        self, **fields: Unpack[StorageBucketBackupCreateFields]
    ) -> AsyncGenerator[StreamResponse]:
        """Make a backup of it and read that piece by piece; see `StorageBucketBackupsAPI.stream_direct`."""
        async with self._parts.backups(self._key).stream_direct(**fields) as response:
            yield response

    @property
    def _parts(self) -> StorageBucketsAPI:
        return cast("StorageBucketsAPI", self._collection)
