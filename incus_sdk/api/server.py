"""The server itself: `/1.0`, and what is told about it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from .._values import text_list
from ..api_client import APIClient, StreamResponse
from ..models import MetadataConfiguration, Resources, Server, ServerBody, ServerPut
from ._bodies import replace_body
from ._writable import Definable

if TYPE_CHECKING:
    from ..api_client import WebSocket

__all__ = ["ServerAPI"]


class ServerAPI:
    """The server: what it is, its configuration, hardware and metrics.

    Args:
        client: The client that makes the requests.
    """

    def __init__(self, client: APIClient) -> None:
        self._api = client
        self._definition = _Definition(client)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} /1.0>"

    async def get(self) -> Server:
        """Return version, configuration, environment and API extensions of the server (`GET /1.0`).

        Clients that are not trusted get this, too, but without configuration and environment.
        """
        return await self._api.read("/1.0", Server)

    async def update(self, changes: ServerPut) -> None:
        """Set some configuration keys, and leave the others (`PATCH /1.0`); a key that is `None` is unset.

        Example:
            ```python
            await client.server.update({"config": {"images.auto_update_interval": 12}})
            ```

        Args:
            changes: What to change: `config`.

        Raises:
            IncusArgumentError: There is no such field.
            IncusBadRequestError: The server does not take a key or value. When it refuses a `core.https_address`, Incus
                6.0 gives up the one it had, so set that again.
        """
        await self._api.operation("PATCH", "/1.0", _body(changes))

    async def replace(self, body: ServerPut) -> None:
        """Replace the configuration (`PUT /1.0`): a key that the body does not hold is unset, `core.https_address` too.

        But keys that begin with `user.` are only unset if the body holds them as `None`. In `edit` they can be removed.

        Args:
            body: The new definition: `config`.

        Raises:
            IncusArgumentError: There is no such field.
            IncusBadRequestError: The server does not take a key or value.
        """
        await self._api.operation("PUT", "/1.0", _body(body))

    @asynccontextmanager
    async def edit(self) -> AsyncGenerator[ServerBody]:
        """Change the configuration in an `async with` block, which yields what `GET /1.0` answers.

        On leaving the block it is written back (PUT under the ETag), unless nothing was changed or the block raised.

        Raises:
            IncusPreconditionFailedError: Somebody else changed it in the meantime; nothing was written.
        """
        async with self._definition.edit("1.0") as draft:
            yield draft

    async def modify(self, change: Callable[[ServerBody], object], attempts: int = 3) -> None:
        """Change the configuration by a function, again if somebody else changed it in the meantime.

        Args:
            change: Gets what `GET /1.0` answers, and changes its `config` in place. It may be called several times.
            attempts: How often to try.

        Raises:
            IncusPreconditionFailedError: It was changed by others at each attempt.
        """
        await self._definition.modify("1.0", change, attempts)

    async def versions(self) -> list[str]:
        """Return the versions of the API that the server has, as paths (`GET /`): `["/1.0"]`."""
        return await self._api.read_list("/", str)

    async def resources(self) -> Resources:
        """Return the hardware of the server (`GET /1.0/resources`); `use_target` chooses a member of a cluster."""
        return await self._api.read("/1.0/resources", Resources)

    async def metadata_configuration(self) -> MetadataConfiguration:
        """Return what is known about all configuration keys (`GET /1.0/metadata/configuration`)."""
        return await self._api.read("/1.0/metadata/configuration", MetadataConfiguration)

    async def metrics(self) -> str:
        """Return metrics of the server and its instances as OpenMetrics text (`GET /1.0/metrics`).

        Servers collect those of instances every eight seconds or so; the first answer after a pause can be an empty
        one, `# EOF` alone.
        """
        return (await self._api.read_raw("/1.0/metrics")).body.decode()

    @asynccontextmanager
    async def stream_metrics(self) -> AsyncGenerator[StreamResponse]:
        """Read the metrics piece by piece, in an `async with` block; see `metrics`."""
        async with self._api.stream("GET", "/1.0/metrics") as response:
            yield response

    async def connect_events(self, types: Sequence[str] = (), all_projects: bool = False) -> WebSocket:
        """Open the websocket on which the server tells what happens (`GET /1.0/events`); it is yours to close.

        Each message is the JSON text of one `models.Event`.

        Args:
            types: What to be told of: `lifecycle`, `logging`, `operation` and others; by default, all.
            all_projects: Whether to be told about all projects.

        Raises:
            IncusPermissionError: The client may not see that.
        """
        kinds = ",".join(text_list(types, "types", "['lifecycle']"))
        params = {"type": kinds or None, "all-projects": True if all_projects else None}
        return await self._api.websocket("/1.0/events", params)


class _Definition(Definable[Any, ServerPut, ServerBody]):
    """The verbs of a definition that has no name: its path is `/1.0`."""

    _path = ""
    _put = ServerPut

    @property
    def _noun(self) -> str:
        return "Server"

    @property
    def _sent(self) -> tuple[str, ...]:
        return Server.__struct_encode_fields__

    def _empty(self) -> dict[str, Any]:
        return {"config": {}}

    def _edited(self, current: dict[str, Any], draft: dict[str, Any]) -> dict[str, Any]:
        """Name what was removed: servers keep a `user.*` key that a PUT does not hold."""
        gone = dict.fromkeys(current.get("config") or {}, None)
        return super()._edited(current, {**draft, "config": {**gone, **(draft.get("config") or {})}})


def _body(body: ServerPut) -> dict[str, Any]:
    return replace_body("Server", ServerPut.__annotations__, (), body)
