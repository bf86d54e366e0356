"""Records of a DNS zone: `/1.0/network-zones/{zone}/records`."""

from __future__ import annotations

from typing import Unpack

from ..models import NetworkZoneRecordBody, NetworkZoneRecordData, NetworkZoneRecordPut
from ._bodies import create_body
from ._bound import BoundDelete, BoundGet, BoundWritable
from ._collection import Deletable, Filterable, check_name
from ._nested import Nested
from ._writable import Writable

__all__ = ["NetworkZoneRecord", "NetworkZoneRecordsAPI"]


class NetworkZoneRecord(
    NetworkZoneRecordData, BoundGet, BoundWritable[NetworkZoneRecordPut, NetworkZoneRecordBody], BoundDelete
):
    """A name in a DNS zone, with what it stands for, as it was when it was read."""


class NetworkZoneRecordsAPI(
    Filterable[NetworkZoneRecord],
    Nested[NetworkZoneRecord],
    Writable[NetworkZoneRecord, NetworkZoneRecordPut, NetworkZoneRecordBody],
    Deletable[NetworkZoneRecord],
):
    """Records of a DNS zone (`/1.0/network-zones/{zone}/records`).

    `update` is a `PUT` of the whole definition here: at a `PATCH`, servers mix the zone's configuration into that of
    the record.
    """

    _path = "/1.0/network-zones/{zone}/records"
    _model = NetworkZoneRecord
    _put = NetworkZoneRecordPut
    _updating = "PUT"

    async def create(self, name: str, **fields: Unpack[NetworkZoneRecordPut]) -> NetworkZoneRecord:
        """Create a record (`POST /1.0/network-zones/{zone}/records`).

        Example:
            ```python
            entries = [{"type": "A", "value": "192.0.2.1", "ttl": 3600}]
            await client.network_zones.records("lab.example.net").create("www", entries=entries)
            ```

        Args:
            name: Its name, relative to the zone; `@` for the zone itself.
            **fields: Its definition: `config`, `description`, `entries`.

        Raises:
            IncusConflictError: There is one of that name already.
            IncusBadRequestError: The server does not take an entry.
            IncusNotFoundError: There is no such zone.
        """
        check_name(name)
        body = create_body("NetworkZoneRecord", NetworkZoneRecordPut.__annotations__, fields, name=name)
        await self._api.operation("POST", self._url(), body)
        return await self._made(name)
