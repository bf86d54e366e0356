"""What backups of instances, volumes and buckets have in common: made in the background, and fetched as streams."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, cast

from ..api_client import StreamResponse
from ..models import BackupTarget
from ..operations import OperationResponse
from ._bodies import check_known, create_body
from ._bound import BoundBackgroundDelete, BoundBackgroundRename, BoundGet
from ._collection import BackgroundDeletable, BackgroundRenamable, Listable, T, check_name, check_wait
from ._nested import Nested, created

if TYPE_CHECKING:
    from .._sink import Target

__all__ = ["BackupVerbs", "BoundBackup"]

DIRECT = {"Accept": "application/octet-stream"}
"""Asks for the backup itself in place of an operation; servers take it in this very form only."""

Fields = Mapping[str, object]
"""How a backup is to be made."""


class BackupVerbs(Nested[T], Listable[T], BackgroundRenamable[T], BackgroundDeletable[T]):
    """The verbs of groups of backups; those that make some are here but for their keywords, which differ.

    A group sets `_making` to the type of these keywords.
    """

    _making: type[Fields]

    async def export(self, name: str, target: Target) -> int:
        """Write a backup to a file, and return its size in bytes (`GET …/backups/{name}/export`).

        A file of that name appears, or is replaced, only when all of it has come.

        Args:
            name: Name of the backup.
            target: Path of the file; or a binary file that is open, which gets what comes as it comes.

        Raises:
            IncusNotFoundError: There is no such backup.
            IncusConnectionError: The connection broke before the end; there is no file then.
            OSError: The file cannot be written.
        """
        return await self._api.download(self._url(name, suffix="/export"), target)

    @asynccontextmanager
    async def stream_export(self, name: str) -> AsyncGenerator[StreamResponse]:
        """Read a backup piece by piece, in an `async with` block (`GET …/backups/{name}/export`).

        Iterating over what it yields gives bytes; its `content_length` is the size.

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
            IncusConnectionError: The connection broke before the end.
        """
        async with self._api.stream("GET", self._url(name, suffix="/export")) as response:
            yield response

    async def _create(self, name: str | None, wait: bool, fields: Fields) -> OperationResponse | T:
        check_wait(wait)
        if name is not None:
            check_name(name)
        operation = await self._change("POST", self._url(), self._body(fields, name), wait)
        return await self._made(name or created(operation, "backups")) if wait else operation

    async def _upload(self, target: BackupTarget, wait: bool, fields: Fields) -> OperationResponse:
        if not isinstance(cast("object", target), Mapping):
            raise TypeError(f"target must say where to upload it, as a mapping, not {type(target).__name__}")
        check_known("the target", target, BackupTarget.__annotations__)
        return await self._change("POST", self._url(), {**self._body(fields), "target": dict(target)}, wait)

    async def _direct(self, target: Target, fields: Fields) -> int:
        await self._require_direct()
        return await self._api.download(self._url(), target, method="POST", data=self._body(fields), headers=DIRECT)

    @asynccontextmanager
    async def _stream_direct(self, fields: Fields) -> AsyncGenerator[StreamResponse]:
        await self._require_direct()
        async with self._api.stream("POST", self._url(), data=self._body(fields), headers=DIRECT) as response:
            yield response

    async def _require_direct(self) -> None:
        """Nothing but a header tells it from a usual backup, which a server without the extension would make."""
        await self._api.require_extension("direct_backup", f"a backup that is streamed (POST {self._url()})")

    def _body(self, fields: Fields, name: str | None = None) -> dict[str, Any]:
        return create_body(self._model.__name__, self._making.__annotations__, fields, name=name)


class BoundBackup(BoundGet, BoundBackgroundRename, BoundBackgroundDelete):
    """The verbs of one backup."""

    __slots__ = ()

    async def export(self, target: Target) -> int:
        """Write it to a file, and return its size in bytes; see the `export` of its group."""
        return await self._backups.export(self._key, target)

    @asynccontextmanager
    async def stream_export(self) -> AsyncGenerator[StreamResponse]:
        """Read it piece by piece; see the `stream_export` of its group."""
        async with self._backups.stream_export(self._key) as response:
            yield response

    @property
    def _backups(self) -> BackupVerbs[Any]:
        return cast("BackupVerbs[Any]", self._collection)
