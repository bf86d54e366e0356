"""What the server does in the background: `/1.0/operations`."""

from __future__ import annotations

import builtins
from typing import TYPE_CHECKING, cast

from .._listing import Listing
from .._paths import name_and_project
from ..models import OperationData
from ._bound import BoundDelete, BoundGet
from ._collection import Deletable, Gettable, check_project

if TYPE_CHECKING:
    from ..api_client import WebSocket

__all__ = ["Operation", "OperationsAPI"]


class Operation(OperationData, BoundGet, BoundDelete):
    """Something that the server does or did in the background, as it was when it was read.

    A call that starts one returns an `OperationResponse`, which can do the same; this is for those that others started.
    """

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.description!r} {self.status} {self.id[:8]}>"

    @property
    def _key(self) -> str:
        return self.id

    @property
    def _operations(self) -> OperationsAPI:
        return cast("OperationsAPI", self._collection)

    async def wait(self, timeout: float | None = 60) -> Operation:
        """Wait until it has ended well, and return it as it is then; see `OperationsAPI.wait`."""
        return await self._operations.wait(self.id, timeout)

    async def cancel(self) -> None:
        """Ask the server to cancel it; see `OperationsAPI.cancel`."""
        await self._operations.cancel(self.id)

    async def connect(self, secret: str) -> WebSocket:
        """Open one of its websockets; see `OperationsAPI.connect`."""
        return await self._operations.connect(self.id, secret)


class OperationsAPI(Gettable[Operation], Deletable[Operation]):
    """What the server does in the background (`/1.0/operations`); what is called `name` here is the identifier.

    The server forgets an operation five seconds after its end.
    """

    _path = "/1.0/operations"
    _model = Operation
    _in_project = False

    async def list(self, *, all_projects: bool = False) -> builtins.list[Operation]:
        """Return the operations of the client's project, and those of the server itself, in no particular order.

        Tokens that nobody has used yet are among them, with `class_ == "token"`.

        Args:
            all_projects: Whether to return those of all projects.

        Raises:
            IncusNotFoundError: The client's project does not exist.
        """
        params = {"recursion": 1, "all-projects": True if all_projects else None}
        by_status = await self._api.read(self._url(), cast("type[_ByStatus]", _ByStatus), params)
        if not all_projects:  # even if there are some: those of the server itself are in every project, real or not
            await check_project(self._api)
        return Listing(self._bind(item) for items in (by_status or {}).values() for item in items or ())

    async def names(self) -> builtins.list[str]:
        """Return the identifiers of the operations of the client's project, by the cheapest request there is.

        Raises:
            IncusNotFoundError: The client's project does not exist.
        """
        by_status = await self._api.read(self._url(), cast("type[_URLs]", _URLs))
        await check_project(self._api)
        return [name_and_project(url)[0] for urls in (by_status or {}).values() for url in urls or ()]

    async def wait(self, name: str, timeout: float | None = 60) -> Operation:
        """Wait until an operation has ended well, and return it (`GET /1.0/operations/{id}/wait`).

        Args:
            name: Its identifier.
            timeout: Seconds to wait at most; the operation itself goes on after that. `None` waits for ever, which is
                what a token that nobody uses takes.

        Raises:
            IncusOperationError: It failed; subclasses tell the cause, where it is known.
            IncusOperationCancelledError: It was cancelled.
            IncusOperationTimeoutError: It is still running.
            IncusOperationLostError: The server does not know it (any more).
        """
        return self._bind(Operation.from_dict(await self._api.wait(name, timeout)))

    async def cancel(self, name: str) -> None:
        """Ask the server to cancel an operation (`DELETE /1.0/operations/{id}`); a token is revoked by that.

        Args:
            name: Its identifier.

        Raises:
            IncusNotFoundError: The server does not know it (any more).
            IncusBadRequestError: It cannot be cancelled, or has ended already.
        """
        await self._api.operation("DELETE", self._url(name))

    async def delete(self, name: str) -> None:
        """Cancel an operation: the same as `cancel`, by the name of the REST call.

        Args:
            name: Its identifier.

        Raises:
            IncusNotFoundError: The server does not know it (any more).
            IncusBadRequestError: It cannot be cancelled, or has ended already.
        """
        await self.cancel(name)

    async def connect(self, name: str, secret: str) -> WebSocket:
        """Open a websocket of an operation (`GET /1.0/operations/{id}/websocket`), which is yours to close.

        What it carries depends on the operation: input and output of a command, a console, an instance that moves.

        Args:
            name: The operation's identifier.
            secret: Secret of the websocket, from the operation's `metadata`.

        Raises:
            IncusNotFoundError: The server does not know the operation (any more).
            IncusPermissionError: That is none of its secrets.
            IncusBadRequestError: It has no websockets.
        """
        return await self._api.websocket(self._url(name, suffix="/websocket"), {"secret": secret})


_ByStatus = dict[str, list[Operation] | None] | None
_URLs = dict[str, list[str] | None] | None
