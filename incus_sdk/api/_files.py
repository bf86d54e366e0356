"""Single files in an instance or a volume."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

from .._answers import envelope, metadata
from .._encoding import encode
from .._paths import quote_file
from .._requests import label
from .._values import content_bytes, whole_number
from ..exceptions import IncusError, IncusNotFoundError
from ..operations import OperationResponse
from ._bound import Bound
from ._collection import Collection, T

if TYPE_CHECKING:
    from pathlib import PurePosixPath

    from ..api_client import StreamResponse
    from ..models import FileStatus

__all__ = ["BoundFiles", "FileVerbs"]

LARGEST_ID = 0xFFFF_FFFF
"""Users and groups have 32 bits."""

HOPS = 40
"""Symbolic links that are followed, as many as Linux does."""


class FileVerbs(Collection[T]):
    """The verbs for single files (`/1.0/instances/{name}/files`, `…/volumes/{type}/{name}/files`)."""

    async def get_files(self, name: str, path: str | bytes | PurePosixPath) -> bytes:
        """Return the content of a file; of a folder, the names in it as a JSON list (`GET …/files`).

        Symbolic links are followed. In a list, bytes of a name that are no UTF-8 are replaced by U+FFFD.

        Args:
            name: Name of the instance or volume.
            path: Path of the file or folder in it. Names that are no UTF-8 are given as bytes, or as
                `os.fsdecode` returns them.

        Raises:
            IncusNotFoundError: There is no such instance or volume, no such file, or none where the link leads to.
            IncusError: The link leads through more than 40 others, or back to itself.
        """
        url = self._file(name, path)
        response = await self._api.read_raw(url)
        hops = 0
        while response.header("x-incus-type") == "symlink":
            if hops == HOPS:
                raise IncusError(f"{path!r:.80} leads through more than {HOPS} symbolic links, or back to itself")
            hops += 1
            url = self._file(name, response.body)  # where it leads to, as an absolute path
            try:
                response = await self._api.read_raw(url)
            except IncusNotFoundError as error:
                message = f"{error}; the symbolic link {path!r:.80} leads there"
                raise IncusNotFoundError(message, error.status_code, error.response) from None
        if response.header("x-incus-type") != "directory":
            return response.body
        names = cast("type[list[str] | None]", list[str] | None)
        return encode(metadata(envelope(response, label("GET", url)), names, label("GET", url)) or [])

    async def put_files(
        self,
        name: str,
        path: str | bytes | PurePosixPath,
        content: bytes | bytearray | memoryview | str,
        *,
        uid: int | None = None,
        gid: int | None = None,
        mode: int | None = None,
        append: bool = False,
    ) -> OperationResponse:
        """Write a file, as a whole (`POST …/files`). The folder that it is in must exist.

        Args:
            name: Name of the instance or volume.
            path: Path of the file in it.
            content: What to write; text is written as UTF-8.
            uid: Owner of a new file, root by default; a file that exists keeps its own.
            gid: Group of a new file, likewise.
            mode: Permissions of a new file, as in `0o644` (which is the default), likewise.
            append: Whether to add to the end of a file that exists.

        Raises:
            IncusNotFoundError: There is no such instance or volume, or no such folder in it.
        """
        data = content_bytes(content)
        headers = {"X-Incus-type": "file", "X-Incus-write": "append" if append else "overwrite"}
        headers |= {} if uid is None else {"X-Incus-uid": str(whole_number("uid", uid, 0, LARGEST_ID))}
        headers |= {} if gid is None else {"X-Incus-gid": str(whole_number("gid", gid, 0, LARGEST_ID))}
        headers |= {} if mode is None else {"X-Incus-mode": _mode(mode)}
        return await self._api.operation("POST", self._file(name, path), data, None, headers)

    async def delete_files(
        self, name: str, path: str | bytes | PurePosixPath, *, force: bool = False
    ) -> OperationResponse:
        """Delete a file or an empty folder (`DELETE …/files`). Of a symbolic link, it is the link that goes.

        Args:
            name: Name of the instance or volume.
            path: Path of the file or folder in it.
            force: Whether to delete a folder with all that is in it. Needs the API extension `file_delete_force`
                (Incus 7.0).

        Raises:
            IncusNotFoundError: There is no such instance or volume, or no such file.
            IncusConflictError: The folder is not empty.
        """
        url = self._file(name, path)
        if force:
            await self._api.require_extension("file_delete_force", label("DELETE", url))
        return await self._api.operation("DELETE", url, None, None, {"X-Incus-force": "true"} if force else None)

    async def stat_files(self, name: str, path: str | bytes | PurePosixPath) -> FileStatus:
        """Return what is known of a file without reading it (`HEAD …/files`); symbolic links are not followed.

        Args:
            name: Name of the instance or volume.
            path: Path of the file or folder in it.

        Raises:
            IncusNotFoundError: There is no such instance or volume, or no such file.
        """
        async with self._api.stream("HEAD", self._file(name, path)) as response:
            return _status(response)

    def _file(self, name: str, path: str | bytes | PurePosixPath) -> str:
        """URL of a file; its path is in it, and not among the parameters, so that messages name it."""
        return f"{self._url(name, suffix='/files')}?path={quote_file(path)}"


class BoundFiles(Bound):
    """The verbs for single files in it."""

    __slots__ = ()

    async def get_files(self, path: str | bytes | PurePosixPath) -> bytes:
        """Return the content of a file in it; see `FileVerbs.get_files`."""
        return await self._files.get_files(self._key, path)

    async def put_files(
        self,
        path: str | bytes | PurePosixPath,
        content: bytes | bytearray | memoryview | str,
        *,
        uid: int | None = None,
        gid: int | None = None,
        mode: int | None = None,
        append: bool = False,
    ) -> OperationResponse:
        """Write a file in it; see `FileVerbs.put_files`."""
        return await self._files.put_files(self._key, path, content, uid=uid, gid=gid, mode=mode, append=append)

    async def delete_files(self, path: str | bytes | PurePosixPath, *, force: bool = False) -> OperationResponse:
        """Delete a file in it; see `FileVerbs.delete_files`."""
        return await self._files.delete_files(self._key, path, force=force)

    async def stat_files(self, path: str | bytes | PurePosixPath) -> FileStatus:
        """Return what is known of a file in it; see `FileVerbs.stat_files`."""
        return await self._files.stat_files(self._key, path)

    @property
    def _files(self) -> FileVerbs[Any]:
        return cast("FileVerbs[Any]", self._collection)


def _mode(mode: int) -> str:
    """The server reads a mode without its leading zero as a decimal number."""
    return f"{whole_number('mode', mode, 0, 0o7777, '; permissions are written as in 0o644'):04o}"


def _status(answer: StreamResponse) -> FileStatus:
    """Return what the headers of an answer about a file say."""
    from ..models import FileStatus

    kind = answer.header("x-incus-type") or "file"
    size = answer.header("content-length") if kind == "file" else None
    return FileStatus(
        type=kind,
        size=None if size is None else int(size),
        mode=int(answer.header("x-incus-mode") or "0", 8),
        uid=int(answer.header("x-incus-uid") or 0),
        gid=int(answer.header("x-incus-gid") or 0),
        modified=_time(answer.header("x-incus-modified")),
    )


def _time(text: str | None) -> datetime | None:
    """Read a time as Go prints it: `2026-01-02 03:04:05 +0000 UTC`."""
    if not text:
        return None
    date, clock, offset, *_ = f"{text} +0000".split(" ")
    try:
        return datetime.fromisoformat(f"{date}T{clock}{offset}")
    except ValueError:
        return None
