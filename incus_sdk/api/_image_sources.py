"""Images that the server makes or fetches by itself: from instances, from other servers, from a URL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, Unpack, cast, overload

from .._failures import after_a_change
from ..exceptions import IncusArgumentError, IncusProtocolError
from ..models import ImagePut, ImagesPostSource
from ..operations import OperationResponse
from ._bodies import check_source, create_body
from ._collection import Collection, T, check_name, check_wait
from ._instance_bodies import image_source

if TYPE_CHECKING:
    from .images import Image, ImagesAPI


class SourceVerbs(Collection[T]):
    """The verbs that create an image out of something which the server can reach."""

    @overload
    async def create_from(
        self,
        source: str | ImagesPostSource,
        wait: Literal[False] = False,
        *,
        aliases: Sequence[str] = (),
        filename: str | None = None,
        compression_algorithm: str | None = None,
        format: str | None = None,
        **fields: Unpack[ImagePut],
    ) -> OperationResponse: ...
    @overload
    async def create_from(
        self,
        source: str | ImagesPostSource,
        wait: Literal[True],
        *,
        aliases: Sequence[str] = (),
        filename: str | None = None,
        compression_algorithm: str | None = None,
        format: str | None = None,
        **fields: Unpack[ImagePut],
    ) -> Image: ...
    @overload
    async def create_from(
        self,
        source: str | ImagesPostSource,
        wait: bool = False,
        *,
        aliases: Sequence[str] = (),
        filename: str | None = None,
        compression_algorithm: str | None = None,
        format: str | None = None,
        **fields: Unpack[ImagePut],
    ) -> OperationResponse | Image: ...
    async def create_from(
        self,
        source: str | ImagesPostSource,
        wait: bool = False,
        *,
        aliases: Sequence[str] = (),
        filename: str | None = None,
        compression_algorithm: str | None = None,
        format: str | None = None,
        **fields: Unpack[ImagePut],
    ) -> OperationResponse | Image:
        """Create an image out of something which the server can reach (`POST /1.0/images`).

        Example:
            ```python
            await client.images.create_from("images:debian/13", wait=True, aliases=["debian"], auto_update=True)
            ```

        Args:
            source: `images:debian/13` for one of the public image server; or a mapping, as in
                `{"type": "image", "server": "https://host:8443", "fingerprint": …}`. With `"mode": "push"` the answer
                is a token: the other server sends the image, and its `export_to` takes the secret that is in there.
            wait: Whether to return the image itself, when it is there.
            aliases: Names for it.
            filename: A name for the file, which downloads then have.
            compression_algorithm: For an image made of an instance: `gzip`, `zstd -19`, `none` …
            format: For an image made of an instance: `unified` (one file) or `split` (two). Needs the API extension
                `instance_publish_split`.
            **fields: Its definition: `auto_update`, `expires_at`, `profiles`, `properties`, `public`.

        Returns:
            The `Image` with `wait=True`; otherwise the answer, whose `wait()` tells how it ended.

        Raises:
            IncusOperationConflictError: There is such an image, or one of that alias already (from the wait).
            IncusOperationNotFoundError: What it is to be made of does not exist (from the wait).
            IncusArgumentError: The source names no server, where one is needed.
        """
        check_wait(wait)
        body = create_body(
            "Image",
            ImagePut.__annotations__,
            fields,
            source=_checked(image_source(source) if isinstance(source, str) else source),
            aliases=[{"name": alias} for alias in checked_aliases(aliases)] or None,
            filename=filename,
            compression_algorithm=compression_algorithm,
            format=format,
        )
        return await self._image_of(await self._api.operation("POST", self._url(), body), wait)

    @overload
    async def create_from_url(
        self, url: str, alias: str | None = None, wait: Literal[False] = False, **fields: Unpack[ImagePut]
    ) -> OperationResponse: ...
    @overload
    async def create_from_url(
        self, url: str, alias: str | None = None, *, wait: Literal[True], **fields: Unpack[ImagePut]
    ) -> Image: ...
    @overload
    async def create_from_url(
        self, url: str, alias: str | None = None, wait: bool = False, **fields: Unpack[ImagePut]
    ) -> OperationResponse | Image: ...
    async def create_from_url(
        self, url: str, alias: str | None = None, wait: bool = False, **fields: Unpack[ImagePut]
    ) -> OperationResponse | Image:
        """Have the server download an image (`POST /1.0/images`).

        The server asks the address where the file is and what its SHA-256 must be: the web server there answers a HEAD
        with the headers `Incus-Image-URL` and `Incus-Image-Hash`.

        Args:
            url: The address.
            alias: A name for the image.
            wait: Whether to return the image itself, when it is there.
            **fields: See `create_from`.

        Raises:
            IncusOperationError: The server cannot get it (from the wait).
        """
        aliases = () if alias is None else (alias,)
        return await self.create_from({"type": "url", "url": url}, wait, aliases=aliases, **fields)

    @overload
    async def publish(
        self,
        instance: str,
        wait: Literal[False] = False,
        *,
        aliases: Sequence[str] = (),
        compression_algorithm: str | None = None,
        format: str | None = None,
        **fields: Unpack[ImagePut],
    ) -> OperationResponse: ...
    @overload
    async def publish(
        self,
        instance: str,
        wait: Literal[True],
        *,
        aliases: Sequence[str] = (),
        compression_algorithm: str | None = None,
        format: str | None = None,
        **fields: Unpack[ImagePut],
    ) -> Image: ...
    @overload
    async def publish(
        self,
        instance: str,
        wait: bool = False,
        *,
        aliases: Sequence[str] = (),
        compression_algorithm: str | None = None,
        format: str | None = None,
        **fields: Unpack[ImagePut],
    ) -> OperationResponse | Image: ...
    async def publish(
        self,
        instance: str,
        wait: bool = False,
        *,
        aliases: Sequence[str] = (),
        compression_algorithm: str | None = None,
        format: str | None = None,
        **fields: Unpack[ImagePut],
    ) -> OperationResponse | Image:
        """Make an image of an instance that is stopped, or of a snapshot (`POST /1.0/images`).

        Args:
            instance: Name of the instance, or `instance/snapshot`.
            wait: Whether to return the image itself, when it is there.
            aliases: Names for it.
            compression_algorithm: `gzip`, `zstd -19`, `none` …; by default, what the server's configuration says.
            format: See `create_from`.
            **fields: See `create_from`.

        Raises:
            IncusOperationNotFoundError: There is no such instance (from the wait).
            IncusOperationConflictError: There is such an image, or one of that alias already (from the wait).
            IncusBadRequestError: The instance is running.
        """
        check_name(instance)
        kind = "snapshot" if "/" in instance else "instance"
        return await self.create_from(
            {"type": kind, "name": instance},
            wait,
            aliases=aliases,
            compression_algorithm=compression_algorithm,
            format=format,
            **fields,
        )

    async def _image_of(self, operation: OperationResponse, wait: bool) -> OperationResponse | Image:
        """Return the operation; or the image that it makes, when it has made it."""
        if not wait:
            return operation
        await operation.wait()
        details = cast("Mapping[str, Any]", operation["metadata"].get("metadata") or {})
        if "fingerprint" not in details:
            raise IncusProtocolError(f"{operation!r}: the server does not say which image it has created")
        with after_a_change("the image has been made, and only reading it failed"):
            return await cast("ImagesAPI", self).get(str(details["fingerprint"]))


def checked_aliases(aliases: Sequence[str]) -> list[str]:
    """Return names for an image as a list; one text alone would be taken apart."""
    from .._values import text_list

    return text_list(aliases, "aliases", "['debian/13']")


def _checked(source: Mapping[str, Any]) -> Mapping[str, Any]:
    """Refuse an image of nowhere: that never works, and Incus 6.0 and 7.0 die of it, with all that they were doing."""
    check_source(source, ImagesPostSource.__annotations__, " or a text, as in images:debian/13")
    if source.get("type") == "image" and source.get("mode") != "push" and not source.get("server"):
        raise IncusArgumentError(
            "the source names no server to get the image from; write images:debian/13, or give a mapping with "
            "'server' and 'protocol'"
        )
    return source
