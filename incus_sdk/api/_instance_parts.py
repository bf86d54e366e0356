"""Instances: the groups of what is below them."""

from __future__ import annotations

import builtins
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Literal, Unpack, cast, overload

from ..api_client import StreamResponse
from ..models import BackupTarget, InstanceBackupCreateFields
from ..operations import OperationResponse
from ._bound import Bound
from ._collection import Collection, T

if TYPE_CHECKING:
    from .._sink import Target
    from .instance_backups import InstanceBackup, InstanceBackupsAPI
    from .instance_logs import InstanceExecOutputAPI, InstanceLogsAPI
    from .instance_metadata import InstanceMetadataAPI
    from .instance_nvram import InstanceNVRAMAPI
    from .instance_snapshots import InstanceSnapshot, InstanceSnapshotsAPI
    from .instance_templates import InstanceTemplatesAPI
    from .instances import InstancesAPI

# Loaded where they are used: most programs need none of them.


class PartVerbs(Collection[T]):
    """The groups below an instance. None of these methods asks the server anything."""

    def snapshots(self, name: str) -> InstanceSnapshotsAPI:
        """Return the group of an instance's snapshots (`/1.0/instances/{name}/snapshots`)."""
        from .instance_snapshots import InstanceSnapshotsAPI

        return InstanceSnapshotsAPI(self._api, instance=name)

    def backups(self, name: str) -> InstanceBackupsAPI:
        """Return the group of an instance's backups (`/1.0/instances/{name}/backups`)."""
        from .instance_backups import InstanceBackupsAPI

        return InstanceBackupsAPI(self._api, instance=name)

    def logs(self, name: str) -> InstanceLogsAPI:
        """Return the group of the log files about an instance (`/1.0/instances/{name}/logs`)."""
        from .instance_logs import InstanceLogsAPI

        return InstanceLogsAPI(self._api, instance=name)

    def exec_output(self, name: str) -> InstanceExecOutputAPI:
        """Return the group of recorded output of commands (`/1.0/instances/{name}/logs/exec-output`)."""
        from .instance_logs import InstanceExecOutputAPI

        return InstanceExecOutputAPI(self._api, instance=name)

    def metadata(self, name: str) -> InstanceMetadataAPI:
        """Return the group for the metadata of an instance's image (`/1.0/instances/{name}/metadata`)."""
        from .instance_metadata import InstanceMetadataAPI

        return InstanceMetadataAPI(self._api, instance=name)

    def templates(self, name: str) -> InstanceTemplatesAPI:
        """Return the group of an instance's templates (`/1.0/instances/{name}/metadata/templates`)."""
        from .instance_templates import InstanceTemplatesAPI

        return InstanceTemplatesAPI(self._api, instance=name)

    def nvram(self, name: str) -> InstanceNVRAMAPI:
        """Return the group of a virtual machine's UEFI variables (`/1.0/instances/{name}/nvram`)."""
        from .instance_nvram import InstanceNVRAMAPI

        return InstanceNVRAMAPI(self._api, instance=name)


