"""Forwards of a network: `/1.0/networks/{network}/forwards`."""

from __future__ import annotations

from typing import Unpack

from ..models import NetworkForwardBody, NetworkForwardData, NetworkForwardPut
from ._bodies import create_body
from ._bound import BoundDelete, BoundGet, BoundWritable
from ._collection import Deletable, Filterable, check_name
from ._nested import Nested
from ._writable import Writable

__all__ = ["NetworkForward", "NetworkForwardsAPI"]


class NetworkForward(NetworkForwardData, BoundGet, BoundWritable[NetworkForwardPut, NetworkForwardBody], BoundDelete):
    """An address from outside that leads to instances, as it was when it was read."""

    @property
    def _key(self) -> str:
        return self.listen_address


class NetworkForwardsAPI(
    Filterable[NetworkForward],
    Nested[NetworkForward],
    Writable[NetworkForward, NetworkForwardPut, NetworkForwardBody],
    Deletable[NetworkForward],
):
    """Forwards of a network (`/1.0/networks/{network}/forwards`); what names one is the address that it listens on.

    Bridges and OVN networks can have them. Servers give forwards an ETag, but do not heed it: whether one was changed
    in between is compared by this library, just before it writes.
    """

    _path = "/1.0/networks/{network}/forwards"
    _model = NetworkForward
    _put = NetworkForwardPut
    _etag_suffices = False

    async def create(self, listen_address: str, **fields: Unpack[NetworkForwardPut]) -> NetworkForward:
        """Create a forward (`POST /1.0/networks/{network}/forwards`).

        Example:
            ```python
            ports = [{"protocol": "tcp", "listen_port": "80", "target_address": "10.7.0.5", "target_port": "8080"}]
            await client.networks.forwards("labbr0").create("192.0.2.1", ports=ports)
            ```

        Args:
            listen_address: The address that it listens on. For an OVN network it must be within the routes of the
                uplink.
            **fields: Its definition: `config` (`target_address` gets all that no port says otherwise about),
                `description`, `ports`.

        Raises:
            IncusConflictError: There is a forward of that address already.
            IncusBadRequestError: The server does not take the address or a value.
            IncusNotFoundError: There is no such network.
            IncusMissingExtensionError: A port has `snat`, which needs `network_forward_snat`.
        """
        check_name(listen_address)
        body = create_body("NetworkForward", NetworkForwardPut.__annotations__, fields, listen_address=listen_address)
        await self._api.operation("POST", self._url(), body)
        return await self._made(listen_address)
