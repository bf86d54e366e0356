"""Names of images: `/1.0/images/aliases`."""

from __future__ import annotations

from ..models import ImageAliasesEntryBody, ImageAliasesEntryData, ImageAliasesEntryPut
from ._bodies import create_body
from ._bound import BoundDelete, BoundGet, BoundRename, BoundWritable
from ._collection import Deletable, Gettable, Listable, Renamable, check_name
from ._writable import Writable

__all__ = ["ImageAliasesAPI", "ImageAliasesEntry"]


class ImageAliasesEntry(
    ImageAliasesEntryData,
    BoundGet,
    BoundWritable[ImageAliasesEntryPut, ImageAliasesEntryBody],
    BoundRename,
    BoundDelete,
):
    """A name of an image, as it was when it was read."""


class ImageAliasesAPI(
    Listable[ImageAliasesEntry],
    Gettable[ImageAliasesEntry],
    Writable[ImageAliasesEntry, ImageAliasesEntryPut, ImageAliasesEntryBody],
    Renamable[ImageAliasesEntry],
    Deletable[ImageAliasesEntry],
):
    """Names of images (`/1.0/images/aliases`). They can have slashes in them, as in `debian/13`."""

    _path = "/1.0/images/aliases"
    _model = ImageAliasesEntry
    _put = ImageAliasesEntryPut

    async def create(
        self, name: str, target: str, description: str = "", *, type: str | None = None
    ) -> ImageAliasesEntry:
        """Give an image a name (`POST /1.0/images/aliases`).

        Example:
            ```python
            await client.images.aliases.create("web/stable", image.fingerprint)
            ```

        Args:
            name: The name.
            target: Fingerprint of the image; the beginning is enough if no other image has it.
            description: What the name stands for.
            type: `container` or `virtual-machine`; left out, that of the image.

        Raises:
            IncusConflictError: There is an alias of that name already.
            IncusNotFoundError: There is no such image.
        """
        check_name(name)
        body = create_body("ImageAliasesEntry", (), {}, name=name, target=target, description=description, type=type)
        await self._api.operation("POST", self._url(), body)
        return await self._made(name)
