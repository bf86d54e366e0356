"""Images: `/1.0/images`."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Literal, cast, overload
from urllib.parse import urlencode

from .._values import config_values, text_list
from ..api_client import Body, StreamResponse
from ..exceptions import IncusArgumentError
from ..models import ImageBody, ImageData, ImagePut
from ..operations import OperationResponse
from ..types import Config
from ._bodies import check_upload
from ._bound import BoundBackgroundDelete, BoundGet, BoundWritable
from ._collection import BackgroundDeletable, Gettable, ProjectFilterable, check_wait
from ._image_sources import SourceVerbs, checked_aliases
from ._writable import Writable
from .image_aliases import ImageAliasesAPI, ImageAliasesEntry

if TYPE_CHECKING:
    from .._sink import Target

__all__ = ["Image", "ImagesAPI"]


class Image(ImageData, BoundGet, BoundWritable[ImagePut, ImageBody], BoundBackgroundDelete):
    """An image, as it was when it was read."""

    def __repr__(self) -> str:
        names = "".join(f" {alias.name}" for alias in self.aliases)
        return f"<{type(self).__name__} {self.fingerprint[:12]}{names}>"

    @property
    def _key(self) -> str:
        return self.fingerprint

    @property
    def _images(self) -> ImagesAPI:
        return cast("ImagesAPI", self._collection)

    async def export(self, target: Target, rootfs: Target | None = None, *, secret: str | None = None) -> int:
        """Download it; see `ImagesAPI.export`."""
        return await self._images.export(self.fingerprint, target, rootfs, secret=secret)

    @asynccontextmanager
    async def stream_export(self, *, secret: str | None = None) -> AsyncGenerator[StreamResponse]:
        """Download it piece by piece; see `ImagesAPI.stream_export`."""
        async with self._images.stream_export(self.fingerprint, secret=secret) as response:
            yield response

    async def export_to(
        self,
        target: str,
        secret: str,
        wait: bool = False,
        *,
        certificate: str | None = None,
        aliases: Sequence[str] = (),
        profiles: Sequence[str] | None = None,
        project: str | None = None,
    ) -> OperationResponse:
        """Send it to another server; see `ImagesAPI.export_to`."""
        return await self._images.export_to(
            self.fingerprint,
            target,
            secret,
            wait,
            certificate=certificate,
            aliases=aliases,
            profiles=profiles,
            project=project,
        )

    async def refresh_from_source(self, wait: bool = False) -> OperationResponse:
        """Have the server look for a newer one; see `ImagesAPI.refresh_from_source`."""
        return await self._images.refresh_from_source(self.fingerprint, wait)

    async def secret(self) -> OperationResponse:
        """Make a secret by which anybody can download it, once; see `ImagesAPI.secret`."""
        return await self._images.secret(self.fingerprint)

    async def add_alias(self, name: str, description: str = "") -> ImageAliasesEntry:
        """Give it a name; see `ImageAliasesAPI.create`."""
        return await self._images.aliases.create(name, self.fingerprint, description)

    async def remove_alias(self, name: str) -> None:
        """Take a name from it; see `ImageAliasesAPI.delete`."""
        await self._images.aliases.delete(name)


class ImagesAPI(
    SourceVerbs[Image],
    ProjectFilterable[Image],
    Gettable[Image],
    Writable[Image, ImagePut, ImageBody],
    BackgroundDeletable[Image],
):
    """Images (`/1.0/images`), and in `aliases` their names.

    What is called `name` here is the fingerprint, or the beginning of it if no other image has the same; `names`
    returns fingerprints.
    """

    _path = "/1.0/images"
    _model = Image
    _put = ImagePut
    _updating = "PUT"  # a PATCH changes neither profiles nor expires_at, and does not say so
    _etag_suffices = False  # it does not cover these two

    @property
    def aliases(self) -> ImageAliasesAPI:
        """Names of images (`/1.0/images/aliases`)."""
        return ImageAliasesAPI(self._api)

    async def get(self, name: str, *, secret: str | None = None) -> Image:
        """Return one image.

        Args:
            name: Its fingerprint.
            secret: What `secret` made, for clients that are not trusted. That uses it up: keep it for `export`.

        Raises:
            IncusNotFoundError: There is none of that fingerprint.
        """
        return self._bind(await self._api.read(self._url(name), Image, _query(secret)))

    async def get_by_alias(self, name: str) -> Image:
        """Return the image that has a name.

        Args:
            name: One of its aliases.

        Raises:
            IncusNotFoundError: There is no such alias.
        """
        return await self.get((await self.aliases.get(name)).target)

    @overload
    async def create(
        self,
        image_data: Body,
        filename: str | None = None,
        public: bool = False,
        auto_update: bool = False,
        properties: Config | None = None,
        wait: Literal[False] = False,
        *,
        rootfs: Body = None,
        virtual_machine: bool = False,
        aliases: Sequence[str] = (),
        profiles: Sequence[str] | None = None,
        fingerprint: str | None = None,
    ) -> OperationResponse: ...
    @overload
    async def create(
        self,
        image_data: Body,
        filename: str | None = None,
        public: bool = False,
        auto_update: bool = False,
        properties: Config | None = None,
        *,
        wait: Literal[True],
        rootfs: Body = None,
        virtual_machine: bool = False,
        aliases: Sequence[str] = (),
        profiles: Sequence[str] | None = None,
        fingerprint: str | None = None,
    ) -> Image: ...
    @overload
    async def create(
        self,
        image_data: Body,
        filename: str | None = None,
        public: bool = False,
        auto_update: bool = False,
        properties: Config | None = None,
        wait: bool = False,
        *,
        rootfs: Body = None,
        virtual_machine: bool = False,
        aliases: Sequence[str] = (),
        profiles: Sequence[str] | None = None,
        fingerprint: str | None = None,
    ) -> OperationResponse | Image: ...
    async def create(
        self,
        image_data: Body,
        filename: str | None = None,
        public: bool = False,
        auto_update: bool = False,
        properties: Config | None = None,
        wait: bool = False,
        *,
        rootfs: Body = None,
        virtual_machine: bool = False,
        aliases: Sequence[str] = (),
        profiles: Sequence[str] | None = None,
        fingerprint: str | None = None,
    ) -> OperationResponse | Image:
        """Upload an image, in one file or two (`POST /1.0/images`). Files are read while they are sent.

        Example:
            ```python
            image = await client.images.create(Path("image.tar.xz"), aliases=["web"], wait=True)
            split = await client.images.create(Path("incus.tar.xz"), rootfs=Path("rootfs.squashfs"), wait=True)
            ```

        Args:
            image_data: The image, or its metadata if the root file system is a file of its own: bytes, the `Path` of a
                file, or an iterator of bytes.
            filename: A name for the file, in printable ASCII.
            public: Whether clients that are not trusted may use it.
            auto_update: Not for uploads, which have no source that could have a newer one; see `create_from`.
            properties: What describes it, beside what its metadata says.
            wait: Whether to return the image itself, when it is there.
            rootfs: The root file system, of an image in two files.
            virtual_machine: Whether `rootfs` is the disk of a virtual machine.
            aliases: Names for it.
            profiles: What instances made of it get by default.
            fingerprint: SHA-256 that it must have: the server refuses what has another.

        Returns:
            The `Image` with `wait=True`; otherwise the answer, whose `wait()` tells how it ended.

        Raises:
            IncusOperationConflictError: There is such an image, or one of that alias already (from the wait).
            IncusOperationBadRequestError: That is no image, or not the expected one (from the wait).
            IncusOperationNotFoundError: A profile does not exist (from the wait).
            OSError: A file cannot be read.
        """
        check_wait(wait)
        check_upload(image_data, "image_data", "; create_from() takes a source")
        if auto_update:
            raise IncusArgumentError("auto_update is not for uploads: they have no source; create_from() has one")
        headers = _headers(filename, public, properties, aliases, profiles, fingerprint)
        if rootfs is None:
            operation = await self._api.operation("POST", self._url(), image_data, None, headers)
        else:
            files = {"metadata": image_data, "rootfs.img" if virtual_machine else "rootfs": rootfs}
            operation = await self._api.send_files(self._url(), files, headers)
        return await self._image_of(operation, wait)

    async def export(
        self, name: str, target: Target, rootfs: Target | None = None, *, secret: str | None = None
    ) -> int:
        """Download an image, and return its size in bytes (`GET /1.0/images/{fingerprint}/export`).

        Files appear, or are replaced, only when all has come and its SHA-256 is the fingerprint.

        Args:
            name: Its fingerprint.
            target: Where to write it: the path of a file, or a binary file that is open. Of an image in two files, this
                is the metadata.
            rootfs: Where to write the root file system of an image in two files. Left alone if the image is in one.
            secret: What `secret` made, for clients that are not trusted.

        Raises:
            IncusNotFoundError: There is none of that fingerprint.
            IncusArgumentError: The image is in two files, and `rootfs` is not given; nothing is written.
            IncusProtocolError: What came is not that image.
            IncusConnectionError: The connection broke before the end.
            OSError: A file cannot be written.
        """
        return await self._api.download_image(self._url(name, suffix="/export"), target, rootfs, name, _query(secret))

    @asynccontextmanager
    async def stream_export(self, name: str, *, secret: str | None = None) -> AsyncGenerator[StreamResponse]:
        """Download an image piece by piece, in an `async with` block (`GET /1.0/images/{fingerprint}/export`).

        An image in two files comes as `multipart/form-data`. The SHA-256 is not checked.

        Args:
            name: Its fingerprint.
            secret: What `secret` made, for clients that are not trusted.

        Raises:
            IncusNotFoundError: There is none of that fingerprint.
        """
        async with self._api.stream("GET", self._url(name, suffix="/export"), _query(secret)) as response:
            yield response

    async def export_to(
        self,
        name: str,
        target: str,
        secret: str,
        wait: bool = False,
        *,
        certificate: str | None = None,
        aliases: Sequence[str] = (),
        profiles: Sequence[str] | None = None,
        project: str | None = None,
    ) -> OperationResponse:
        """Have the server send an image to another server (`POST /1.0/images/{fingerprint}/export`).

        That one has to expect it: `create_from({"type": "image", "mode": "push", "fingerprint": …})` there answers a
        token with the secret.

        Args:
            name: Its fingerprint.
            target: URL of the other server.
            secret: The secret that the other server gave.
            wait: Whether to return only when it is done; otherwise the answer's `wait()` tells how it ended.
            certificate: PEM of the other server's certificate, if no public authority vouches for it.
            aliases: Names for it there.
            profiles: What instances made of it get by default there.
            project: The project there.

        Raises:
            IncusNotFoundError: There is none of that fingerprint.
            IncusAPIError: The other server cannot be reached.
            IncusOperationError: It cannot be reached, or does not take it (from the wait).
        """
        body: dict[str, object] = {"target": target, "secret": secret}
        body |= {"certificate": certificate} if certificate else {}
        body |= {"aliases": [{"name": alias} for alias in checked_aliases(aliases)]} if aliases else {}
        body |= {"profiles": text_list(profiles, "profiles", "['default']")} if profiles is not None else {}
        body |= {"project": project} if project else {}
        return await self._change("POST", self._url(name, suffix="/export"), body, wait)

    async def refresh_from_source(self, name: str, wait: bool = False) -> OperationResponse:
        """Have the server look for a newer image where this one is from (`POST /1.0/images/{fingerprint}/refresh`).

        A newer one takes the place of this one, under its own fingerprint.

        Args:
            name: Its fingerprint.
            wait: Whether to return only when it is done; otherwise the answer's `wait()` tells how it ended.

        Raises:
            IncusNotFoundError: There is none of that fingerprint.
            IncusOperationBadRequestError: It was uploaded, so it has no source (from the wait).
        """
        return await self._change("POST", self._url(name, suffix="/refresh"), None, wait)

    async def secret(self, name: str) -> OperationResponse:
        """Make a secret by which anybody can download an image, once (`POST /1.0/images/{fingerprint}/secret`).

        The answer is a token, with the secret in `answer["metadata"]["metadata"]["secret"]`: do not wait for it,
        `cancel()` revokes it.

        Args:
            name: Its fingerprint.

        Raises:
            IncusNotFoundError: There is none of that fingerprint.
        """
        return await self._api.operation("POST", self._url(name, suffix="/secret"))

    # -- the same for aliases, by the names of other clients ----------------------------------------------------------

    async def get_alias(self, name: str) -> ImageAliasesEntry:
        """Return an alias; the same as `aliases.get`."""
        return await self.aliases.get(name)

    async def create_alias(self, name: str, target: str, description: str = "") -> ImageAliasesEntry:
        """Give an image a name; the same as `aliases.create`."""
        return await self.aliases.create(name, target, description)

    async def update_alias(self, name: str, target: str | None = None, description: str | None = None) -> None:
        """Let a name stand for another image, or describe it anew; see `aliases.update`."""
        changes = {"target": target, "description": description}
        given: Any = {key: value for key, value in changes.items() if value is not None}
        await self.aliases.update(name, given)

    async def delete_alias(self, name: str) -> None:
        """Take a name from an image; the same as `aliases.delete`."""
        await self.aliases.delete(name)


def _query(secret: str | None) -> dict[str, object] | None:
    return None if secret is None else {"secret": secret}


def _headers(
    filename: str | None,
    public: bool,
    properties: Config | None,
    aliases: Sequence[str],
    profiles: Sequence[str] | None,
    fingerprint: str | None,
) -> dict[str, str]:
    """Return what is said about an upload: its body has no place for it."""
    headers = {"X-Incus-public": "true"} if public else {}
    if filename is not None:
        headers["X-Incus-filename"] = filename
    if properties:
        headers["X-Incus-properties"] = urlencode(config_values(properties, "properties"))
    if aliases:
        headers["X-Incus-aliases"] = urlencode([("alias", alias) for alias in checked_aliases(aliases)])
    if profiles is not None:
        names = text_list(profiles, "profiles", "['default']")
        headers["X-Incus-profiles"] = urlencode([("profile", name) for name in names])
    if fingerprint is not None:
        headers["X-Incus-fingerprint"] = fingerprint
    return headers
