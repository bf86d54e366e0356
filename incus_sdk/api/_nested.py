"""What collections below an object have in common: that object must exist, and servers say so of lists."""

from __future__ import annotations

import builtins
from typing import Any

from .._filters import Filter
from .._paths import fill, name_and_project, quote_name
from ..api_client import APIClient
from ..exceptions import IncusProtocolError
from ..operations import OperationResponse
from ._collection import Gettable, Listable, T

__all__ = ["Nested", "NestedListable", "Part", "created"]


class Nested(Gettable[T]):
    """The verbs `get` and `exists` in a collection that an object has: if that does not exist, both raise."""

    _in_project = False  # an object that is there is in a project that is

    @property
    def _parent(self) -> str:
        """Path of what has the collection."""
        return self._root.rpartition("/")[0]

    async def exists(self, name: str) -> bool:
        """Tell whether there is an object of that name.

        Raises:
            IncusNotFoundError: What it would be in does not exist.
        """
        if await super().exists(name):
            return True
        await self._check_parent()
        return False

    async def _check_parent(self) -> None:
        await self._api.read(self._parent, dict[str, Any])


class NestedListable(Nested[T], Listable[T]):
    """The verbs of `Nested` and `Listable` where servers say of a parent that does not exist that it has nothing."""

    async def _urls(self, filter: Filter | None, all_projects: bool) -> builtins.list[str]:
        urls = await super()._urls(filter, all_projects)
        if not urls:
            await self._check_parent()
        return urls

    async def _items(self, recursion: int, filter: Filter | None, all_projects: bool) -> builtins.list[T]:
        items = await super()._items(recursion, filter, all_projects)
        if not items:
            await self._check_parent()
        return items


class Part:
    """A part of an object, such as its logs, whose members are no objects with verbs of their own.

    Args:
        client: The client that makes the requests.
        **parents: Names that fill the path.
    """

    _path: str

    def __init__(self, client: APIClient, **parents: str) -> None:
        self._api = client
        self._root = fill(self._path, parents)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._root}>"

    def _url(self, *names: str) -> str:
        """Path of this part, or of a member of it, each name quoted."""
        return "/".join([self._root, *map(quote_name, names)])

    async def _listed(self) -> builtins.list[str]:
        """Names that the server lists as paths."""
        urls = await self._api.read_list(self._url(), str)
        return [name_and_project(url)[0] for url in urls]


def created(operation: OperationResponse, kind: str) -> str:
    """Return the name of what an operation makes.

    Args:
        operation: The answer to the request, finished or not.
        kind: The key of the operation's resources that it is under, as in `backups`.

    Raises:
        IncusProtocolError: The server does not say it.
    """
    urls = operation.resources.get(kind)
    if not urls:
        raise IncusProtocolError(f"{operation!r} does not say which of the {kind.rpartition('_')[2]} it makes")
    return name_and_project(urls[0])[0]
