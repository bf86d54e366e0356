"""The verbs that change definitions: whole, in part, or in place under an ETag."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Coroutine, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Generic, TypeVar, cast

from .._values import body_values
from ..exceptions import IncusArgumentError, IncusPreconditionFailedError
from ..operations import OperationResponse
from ._bodies import as_it_came, check_draft, merged, replace_body
from ._collection import Collection, T, check_wait

PutT = TypeVar("PutT", bound=Mapping[str, Any])
BodyT = TypeVar("BodyT", bound=Mapping[str, Any])

ATTEMPTS = 10
"""How often to try an update that others keep overtaking: it costs two cheap requests, and one of them gets through."""


class Editable(Collection[T], Generic[T, BodyT]):
    """The verbs `edit` and `modify`: change a definition without losing what others, or newer servers, put there.

    A group sets `_etag_suffices` to `False` if the server takes any change whatever the `If-Match` says, or if its ETag
    does not cover all that can be changed: then the client looks for itself as well.
    """

    _etag_suffices: bool = True

    @property
    def _fields(self) -> Iterable[str]:
        """What can be changed."""
        return ()

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
        from copy import deepcopy

        current, etag = await self._api.read_with_etag(self._url(name))
        filled = {key: value for key, value in self._empty().items() if current.get(key) is None}
        draft = {**deepcopy(current), **filled}
        yield cast("BodyT", draft)
        changed = as_it_came(current, draft, filled)
        if changed != current:
            body = self._edited(current, changed)
            if not self._etag_suffices:
                await self._check_unchanged(name, current, etag)
            operation = await self._api.operation("PUT", self._url(name), body, etag=etag)
            await operation.wait()

    def _empty(self) -> dict[str, Any]:
        """Return the lists and maps that a draft is to have, where servers leave out, or call null, what is empty."""
        return {}

    async def _check_unchanged(self, name: str, read: dict[str, Any], etag: str) -> None:
        """Refuse to write over what somebody has changed since it was read: the definition, whatever else moves."""
        path = self._url(name)
        now, mark = await self._api.read_with_etag(path)
        if mark != etag or any(now.get(field) != read.get(field) for field in self._fields):
            raise IncusPreconditionFailedError(
                f"PUT {path}: it has changed since it was read, so nothing was written; read it again", 412
            )

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
                    _check_plain(change(draft))
            except IncusPreconditionFailedError:
                if attempt == attempts:
                    raise
            else:
                return


class Definable(Editable[T, BodyT], Generic[T, PutT, BodyT]):
    """What the verbs `update` and `replace` have in common.

    A group sets `_put` to the type of its definition, and `_updating` to `PUT` if the server's `PATCH` cannot be used.
    """

    _put: type[PutT]
    _updating: str = "PATCH"

    @property
    def _fields(self) -> Iterable[str]:
        return self._put.__annotations__

    @property
    def _sent(self) -> Iterable[str]:
        """What the server sends of an object."""
        return self._model.__struct_encode_fields__

    @property
    def _noun(self) -> str:
        return self._model.__name__

    @property
    def _renames(self) -> bool:
        return hasattr(self, "rename")

    def _empty(self) -> dict[str, Any]:
        nothing = {key: getattr(self._model(), key, None) for key in self._fields}
        return {key: value for key, value in nothing.items() if isinstance(value, list | dict)}

    def _edited(self, current: dict[str, Any], draft: dict[str, Any]) -> dict[str, Any]:
        check_draft(self._noun, self._fields, current, draft, self._sent, self._renames)
        return super()._edited(current, draft)

    async def _update(self, name: str, changes: PutT, attempts: int = ATTEMPTS) -> OperationResponse:
        """Change what is named, and keep the rest: servers empty some of what a PATCH does not repeat.

        Under the ETag, so that what somebody else writes in between is not undone by the repetition. Where the ETag
        does not suffice, reading once more would be no better: nothing lies between this reading and the writing.
        """
        current, etag = await self._api.read_with_etag(self._url(name))
        body = merged(self._noun, self._fields, current, changes, self._renames)
        try:
            return await self._api.operation(self._updating, self._url(name), body, etag=etag)
        except IncusPreconditionFailedError:
            if attempts == 1:
                raise
        return await self._update(name, changes, attempts - 1)

    async def _replace(self, name: str, body: PutT) -> OperationResponse:
        definition = replace_body(self._noun, self._fields, self._sent, body, name, self._renames)
        return await self._api.operation("PUT", self._url(name), definition)


class Writable(Definable[T, PutT, BodyT]):
    """The verbs `update` and `replace`, and those of `Editable`."""

    async def update(self, name: str, changes: PutT) -> None:
        """Change what is named, and nothing else (`PATCH`).

        Configuration and devices are merged: a configuration key that is `None` is unset, a device that is given
        replaces the one of that name. Any other field is replaced, lists as a whole. The definition is read first and
        sent along, since servers would empty some of what is left out.

        Args:
            name: Name of the object.
            changes: What to change.

        Raises:
            IncusArgumentError: There is no such field, or a device would be removed (that is for `edit`).
            IncusBadRequestError: The server does not take a value.
            IncusNotFoundError: There is no object of that name.
            IncusPreconditionFailedError: Others changed the object in between, ten times in a row.
        """
        await self._update(name, changes)

    async def replace(self, name: str, body: PutT) -> None:
        """Replace the whole definition (`PUT`): what the body does not hold is gone, or has its default.

        To change some of it, use `update`, or `edit`, which keeps the rest.

        Args:
            name: Name of the object.
            body: The new definition.

        Raises:
            IncusArgumentError: There is no such field.
            IncusBadRequestError: The server does not take a value.
            IncusNotFoundError: There is no object of that name.
        """
        await self._replace(name, body)


class BackgroundWritable(Definable[T, PutT, BodyT]):
    """The verbs `update` and `replace`, where the server does them in the background, and those of `Editable`."""

    async def update(self, name: str, changes: PutT, wait: bool = False) -> OperationResponse:
        """Change what is named, and nothing else (`PATCH`); see `Writable.update` for how fields are merged.

        Args:
            name: Name of the object.
            changes: What to change.
            wait: Whether to return only when it is done; otherwise the answer's `wait()` tells how it ended.

        Raises:
            IncusArgumentError: There is no such field.
            IncusBadRequestError: The server does not take a value.
            IncusNotFoundError: There is no object of that name.
            IncusPreconditionFailedError: Others changed the object in between, ten times in a row.
        """
        check_wait(wait)
        operation = await self._update(name, changes)
        return await operation.wait() if wait else operation

    async def replace(self, name: str, body: PutT, wait: bool = False) -> OperationResponse:
        """Replace the whole definition (`PUT`): what the body does not hold is gone, or has its default.

        Args:
            name: Name of the object.
            body: The new definition.
            wait: Whether to return only when it is done; otherwise the answer's `wait()` tells how it ended.

        Raises:
            IncusArgumentError: There is no such field.
            IncusBadRequestError: The server does not take a value.
            IncusNotFoundError: There is no object of that name.
        """
        check_wait(wait)
        operation = await self._replace(name, body)
        return await operation.wait() if wait else operation


def _check_plain(returned: object) -> None:
    if not hasattr(returned, "__await__"):
        return
    if isinstance(returned, Coroutine):
        returned.close()  # or Python would complain, too
    raise TypeError("change must be a plain function: nobody would await what this one returns")
