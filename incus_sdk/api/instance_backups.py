"""Backups of an instance: `/1.0/instances/{name}/backups`."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Literal, Unpack, overload

from ..api_client import StreamResponse
from ..models import BackupTarget, InstanceBackupCreateFields, InstanceBackupData
from ..operations import OperationResponse
from ._backups import BackupVerbs, BoundBackup
from ._nested import NestedListable

if TYPE_CHECKING:
    from .._sink import Target

__all__ = ["InstanceBackup", "InstanceBackupsAPI"]


class InstanceBackup(InstanceBackupData, BoundBackup):
    """A backup that the server keeps, as it was when it was read, with the verbs of its group."""


class InstanceBackupsAPI(BackupVerbs[InstanceBackup], NestedListable[InstanceBackup]):
    """Backups of an instance that the server keeps (`/1.0/instances/{name}/backups`).

    A backup is a file with all of an instance in it. `client.instances.import_backup` makes an instance of one.
    """

    _path = "/1.0/instances/{instance}/backups"
    _model = InstanceBackup
    _making = InstanceBackupCreateFields
    _lists_quoted = False

    @overload
    async def create(
        self, name: str | None = None, wait: Literal[False] = False, **fields: Unpack[InstanceBackupCreateFields]
    ) -> OperationResponse: ...
    @overload
    async def create(
        self, name: str | None = None, *, wait: Literal[True], **fields: Unpack[InstanceBackupCreateFields]
    ) -> InstanceBackup: ...
    @overload
    async def create(
        self, name: str | None = None, wait: bool = False, **fields: Unpack[InstanceBackupCreateFields]
    ) -> OperationResponse | InstanceBackup: ...
    async def create(
        self, name: str | None = None, wait: bool = False, **fields: Unpack[InstanceBackupCreateFields]
    ) -> OperationResponse | InstanceBackup:
        """Make a backup, and keep it on the server (`POST /1.0/instances/{name}/backups`).

        `upload` is for one that the server sends elsewhere, `direct` for one that comes here at once.

        Example:
            ```python
            backup = await client.instances.backups("web").create(instance_only=True, wait=True)
            await backup.export("web.tar.gz")
            await backup.delete(wait=True)
            ```

        Args:
            name: Name of the backup; `None` lets the server make one up.
            wait: Whether to return the backup itself, when it is there.
            **fields: How it is made: `compression_algorithm`, `expires_at` (give one, so that a program that ends early
                leaves nothing for good), `instance_only`, `optimized_storage`, and `root_only`, which needs the API
                extension `dependent` (Incus 7.0).

        Returns:
            The `InstanceBackup` with `wait=True`; otherwise the answer, whose `wait()` tells how it ended.

        Raises:
            IncusNotFoundError: There is no such instance.
            IncusBadRequestError: The server does not take the name, or a value.
            IncusOperationConflictError: There is one of that name already (from the wait).
        """
        return await self._create(name, wait, fields)

    async def upload(
        self, target: BackupTarget, wait: bool = False, **fields: Unpack[InstanceBackupCreateFields]
    ) -> OperationResponse:
        """Make a backup and have the server upload it, keeping none itself (`POST …/backups` with a `target`).

        Needs the API extension `backup_s3_upload` (Incus 7.0).

        Args:
            target: Where to: `protocol` (`s3`), `url`, `bucket_name`, `path`, `access_key`, `secret_key`.
            wait: Whether to return only when it is there; otherwise the answer's `wait()` tells how it ended.
            **fields: How it is made; see `create`.

        Raises:
            IncusMissingExtensionError: The server cannot do that.
            IncusNotFoundError: There is no such instance.
            IncusArgumentError: The target has no such field.
            IncusOperationError: The upload failed (from the wait).
        """
        return await self._upload(target, wait, fields)

    async def direct(self, target: Target, **fields: Unpack[InstanceBackupCreateFields]) -> int:
        """Make a backup and write it to a file at once, and return its size in bytes.

        Nothing is kept on the server (`POST …/backups`, answered with the backup itself). Needs the API extension
        `direct_backup` (Incus 7.0). The server has no way to say what fails once it has begun: it breaks off then.

        Args:
            target: Path of the file, which appears only when all of it has come; or a binary file that is open.
            **fields: How it is made; see `create`.

        Raises:
            IncusMissingExtensionError: The server cannot do that.
            IncusNotFoundError: There is no such instance.
            IncusBadRequestError: The server does not take a value.
            IncusConnectionError: The connection broke before the end, or the server failed half-way.
            OSError: The file cannot be written.
        """
        return await self._direct(target, fields)

    @asynccontextmanager
    async def stream_direct(self, **fields: Unpack[InstanceBackupCreateFields]) -> AsyncGenerator[StreamResponse]:
        """Make a backup and read it piece by piece, in an `async with` block; see `direct`.

        Args:
            **fields: How it is made; see `create`.

        Raises:
            IncusMissingExtensionError: The server cannot do that.
            IncusNotFoundError: There is no such instance.
            IncusBadRequestError: The server does not take a value.
        """
        async with self._stream_direct(fields) as response:
            yield response
