"""What objects can do themselves: each verb is that of the collection which they came from, without the name."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Self, cast

from ..exceptions import IncusArgumentError
from ..operations import OperationResponse
from ._writable import BodyT, PutT

if TYPE_CHECKING:
    from ._collection import BackgroundDeletable, BackgroundRenamable, Deletable, Gettable, Renamable
    from ._writable import BackgroundWritable, Editable, Writable


class Bound:
    """Plain data plus the collection that it came from.

    The collection is no part of the value: equality, `to_dict` and pickling leave it out, and a copy has none.
    """

    __slots__ = ()

    if TYPE_CHECKING:  # of the data class that this is mixed into
        __struct_fields__: ClassVar[tuple[str, ...]]
        __struct_encode_fields__: ClassVar[tuple[str, ...]]

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
        for field in self.__struct_fields__:
            setattr(self, field, getattr(fresh, field))
        return self


class BoundGet(Bound):
    """`refresh` of one object."""

    __slots__ = ()

    async def refresh(self) -> Self:
        """Read it again, in place.

        Raises:
            IncusNotFoundError: It is gone.
        """
        group = cast("Gettable[Self]", self._collection)
        return self._replace(await group.get(self._key))


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


class BoundWritable(BoundEditable[BodyT], Generic[PutT, BodyT]):
    """`update`, `replace`, `edit` and `modify` of one object."""

    __slots__ = ()

    async def update(self, changes: PutT) -> None:
        """Change what is named on the server, and nothing else; see the `update` of its collection."""
        group = cast("Writable[Any, PutT, BodyT]", self._collection)
        await group.update(self._key, changes)

    async def replace(self, body: PutT) -> None:
        """Replace the whole definition on the server; see the `replace` of its collection."""
        group = cast("Writable[Any, PutT, BodyT]", self._collection)
        await group.replace(self._key, body)


class BoundBackgroundWritable(BoundEditable[BodyT], Generic[PutT, BodyT]):
    """`update`, `replace`, `edit` and `modify` of one object, where the server makes changes in the background."""

    __slots__ = ()

    async def update(self, changes: PutT, wait: bool = False) -> OperationResponse:
        """Change what is named on the server, and nothing else; see the `update` of its collection."""
        group = cast("BackgroundWritable[Any, PutT, BodyT]", self._collection)
        return await group.update(self._key, changes, wait)

    async def replace(self, body: PutT, wait: bool = False) -> OperationResponse:
        """Replace the whole definition on the server; see the `replace` of its collection."""
        group = cast("BackgroundWritable[Any, PutT, BodyT]", self._collection)
        return await group.replace(self._key, body, wait)


class BoundRename(Bound):
    """`rename` of one object."""

    __slots__ = ()

    async def rename(self, new_name: str) -> None:
        """Give the object another name on the server; this Python object keeps the old one."""
        group = cast("Renamable[Any]", self._collection)
        await group.rename(self._key, new_name)


class BoundBackgroundRename(Bound):
    """`rename` of one object."""

    __slots__ = ()

    async def rename(self, new_name: str, wait: bool = False) -> OperationResponse:
        """Give the object another name on the server; this Python object keeps the old one."""
        group = cast("BackgroundRenamable[Any]", self._collection)
        return await group.rename(self._key, new_name, wait)


class BoundDelete(Bound):
    """`delete` of one object."""

    __slots__ = ()

    async def delete(self) -> None:
        """Delete the object on the server; see the `delete` of its collection."""
        group = cast("Deletable[Any]", self._collection)
        await group.delete(self._key)


class BoundBackgroundDelete(Bound):
    """`delete` of one object."""

    __slots__ = ()

    async def delete(self, wait: bool = False) -> OperationResponse:
        """Delete the object on the server; see the `delete` of its collection."""
        group = cast("BackgroundDeletable[Any]", self._collection)
        return await group.delete(self._key, wait)
