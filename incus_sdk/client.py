"""The entry point: one client, one attribute for each group of the API."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import cached_property
from os import PathLike
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from .api_client import APIClient
from .operations import OperationResponse

if TYPE_CHECKING:
    from .api.certificates import CertificatesAPI
    from .api.cluster import ClusterAPI
    from .api.images import ImagesAPI
    from .api.instances import InstancesAPI
    from .api.network_acls import NetworkACLsAPI
    from .api.network_address_sets import NetworkAddressSetsAPI
    from .api.network_allocations import NetworkAllocationsAPI
    from .api.network_integrations import NetworkIntegrationsAPI
    from .api.network_zones import NetworkZonesAPI
    from .api.networks import NetworksAPI
    from .api.operations import OperationsAPI
    from .api.profiles import ProfilesAPI
    from .api.projects import ProjectsAPI
    from .api.server import ServerAPI
    from .api.storage_pools import StoragePoolsAPI
    from .api.warnings import WarningsAPI
    from .execution import Process
    from .operations import ExecResponse

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
        retries: How often a connection that could not be made, or a GET without a whole answer or with a 503, is tried
            again: after pauses that grow from 0.2 to 5 seconds, or as long as the server says if that is 30 seconds at
            most. 0 is never. A change that may have reached the server is not repeated, however many there are.

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

    @asynccontextmanager
    async def attach(self, operation: ExecResponse) -> AsyncGenerator[Process]:
        """Connect to a command that waits for that, and give its streams; it ends with the `async with` block.

        Args:
            operation: The answer to `execute(…, wait_for_websocket=True)`. Be quick: the server gives the command up
                after 5 (Incus 6.0) or 10 seconds.

        Raises:
            IncusOperationError: The server has given it up.
            IncusOperationLostError: The server has even forgotten it.
            IncusArgumentError: It waits for nobody.
        """
        from .execution import attached

        async with attached(self.api, operation) as process:
            yield process

    # -- groups -------------------------------------------------------------------------------------------------------

    @cached_property
    def certificates(self) -> CertificatesAPI:
        """Certificates that the server trusts (`/1.0/certificates`)."""
        from .api.certificates import CertificatesAPI

        return CertificatesAPI(self.api)

    @cached_property
    def cluster(self) -> ClusterAPI:
        """The cluster that the server is in, its members and their groups (`/1.0/cluster`)."""
        from .api.cluster import ClusterAPI

        return ClusterAPI(self.api)

    @cached_property
    def images(self) -> ImagesAPI:
        """Images and their aliases (`/1.0/images`)."""
        from .api.images import ImagesAPI

        return ImagesAPI(self.api)

    @cached_property
    def instances(self) -> InstancesAPI:
        """Containers and virtual machines (`/1.0/instances`)."""
        from .api.instances import InstancesAPI

        return InstancesAPI(self.api)

    @cached_property
    def network_acls(self) -> NetworkACLsAPI:
        """Sets of firewall rules (`/1.0/network-acls`)."""
        from .api.network_acls import NetworkACLsAPI

        return NetworkACLsAPI(self.api)

    @cached_property
    def network_address_sets(self) -> NetworkAddressSetsAPI:
        """Sets of addresses for firewall rules (`/1.0/network-address-sets`)."""
        from .api.network_address_sets import NetworkAddressSetsAPI

        return NetworkAddressSetsAPI(self.api)

    @cached_property
    def network_allocations(self) -> NetworkAllocationsAPI:
        """Addresses that are in use (`/1.0/network-allocations`)."""
        from .api.network_allocations import NetworkAllocationsAPI

        return NetworkAllocationsAPI(self.api)

    @cached_property
    def network_integrations(self) -> NetworkIntegrationsAPI:
        """Connections to other OVN deployments (`/1.0/network-integrations`)."""
        from .api.network_integrations import NetworkIntegrationsAPI

        return NetworkIntegrationsAPI(self.api)

    @cached_property
    def network_zones(self) -> NetworkZonesAPI:
        """DNS zones and their records (`/1.0/network-zones`)."""
        from .api.network_zones import NetworkZonesAPI

        return NetworkZonesAPI(self.api)

    @cached_property
    def networks(self) -> NetworksAPI:
        """Networks, their forwards, load balancers and peers (`/1.0/networks`)."""
        from .api.networks import NetworksAPI

        return NetworksAPI(self.api)

    @cached_property
    def operations(self) -> OperationsAPI:
        """What the server does in the background (`/1.0/operations`)."""
        from .api.operations import OperationsAPI

        return OperationsAPI(self.api)

    @cached_property
    def profiles(self) -> ProfilesAPI:
        """Profiles (`/1.0/profiles`)."""
        from .api.profiles import ProfilesAPI

        return ProfilesAPI(self.api)

    @cached_property
    def projects(self) -> ProjectsAPI:
        """Projects (`/1.0/projects`)."""
        from .api.projects import ProjectsAPI

        return ProjectsAPI(self.api)

    @cached_property
    def server(self) -> ServerAPI:
        """The server itself: configuration, hardware, metrics (`/1.0`)."""
        from .api.server import ServerAPI

        return ServerAPI(self.api)

    @cached_property
    def storage_pools(self) -> StoragePoolsAPI:
        """Storage pools, their volumes and buckets (`/1.0/storage-pools`)."""
        from .api.storage_pools import StoragePoolsAPI

        return StoragePoolsAPI(self.api)

    @cached_property
    def warnings(self) -> WarningsAPI:
        """What the server wants its administrator to know (`/1.0/warnings`)."""
        from .api.warnings import WarningsAPI

        return WarningsAPI(self.api)
