"""The addresses that networks have in use: `/1.0/network-allocations`."""

from __future__ import annotations

import builtins

from .._listing import Listing
from ..api_client import APIClient
from ..models import NetworkAllocations

__all__ = ["NetworkAllocationsAPI"]


class NetworkAllocationsAPI:
    """The addresses in use (`/1.0/network-allocations`), of networks, instances, forwards and load balancers.

    Args:
        client: The client that makes the requests.
    """

    def __init__(self, client: APIClient) -> None:
        self._api = client

    def __repr__(self) -> str:
        return f"<{type(self).__name__} /1.0/network-allocations>"

    async def list(self, *, all_projects: bool = False) -> builtins.list[NetworkAllocations]:
        """Return all addresses that the networks of the client's project have in use (`GET /1.0/network-allocations`).

        Args:
            all_projects: Whether to return those of all projects.

        Raises:
            IncusNotFoundError: The client's project does not exist.
        """
        query = {"all-projects": True if all_projects else None}
        return Listing(await self._api.read_list("/1.0/network-allocations", NetworkAllocations, query))
