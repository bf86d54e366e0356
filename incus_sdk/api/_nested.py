"""What collections below an object have in common: that object must exist, and servers say so of lists."""

from __future__ import annotations

from typing import Any

from .._paths import name_and_project
from ..exceptions import IncusProtocolError
from ..operations import OperationResponse
from ._collection import Gettable, T

__all__ = ["Nested", "created"]


class Nested(Gettable[T]):
    """The verbs `get` and `exists` in a collection that an object has: if that does not exist, both raise."""

    _in_project = False  # an object that is there is in a project that is

    @property
    def _parent(self) -> str:
        """Path of what has the collection."""
        return self._root.rpartition("/")[0]

    async def exists(self, name: str) -> bool:
        """Tell whether there is an object of that name.

        Raises:
            IncusNotFoundError: What it would be in does not exist.
        """
        if await super().exists(name):
            return True
        await self._api.read(self._parent, dict[str, Any])
        return False


def created(operation: OperationResponse, kind: str) -> str:
    """Return the name of what an operation makes.

    Args:
        operation: The answer to the request, finished or not.
        kind: The key of the operation's resources that it is under, as in `backups`.

    Raises:
        IncusProtocolError: The server does not say it.
    """
    urls = operation.resources.get(kind)
    if not urls:
        raise IncusProtocolError(f"{operation!r} does not say which of the {kind.replace('_', ' ')} it makes")
    return name_and_project(urls[0])[0]
