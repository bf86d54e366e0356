"""Instances: files in them, and the server's logs about them."""

from __future__ import annotations

from typing import Any, cast

from .._paths import name_and_project
from ..exceptions import IncusNotFoundError
from ._collection import T
from ._files import BoundFiles as BoundSingleFiles
from ._files import FileVerbs as SingleFileVerbs


class FileVerbs(SingleFileVerbs[T]):
    """The verbs for single files (`/1.0/instances/{name}/files`) and logs (`/1.0/instances/{name}/logs`)."""

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


class BoundFiles(BoundSingleFiles):
    """The verbs for single files in this instance, and logs about it."""

    __slots__ = ()

    async def get_logs(self) -> dict[str, str]:
        """Return the server's log files about it; see `InstancesAPI.get_logs`."""
        return await cast("FileVerbs[Any]", self._collection).get_logs(self._key)
