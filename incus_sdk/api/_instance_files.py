"""Instances: files in them, and the server's logs about them."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, cast

from .._encoding import decode, encode
from .._paths import name_and_project
from ..exceptions import IncusArgumentError, IncusNotFoundError
from ..operations import OperationResponse
from ._collection import Bound, Collection, T

if TYPE_CHECKING:
    from .instances import InstancesAPI


class FileVerbs(Collection[T]):
    """The verbs for single files (`/1.0/instances/{name}/files`) and logs (`/1.0/instances/{name}/logs`)."""

    async def get_files(self, name: str, path: str | PurePosixPath) -> bytes:
        """Return the content of a file; of a folder, the names in it as a JSON list (`GET …/files`).

        Args:
            name: Name of the instance.
            path: Path of the file or folder in the instance.

        Raises:
            IncusNotFoundError: There is no such instance, or no such file.
        """
        response = await self._api.read_raw(self._url(name, suffix="/files"), {"path": _file_path(path)})
        if response.header("x-incus-type") == "directory":
            return encode(decode(response.body, dict[str, Any])["metadata"] or [])
        return response.body

    async def put_files(
        self,
        name: str,
        path: str | PurePosixPath,
        content: bytes | bytearray | memoryview | str,
        *,
        uid: int | None = None,
        gid: int | None = None,
        mode: int | None = None,
        append: bool = False,
    ) -> OperationResponse:
        """Write a file, as a whole (`POST …/files`). The folder that it is in must exist.

        Args:
            name: Name of the instance.
            path: Path of the file in the instance.
            content: What to write; text is written as UTF-8.
            uid: Owner of a new file, root by default; a file that exists keeps its own.
            gid: Group of a new file, likewise.
            mode: Permissions of a new file, as in `0o644` (which is the default), likewise.
            append: Whether to add to the end of a file that exists.

        Raises:
            IncusNotFoundError: There is no such instance, or no such folder in it.
        """
        data = content.encode() if isinstance(content, str) else content
        if not isinstance(data, bytes | bytearray | memoryview):
            raise TypeError(f"content must be bytes or str, not {type(content).__name__}: {content!r:.80}")
        headers = {"X-Incus-type": "file", "X-Incus-write": "append" if append else "overwrite"}
        headers |= {} if uid is None else {"X-Incus-uid": f"{uid:d}"}
        headers |= {} if gid is None else {"X-Incus-gid": f"{gid:d}"}
        headers |= {} if mode is None else {"X-Incus-mode": _mode(mode)}
        url = self._url(name, suffix="/files")
        return await self._api.operation("POST", url, data, {"path": _file_path(path)}, headers)

    async def get_logs(self, name: str) -> dict[str, str]:
        """Return the server's log files about an instance, by file name (`GET …/logs`).

        Bytes that are no UTF-8 are replaced by U+FFFD.

        Raises:
            IncusNotFoundError: There is no such instance.
        """
        urls = await self._api.read_list(self._url(name, suffix="/logs"), str)
        logs: dict[str, str] = {}
        for file in [name_and_project(url)[0] for url in urls]:
            try:
                response = await self._api.read_raw(self._url(name, "logs", file))
            except IncusNotFoundError:  # removed since it was listed
                continue
            logs[file] = response.body.decode(errors="replace")
        return logs


class BoundFiles(Bound):
    """The verbs for single files in this instance, and logs about it."""

    __slots__ = ()

    async def get_files(self, path: str | PurePosixPath) -> bytes:
        """Return the content of a file in it; see `InstancesAPI.get_files`."""
        return await self._files.get_files(self._key, path)

    async def put_files(
        self,
        path: str | PurePosixPath,
        content: bytes | bytearray | memoryview | str,
        *,
        uid: int | None = None,
        gid: int | None = None,
        mode: int | None = None,
        append: bool = False,
    ) -> OperationResponse:
        """Write a file in it; see `InstancesAPI.put_files`."""
        return await self._files.put_files(self._key, path, content, uid=uid, gid=gid, mode=mode, append=append)

    async def get_logs(self) -> dict[str, str]:
        """Return the server's log files about it; see `InstancesAPI.get_logs`."""
        return await self._files.get_logs(self._key)

    @property
    def _files(self) -> InstancesAPI:
        return cast("InstancesAPI", self._collection)


def _file_path(path: str | PurePosixPath) -> str:
    if not isinstance(path, str | PurePosixPath):
        raise TypeError(f"path must be a str or a PurePosixPath, not {type(path).__name__}: {path!r:.80}")
    text = str(path)
    if not text or "\0" in text:
        raise IncusArgumentError(f"{text!r:.80} cannot be the path of a file: it is empty or has a NUL in it")
    return text


def _mode(mode: int) -> str:
    """The server reads a mode without its leading zero as a decimal number."""
    if not 0 <= mode <= 0o7777:
        raise IncusArgumentError(f"mode cannot be {mode}: permissions are written as in 0o644")
    return f"{mode:04o}"
