"""What collections below an instance have in common."""

from __future__ import annotations

import builtins
from typing import Any, ClassVar

from .._filters import Filter
from .._paths import fill, name_and_project, quote_name
from ..api_client import APIClient
from ..exceptions import IncusProtocolError
from ..operations import OperationResponse
from ._collection import Gettable, Listable, T

__all__ = ["InInstance", "Part", "created_name"]


class InInstance(Listable[T], Gettable[T]):
    """The verbs `list`, `names`, `get` and `exists` of what an instance has: without that instance, they raise.

    Servers say of an instance that does not exist that it has no snapshots.
    """

    _in_project = False  # an instance that is there is in a project that is

    async def exists(self, name: str) -> bool:
        """Tell whether there is an object of that name.

        Raises:
            IncusNotFoundError: There is no such instance.
        """
        if await super().exists(name):
            return True
        await self._check_instance()
        return False

    async def _urls(self, filter: Filter | None, all_projects: bool) -> builtins.list[str]:
        urls = await super()._urls(filter, all_projects)
        if not urls:
            await self._check_instance()
        return urls

    async def _items(self, recursion: int, filter: Filter | None, all_projects: bool) -> builtins.list[T]:
        items = await super()._items(recursion, filter, all_projects)
        if not items:
            await self._check_instance()
        return items

    async def _check_instance(self) -> None:
        await self._api.read(fill("/1.0/instances/{instance}", self._parents), dict[str, Any])


class Part:
    """A part of an instance whose members are no objects with verbs of their own.

    Args:
        client: The client that makes the requests.
        instance: Name of the instance.
    """

    _path: ClassVar[str]

    def __init__(self, client: APIClient, instance: str) -> None:
        self._api = client
        self._root = fill(self._path, {"instance": instance})

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._root}>"

    def _url(self, *names: str) -> str:
        """Path of this part, or of a member of it, each name quoted."""
        return "/".join([self._root, *map(quote_name, names)])

    async def _listed(self) -> builtins.list[str]:
        """Names that the server lists as paths."""
        urls = await self._api.read_list(self._url(), str)
        return [name_and_project(url)[0] for url in urls]


def created_name(operation: OperationResponse, kind: str) -> str:
    """Return the name of what an operation has created.

    Args:
        operation: The operation.
        kind: As the server calls it: `instances`, `instances_snapshots`, `backups`.

    Raises:
        IncusProtocolError: The server does not say.
    """
    urls = operation.resources.get(kind)
    if not urls:
        one = {"instances": "instance", "instances_snapshots": "snapshot", "backups": "backup"}[kind]
        raise IncusProtocolError(f"{operation!r}: the server does not say which {one} it has created")
    return name_and_project(urls[0])[0]
