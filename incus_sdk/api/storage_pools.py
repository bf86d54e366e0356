"""Storage pools: `/1.0/storage-pools`, and what is below one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack, cast

from ..models import ResourcesStoragePool, StoragePoolBody, StoragePoolData, StoragePoolPut
from ._bodies import create_body
from ._bound import BoundDelete, BoundGet, BoundWritable
from ._collection import Deletable, Filterable, Gettable, check_name
from ._writable import Writable

if TYPE_CHECKING:
    from .storage_buckets import StorageBucketsAPI
    from .storage_volumes import StorageVolumesAPI

__all__ = ["StoragePool", "StoragePoolsAPI"]


class StoragePool(StoragePoolData, BoundGet, BoundWritable[StoragePoolPut, StoragePoolBody], BoundDelete):
    """A place for volumes and buckets, as it was when it was read."""

    async def resources(self) -> ResourcesStoragePool:
        """Return how much space it has and uses; see `StoragePoolsAPI.resources`."""
        return await self._pools.resources(self.name)

    def volumes(self, type: str = "custom") -> StorageVolumesAPI:
        """Return the group of its volumes; see `StoragePoolsAPI.volumes`."""
        return self._pools.volumes(self.name, type)

    def buckets(self) -> StorageBucketsAPI:
        """Return the group of its buckets."""
        return self._pools.buckets(self.name)

    @property
    def _pools(self) -> StoragePoolsAPI:
        return cast("StoragePoolsAPI", self._collection)


class StoragePoolsAPI(
    Filterable[StoragePool],
    Gettable[StoragePool],
    Writable[StoragePool, StoragePoolPut, StoragePoolBody],
    Deletable[StoragePool],
):
    """Storage pools (`/1.0/storage-pools`). They cannot be renamed.

    Pools are in no project. A restricted client of Incus 6.0 may get a pool by its name, but not list them.
    """

    _path = "/1.0/storage-pools"
    _model = StoragePool
    _put = StoragePoolPut
    _lists_quoted = False

    async def create(self, name: str, driver: str, **fields: Unpack[StoragePoolPut]) -> StoragePool:
        """Create a storage pool (`POST /1.0/storage-pools`).

        In a cluster it is first defined on each member, with what is its own there, by a view of the client that is
        directed to it (`client.use_target`); then once more without.

        Example:
            ```python
            fast = await client.storage_pools.create("fast", "btrfs", config={"size": "10GiB"})
            ```

        Args:
            name: Its name.
            driver: What stores it: `dir`, `btrfs`, `lvm`, `zfs` and others, as far as the server has the programs.
            **fields: Its definition: `config`, `description`.

        Raises:
            IncusConflictError: There is one of that name already.
            IncusBadRequestError: The server does not know the driver, or does not take a value.
        """
        check_name(name)
        body = create_body("StoragePool", StoragePoolPut.__annotations__, fields, name=name, driver=driver)
        await self._api.operation("POST", self._url(), body)
        return await self._made(name)

    async def resources(self, name: str) -> ResourcesStoragePool:
        """Return how much space a pool has and uses (`GET /1.0/storage-pools/{name}/resources`).

        Raises:
            IncusNotFoundError: There is no pool of that name.
        """
        return await self._api.read(self._url(name, suffix="/resources"), ResourcesStoragePool)

    def volumes(self, pool: str, type: str = "custom") -> StorageVolumesAPI:
        """Return the group of the volumes of one type in a pool; `list(all_types=True)` lists those of all types.

        Args:
            pool: Name of the pool.
            type: `custom` for what users make and attach; `container`, `virtual-machine` and `image` are those that
                the server keeps for instances and images.
        """
        from .storage_volumes import StorageVolumesAPI

        return StorageVolumesAPI(self._api, pool=pool, type=type)

    def buckets(self, pool: str) -> StorageBucketsAPI:
        """Return the group of the buckets in a pool.

        Args:
            pool: Name of the pool.
        """
        from .storage_buckets import StorageBucketsAPI

        return StorageBucketsAPI(self._api, pool=pool)
