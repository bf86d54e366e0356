"""Load balancers of a network: `/1.0/networks/{network}/load-balancers`."""

from __future__ import annotations

from typing import Unpack, cast

from ..models import (
    NetworkLoadBalancerBody,
    NetworkLoadBalancerData,
    NetworkLoadBalancerPut,
    NetworkLoadBalancerState,
)
from ._bodies import create_body
from ._bound import BoundDelete, BoundGet, BoundWritable
from ._collection import Deletable, Filterable, check_name
from ._nested import Nested
from ._writable import Writable

__all__ = ["NetworkLoadBalancer", "NetworkLoadBalancersAPI"]


class NetworkLoadBalancer(
    NetworkLoadBalancerData,
    BoundGet,
    BoundWritable[NetworkLoadBalancerPut, NetworkLoadBalancerBody],
    BoundDelete,
):
    """An address from outside that leads to several instances in turn, as it was when it was read."""

    async def state(self) -> NetworkLoadBalancerState:
        """Return how its backends are; see `NetworkLoadBalancersAPI.state`."""
        return await cast("NetworkLoadBalancersAPI", self._collection).state(self.listen_address)

    @property
    def _key(self) -> str:
        return self.listen_address


class NetworkLoadBalancersAPI(
    Filterable[NetworkLoadBalancer],
    Nested[NetworkLoadBalancer],
    Writable[NetworkLoadBalancer, NetworkLoadBalancerPut, NetworkLoadBalancerBody],
    Deletable[NetworkLoadBalancer],
):
    """Load balancers of an OVN network (`/1.0/networks/{network}/load-balancers`), named by the address they listen on.

    For other networks the server answers `IncusBadRequestError`. Servers give load balancers an ETag, but do not heed
    it: whether one was changed in between is compared by this library, just before it writes.
    """

    _path = "/1.0/networks/{network}/load-balancers"
    _model = NetworkLoadBalancer
    _put = NetworkLoadBalancerPut
    _etag_suffices = False

    async def create(self, listen_address: str, **fields: Unpack[NetworkLoadBalancerPut]) -> NetworkLoadBalancer:
        """Create a load balancer (`POST /1.0/networks/{network}/load-balancers`).

        Example:
            ```python
            await client.networks.load_balancers("ovn0").create(
                "192.0.2.5",
                config={"healthcheck": True},
                backends=[{"name": "web1", "target_address": "10.8.0.2", "target_port": "80"}],
                ports=[{"protocol": "tcp", "listen_port": "80", "target_backend": ["web1"]}],
            )
            ```

        Args:
            listen_address: The address that it listens on; it must be within the routes of the uplink.
            **fields: Its definition: `backends`, `config`, `description`, `ports`. With health checks (`healthcheck`)
                each backend must be an instance that has its address already.

        Raises:
            IncusConflictError: There is a load balancer of that address already.
            IncusBadRequestError: The server does not take the address or a value, or the network is not of OVN.
            IncusNotFoundError: There is no such network.
        """
        check_name(listen_address)
        body = create_body(
            "NetworkLoadBalancer", NetworkLoadBalancerPut.__annotations__, fields, listen_address=listen_address
        )
        await self._api.operation("POST", self._url(), body)
        return await self._made(listen_address)

    async def state(self, listen_address: str) -> NetworkLoadBalancerState:
        """Return how the backends are (`GET /1.0/networks/{network}/load-balancers/{listen_address}/state`).

        Without health checks (`healthcheck` in the configuration) it is empty; a status can also be `unknown`.

        Raises:
            IncusNotFoundError: There is none of that address.
        """
        return await self._api.read(self._url(listen_address, suffix="/state"), NetworkLoadBalancerState)
