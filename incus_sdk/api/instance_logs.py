"""Log files about an instance, and recorded output of commands: `/1.0/instances/{name}/logs`."""

from __future__ import annotations

import builtins
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from ..api_client import StreamResponse
from ._nested import Part

if TYPE_CHECKING:
    from .._sink import Target

__all__ = ["InstanceExecOutputAPI", "InstanceLogsAPI"]


class _Files(Part):
    """Files that the server keeps about an instance."""

    async def names(self) -> builtins.list[str]:
        """Return the names of all files.

        Raises:
            IncusNotFoundError: There is no such instance.
        """
        return await self._listed()

    async def read(self, name: str) -> str:
        """Return a file as text; bytes that are no UTF-8 are replaced by U+FFFD.

        Args:
            name: Name of the file.

        Raises:
            IncusNotFoundError: There is no such instance, or no such file.
            IncusBadRequestError: No file of this kind can have that name.
        """
        return (await self.read_bytes(name)).decode(errors="replace")

    async def read_bytes(self, name: str) -> bytes:
        """Return a file just as it is; see `read`."""
        return (await self._api.read_raw(self._url(name))).body

    async def download(self, name: str, target: Target) -> int:
        """Write a file of the server's to one of here, and return its size in bytes.

        Args:
            name: Name of the file.
            target: Path of the file to write, which appears only when all of it has come; or a binary file that is
                open.

        Raises:
            IncusNotFoundError: There is no such instance, or no such file.
            IncusBadRequestError: No file of this kind can have that name.
            IncusConnectionError: The connection broke before the end.
        """
        return await self._api.download(self._url(name), target)

    @asynccontextmanager
    async def stream(self, name: str) -> AsyncGenerator[StreamResponse]:
        """Read a file piece by piece, in an `async with` block; raises as `read` does."""
        async with self._api.stream("GET", self._url(name)) as response:
            yield response

    async def delete(self, name: str) -> None:
        """Delete a file.

        Args:
            name: Name of the file.

        Raises:
            IncusNotFoundError: There is no such instance, or no such file.
            IncusBadRequestError: Files of that name cannot be deleted.
        """
        await self._api.operation("DELETE", self._url(name))


class InstanceLogsAPI(_Files):
    """The server's log files about an instance (`/1.0/instances/{name}/logs`).

    The server shows those it knows, such as `lxc.log`, and what begins with `snapshot_` or `migration_`. The logs that
    are being written, `lxc.log` and `qemu.log`, cannot be deleted.
    """

    _path = "/1.0/instances/{instance}/logs"


class InstanceExecOutputAPI(_Files):
    """Recorded output of commands (`/1.0/instances/{name}/logs/exec-output`).

    `execute(…, record_output=True)` makes these files; waiting for the command fetches and deletes them. What is left
    here was not waited for; it takes up room in the instance until it is deleted.
    """

    _path = "/1.0/instances/{instance}/logs/exec-output"
