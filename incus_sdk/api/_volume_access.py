"""Storage volumes: what is in them, as single files and as streams of other protocols."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from ..api_client import RawStream
from ._collection import T
from ._files import BoundFiles, FileVerbs

if TYPE_CHECKING:
    from .storage_volume_bitmaps import StorageVolumeBitmapsAPI
    from .storage_volumes import StorageVolumesAPI

__all__ = ["AccessVerbs", "BoundAccess"]


class AccessVerbs(FileVerbs[T]):
    """The verbs for files in custom volumes, which need the API extension `file_storage_volume`, and for streams."""

    async def open_sftp(self, name: str) -> RawStream:
        """Open a stream that speaks SFTP, version 3, with the files of a custom volume (`GET …/{name}/sftp`).

        Needs the API extension `custom_volume_sftp` (Incus 7.0).

        Args:
            name: Name of the volume.

        Raises:
            IncusMissingExtensionError: The server cannot do that.
            IncusNotFoundError: There is no such volume.
        """
        return await self._api.upgrade(self._url(name, suffix="/sftp"), "sftp")

    async def open_nbd(self, name: str, *, writable: bool = False) -> RawStream:
        """Open a stream that speaks NBD with a custom block volume (`GET …/{name}/nbd`); the server begins.

        Needs the API extension `storage_volume_nbd` (Incus 7.0), and `qemu-nbd` on the server.

        Args:
            name: Name of the volume.
            writable: Whether it may be written to.

        Raises:
            IncusMissingExtensionError: The server cannot do that.
            IncusNotFoundError: There is no such volume.
            IncusAPIError: It is no block volume.
        """
        params = {"writable": 1} if writable else None
        return await self._api.upgrade(self._url(name, suffix="/nbd"), "nbd", params=params)


class BoundAccess(BoundFiles):
    """The verbs for files in this volume, and for streams."""

    __slots__ = ()

    async def open_sftp(self) -> RawStream:
        """Open a stream that speaks SFTP; see `StorageVolumesAPI.open_sftp`."""
        return await self._access.open_sftp(self._key)

    async def open_nbd(self, *, writable: bool = False) -> RawStream:
        """Open a stream that speaks NBD; see `StorageVolumesAPI.open_nbd`."""
        return await self._access.open_nbd(self._key, writable=writable)

    def bitmaps(self) -> StorageVolumeBitmapsAPI:
        """Return the group of its bitmaps."""
        return self._access.bitmaps(self._key)

    @property
    def _access(self) -> StorageVolumesAPI:
        return cast("StorageVolumesAPI", self._collection)
