"""Sets of addresses for the rules of ACLs: `/1.0/network-address-sets`."""

from __future__ import annotations

from typing import Unpack

from ..models import NetworkAddressSetBody, NetworkAddressSetData, NetworkAddressSetPut
from ._bodies import create_body
from ._bound import BoundDelete, BoundGet, BoundRename, BoundWritable
from ._collection import Deletable, Gettable, ProjectFilterable, Renamable, check_name
from ._writable import Writable

__all__ = ["NetworkAddressSet", "NetworkAddressSetsAPI"]


class NetworkAddressSet(
    NetworkAddressSetData,
    BoundGet,
    BoundWritable[NetworkAddressSetPut, NetworkAddressSetBody],
    BoundRename,
    BoundDelete,
):
    """Addresses under one name, as they were when they were read."""


class NetworkAddressSetsAPI(
    ProjectFilterable[NetworkAddressSet],
    Gettable[NetworkAddressSet],
    Writable[NetworkAddressSet, NetworkAddressSetPut, NetworkAddressSetBody],
    Renamable[NetworkAddressSet],
    Deletable[NetworkAddressSet],
):
    """Sets of addresses (`/1.0/network-address-sets`), which the rules of ACLs name as `$name`.

    Needs the API extension `network_address_set`, which Incus 6.0 lacks.
    """

    _path = "/1.0/network-address-sets"
    _model = NetworkAddressSet
    _put = NetworkAddressSetPut

    async def create(self, name: str, **fields: Unpack[NetworkAddressSetPut]) -> NetworkAddressSet:
        """Create a set of addresses (`POST /1.0/network-address-sets`).

        Example:
            ```python
            await client.network_address_sets.create("office", addresses=["192.0.2.0/24", "2001:db8::/32"])
            ```

        Args:
            name: Its name.
            **fields: Its definition: `addresses`, `config`, `description`.

        Raises:
            IncusConflictError: There is one of that name already.
            IncusBadRequestError: The server does not take the name or an address.
            IncusMissingExtensionError: The server does not have `network_address_set`.
        """
        check_name(name)
        body = create_body("NetworkAddressSet", NetworkAddressSetPut.__annotations__, fields, name=name)
        await self._api.operation("POST", self._url(), body)
        return await self._made(name)
