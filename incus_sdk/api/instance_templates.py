"""Templates of an instance: `/1.0/instances/{name}/metadata/templates`."""

from __future__ import annotations

import builtins
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from .._paths import quote_file
from .._values import content_bytes, text
from ..api_client import StreamResponse
from ._nested import Part

if TYPE_CHECKING:
    from .._sink import Target

__all__ = ["InstanceTemplatesAPI"]


class InstanceTemplatesAPI(Part):
    """Templates of files that the server writes into an instance (`/1.0/instances/{name}/metadata/templates`).

    They come with the image. Which file is made of which template, and when, is in the instance's metadata.
    """

    _path = "/1.0/instances/{instance}/metadata/templates"

    async def names(self) -> builtins.list[str]:
        """Return the names of all templates.

        Raises:
            IncusNotFoundError: There is no such instance.
        """
        return await self._api.read_list(self._url(), str)

    async def read(self, name: str) -> str:
        """Return a template as text; bytes that are no UTF-8 are replaced by U+FFFD.

        Args:
            name: Name of the template.

        Raises:
            IncusNotFoundError: There is no such instance, or no such template.
        """
        return (await self.read_bytes(name)).decode(errors="replace")

    async def read_bytes(self, name: str) -> bytes:
        """Return a template just as it is; see `read`."""
        return (await self._api.read_raw(self._file(name))).body

    async def download(self, name: str, target: Target) -> int:
        """Write a template to a file, and return its size in bytes.

        Args:
            name: Name of the template.
            target: Path of the file, which appears only when all of it has come; or a binary file that is open.

        Raises:
            IncusNotFoundError: There is no such instance, or no such template.
        """
        return await self._api.download(self._file(name), target)

    @asynccontextmanager
    async def stream(self, name: str) -> AsyncGenerator[StreamResponse]:
        """Read a template piece by piece, in an `async with` block; raises as `read` does."""
        async with self._api.stream("GET", self._file(name)) as response:
            yield response

    async def write(self, name: str, content: bytes | bytearray | memoryview | str) -> None:
        """Write a template, which is made, or replaced if it exists (`POST …/metadata/templates`).

        Args:
            name: Name of the template; it ends with `.tpl` by custom, and has no slash.
            content: What to write, in the notation of pongo2; text is written as UTF-8. Incus 7.0 takes 1 MiB at most.

        Raises:
            IncusNotFoundError: There is no such instance.
            IncusBadRequestError: The server does not take the name, or that much.
        """
        await self._api.operation("POST", self._file(name), content_bytes(content))

    async def delete(self, name: str) -> None:
        """Delete a template.

        Args:
            name: Name of the template.

        Raises:
            IncusNotFoundError: There is no such instance, or no such template.
        """
        await self._api.operation("DELETE", self._file(name))

    def _file(self, name: str) -> str:
        """URL of a template; its name is in it, and not among the parameters, so that messages name it."""
        return f"{self._url()}?path={quote_file(text(name, 'name'))}"
