"""Keys of storage buckets: `/1.0/storage-pools/{pool}/buckets/{bucket}/keys`."""

from __future__ import annotations

from ..models import StorageBucketKeyBody, StorageBucketKeyData, StorageBucketKeyPut
from ._bodies import create_body
from ._bound import BoundDelete, BoundGet, BoundWritable
from ._collection import Deletable, Listable, check_name
from ._nested import Nested
from ._writable import Writable

__all__ = ["StorageBucketKey", "StorageBucketKeysAPI"]


class StorageBucketKey(
    StorageBucketKeyData, BoundGet, BoundWritable[StorageBucketKeyPut, StorageBucketKeyBody], BoundDelete
):
    """What an S3 client signs with, as it was when it was read: `access_key`, and `secret_key`, which no repr shows."""


class StorageBucketKeysAPI(
    Nested[StorageBucketKey],
    Listable[StorageBucketKey],
    Writable[StorageBucketKey, StorageBucketKeyPut, StorageBucketKeyBody],
    Deletable[StorageBucketKey],
):
    """Keys of one bucket (`/1.0/storage-pools/{pool}/buckets/{bucket}/keys`).

    Definitions have the server's names, with hyphens, as in `{"access-key": "…"}`. A replacement without keys gets new
    ones.
    """

    _path = "/1.0/storage-pools/{pool}/buckets/{bucket}/keys"
    _model = StorageBucketKey
    _put = StorageBucketKeyPut
    _etag_suffices = False
    _updating = "PUT"

    async def create(
        self,
        name: str,
        role: str = "read-only",
        *,
        description: str | None = None,
        access_key: str | None = None,
        secret_key: str | None = None,
    ) -> StorageBucketKey:
        """Create a key (`POST …/keys`).

        Args:
            name: Its name.
            role: `admin`, which may write, or `read-only`.
            description: What it is for.
            access_key: Its public half; `None` lets the server make one up.
            secret_key: Its secret half, likewise.

        Raises:
            IncusNotFoundError: There is no such bucket.
            IncusConflictError: There is a key of that name already.
            IncusBadRequestError: The server does not take the role or a key.
        """
        check_name(name)
        keys = {"access-key": access_key, "secret-key": secret_key}
        body = create_body(
            "StorageBucketKey", StorageBucketKeyPut.__annotations__, keys, name=name, role=role, description=description
        )
        await self._api.operation("POST", self._url(), body)
        return await self._made(name)
