"""The verbs that collections share, written once.

A group is a `Collection` with the mixins of its verbs; its objects are data with the mixins of `_bound`. A verb with
another signature than here is not inherited, it is written in the group.
"""

from __future__ import annotations

import builtins
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from .._failures import after_a_change
from .._filters import Filter, filter_text
from .._listing import Listing
from .._paths import fill, name_and_project, quote_name, raw_name
from ..api_client import APIClient
from ..exceptions import IncusNotFoundError
from ..operations import OperationResponse

if TYPE_CHECKING:
    from ._bound import Bound

T = TypeVar("T", bound="Bound")


class Collection(Generic[T]):
    """What every group has: its path, its objects' type, and the client that it works through.

    A group sets `_path` and `_model`, and `_in_project` to `False` if its objects are in no project.

    Args:
        client: The client that makes the requests.
        **parents: Names that fill the path of a nested collection.
    """

    _path: str
    _model: type[T]
    _in_project: bool = True

    def __init__(self, client: APIClient, **parents: str) -> None:
        self._api = client
        self._parents = parents
        self._root = fill(self._path, parents)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._root}>"

    def _url(self, *names: str, suffix: str = "") -> str:
        """Path of the collection, of an object in it, or of something below that, each name quoted."""
        return "/".join([self._root, *map(quote_name, names)]) + suffix

    def _bind(self, item: T) -> T:
        """Tie an object to its collection, in the project that the object is in."""
        project = getattr(item, "project", None)
        group: Collection[T] = self
        if project and project != (self._api.project or "default"):
            group = type(self)(self._api.scoped(project=project), **self._parents)
        item.__dict__["_group"] = group
        return item

    async def _change(
        self, method: str, path: str, body: Mapping[str, object] | None = None, wait: bool = False
    ) -> OperationResponse:
        """Make a change; with `wait`, return when it is done, or raise why it is not."""
        check_wait(wait)
        operation = await self._api.operation(method, path, body)
        return await operation.wait() if wait else operation


class Listable(Collection[T]):
    """The verbs `list` and `names`.

    A group sets `_lists_quoted` to `False` if servers do not quote the names in the URLs that they list.
    """

    _lists_quoted: bool = True

    async def list(self) -> builtins.list[T]:
        """Return all objects.

        Raises:
            IncusNotFoundError: The client's project does not exist.
        """
        return await self._items(1, None, False)

    async def names(self) -> builtins.list[str]:
        """Return the names of all objects, by the cheapest request there is.

        Raises:
            IncusNotFoundError: The client's project does not exist.
        """
        urls = await self._urls(None, False)
        return [name_and_project(url)[0] if self._lists_quoted else raw_name(url) for url in urls]

    async def _urls(self, filter: Filter | None, all_projects: bool) -> builtins.list[str]:
        urls = await self._api.read_list(self._url(), str, listing(0, filter, all_projects))
        if not urls and not all_projects and self._in_project:
            await check_project(self._api)
        return urls

    async def _items(self, recursion: int, filter: Filter | None, all_projects: bool) -> builtins.list[T]:
        items = await self._api.read_list(self._url(), self._model, listing(recursion, filter, all_projects))
        if not items and not all_projects and self._in_project:
            await check_project(self._api)
        return Listing(self._bind(item) for item in items)


class Filterable(Listable[T]):
    """The verb `list` with a filter."""

    async def list(self, *, filter: Filter | None = None) -> builtins.list[T]:
        """Return all objects, or those that fulfil a condition.

        Args:
            filter: Fields and the values that they must have, as in `{"config.user.team": ["red", "blue"]}`: all must
                hold, and a list means any of these. Or a text in the server's own notation.

        Raises:
            IncusNotFoundError: The client's project does not exist.
            IncusArgumentError: The filter has something in it that cannot be compared.
        """
        return await self._items(1, filter, False)


