"""UEFI variables of a virtual machine: `/1.0/instances/{name}/nvram`."""

from __future__ import annotations

import builtins
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from .._paths import name_and_project
from .._values import content_bytes, text_list
from ..api_client import APIClient
from ..exceptions import IncusArgumentError
from ..models import InstanceNVRAMVariable, InstanceNVRAMVariableBody, InstanceNVRAMVariablePut
from ._bodies import nearest
from ._nested import Part
from ._writable import Editable

__all__ = ["InstanceNVRAMAPI"]

ATTRIBUTES = (
    "NON_VOLATILE",
    "BOOTSERVICE_ACCESS",
    "RUNTIME_ACCESS",
    "HARDWARE_ERROR_RECORD",
    "AUTHENTICATED_WRITE_ACCESS",
    "TIME_BASED_AUTHENTICATED_WRITE_ACCESS",
    "APPEND_WRITE",
)
"""Attributes of variables; each has the bit of its position, as the UEFI specification numbers them."""


class InstanceNVRAMAPI(Part):
    """UEFI variables of a virtual machine (`/1.0/instances/{name}/nvram`).

    They are named by the GUID of their vendor and a name, and can be changed while the machine is stopped. Those whose
    format the server knows have a value taken apart (`data`): `Timeout` is a number, `BootOrder` a list of names. All
    have their bytes. Needs the API extension `instance_nvram` (Incus 7.0 has it from 7.0.2 on).
    """

    _path = "/1.0/instances/{instance}/nvram"

    def __init__(self, client: APIClient, instance: str) -> None:
        super().__init__(client, instance=instance)
        self._instance = instance

    async def guids(self) -> builtins.list[str]:
        """Return the GUIDs of the vendors that have variables here; none before the first start.

        Raises:
            IncusNotFoundError: There is no such instance.
            IncusBadRequestError: It is no virtual machine.
        """
        return await self._listed()

    async def names(self, guid: str) -> builtins.list[str]:
        """Return the names of a vendor's variables (`GET …/nvram/{guid}`).

        Args:
            guid: GUID of the vendor.

        Raises:
            IncusNotFoundError: There is no such instance, or nothing of that vendor.
        """
        urls = await self._api.read_list(self._url(guid), str)
        return [name_and_project(url)[0] for url in urls]

    async def list(self, guid: str) -> dict[str, InstanceNVRAMVariable]:
        """Return a vendor's variables by name (`GET …/nvram/{guid}?recursion=1`); see `names`."""
        kind = dict[str, InstanceNVRAMVariable]
        return await self._api.read(self._url(guid), kind, {"recursion": 1})

    async def list_all(self) -> dict[str, dict[str, InstanceNVRAMVariable]]:
        """Return all variables by GUID and name (`GET …/nvram?recursion=2`); see `guids`."""
        kind = dict[str, dict[str, InstanceNVRAMVariable]]
        optional: Any = kind | None
        return await self._api.read(self._url(), optional, {"recursion": 2}) or {}

    async def get(self, guid: str, name: str) -> InstanceNVRAMVariable:
        """Return a variable.

        Args:
            guid: GUID of its vendor.
            name: Its name.

        Raises:
            IncusNotFoundError: There is no such instance, or no such variable.
        """
        return await self._api.read(self._url(guid, name), InstanceNVRAMVariable)

    async def read(self, guid: str, name: str) -> bytes:
        """Return the bytes of a variable; see `get`."""
        headers = {"Accept": "application/octet-stream"}
        async with self._api.stream("GET", self._url(guid, name), headers=headers) as response:
            return await response.read()

    async def replace(self, guid: str, name: str, body: InstanceNVRAMVariablePut) -> None:
        """Give a variable another value, which the server puts together (`PUT …/nvram/{guid}/{variable}`).

        Example:
            ```python
            value = {"data": 5, "attributes": ["NON_VOLATILE", "BOOTSERVICE_ACCESS", "RUNTIME_ACCESS"]}
            await client.instances.nvram("vm").replace(guid, "Timeout", value)
            ```

        Args:
            guid: GUID of its vendor.
            name: Its name, which the server must know the format of.
            body: Value and attributes, `NON_VOLATILE` among them.

        Raises:
            IncusNotFoundError: There is no such instance.
            IncusBadRequestError: The machine runs, or an attribute is missing.
            IncusAPIError: The value does not fit; or the server does not know the format, and `write` is to be used.
        """
        await self._api.operation("PUT", self._url(guid, name), body)

    async def write(
        self,
        guid: str,
        name: str,
        content: bytes | bytearray | memoryview | str,
        *,
        attributes: Sequence[str] | None = None,
        timestamp: datetime | None = None,
    ) -> None:
        """Give a variable these bytes; it is made if there is none of that name (`PUT …/nvram/{guid}/{variable}`).

        Args:
            guid: GUID of its vendor.
            name: Its name.
            content: The bytes; text is written as UTF-8, which is not what UEFI has in variables that hold text.
            attributes: As in `["NON_VOLATILE", "BOOTSERVICE_ACCESS"]`; the server has a default.
            timestamp: Of variables with `TIME_BASED_AUTHENTICATED_WRITE_ACCESS` only.

        Raises:
            IncusArgumentError: There is no such attribute.
            IncusNotFoundError: There is no such instance.
            IncusBadRequestError: The machine runs, or the attributes do not fit.
        """
        headers = {} if attributes is None else {"X-Incus-attributes": str(_bits(attributes))}
        headers |= {} if timestamp is None else {"X-Incus-timestamp": str(int(timestamp.timestamp()))}
        await self._api.operation("PUT", self._url(guid, name), content_bytes(content), None, headers)

    async def update(self, changes: Mapping[str, Mapping[str, InstanceNVRAMVariablePut | None]]) -> None:
        """Change several variables (`PATCH …/nvram`). Needs the API extension `instance_nvram_bulk_update`.

        Args:
            changes: By GUID and name, the value of a variable as for `replace`; `None` deletes it.

        Raises:
            IncusNotFoundError: There is no such instance.
            IncusBadRequestError: The machine runs.
            IncusAPIError: A value does not fit.
        """
        await self._api.operation("PATCH", self._url(), changes)

    @asynccontextmanager
    async def edit(self, guid: str, name: str) -> AsyncGenerator[InstanceNVRAMVariableBody]:
        """Change a variable in an `async with` block, which yields it as the server has it.

        It is written back on leaving the block (PUT under the ETag), unless nothing was changed or the block raised.

        Args:
            guid: GUID of its vendor.
            name: Its name.

        Raises:
            IncusPreconditionFailedError: Somebody else changed it in the meantime; nothing was written.
        """
        async with self._variables(guid).edit(name) as draft:
            yield draft

    async def modify(
        self, guid: str, name: str, change: Callable[[InstanceNVRAMVariableBody], object], attempts: int = 3
    ) -> None:
        """Change a variable by a function, again if somebody else changed it in the meantime.

        Args:
            guid: GUID of its vendor.
            name: Its name.
            change: Gets the variable as the server has it, and changes it in place. It may be called several times.
            attempts: How often to try.

        Raises:
            IncusPreconditionFailedError: It was changed by others at each attempt.
        """
        await self._variables(guid).modify(name, change, attempts)

    async def delete(self, guid: str, name: str) -> None:
        """Delete a variable.

        Args:
            guid: GUID of its vendor.
            name: Its name.

        Raises:
            IncusNotFoundError: There is no such instance, or no such variable.
            IncusBadRequestError: The machine runs.
        """
        await self._api.operation("DELETE", self._url(guid, name))

    def _variables(self, guid: str) -> _Variables:
        return _Variables(self._api, instance=self._instance, guid=guid)


class _Variables(Editable[Any, InstanceNVRAMVariableBody]):
    """A vendor's variables as if they were a collection, for the verbs that change its objects."""

    _path = "/1.0/instances/{instance}/nvram/{guid}"


def _bits(attributes: Sequence[str]) -> int:
    """The server takes attributes by name in JSON, and as a number in a header."""
    bits = 0
    for attribute in text_list(attributes, "attributes", "['NON_VOLATILE']"):
        if attribute not in ATTRIBUTES:
            raise IncusArgumentError(f"there is no attribute {attribute!r:.80}{nearest(attribute, ATTRIBUTES)}")
        bits |= 1 << ATTRIBUTES.index(attribute)
    return bits
