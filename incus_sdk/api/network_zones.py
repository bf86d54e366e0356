"""DNS zones: `/1.0/network-zones`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack, cast

from ..models import NetworkZoneBody, NetworkZoneData, NetworkZonePut
from ._bodies import create_body
from ._bound import BoundDelete, BoundGet, BoundWritable
from ._collection import Deletable, Gettable, ProjectFilterable, check_name
from ._writable import Writable

if TYPE_CHECKING:
    from .network_zone_records import NetworkZoneRecordsAPI

__all__ = ["NetworkZone", "NetworkZonesAPI"]


class NetworkZone(NetworkZoneData, BoundGet, BoundWritable[NetworkZonePut, NetworkZoneBody], BoundDelete):
    """A DNS zone that Incus generates, as it was when it was read."""

    def records(self) -> NetworkZoneRecordsAPI:
        """Return the group of its records."""
        return cast("NetworkZonesAPI", self._collection).records(self.name)


class NetworkZonesAPI(
    ProjectFilterable[NetworkZone],
    Gettable[NetworkZone],
    Writable[NetworkZone, NetworkZonePut, NetworkZoneBody],
    Deletable[NetworkZone],
):
    """DNS zones (`/1.0/network-zones`), which Incus fills with the names of instances and with records."""

    _path = "/1.0/network-zones"
    _model = NetworkZone
    _put = NetworkZonePut

    async def create(self, name: str, **fields: Unpack[NetworkZonePut]) -> NetworkZone:
        """Create a zone (`POST /1.0/network-zones`).

        Example:
            ```python
            await client.network_zones.create("lab.example.net", config={"dns.nameservers": "ns1.example.net"})
            ```

        Args:
            name: Its name, which is a DNS domain.
            **fields: Its definition: `config`, `description`.

        Raises:
            IncusConflictError: There is one of that name already.
            IncusBadRequestError: The server does not take the name or a value.
        """
        check_name(name)
        body = create_body("NetworkZone", NetworkZonePut.__annotations__, fields, name=name)
        await self._api.operation("POST", self._url(), body)
        return await self._made(name)

    def records(self, zone: str) -> NetworkZoneRecordsAPI:
        """Return the group of a zone's records.

        Args:
            zone: Its name.
        """
        from .network_zone_records import NetworkZoneRecordsAPI

        return NetworkZoneRecordsAPI(self._api, zone=zone)
