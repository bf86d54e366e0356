"""What the server wants its administrator to know: `/1.0/warnings`."""

from __future__ import annotations

from typing import cast

from ..models import WarningData, WarningPut
from ._bodies import replace_body
from ._bound import BoundDelete, BoundGet
from ._collection import Deletable, Filterable, Gettable

__all__ = ["Warning", "WarningsAPI"]


class Warning(WarningData, BoundGet, BoundDelete):
    """Something that is wrong with the server, or that it lacks, as it was when it was read."""

    @property
    def _key(self) -> str:
        return self.uuid

    @property
    def _warnings(self) -> WarningsAPI:
        return cast("WarningsAPI", self._collection)

    async def update(self, changes: WarningPut) -> None:
        """Change its status on the server; see `WarningsAPI.update`."""
        await self._warnings.update(self.uuid, changes)

    async def replace(self, body: WarningPut) -> None:
        """Change its status on the server; see `WarningsAPI.replace`."""
        await self._warnings.replace(self.uuid, body)

    async def acknowledge(self) -> None:
        """Say that it has been seen; see `WarningsAPI.acknowledge`."""
        await self._warnings.acknowledge(self.uuid)


class WarningsAPI(Filterable[Warning], Gettable[Warning], Deletable[Warning]):
    """Warnings of the server (`/1.0/warnings`); what is called `name` here is their UUID.

    The server makes them, and again when their cause persists. Only their status can be changed, and it has no ETag.
    A client with a project lists those about that project alone, so none about the server as a whole.
    """

    _path = "/1.0/warnings"
    _model = Warning

    async def acknowledge(self, name: str) -> None:
        """Say that a warning has been seen: its status becomes `acknowledged` (`PATCH /1.0/warnings/{uuid}`).

        Args:
            name: Its UUID.

        Raises:
            IncusNotFoundError: There is none of that UUID.
        """
        await self.update(name, {"status": "acknowledged"})

    async def update(self, name: str, changes: WarningPut) -> None:
        """Change the status of a warning (`PATCH /1.0/warnings/{uuid}`).

        Args:
            name: Its UUID.
            changes: The new `status`: `new` or `acknowledged`.

        Raises:
            IncusNotFoundError: There is none of that UUID.
            IncusPermissionError: Only the server itself sets that status.
            IncusBadRequestError: There is no such status.
        """
        await self._write("PATCH", name, changes)

    async def replace(self, name: str, body: WarningPut) -> None:
        """Do what `update` does, by `PUT /1.0/warnings/{uuid}`: there is nothing else to be replaced.

        Args:
            name: Its UUID.
            body: The new `status`: `new` or `acknowledged`.

        Raises:
            IncusNotFoundError: There is none of that UUID.
            IncusPermissionError: Only the server itself sets that status.
            IncusBadRequestError: There is no such status.
        """
        await self._write("PUT", name, body)

    async def _write(self, method: str, name: str, body: WarningPut) -> None:
        fields = replace_body("Warning", WarningPut.__annotations__, (), body)
        await self._api.operation(method, self._url(name), fields)