class BoundParts(Bound):
    """The groups below this instance, and the verbs of two whose names are those of data."""

    __slots__ = ()

    def logs(self) -> InstanceLogsAPI:
        """Return the group of the log files about it; see `InstancesAPI.logs`."""
        return self._parts.logs(self._key)

    def exec_output(self) -> InstanceExecOutputAPI:
        """Return the group of recorded output of its commands; see `InstancesAPI.exec_output`."""
        return self._parts.exec_output(self._key)

    def metadata(self) -> InstanceMetadataAPI:
        """Return the group for its image's metadata; see `InstancesAPI.metadata`."""
        return self._parts.metadata(self._key)

    def templates(self) -> InstanceTemplatesAPI:
        """Return the group of its templates; see `InstancesAPI.templates`."""
        return self._parts.templates(self._key)

    def nvram(self) -> InstanceNVRAMAPI:
        """Return the group of its UEFI variables; see `InstancesAPI.nvram`."""
        return self._parts.nvram(self._key)

    async def get_snapshots(self) -> builtins.list[InstanceSnapshot]:
        """Return its snapshots; see `InstanceSnapshotsAPI.list`."""
        return await self._parts.snapshots(self._key).list()

    @overload
    async def create_snapshot(
        self,
        name: str | None = None,
        stateful: bool = False,
        expires_at: datetime | str | None = None,
        wait: Literal[False] = False,
    ) -> OperationResponse: ...
    @overload
    async def create_snapshot(
        self,
        name: str | None = None,
        stateful: bool = False,
        expires_at: datetime | str | None = None,
        *,
        wait: Literal[True],
    ) -> InstanceSnapshot: ...
    @overload
    async def create_snapshot(
        self,
        name: str | None = None,
        stateful: bool = False,
        expires_at: datetime | str | None = None,
        wait: bool = False,
    ) -> OperationResponse | InstanceSnapshot: ...
    async def create_snapshot(
        self,
        name: str | None = None,
        stateful: bool = False,
        expires_at: datetime | str | None = None,
        wait: bool = False,
    ) -> OperationResponse | InstanceSnapshot:
        """Take a snapshot of it; see `InstanceSnapshotsAPI.create`."""
        return await self._parts.snapshots(self._key).create(name, stateful, expires_at, wait)

    async def restore(
        self, snapshot: str, stateful: bool = False, wait: bool = False, *, disk_only: bool = False
    ) -> OperationResponse:
        """Bring it back to one of its snapshots; see `InstanceSnapshotsAPI.restore`."""
        group = self._parts.snapshots(self._key)
        return await group.restore(snapshot, stateful, wait, disk_only=disk_only)

    async def get_backups(self) -> builtins.list[InstanceBackup]:
        """Return its backups on the server; see `InstanceBackupsAPI.list`."""
        return await self._parts.backups(self._key).list()

    @overload
    async def create_backup(
        self, name: str | None = None, wait: Literal[False] = False, **fields: Unpack[InstanceBackupCreateFields]
    ) -> OperationResponse: ...
    @overload
    async def create_backup(
        self, name: str | None = None, *, wait: Literal[True], **fields: Unpack[InstanceBackupCreateFields]
    ) -> InstanceBackup: ...
    @overload
    async def create_backup(
        self, name: str | None = None, wait: bool = False, **fields: Unpack[InstanceBackupCreateFields]
    ) -> OperationResponse | InstanceBackup: ...
    async def create_backup(
        self, name: str | None = None, wait: bool = False, **fields: Unpack[InstanceBackupCreateFields]
    ) -> OperationResponse | InstanceBackup:
        """Make a backup of it, and keep it on the server; see `InstanceBackupsAPI.create`."""
        return await self._parts.backups(self._key).create(name, wait, **fields)

    async def upload_backup(
        self, target: BackupTarget, wait: bool = False, **fields: Unpack[InstanceBackupCreateFields]
    ) -> OperationResponse:
        """Make a backup of it and have the server upload that; see `InstanceBackupsAPI.upload`."""
        return await self._parts.backups(self._key).upload(target, wait, **fields)

    async def direct_backup(self, target: Target, **fields: Unpack[InstanceBackupCreateFields]) -> int:
        """Make a backup of it and write that to a file at once; see `InstanceBackupsAPI.direct`."""
        return await self._parts.backups(self._key).direct(target, **fields)

    @asynccontextmanager
    async def stream_direct_backup(
        self, **fields: Unpack[InstanceBackupCreateFields]
    ) -> AsyncGenerator[StreamResponse]:
        """Make a backup of it and read that piece by piece; see `InstanceBackupsAPI.stream_direct`."""
        async with self._parts.backups(self._key).stream_direct(**fields) as response:
            yield response

    @property
    def _parts(self) -> InstancesAPI:
        return cast("InstancesAPI", self._collection)