class ProjectFilterable(Listable[T]):
    """The verb `list` with a filter, and over all projects."""

    async def list(self, *, filter: Filter | None = None, all_projects: bool = False) -> builtins.list[T]:
        """Return all objects of the client's project, or those that fulfil a condition.

        Args:
            filter: Fields and the values that they must have, as in `{"config.user.team": ["red", "blue"]}`: all must
                hold, and a list means any of these. Or a text in the server's own notation.
            all_projects: Whether to return those of all projects. Each acts in its own.

        Raises:
            IncusNotFoundError: The client's project does not exist.
            IncusArgumentError: The filter has something in it that cannot be compared.
        """
        return await self._items(1, filter, all_projects)


class Gettable(Collection[T]):
    """The verbs `get` and `exists`."""

    async def get(self, name: str) -> T:
        """Return one object.

        Args:
            name: Its name.

        Raises:
            IncusNotFoundError: There is none of that name.
        """
        return self._bind(await self._api.read(self._url(name), self._model))

    async def _made(self, name: str) -> T:
        """Return an object that has been made just now."""
        with after_a_change(f"{name!r} has been made, and only reading it failed"):
            return await self.get(name)

    async def exists(self, name: str) -> bool:
        """Tell whether there is an object of that name.

        Raises:
            IncusNotFoundError: The client's project does not exist.
        """
        try:
            await self._api.read(self._url(name), dict[str, Any])
        except IncusNotFoundError:
            if self._in_project:
                await check_project(self._api)
            return False
        return True


class Renamable(Collection[T]):
    """The verb `rename`."""

    async def rename(self, name: str, new_name: str) -> None:
        """Give an object another name.

        Args:
            name: The name it has.
            new_name: The name it is to have.

        Raises:
            IncusNotFoundError: There is none of that name.
            IncusConflictError: The new name is taken.
            IncusBadRequestError: The object is in use.
        """
        check_name(new_name)
        await self._api.operation("POST", self._url(name), {"name": new_name})


class BackgroundRenamable(Collection[T]):
    """The verb `rename`, where the server does it in the background."""

    async def rename(self, name: str, new_name: str, wait: bool = False) -> OperationResponse:
        """Give an object another name.

        Args:
            name: The name it has.
            new_name: The name it is to have.
            wait: Whether to return only when it is done; otherwise the answer's `wait()` tells how it ended.

        Raises:
            IncusConflictError: That name is taken, or the object cannot be renamed in its present state.
        """
        check_name(new_name)
        return await self._change("POST", self._url(name), {"name": new_name}, wait)


class Deletable(Collection[T]):
    """The verb `delete`."""

    async def delete(self, name: str) -> None:
        """Delete an object.

        Args:
            name: Its name.

        Raises:
            IncusNotFoundError: There is none of that name.
            IncusBadRequestError: It is in use.
        """
        await self._api.operation("DELETE", self._url(name))


class BackgroundDeletable(Collection[T]):
    """The verb `delete`, where the server does it in the background."""

    async def delete(self, name: str, wait: bool = False) -> OperationResponse:
        """Delete an object.

        Args:
            name: Its name.
            wait: Whether to return only when it is gone; otherwise the answer's `wait()` tells how it ended.

        Raises:
            IncusNotFoundError: There is none of that name.
            IncusBadRequestError: It is in use.
        """
        return await self._change("DELETE", self._url(name), None, wait)


def listing(recursion: int, filter: Filter | None, all_projects: bool) -> dict[str, object]:
    """Return the query of a list."""
    return {"recursion": recursion, "filter": filter_text(filter), "all-projects": True if all_projects else None}


async def check_project(api: APIClient) -> None:
    """Raise unless the client's project exists: servers say of one that does not that there is nothing in it."""
    if api.project:
        await api.read(fill("/1.0/projects/{project}", {"project": api.project}), dict[str, Any])


def check_wait(wait: object) -> None:
    """The printed signatures disagree on the order of `timeout` and `wait`: a number here was meant for the other."""
    if not isinstance(wait, bool):
        raise TypeError(f"wait must be True or False, not {wait!r}; a timeout is given by keyword: timeout={wait!r}")


def check_name(name: str) -> None:
    """Refuse what cannot be a name in a body, as paths refuse it."""
    fill("{name}", {"name": name})
