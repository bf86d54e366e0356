"""Metadata of an instance's image: `/1.0/instances/{name}/metadata`."""

from __future__ import annotations

import copy
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, cast

from ..api_client import APIClient
from ..models import ImageMetadata, ImageMetadataBody, ImageMetadataDict
from ._bodies import replace_body
from ._writable import Definable

__all__ = ["InstanceMetadataAPI"]

METADATA = "metadata"


class InstanceMetadataAPI:
    """What an instance's image says of itself, and which of its files are made of templates.

    It came with the image, and is the instance's own (`/1.0/instances/{name}/metadata`).

    Args:
        client: The client that makes the requests.
        instance: Name of the instance.
    """

    def __init__(self, client: APIClient, instance: str) -> None:
        self._api = client
        self._document = _Document(client, instance=instance)
        self._root = self._document.url

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._root}>"

    async def get(self) -> ImageMetadata:
        """Return the metadata.

        Raises:
            IncusNotFoundError: There is no such instance.
        """
        return await self._api.read(self._root, ImageMetadata)

    async def update(self, changes: ImageMetadataDict) -> None:
        """Change what is named, and nothing else (`PATCH`).

        Properties and templates are merged: one that is given replaces the one of that name. Any other field is
        replaced.

        Args:
            changes: What to change.

        Raises:
            IncusArgumentError: There is no such field.
            IncusNotFoundError: There is no such instance.
            IncusBadRequestError: The server does not take a value.
            IncusPreconditionFailedError: Others changed it in between, ten times in a row.
        """
        await self._document.update(changes)

    async def replace(self, body: ImageMetadataDict) -> None:
        """Replace it (`PUT`): what the body does not hold is gone.

        Args:
            body: The new metadata.

        Raises:
            IncusArgumentError: There is no such field.
            IncusNotFoundError: There is no such instance.
            IncusBadRequestError: The server does not take a value.
        """
        fields = ImageMetadataDict.__annotations__
        await self._api.operation("PUT", self._root, replace_body("ImageMetadata", fields, (), body))

    @asynccontextmanager
    async def edit(self) -> AsyncGenerator[ImageMetadataBody]:
        """Change the metadata in an `async with` block, which yields it as the server has it.

        It is written back on leaving the block, unless nothing was changed or the block raised. Servers check the ETag
        of this resource only of a PATCH, which can remove nothing. So if a property or a template was removed, others
        could slip in between the check and the writing, which follow each other at once.

        Raises:
            IncusNotFoundError: There is no such instance.
            IncusPreconditionFailedError: Somebody else changed it in the meantime; nothing was written.
        """
        async with self._document.edit(METADATA) as draft:
            yield draft

    async def modify(self, change: Callable[[ImageMetadataBody], object], attempts: int = 3) -> None:
        """Change the metadata by a function, again if somebody else changed it in the meantime.

        Args:
            change: Gets the metadata as the server has it, and changes it in place. It may be called several times.
            attempts: How often to try.

        Raises:
            IncusNotFoundError: There is no such instance.
            IncusPreconditionFailedError: It was changed by others at each attempt.
        """
        await self._document.modify(METADATA, change, attempts)


class _Document(Definable[Any, ImageMetadataDict, ImageMetadataBody]):
    """The metadata as if it were an object in a collection, for the verbs that change those."""

    _path = "/1.0/instances/{instance}"
    _put = ImageMetadataDict

    @property
    def _noun(self) -> str:
        return "ImageMetadata"

    @property
    def _sent(self) -> tuple[str, ...]:
        return ()  # all of it can be changed

    @property
    def url(self) -> str:
        return self._url(METADATA)

    async def update(self, changes: ImageMetadataDict) -> None:
        await self._update(METADATA, changes)

    @asynccontextmanager
    async def edit(self, name: str) -> AsyncGenerator[ImageMetadataBody]:
        current, etag = await self._api.read_with_etag(self._url(name))
        draft = copy.deepcopy(current)
        yield cast("ImageMetadataBody", draft)
        if draft == current:
            return
        body = self._edited(current, draft)
        if _removes(current, body):
            await self._api.operation("PATCH", self._url(name), {}, etag=etag)  # changes nothing, but checks the ETag
            await self._api.operation("PUT", self._url(name), body)
        else:
            await self._api.operation("PATCH", self._url(name), body, etag=etag)


def _removes(current: Mapping[str, Any], body: Mapping[str, Any]) -> bool:
    """Whether a field, or an entry of one that is a map, is there no longer."""
    return any(
        key not in body
        or (isinstance(old, Mapping) and not cast("Mapping[str, Any]", old).keys() <= (body[key] or {}).keys())
        for key, old in current.items()
    )
