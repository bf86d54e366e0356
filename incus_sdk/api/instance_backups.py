"""Backups of an instance: `/1.0/instances/{name}/backups`."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Literal, Unpack, cast, overload

from ..api_client import StreamResponse
from ..models import InstanceBackupCreateFields, InstanceBackupData
from ..operations import OperationResponse
from ._below_instances import InInstance, created_name
from ._bodies import create_body
from ._bound import BoundBackgroundDelete, BoundBackgroundRename, BoundGet
from ._collection import BackgroundDeletable, BackgroundRenamable, check_name, check_wait

if TYPE_CHECKING:
    from .._disk import Target

__all__ = ["InstanceBackup", "InstanceBackupsAPI"]

DIRECT = {"Accept": "application/octet-stream"}
"""Makes the server send the backup instead of keeping it; the value has to be just this."""


class InstanceBackup(InstanceBackupData, BoundGet, BoundBackgroundRename, BoundBackgroundDelete):
    """A backup that the server keeps, as it was when it was read, with the verbs of its group."""

    @property
    def _backups(self) -> InstanceBackupsAPI:
        return cast("InstanceBackupsAPI", self._collection)

    async def export(self, target: Target) -> int:
        """Write it to a file; see `InstanceBackupsAPI.export`."""
        return await self._backups.export(self.name, target)

    @asynccontextmanager
    async def stream_export(self) -> AsyncGenerator[StreamResponse]:
        """Read it piece by piece; see `InstanceBackupsAPI.stream_export`."""
        async with self._backups.stream_export(self.name) as response:
            yield response


class InstanceBackupsAPI(
    InInstance[InstanceBackup], BackgroundRenamable[InstanceBackup], BackgroundDeletable[InstanceBackup]
):
    """Backups of an instance that the server keeps (`/1.0/instances/{name}/backups`).

    A backup is a file with all of an instance in it. `client.instances.import_backup` makes an instance of one.
    """

    _path = "/1.0/instances/{instance}/backups"
    _model = InstanceBackup

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

        Example:
            ```python
            backup = await client.instances.backups("web").create(instance_only=True, wait=True)
            await backup.export("web.tar.gz")
            await backup.delete(wait=True)
            ```

        Args:
            name: Name of the backup; `None` lets the server make one up.
            wait: Whether to return the backup itself, when it is there.
            **fields: How it is made: `compression_algorithm`, `expires_at`, `instance_only`, `optimized_storage`, and
                what needs a newer server: `root_only`, and `target` to upload it, which leaves no backup here.

        Returns:
            The `InstanceBackup` with `wait=True`; otherwise the answer, whose `wait()` tells how it ended.

        Raises:
            IncusNotFoundError: There is no such instance.
            IncusBadRequestError: The server does not take the name, or a value.
            IncusOperationConflictError: There is one of that name already (from the wait).
        """
        check_wait(wait)
        if name is not None:
            check_name(name)
        operation = await self._api.operation("POST", self._url(), _body(fields, name))
        if not wait:
            return operation
        await operation.wait()
        return await self._made(name or created_name(operation, "backups"))

    async def export(self, name: str, target: Target) -> int:
        """Write a backup to a file (`GET /1.0/instances/{name}/backups/{backup}/export`), and return its size in bytes.

        A file of that name appears, or is replaced, only when all of it has come.

        Args:
            name: Name of the backup.
            target: Path of the file; or a binary file that is open.

        Raises:
            IncusNotFoundError: There is no such backup.
            IncusConnectionError: The connection broke before the end.
        """
        return await self._api.download(self._export(name), target)

    @asynccontextmanager
    async def stream_export(self, name: str) -> AsyncGenerator[StreamResponse]:
        """Read a backup piece by piece, in an `async with` block (`GET …/backups/{backup}/export`).

        Example:
            ```python
            async with client.instances.backups("web").stream_export("nightly") as stream:
                async for piece in stream:
                    digest.update(piece)
            ```

        Args:
            name: Name of the backup.

        Raises:
            IncusNotFoundError: There is no such backup.
        """
        async with self._api.stream("GET", self._export(name)) as response:
            yield response

    async def direct(self, file: Target, **fields: Unpack[InstanceBackupCreateFields]) -> int:
        """Make a backup and write it to a file at once, and return its size in bytes.

        Nothing is kept on the server (`POST /1.0/instances/{name}/backups`, answered with the backup itself). Needs the
        API extension `direct_backup` (Incus 7.0).

        Args:
            file: Path of the file, which appears only when all of it has come; or a binary file that is open.
            **fields: How it is made; see `create`.

        Raises:
            IncusMissingExtensionError: The server cannot do that.
            IncusNotFoundError: There is no such instance.
            IncusBadRequestError: The server does not take a value.
            IncusConnectionError: The connection broke before the end, or the server failed half-way.
        """
        await self._api.require_extension("direct_backup", f"POST {self._url()} as a stream")
        return await self._api.download(self._url(), file, method="POST", data=_body(fields), headers=DIRECT)

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
        await self._api.require_extension("direct_backup", f"POST {self._url()} as a stream")
        async with self._api.stream("POST", self._url(), None, _body(fields), DIRECT) as response:
            yield response

    def _export(self, name: str) -> str:
        return self._url(name, suffix="/export")


def _body(fields: Mapping[str, Any], name: str | None = None) -> dict[str, Any]:
    return create_body("InstanceBackup", InstanceBackupCreateFields.__annotations__, fields, name=name)
