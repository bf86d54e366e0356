"""Instances: changing their definition."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from ..exceptions import IncusPreconditionFailedError
from ..models import InstanceBody, InstancePut
from ..operations import OperationResponse
from ._bodies import check_draft, replace_body
from ._bound import BoundEditable
from ._collection import T, check_wait
from ._instance_bodies import FIELDS, update_body
from ._writable import ATTEMPTS, Editable

if TYPE_CHECKING:
    from .instances import InstancesAPI

INSTANCE = "an instance"
Changes = InstancePut | Mapping[str, Any]


class UpdateVerbs(Editable[T, InstanceBody]):
    """The verbs that change the definition of an instance."""

    _etag_suffices = False  # it does not cover the description

    @property
    def _fields(self) -> tuple[str, ...]:
        return FIELDS

    async def update(self, name: str, config: Changes, wait: bool = False) -> OperationResponse:
        """Change what is named, and nothing else (`PATCH /1.0/instances/{name}`).

        A key with a dot in it is a configuration key, and the value `None` unsets it; any other key is a field of the
        instance. A device that is given replaces the one of that name as a whole. Unless a description is given, the
        present one is read first and sent along, since Incus 6.0 would empty it.

        Example:
            ```python
            await client.instances.update("web", {"limits.cpu": 2, "description": "front end"})
            ```

        Args:
            name: Name of the instance.
            config: What to change.
            wait: The server makes this change at once, so this changes nothing.

        Raises:
            IncusArgumentError: There is no such field, or a device would be removed (that is for `edit`).
            IncusBadRequestError: The server does not take a value.
            IncusPreconditionFailedError: Others changed the instance in between, ten times in a row.
        """
        check_wait(wait)
        body = update_body(config)
        if "description" in body:
            return await self._change("PATCH", self._url(name), body, wait)
        return await self._patch(name, body)

    async def replace(self, name: str, body: InstancePut, wait: bool = False) -> OperationResponse:
        """Replace the whole definition (`PUT /1.0/instances/{name}`): what the body does not hold is gone.

        To change some of it, use `update`, or `edit`, which keeps the rest.

        Args:
            name: Name of the instance.
            body: The new definition.
            wait: Whether to return only when it is done; otherwise the answer's `wait()` tells how it ended.

        Raises:
            IncusBadRequestError: The server does not take it (from the wait). It never takes one without the
                `volatile` keys that the instance has.
        """
        sent = self._model.__struct_encode_fields__
        definition = replace_body(INSTANCE, FIELDS, sent, body, name, rename=True)
        return await self._change("PUT", self._url(name), definition, wait)

    def _edited(self, current: dict[str, Any], draft: dict[str, Any]) -> dict[str, Any]:
        check_draft(INSTANCE, FIELDS, current, draft, self._model.__struct_encode_fields__, rename=True)
        return super()._edited(current, draft)

    async def _patch(self, name: str, body: dict[str, Any], attempts: int = ATTEMPTS) -> OperationResponse:
        """Change an instance and keep its description, which Incus 6.0 empties whenever a PATCH does not repeat it.

        The ETag does not cover the description, so it is read right before: only what somebody else makes of it in that
        moment can be undone, and not even that if anything else changed with it.
        """
        current, etag = await self._api.read_with_etag(self._url(name))
        unchanged = {"description": current.get("description") or ""}
        try:
            return await self._api.operation("PATCH", self._url(name), {**body, **unchanged}, etag=etag)
        except IncusPreconditionFailedError:
            if attempts == 1:
                raise
        return await self._patch(name, body, attempts - 1)


class BoundUpdate(BoundEditable[InstanceBody]):
    """The verbs that change the definition of this instance."""

    __slots__ = ()

    async def update(self, config: Changes, wait: bool = False) -> OperationResponse:
        """Change what is named, and nothing else; see `InstancesAPI.update`."""
        return await self._definition.update(self._key, config, wait)

    async def replace(self, body: InstancePut, wait: bool = False) -> OperationResponse:
        """Replace its whole definition; see `InstancesAPI.replace`."""
        return await self._definition.replace(self._key, body, wait)

    @property
    def _definition(self) -> InstancesAPI:
        return cast("InstancesAPI", self._collection)
