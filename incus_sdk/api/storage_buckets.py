"""Storage buckets: `/1.0/storage-pools/{pool}/buckets`, and what is below one."""

from __future__ import annotations

import builtins
from typing import TYPE_CHECKING, Literal, Self, Unpack, cast, overload

from .._filters import Filter
from ..api_client import Body
from ..models import StorageBucketBody, StorageBucketData, StorageBucketPut
from ..operations import OperationResponse
from ._bodies import check_upload, create_body
from ._bound import BoundDelete, BoundWritable
from ._bucket_parts import BoundParts
from ._collection import Deletable, ProjectFilterable, check_name, check_wait
from ._nested import Nested, created
from ._writable import Writable

if TYPE_CHECKING:
    from .storage_bucket_backups import StorageBucketBackupsAPI
    from .storage_bucket_keys import StorageBucketKeysAPI

__all__ = ["StorageBucket", "StorageBucketsAPI"]


class StorageBucket(StorageBucketData, BoundParts, BoundWritable[StorageBucketPut, StorageBucketBody], BoundDelete):
    """A place that S3 clients write to, as it was when it was read.

    `keys` and `backups` are `None` unless it was read with `full=True`.
    """

    async def refresh(self, full: bool = False) -> Self:
        """Read it again, in place.

        Args:
            full: Whether to read `keys` and `backups`, too.

        Raises:
            IncusNotFoundError: It is gone.
        """
        group = cast("StorageBucketsAPI", self._collection)
        return self._replace(cast("Self", await group.get(self.name, full=full)))


class StorageBucketsAPI(
    Nested[StorageBucket],
    ProjectFilterable[StorageBucket],
    Writable[StorageBucket, StorageBucketPut, StorageBucketBody],
    Deletable[StorageBucket],
):
    """Buckets in a pool (`/1.0/storage-pools/{pool}/buckets`).

    On pools of this machine Incus 7.0 serves them itself, once `core.storage_buckets_address` is set; Incus 6.0 needs
    the programs of MinIO, and without them it refuses to create one. Pools of the driver `cephobject` have them, too.
    """

    _path = "/1.0/storage-pools/{pool}/buckets"
    _model = StorageBucket
    _put = StorageBucketPut
    _etag_suffices = False

    async def list(
        self, *, filter: Filter | None = None, all_projects: bool = False, full: bool = False
    ) -> builtins.list[StorageBucket]:
        """Return all buckets in the pool, or those that fulfil a condition.

        Args:
            filter: Fields and the values that they must have, as for the other lists.
            all_projects: Whether to return those of all projects. Each acts in its own.
            full: Whether to read `keys` and `backups`, too; needs the API extension `storage_bucket_full`.

        Raises:
            IncusNotFoundError: There is no such pool, or the client's project does not exist.
            IncusMissingExtensionError: The server cannot read them in full.
        """
        return await self._items(2 if full else 1, filter, all_projects)

    async def get(self, name: str, *, full: bool = False) -> StorageBucket:
        """Return one bucket.

        Args:
            name: Its name.
            full: Whether to read `keys` and `backups`, too; needs the API extension `storage_bucket_full`.

        Raises:
            IncusNotFoundError: There is none of that name.
            IncusMissingExtensionError: The server cannot read it in full.
        """
        params = {"recursion": 1} if full else None
        return self._bind(await self._api.read(self._url(name), StorageBucket, params))

    async def create(self, name: str, **fields: Unpack[StorageBucketPut]) -> StorageBucket:
        """Create a bucket (`POST …/buckets`), and a first key for it, called `admin`.

        Example:
            ```python
            buckets = client.storage_pools.buckets("default")
            photos = await buckets.create("photos", config={"size": "10GiB"})
            admin = await buckets.keys("photos").get("admin")
            print(photos.s3_url, admin.access_key, admin.secret_key)
            ```

        Args:
            name: Its name: 3 to 63 lowercase letters, digits, periods and hyphens.
            **fields: Its definition: `config`, `description`.

        Raises:
            IncusNotFoundError: There is no such pool.
            IncusConflictError: There is one of that name already.
            IncusBadRequestError: The server does not take the name or a value.
        """
        check_name(name)
        body = create_body("StorageBucket", StorageBucketPut.__annotations__, fields, name=name)
        await self._api.operation("POST", self._url(), body)
        return await self._made(name)

    @overload
    async def import_backup(
        self, source: Body, name: str | None = None, wait: Literal[False] = False
    ) -> OperationResponse: ...
    @overload
    async def import_backup(self, source: Body, name: str | None = None, *, wait: Literal[True]) -> StorageBucket: ...
    @overload
    async def import_backup(
        self, source: Body, name: str | None = None, wait: bool = False
    ) -> OperationResponse | StorageBucket: ...
    async def import_backup(
        self, source: Body, name: str | None = None, wait: bool = False
    ) -> OperationResponse | StorageBucket:
        """Make a bucket from a backup (`POST …/buckets` with the file as its body).

        Args:
            source: The backup: the `Path` of a file, bytes, or an asynchronous iterator of bytes.
            name: Name of the new bucket; `None` takes that from the backup.
            wait: Whether to return the bucket itself, when it is there.

        Returns:
            The bucket with `wait=True`; otherwise the answer, whose `wait()` tells how it ended.

        Raises:
            IncusBadRequestError: It is no backup that the server can read.
            IncusOperationConflictError: There is one of that name already (from the wait).
        """
        check_wait(wait)
        check_upload(source)
        if name is not None:
            check_name(name)
        headers = {} if name is None else {"X-Incus-name": name}
        operation = await self._api.operation("POST", self._url(), source, None, headers)
        if not wait:
            return operation
        await operation.wait()
        return await self._made(name or created(operation, "storage_buckets"))

    def keys(self, bucket: str) -> StorageBucketKeysAPI:
        """Return the group of a bucket's keys."""
        from .storage_bucket_keys import StorageBucketKeysAPI

        return StorageBucketKeysAPI(self._api, **self._parents, bucket=bucket)

    def backups(self, bucket: str) -> StorageBucketBackupsAPI:
        """Return the group of a bucket's backups."""
        from .storage_bucket_backups import StorageBucketBackupsAPI

        return StorageBucketBackupsAPI(self._api, **self._parents, bucket=bucket)
