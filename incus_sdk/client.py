"""The entry point: one client, one attribute for each group of the API."""

from __future__ import annotations

from functools import cached_property
from os import PathLike
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from .api_client import APIClient
from .operations import OperationResponse

if TYPE_CHECKING:
    from .api.instances import InstancesAPI

__all__ = ["Client"]


class Client:
    """A client of one Incus server.

    Example:
        ```python
        async with Client() as client:
            for instance in await client.instances.list():
                print(instance.name, instance.status)
        ```

    It needs no `async with`: connections are opened when they are needed, until `disconnect()` closes them.

    Args:
        endpoint: `unix:///path/to/unix.socket` or `https://host:8443`. By default `INCUS_ENDPOINT` from the
            environment, or else the local daemon's socket, found as the `incus` command finds it. Remotes of the
            command's configuration are never used.
        cert: Client certificate and key for https, each the path of a PEM file or PEM text; one path if both are in one
            file.
        verify: How an https server proves itself: `True` by a certificate of an authority that this machine trusts,
            a path or PEM text by being exactly that certificate (what Incus servers have on their first day), `False`
            not at all.
        project: Project that the client works in; `None` leaves it to the server, which takes `default`.
        timeout: Seconds that connecting may take, and that the server may be silent. Never a total: long waits,
            downloads and commands are not cut off. `None` waits for ever.
        retries: How often a lost connection, or a GET without a whole answer, is tried again.

    Raises:
        IncusArgumentError: A timeout or number of retries below 0. (The endpoint and the certificates are looked at
            when the first connection is made.)
    """

    def __init__(
        self,
        endpoint: str | None = None,
        cert: tuple[str | bytes | PathLike[str], str | bytes | PathLike[str]] | str | PathLike[str] | None = None,
        verify: bool | str | bytes | PathLike[str] = True,
        project: str | None = None,
        timeout: float | None = 30,
        *,
        retries: int = 2,
    ) -> None:
        self.api: APIClient = APIClient(endpoint, cert, verify, project, timeout, retries=retries)
        self._is_view = False

    async def __aenter__(self) -> Self:
        if not self._is_view:
            await self.connect()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._is_view:
            await self.disconnect()

    def __repr__(self) -> str:
        scope = f" project={self.api.project}" if self.api.project else ""
        return f"<{type(self).__name__}{scope}>"

    async def connect(self) -> None:
        """Open a first connection, so that an address that does not work shows now.

        Raises:
            IncusConnectionError: No daemon was found (the message lists what was tried), or it cannot be reached, or it
                is not the one that was expected.
            IncusConfigurationError: The endpoint or the certificates cannot be used.
        """
        await self.api.connect()

    async def disconnect(self) -> None:
        """Close all connections, those of the views included.

        Calls under way fail, and so does every call (`IncusConnectionError`) until the next `connect()`.
        """
        await self.api.disconnect()

    # -- scope --------------------------------------------------------------------------------------------------------

    def use_project(self, project: str) -> Self:
        """Return a view of this client in another project; it shares the connections, and closes none of them."""
        return self._view(self.api.scoped(project=project))

    def use_target(self, member: str) -> Self:
        """Return a view of this client that directs its requests to one member of the cluster."""
        return self._view(self.api.scoped(target=member))

    def _view(self, api: APIClient) -> Self:
        view = object.__new__(type(self))
        view.api = api
        view._is_view = True
        return view

    # -- the server ---------------------------------------------------------------------------------------------------

    async def get_server_info(self) -> dict[str, Any]:
        """Return version, configuration and API extensions of the server (`GET /1.0`), as the whole envelope."""
        return await self.api.get("/1.0")

    async def get_resources(self) -> dict[str, Any]:
        """Return the hardware of the server (`GET /1.0/resources`), as the whole envelope."""
        return await self.api.get("/1.0/resources")

    async def wait_for_operation(self, operation_id: str, timeout: float | None = 60) -> OperationResponse:
        """Wait until an operation has ended well (`GET /1.0/operations/{id}/wait`), and return it.

        Args:
            operation_id: Its identifier.
            timeout: Seconds to wait at most; the operation itself goes on after that. `None` waits for ever.

        Raises:
            IncusOperationError: It failed, was cancelled, is still running or no longer known to the server; each has a
                class of its own, see `OperationResponse.wait`.
        """
        operation = await self.api.wait(operation_id, timeout)
        result = {key: operation.get(key) for key in ("status", "status_code")}
        return OperationResponse({"type": "async", **result, "metadata": operation}, self.api)

    # -- groups -------------------------------------------------------------------------------------------------------

    @cached_property
    def instances(self) -> InstancesAPI:
        """Containers and virtual machines (`/1.0/instances`)."""
        from .api.instances import InstancesAPI

        return InstancesAPI(self.api)
