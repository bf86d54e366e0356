"""The verbs that collections share, written once.

A group is a `Collection` with the mixins of its verbs; its objects are data with the `Bound…` mixins of theirs. A verb
with another signature than here is not inherited, it is written in the group.
"""

from __future__ import annotations

import builtins
import copy
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Generic, Self, TypeVar, cast

from .._paths import fill, name_and_project
from .._values import body_values
from ..api_client import APIClient
from ..exceptions import IncusArgumentError, IncusNotFoundError, IncusPreconditionFailedError
from ..operations import OperationResponse

T = TypeVar("T", bound="Bound")
BodyT = TypeVar("BodyT", bound=Mapping[str, Any])


class Collection(Generic[T]):
    """What every group has: its path, its objects' type, and the client that it works through.

    Args:
        client: The client that makes the requests.
        **parents: Names that fill the path of a nested collection.
    """

    _path: str
    _model: type[T]

    def __init__(self, client: APIClient, **parents: str) -> None:
        self._api = client
        self._parents = parents

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {fill(self._path, self._parents)}>"

    def _url(self, *names: str, suffix: str = "") -> str:
        """Path of the collection, of an object in it, or of something below that, each name quoted."""
        filling = {f"name{position}": name for position, name in enumerate(names)}
        path = "/".join([self._path, *(f"{{{field}}}" for field in filling)]) + suffix
        return fill(path, {**self._parents, **filling})

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
    """The verbs `list` and `names`."""

    async def names(self) -> builtins.list[str]:
        """Return the names of all objects, by the cheapest request there is.

        Raises:
            IncusNotFoundError: The client's project does not exist.
        """
        urls = await self._urls(None, False)
        return [name_and_project(url)[0] for url in urls]

    async def _urls(self, filter: str | None, all_projects: bool) -> builtins.list[str]:
        urls = await self._api.read_list(self._url(), str, _listing(0, filter, all_projects))
        if not urls and not all_projects:
            await check_project(self._api)
        return urls

    async def _items(self, recursion: int, filter: str | None, all_projects: bool) -> builtins.list[T]:
        items = await self._api.read_list(self._url(), self._model, _listing(recursion, filter, all_projects))
        if not items and not all_projects:
            await check_project(self._api)
        return [self._bind(item) for item in items]


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

    async def exists(self, name: str) -> bool:
        """Tell whether there is an object of that name.

        Raises:
            IncusNotFoundError: The client's project does not exist.
        """
        try:
            await self._api.read(self._url(name), dict[str, Any])
        except IncusNotFoundError:
            await check_project(self._api)
            return False
        return True


class Editable(Collection[T], Generic[T, BodyT]):
    """The verbs `edit` and `modify`: change a definition without losing what others, or newer servers, put there."""

    @asynccontextmanager
    async def edit(self, name: str) -> AsyncGenerator[BodyT]:
        """Change an object in an `async with` block, which yields its definition as the server has it.

        On leaving the block it is written back (PUT under the ETag), unless nothing was changed or the block raised.
        Whatever the server sent is kept, known to this library or not. The change is done when the block is left.

        Args:
            name: Name of the object.

        Raises:
            IncusPreconditionFailedError: Somebody else changed the object in the meantime; nothing was written.
        """
        current, etag = await self._api.read_with_etag(self._url(name))
        draft = copy.deepcopy(current)
        yield cast("BodyT", draft)
        if draft != current:
            operation = await self._api.operation("PUT", self._url(name), self._edited(current, draft), etag=etag)
            await operation.wait()

    def _edited(self, current: dict[str, Any], draft: dict[str, Any]) -> dict[str, Any]:
        """Return a changed definition as the server takes it; a group that can tell a slip of the pen refuses it."""
        return body_values(draft)

    async def modify(self, name: str, change: Callable[[BodyT], object], attempts: int = 3) -> None:
        """Change an object by a function, again if somebody else changed it in the meantime.

        Args:
            name: Name of the object.
            change: Gets the definition as the server has it, and changes it in place. It may be called several times,
                each time with a fresh definition.
            attempts: How often to try.

        Raises:
            IncusPreconditionFailedError: The object was changed by others at each attempt.
        """
        if attempts < 1:
            raise IncusArgumentError(f"attempts cannot be {attempts}: one at least is needed")
        for attempt in range(1, attempts + 1):
            try:
                async with self.edit(name) as draft:
                    if hasattr(change(draft), "__await__"):
                        raise TypeError("change must be a plain function: nobody would await what this one returns")
            except IncusPreconditionFailedError:
                if attempt == attempts:
                    raise
            else:
                return


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


class Bound:
    """Plain data plus the collection that it came from.

    The collection is no part of the value: equality, `to_dict` and pickling leave it out, and a copy has none.
    """

    __slots__ = ()

    @property
    def _key(self) -> str:
        """What identifies the object in its collection."""
        return cast("str", getattr(self, "name"))  # noqa: B009 - a field of the data class that this is mixed into

    @property
    def _collection(self) -> Any:
        try:
            return self.__dict__["_group"]
        except KeyError:
            raise IncusArgumentError(
                f"{self!r} is a copy that belongs to no client; get it from one to work with it"
            ) from None

    def _replace(self, fresh: Self) -> Self:
        """Take over the values of another object, in place."""
        for field in cast("tuple[str, ...]", getattr(self, "__struct_fields__")):  # noqa: B009 - set by msgspec
            setattr(self, field, getattr(fresh, field))
        return self


class BoundEditable(Bound, Generic[BodyT]):
    """`edit` and `modify` of one object."""

    __slots__ = ()

    @asynccontextmanager
    async def edit(self) -> AsyncGenerator[BodyT]:
        """Change the object on the server; see the `edit` of its collection."""
        group = cast("Editable[Any, BodyT]", self._collection)
        async with group.edit(self._key) as draft:
            yield draft

    async def modify(self, change: Callable[[BodyT], object], attempts: int = 3) -> None:
        """Change the object on the server by a function; see the `modify` of its collection."""
        group = cast("Editable[Any, BodyT]", self._collection)
        await group.modify(self._key, change, attempts)


class BoundBackgroundRename(Bound):
    """`rename` of one object."""

    __slots__ = ()

    async def rename(self, new_name: str, wait: bool = False) -> OperationResponse:
        """Give the object another name on the server; this Python object keeps the old one."""
        group = cast("BackgroundRenamable[Any]", self._collection)
        return await group.rename(self._key, new_name, wait)


class BoundBackgroundDelete(Bound):
    """`delete` of one object."""

    __slots__ = ()

    async def delete(self, wait: bool = False) -> OperationResponse:
        """Delete the object on the server; see the `delete` of its collection."""
        group = cast("BackgroundDeletable[Any]", self._collection)
        return await group.delete(self._key, wait)


def _listing(recursion: int, filter: str | None, all_projects: bool) -> dict[str, object]:
    return {"recursion": recursion, "filter": filter, "all-projects": True if all_projects else None}


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
