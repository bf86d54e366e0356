"""What backups of volumes and buckets have in common: they are made in the background, and fetched as streams."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, cast

from ..api_client import StreamResponse
from ._bound import BoundBackgroundDelete, BoundBackgroundRename, BoundGet
from ._collection import BackgroundDeletable, BackgroundRenamable, Listable, T
from ._nested import Nested

if TYPE_CHECKING:
    from .._disk import Target

__all__ = ["BackupVerbs", "BoundBackup"]

DIRECT = {"Accept": "application/octet-stream"}
"""Asks for the backup itself in place of an operation; servers take it in this very form only."""


class BackupVerbs(Nested[T], Listable[T], BackgroundRenamable[T], BackgroundDeletable[T]):
    """The verbs of groups of backups; `create` and those for new backups have parameters of their own in each."""

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

        Args:
            name: Name of the backup.

        Raises:
            IncusNotFoundError: There is no such backup.
            IncusConnectionError: The connection broke before the end.
        """
        async with self._api.stream("GET", self._url(name, suffix="/export")) as response:
            yield response

    async def _direct(self, target: Target, body: Mapping[str, object]) -> int:
        await self._require_direct()
        return await self._api.download(self._url(), target, method="POST", data=body, headers=DIRECT)

    @asynccontextmanager
    async def _stream_direct(self, body: Mapping[str, object]) -> AsyncGenerator[StreamResponse]:
        await self._require_direct()
        async with self._api.stream("POST", self._url(), data=body, headers=DIRECT) as response:
            yield response

    async def _require_direct(self) -> None:
        """Nothing but a header tells it from a usual backup, which a server without the extension would make."""
        await self._api.require_extension("direct_backup", f"a backup that is streamed (POST {self._url()})")


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
