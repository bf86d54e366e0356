"""Storage volumes: what is made from files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, overload

from ..api_client import Body
from ..operations import OperationResponse
from ._bodies import check_upload
from ._collection import Gettable, T, check_name, check_wait
from ._nested import created

__all__ = ["ImportVerbs"]


class ImportVerbs(Gettable[T]):
    """The verbs that upload custom volumes."""

    @overload
    async def import_backup(
        self, source: Body, name: str | None = None, wait: Literal[False] = False
    ) -> OperationResponse: ...
    @overload
    async def import_backup(self, source: Body, name: str | None = None, *, wait: Literal[True]) -> T: ...
    @overload
    async def import_backup(
        self, source: Body, name: str | None = None, wait: bool = False
    ) -> OperationResponse | T: ...
    async def import_backup(self, source: Body, name: str | None = None, wait: bool = False) -> OperationResponse | T:
        """Make a custom volume from a backup (`POST …/volumes/custom` with the file as its body).

        Args:
            source: The backup: the `Path` of a file, bytes, or an asynchronous iterator of bytes.
            name: Name of the new volume, in ASCII; `None` takes that from the backup.
            wait: Whether to return the volume itself, when it is there.

        Returns:
            The volume with `wait=True`; otherwise the answer, whose `wait()` tells how it ended.

        Raises:
            IncusBadRequestError: It is no backup that the server can read.
            IncusOperationConflictError: There is a volume of that name already (from the wait).
        """
        if name is not None:
            check_name(name)
        return await self._uploaded(source, {} if name is None else {"X-Incus-name": name}, wait)

    @overload
    async def import_iso(self, name: str, source: Body, wait: Literal[False] = False) -> OperationResponse: ...
    @overload
    async def import_iso(self, name: str, source: Body, wait: Literal[True]) -> T: ...
    @overload
    async def import_iso(self, name: str, source: Body, wait: bool = False) -> OperationResponse | T: ...
    async def import_iso(self, name: str, source: Body, wait: bool = False) -> OperationResponse | T:
        """Make a custom volume from an ISO image, for virtual machines (`POST …/volumes/custom`).

        Example:
            ```python
            volumes = client.storage_pools.volumes("default")
            await volumes.import_iso("debian-13", Path("debian-13.iso"), wait=True)
            ```

        Args:
            name: Name of the new volume, in ASCII.
            source: The image: the `Path` of a file, bytes, or an asynchronous iterator of bytes.
            wait: Whether to return the volume itself, when it is there.

        Returns:
            The volume with `wait=True`; otherwise the answer, whose `wait()` tells how it ended.

        Raises:
            IncusOperationConflictError: There is a volume of that name already (from the wait).
        """
        check_name(name)
        return await self._uploaded(source, {"X-Incus-name": name, "X-Incus-type": "iso"}, wait)

    async def _uploaded(self, source: Body, headers: Mapping[str, str], wait: bool) -> OperationResponse | T:
        check_wait(wait)
        check_upload(source)
        operation = await self._api.operation("POST", self._url(), source, None, headers)
        if not wait:
            return operation
        await operation.wait()
        return await self._made(created(operation, "storage_volumes"))
