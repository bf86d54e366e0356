"""Networks: `/1.0/networks`, and what is below one."""

from __future__ import annotations

import builtins
from typing import TYPE_CHECKING, Unpack, cast

from .._listing import Listing
from ..models import NetworkBody, NetworkData, NetworkLease, NetworkPut, NetworkState
from ._bodies import create_body
from ._bound import BoundDelete, BoundGet, BoundRename, BoundWritable
from ._collection import Deletable, Gettable, ProjectFilterable, Renamable, check_name
from ._writable import Writable

if TYPE_CHECKING:
    from .network_forwards import NetworkForwardsAPI
    from .network_load_balancers import NetworkLoadBalancersAPI
    from .network_peers import NetworkPeersAPI

__all__ = ["Network", "NetworksAPI"]


class Network(NetworkData, BoundGet, BoundWritable[NetworkPut, NetworkBody], BoundRename, BoundDelete):
    """A network, as it was when it was read; or an interface of the host, which is there to be looked at only."""

    async def state(self) -> NetworkState:
        """Return its addresses, counters and the like; see `NetworksAPI.state`."""
        return await self._networks.state(self.name)

    async def leases(self) -> builtins.list[NetworkLease]:
        """Return the addresses that are in use in it; see `NetworksAPI.leases`."""
        return await self._networks.leases(self.name)

    def forwards(self) -> NetworkForwardsAPI:
        """Return the group of its forwards."""
        return self._networks.forwards(self.name)

    def load_balancers(self) -> NetworkLoadBalancersAPI:
        """Return the group of its load balancers."""
        return self._networks.load_balancers(self.name)

    def peers(self) -> NetworkPeersAPI:
        """Return the group of its peers."""
        return self._networks.peers(self.name)

    @property
    def _networks(self) -> NetworksAPI:
        return cast("NetworksAPI", self._collection)


class NetworksAPI(
    ProjectFilterable[Network],
    Gettable[Network],
    Writable[Network, NetworkPut, NetworkBody],
    Renamable[Network],
    Deletable[Network],
):
    """Networks (`/1.0/networks`).

    Lists have the interfaces of the host as well, with `managed` set to `False`; those cannot be changed. In a cluster,
    `client.use_target(member)` reads the state of one member and the configuration that is its own.
    """

    _path = "/1.0/networks"
    _model = Network
    _put = NetworkPut
    _lists_quoted = False

    async def create(self, name: str, *, type: str | None = None, **fields: Unpack[NetworkPut]) -> Network:
        """Create a network (`POST /1.0/networks`).

        In a cluster it is defined on each member first, with the configuration that is the member's own (such as
        `parent`), by `client.use_target(member).networks.create(…)`; and then once without a target, with the rest.

        Example:
            ```python
            lab = await client.networks.create("labbr0", config={"ipv4.address": "10.7.0.1/24", "ipv6.address": "none"})
            ```

        Args:
            name: Its name; for a bridge at most 15 characters, since the interface is called so, too.
            type: `bridge`, `ovn`, `macvlan`, `sriov` or `physical`. By default a bridge, or `ovn` in a project that has
                networks of its own.
            **fields: Its definition: `config`, `description`.

        Raises:
            IncusConflictError: There is one of that name already.
            IncusBadRequestError: The server does not take the name or a value.
        """
        check_name(name)
        body = create_body("Network", NetworkPut.__annotations__, fields, name=name, type=type)
        await self._api.operation("POST", self._url(), body)
        return await self._made(name)

    async def state(self, name: str) -> NetworkState:
        """Return addresses, counters, and what is connected (`GET /1.0/networks/{name}/state`).

        Works for interfaces of the host, too.

        Raises:
            IncusNotFoundError: There is none of that name.
        """
        return await self._api.read(self._url(name, suffix="/state"), NetworkState)

    async def leases(self, name: str) -> builtins.list[NetworkLease]:
        """Return the addresses in use in a network, with who has them (`GET /1.0/networks/{name}/leases`).

        Those of instances in the client's project, and those of the network itself.

        Raises:
            IncusNotFoundError: There is no network of that name that Incus manages.
        """
        return Listing(await self._api.read_list(self._url(name, suffix="/leases"), NetworkLease))

    def forwards(self, network: str) -> NetworkForwardsAPI:
        """Return the group of a network's forwards: addresses from outside that lead to instances.

        Args:
            network: Its name.
        """
        from .network_forwards import NetworkForwardsAPI

        return NetworkForwardsAPI(self._api, network=network)

    def load_balancers(self, network: str) -> NetworkLoadBalancersAPI:
        """Return the group of a network's load balancers, which OVN networks can have.

        Args:
            network: Its name.
        """
        from .network_load_balancers import NetworkLoadBalancersAPI

        return NetworkLoadBalancersAPI(self._api, network=network)

    def peers(self, network: str) -> NetworkPeersAPI:
        """Return the group of a network's connections to other networks, which OVN networks can have.

        Args:
            network: Its name.
        """
        from .network_peers import NetworkPeersAPI

        return NetworkPeersAPI(self._api, network=network)
