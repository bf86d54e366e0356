"""Instances: what is for virtual machines and their troubles: memory, repairs, and bitmaps of their disks."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Literal, Unpack, cast

from ..api_client import StreamResponse
from ._bodies import create_body
from ._bound import Bound
from ._collection import Collection, T, check_name

if TYPE_CHECKING:
    from .._sink import Target
    from ..models import StorageVolumeBitmapCreateFields
    from .instances import InstancesAPI

Repair = Literal["rebuild-config-volume", "rebuild-nvram"]


class DebugVerbs(Collection[T]):
    """The verbs for virtual machines and their troubles (`/1.0/instances/{name}/debug` and `…/bitmaps`)."""

    async def dump_memory(self, name: str, target: Target, format: str = "elf") -> int:
        """Write the memory of a running virtual machine to a file, and return its size in bytes (`GET …/debug/memory`).

        Let it come to its end: QEMU does not give up a dump that nobody reads any more, so the machine stands still
        from then on, until it is stopped with `force=True`.

        Args:
            name: Name of the instance.
            target: Path of the file, which appears only when all of it has come; or a binary file that is open.
            format: `elf`, `win-dmp`, or one of those that begin with `kdump-`, as QEMU has them.

        Raises:
            IncusNotFoundError: There is no such instance.
            IncusBadRequestError: It is no virtual machine, or does not run.
            IncusAPIError: QEMU does not take the format.
            IncusConnectionError: The connection broke before the end, or the server failed half-way.
        """
        return await self._api.download(self._memory(name), target, {"format": format})

    @asynccontextmanager
    async def stream_memory(self, name: str, format: str = "elf") -> AsyncGenerator[StreamResponse]:
        """Read the memory of a virtual machine piece by piece, in an `async with` block; see `dump_memory`.

        Read it to its end, for the reason that is told there.
        """
        async with self._api.stream("GET", self._memory(name), {"format": format}) as response:
            yield response

    async def repair(self, name: str, action: Repair) -> None:
        """Repair a stopped virtual machine (`POST …/debug/repair`).

        Needs the API extension `instances_debug_repair` (Incus 7.0).

        Args:
            name: Name of the instance.
            action: `rebuild-config-volume` of one with QCOW2 disks; or `rebuild-nvram`, which loses all variables of
                its firmware.

        Raises:
            IncusNotFoundError: There is no such instance.
            IncusBadRequestError: There is no such action, or it is none for this instance.
        """
        await self._api.operation("POST", self._url(name, suffix="/debug/repair"), {"action": action})

    async def create_bitmaps(self, name: str, bitmap: str, **fields: Unpack[StorageVolumeBitmapCreateFields]) -> None:
        """Record from now on which blocks of its disks a running virtual machine writes (`POST …/bitmaps`).

        Each disk gets a bitmap of that name; those of a volume are listed and deleted with the volume's group. Needs
        the API extension `storage_volume_nbd` (Incus 7.0).

        Args:
            name: Name of the instance.
            bitmap: Name of the bitmaps.
            **fields: How they are made: `disabled`, `granularity`, `persistent`.

        Raises:
            IncusNotFoundError: There is no such instance.
            IncusBadRequestError: It is no virtual machine, or does not run.
            IncusAPIError: There are some of that name already, or the granularity is no power of 2.
        """
        from ..models import StorageVolumeBitmapCreateFields  # with all models of volumes, so not before

        check_name(bitmap)
        known = StorageVolumeBitmapCreateFields.__annotations__
        body = create_body("StorageVolumeBitmap", known, fields, name=bitmap)
        await self._api.operation("POST", self._url(name, suffix="/bitmaps"), body)

    def _memory(self, name: str) -> str:
        return self._url(name, suffix="/debug/memory")


class BoundDebug(Bound):
    """The verbs for this virtual machine and its troubles."""

    __slots__ = ()

    async def dump_memory(self, target: Target, format: str = "elf") -> int:
        """Write its memory to a file; see `InstancesAPI.dump_memory`."""
        return await self._debug.dump_memory(self._key, target, format)

    @asynccontextmanager
    async def stream_memory(self, format: str = "elf") -> AsyncGenerator[StreamResponse]:
        """Read its memory piece by piece; see `InstancesAPI.stream_memory`."""
        async with self._debug.stream_memory(self._key, format) as response:
            yield response

    async def repair(self, action: Repair) -> None:
        """Repair it; see `InstancesAPI.repair`."""
        await self._debug.repair(self._key, action)

    async def create_bitmaps(self, bitmap: str, **fields: Unpack[StorageVolumeBitmapCreateFields]) -> None:
        """Record which blocks of its disks are written; see `InstancesAPI.create_bitmaps`."""
        await self._debug.create_bitmaps(self._key, bitmap, **fields)

    @property
    def _debug(self) -> InstancesAPI:
        return cast("InstancesAPI", self._collection)
