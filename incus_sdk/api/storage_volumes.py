"""Storage volumes: `/1.0/storage-pools/{pool}/volumes/{type}`, and what is below one."""

from __future__ import annotations

import builtins
from typing import TYPE_CHECKING, Self, cast

from .._filters import Filter
from .._listing import Listing
from .._paths import name_and_project
from ..models import StorageVolumeBody, StorageVolumeData, StorageVolumePut, StorageVolumeState
from ._bound import BoundDelete, BoundRename, BoundWritable
from ._collection import Deletable, ProjectFilterable, Renamable, listing
from ._nested import Nested
from ._volume_access import AccessVerbs, BoundAccess
from ._volume_import import ImportVerbs
from ._volume_parts import BoundParts
from ._volume_transfer import BoundTransfer, TransferVerbs
from ._writable import Writable

if TYPE_CHECKING:
    from .storage_volume_backups import StorageVolumeBackupsAPI
    from .storage_volume_bitmaps import StorageVolumeBitmapsAPI
    from .storage_volume_snapshots import StorageVolumeSnapshotsAPI

__all__ = ["StorageVolume", "StorageVolumesAPI"]


class StorageVolume(
    StorageVolumeData,
    BoundTransfer["StorageVolume"],
    BoundAccess,
    BoundParts,
    BoundWritable[StorageVolumePut, StorageVolumeBody],
    BoundRename,
    BoundDelete,
):
    """A volume, as it was when it was read.

    `state`, `snapshots` and `backups` are `None` unless it was read with `full=True`. Verbs act on the server and leave
    this object as it is; `refresh()` reads it again.
    """

    def __repr__(self) -> str:
        project = f" project={self.project}" if self.project not in {"", "default"} else ""
        return f"<{type(self).__name__} {self.type}/{self.name}{project}>"

    @property
    def _volumes(self) -> StorageVolumesAPI:
        return cast("StorageVolumesAPI", self._collection)

    async def refresh(self, full: bool = False) -> Self:
        """Read it again, in place.

        Args:
            full: Whether to read `state`, `snapshots` and `backups`, too.

        Raises:
            IncusNotFoundError: It is gone.
        """
        return self._replace(cast("Self", await self._volumes.get(self.name, full=full)))

    async def get_state(self) -> StorageVolumeState:
        """Return how much space it uses; see `StorageVolumesAPI.state`."""
        return await self._volumes.state(self.name)

    async def restore(self, snapshot: str) -> None:
        """Bring it back to one of its snapshots; see `StorageVolumesAPI.restore`."""
        await self._volumes.restore(self.name, snapshot)


class StorageVolumesAPI(
    TransferVerbs[StorageVolume],
    ImportVerbs[StorageVolume],
    AccessVerbs[StorageVolume],
    Nested[StorageVolume],
    ProjectFilterable[StorageVolume],
    Writable[StorageVolume, StorageVolumePut, StorageVolumeBody],
    Renamable[StorageVolume],
    Deletable[StorageVolume],
):
    """Volumes of one type in a pool (`/1.0/storage-pools/{pool}/volumes/{type}`).

    Only those of type `custom` can be created, deleted and moved here; those of instances and images follow these. A
    project shares the custom volumes of `default` unless it has `features.storage.volumes`.
    """

    _path = "/1.0/storage-pools/{pool}/volumes/{type}"
    _model = StorageVolume
    _put = StorageVolumePut
    _etag_suffices = False  # it does not cover the description

    @property
    def _parent(self) -> str:
        return self._root.rpartition("/volumes/")[0]

    def _bind(self, item: StorageVolume) -> StorageVolume:
        group = self
        if item.type and item.type != self._parents["type"]:  # of a list with all types
            group = StorageVolumesAPI(self._api, pool=self._parents["pool"], type=item.type)
        return super(StorageVolumesAPI, group)._bind(item)

    async def list(
        self,
        *,
        filter: Filter | None = None,
        all_projects: bool = False,
        all_types: bool = False,
        full: bool = False,
    ) -> builtins.list[StorageVolume]:
        """Return all volumes of this type, or those that fulfil a condition.

        Args:
            filter: Fields and the values that they must have, as in `{"content_type": "iso"}`: all must hold, and a
                list means any of these. Or a text in the server's own notation.
            all_projects: Whether to return those of all projects. Each acts in its own.
            all_types: Whether to return the volumes of instances and images, too (`GET …/volumes`).
            full: Whether to read `state`, `snapshots` and `backups`, too; needs the API extension
                `storage_volume_full` (Incus 7.0).

        Raises:
            IncusNotFoundError: There is no such pool, or the client's project does not exist.
            IncusMissingExtensionError: The server cannot read them in full.
        """
        path = self._root.rpartition("/")[0] if all_types else self._root
        if full:
            await self._api.require_extension("storage_volume_full", f"GET {path} in full")
        params = listing(2 if full else 1, filter, all_projects)
        volumes = await self._api.read_list(path, StorageVolume, params)
        # Incus 6.0 lists snapshots among the volumes, as volume/snapshot.
        return Listing(self._bind(volume) for volume in volumes if "/" not in volume.name)

    async def names(self) -> builtins.list[str]:
        """Return the names of all volumes of this type, by the cheapest request there is.

        Raises:
            IncusNotFoundError: There is no such pool, or the client's project does not exist.
        """
        urls = await self._urls(None, False)
        return [name_and_project(url)[0] for url in urls if "/snapshots/" not in url]

    async def get(self, name: str, *, full: bool = False) -> StorageVolume:
        """Return one volume.

        Args:
            name: Its name. Those of images are their fingerprints.
            full: Whether to read `state`, `snapshots` and `backups`, too; needs the API extension
                `storage_volume_full` (Incus 7.0).

        Raises:
            IncusNotFoundError: There is none of that name.
            IncusMissingExtensionError: The server cannot read it in full.
        """
        params = {"recursion": 1} if full else None
        return self._bind(await self._api.read(self._url(name), StorageVolume, params))

    async def state(self, name: str) -> StorageVolumeState:
        """Return how much space a volume uses (`GET …/{name}/state`); drivers that do not count (`dir`) say nothing.

        Raises:
            IncusNotFoundError: There is no volume of that name.
        """
        return await self._api.read(self._url(name, suffix="/state"), StorageVolumeState)

    async def restore(self, name: str, snapshot: str) -> None:
        """Bring a custom volume back to one of its snapshots (`PUT …/{name}` with `restore`).

        What was written since is lost. No running instance may use it, unless the driver can do that.

        Args:
            name: Name of the volume.
            snapshot: Name of the snapshot.

        Raises:
            IncusNotFoundError: There is no such volume or snapshot.
            IncusBadRequestError: The volume is in use.
        """
        await self.snapshots(name).restore(snapshot)

    def snapshots(self, volume: str) -> StorageVolumeSnapshotsAPI:
        """Return the group of a volume's snapshots."""
        from .storage_volume_snapshots import StorageVolumeSnapshotsAPI

        return StorageVolumeSnapshotsAPI(self._api, **self._parents, volume=volume)

    def backups(self, volume: str) -> StorageVolumeBackupsAPI:
        """Return the group of a volume's backups."""
        from .storage_volume_backups import StorageVolumeBackupsAPI

        return StorageVolumeBackupsAPI(self._api, **self._parents, volume=volume)

    def bitmaps(self, volume: str) -> StorageVolumeBitmapsAPI:
        """Return the group of a volume's bitmaps."""
        from .storage_volume_bitmaps import StorageVolumeBitmapsAPI

        return StorageVolumeBitmapsAPI(self._api, **self._parents, volume=volume)
