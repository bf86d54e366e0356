"""Connections to networks outside of this server or cluster: `/1.0/network-integrations`."""

from __future__ import annotations

from typing import Unpack

from ..models import NetworkIntegrationBody, NetworkIntegrationData, NetworkIntegrationPut
from ._bodies import create_body
from ._bound import BoundDelete, BoundGet, BoundRename, BoundWritable
from ._collection import Deletable, Filterable, Gettable, Renamable, check_name
from ._writable import Writable

__all__ = ["NetworkIntegration", "NetworkIntegrationsAPI"]


class NetworkIntegration(
    NetworkIntegrationData,
    BoundGet,
    BoundWritable[NetworkIntegrationPut, NetworkIntegrationBody],
    BoundRename,
    BoundDelete,
):
    """A connection to another OVN deployment, as it was when it was read."""


class NetworkIntegrationsAPI(
    Filterable[NetworkIntegration],
    Gettable[NetworkIntegration],
    Writable[NetworkIntegration, NetworkIntegrationPut, NetworkIntegrationBody],
    Renamable[NetworkIntegration],
    Deletable[NetworkIntegration],
):
    """Network integrations (`/1.0/network-integrations`), which peers of the type `remote` go through.

    They are in no project.
    """

    _path = "/1.0/network-integrations"
    _model = NetworkIntegration
    _put = NetworkIntegrationPut
    _in_project = False

    async def create(
        self, name: str, *, type: str = "ovn", **fields: Unpack[NetworkIntegrationPut]
    ) -> NetworkIntegration:
        """Create a network integration (`POST /1.0/network-integrations`).

        Example:
            ```python
            config = {
                "ovn.northbound_connection": "tcp:[192.0.2.12]:6645",
                "ovn.southbound_connection": "tcp:[192.0.2.12]:6646",
            }
            await client.network_integrations.create("region", config=config)
            ```

        Args:
            name: Its name.
            type: Only `ovn` so far.
            **fields: Its definition: `config`, `description`.

        Raises:
            IncusConflictError: There is one of that name already.
            IncusBadRequestError: The server does not take the type or a value.
        """
        check_name(name)
        body = create_body("NetworkIntegration", NetworkIntegrationPut.__annotations__, fields, name=name, type=type)
        await self._api.operation("POST", self._url(), body)
        return await self._made(name)
