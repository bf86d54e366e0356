"""Connections of a network to others: `/1.0/networks/{network}/peers`."""

from __future__ import annotations

from typing import Unpack

from ..models import NetworkPeerBody, NetworkPeerData, NetworkPeerPut
from ._bodies import create_body
from ._bound import BoundDelete, BoundGet, BoundWritable
from ._collection import Deletable, Filterable, check_name
from ._nested import Nested
from ._writable import Writable

__all__ = ["NetworkPeer", "NetworkPeersAPI"]


class NetworkPeer(NetworkPeerData, BoundGet, BoundWritable[NetworkPeerPut, NetworkPeerBody], BoundDelete):
    """One side of a connection between networks, as it was when it was read."""


class NetworkPeersAPI(
    Filterable[NetworkPeer],
    Nested[NetworkPeer],
    Writable[NetworkPeer, NetworkPeerPut, NetworkPeerBody],
    Deletable[NetworkPeer],
):
    """Connections of an OVN network to others (`/1.0/networks/{network}/peers`).

    For other networks the server answers `IncusBadRequestError`. Servers give peers an ETag, but do not heed it:
    whether one was changed in between is compared by this library, just before it writes.
    """

    _path = "/1.0/networks/{network}/peers"
    _model = NetworkPeer
    _put = NetworkPeerPut
    _etag_suffices = False

    async def create(
        self,
        name: str,
        *,
        target_network: str | None = None,
        target_project: str | None = None,
        target_integration: str | None = None,
        type: str | None = None,
        **fields: Unpack[NetworkPeerPut],
    ) -> NetworkPeer:
        """Create one side of a connection (`POST /1.0/networks/{network}/peers`).

        Its status is `Pending` until the other network has a peer that leads here. The server does not look whether
        there is such a network. Incus 7.0 loses the configuration that a peer is created with: give it by `update`.

        Example:
            ```python
            await client.networks.peers("ovn0").create("to-ovn1", target_network="ovn1")
            await client.networks.peers("ovn1").create("to-ovn0", target_network="ovn0")
            ```

        Args:
            name: Its name.
            target_network: The other network, for a peer of type `local`.
            target_project: The project of the other network; by default that of this one.
            target_integration: Name of the network integration, for a peer of type `remote`.
            type: `local` (the default) or `remote`.
            **fields: Its definition: `config`, `description`.

        Raises:
            IncusConflictError: There is one of that name, or to that network, already.
            IncusBadRequestError: The server does not take a value, or the network is not of OVN.
            IncusNotFoundError: There is no such network, or no such integration.
        """
        check_name(name)
        body = create_body(
            "NetworkPeer",
            NetworkPeerPut.__annotations__,
            fields,
            name=name,
            target_network=target_network,
            target_project=target_project,
            target_integration=target_integration,
            type=type,
        )
        await self._api.operation("POST", self._url(), body)
        return await self._made(name)
