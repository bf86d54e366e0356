"""Bitmaps of storage volumes: `/1.0/storage-pools/{pool}/volumes/{type}/{volume}/bitmaps`."""

from __future__ import annotations

from typing import Unpack

from ..models import StorageVolumeBitmapCreateFields, StorageVolumeBitmapData
from ._bodies import create_body
from ._bound import BoundDelete, BoundGet
from ._collection import Deletable, Listable, check_name
from ._nested import Nested

__all__ = ["StorageVolumeBitmap", "StorageVolumeBitmapsAPI"]


class StorageVolumeBitmap(StorageVolumeBitmapData, BoundGet, BoundDelete):
    """A record of which blocks of a volume were written, as it was when it was read."""


class StorageVolumeBitmapsAPI(
    Nested[StorageVolumeBitmap], Listable[StorageVolumeBitmap], Deletable[StorageVolumeBitmap]
):
    """Bitmaps of one volume (`/1.0/storage-pools/{pool}/volumes/{type}/{volume}/bitmaps`), for incremental backups.

    They are kept by QEMU: only block volumes that are attached to a running virtual machine can have some, and its own
    root disk, as in `volumes("default", "virtual-machine").bitmaps("vm")`. Need the API extension `storage_volume_nbd`
    (Incus 7.0).
    """

    _path = "/1.0/storage-pools/{pool}/volumes/{type}/{volume}/bitmaps"
    _model = StorageVolumeBitmap

    async def create(self, name: str, **fields: Unpack[StorageVolumeBitmapCreateFields]) -> StorageVolumeBitmap:
        """Begin to record which blocks are written (`POST …/bitmaps`).

        Args:
            name: Its name.
            **fields: `granularity` in bytes (a power of 2 from 512 on), `disabled`, and `persistent`, which raw disks
                cannot store.

        Raises:
            IncusMissingExtensionError: The server has no bitmaps.
            IncusNotFoundError: There is no such volume.
            IncusConflictError: There is a bitmap of that name already.
            IncusBadRequestError: It is no block volume, no running virtual machine has it, or QEMU refuses.
        """
        check_name(name)
        known = StorageVolumeBitmapCreateFields.__annotations__
        await self._api.operation("POST", self._url(), create_body("StorageVolumeBitmap", known, fields, name=name))
        return await self._made(name)
