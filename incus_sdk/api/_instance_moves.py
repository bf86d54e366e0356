"""Instances: moving them to another place, and making them anew."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from .._values import config_values, device_values, text_list
from ..exceptions import IncusArgumentError
from ..models import InstancePostTarget, InstanceSource
from ..operations import OperationResponse
from ..types import Config, Devices
from ._bodies import check_source, migration_body
from ._bound import Bound
from ._collection import Collection, T, check_name, check_wait

if TYPE_CHECKING:
    from .instances import InstancesAPI

Target = InstancePostTarget | Mapping[str, object]


class MoveVerbs(Collection[T]):
    """The verbs that move an instance, or make it anew."""

    async def move(
        self,
        name: str,
        new_name: str | None = None,
        wait: bool = False,
        *,
        project: str | None = None,
        pool: str | None = None,
        target: str | None = None,
        live: bool = False,
        instance_only: bool = False,
        allow_inconsistent: bool = False,
        refresh: bool = False,
        config: Config | None = None,
        devices: Devices | None = None,
        profiles: Sequence[str] | None = None,
    ) -> OperationResponse:
        """Move an instance within its server or cluster (`POST /1.0/instances/{name}`).

        Args:
            name: Name of the instance. It must be stopped, unless it is moved `live`.
            new_name: Name that it is to have there; by default it keeps its own.
            wait: Whether to return only when it is there; otherwise the answer's `wait()` tells how it ended.
            project: Project to move it to.
            pool: Storage pool to move it to.
            target: Cluster member to move it to, or a group of them, as in `@fast`.
            live: Whether to move it while it runs.
            instance_only: Whether to leave its snapshots behind, which are lost.
            allow_inconsistent: Whether to go on although files change meanwhile.
            refresh: Whether to transfer most of it while it runs, and the rest after a short stop. Needs the API
                extension `instance_refresh_migration`.
            config: Configuration that it gets there, in place of its own.
            devices: Devices that it gets there, in place of its own.
            profiles: Profiles that it gets there, in place of its own.

        Raises:
            IncusArgumentError: It is not said where to.
            IncusNotFoundError: There is no such instance.
            IncusBadRequestError: There is no such member or project, or the server is in no cluster.
            IncusOperationNotFoundError: There is no such pool or project (from the wait).
            IncusOperationBadRequestError: It is in that pool already (from the wait).
        """
        check_wait(wait)
        if new_name is not None:
            check_name(new_name)
        flags = {"live": live, "instance_only": instance_only, "allow_inconsistent": allow_inconsistent}
        places = {"name": new_name, "project": project, "pool": pool}
        body = {key: value for key, value in {**places, **flags, "refresh": refresh}.items() if value}
        body |= _definition(config, devices, profiles)
        if not body.keys() - {*flags, "refresh"} and not target:
            raise IncusArgumentError(f"move({name!r:.80}) does not say where to: give it a project, a pool or a target")
        path, params = self._url(name), {"target": target} if target else None
        operation = await self._api.operation("POST", path, {"migration": True, **body}, params)
        return await operation.wait() if wait else operation

    async def migrate(
        self,
        name: str,
        target: Target | None = None,
        wait: bool = False,
        *,
        live: bool = False,
        instance_only: bool = False,
        allow_inconsistent: bool = False,
    ) -> OperationResponse:
        """Offer an instance to another server, or send it there (`POST /1.0/instances/{name}`); it stays here as well.

        Without a target, the answer is an operation that waits until another server, which was told its secrets,
        fetches the instance. So what ends the waiting is to be done before anybody waits.

        Args:
            name: Name of the instance.
            target: The operation that waits for it on the other server: `operation`, `secrets`, `certificate`.
            wait: Whether to return only when it is there, which needs a target.
            live: Whether its memory goes along while it runs.
            instance_only: Whether to leave its snapshots out.
            allow_inconsistent: Whether to go on although files change meanwhile.

        Raises:
            IncusArgumentError: It is to be waited for without a target, or the target has no such field.
            IncusNotFoundError: There is no such instance.
            IncusOperationError: The other server cannot be reached, or refuses (from the wait).
        """
        body = migration_body(
            f"{name!r:.80}",
            InstancePostTarget.__annotations__,
            target,
            wait,
            live=live,
            instance_only=instance_only,
            allow_inconsistent=allow_inconsistent,
        )
        return await self._change("POST", self._url(name), body, wait)

    async def rebuild(
        self, name: str, source: InstanceSource | Mapping[str, Any], wait: bool = False
    ) -> OperationResponse:
        """Make a stopped instance anew, with the configuration that it has (`POST /1.0/instances/{name}/rebuild`).

        Args:
            name: Name of the instance.
            source: What to make it from, as for `create`; `{"type": "none"}` leaves it empty.
            wait: Whether to return only when it is done; otherwise the answer's `wait()` tells how it ended.

        Raises:
            IncusNotFoundError: There is no such instance.
            IncusBadRequestError: It runs, or the source is none.
            IncusOperationNotFoundError: There is no such image (from the wait).
            IncusOperationConflictError: It has snapshots (from the wait).
        """
        check_source(source, InstanceSource.__annotations__, ' such as {"type": "none"}')
        return await self._change("POST", self._url(name, suffix="/rebuild"), {"source": dict(source)}, wait)


class BoundMoves(Bound):
    """The verbs that move this instance, or make it anew."""

    __slots__ = ()

    async def move(
        self,
        new_name: str | None = None,
        wait: bool = False,
        *,
        project: str | None = None,
        pool: str | None = None,
        target: str | None = None,
        live: bool = False,
        instance_only: bool = False,
        allow_inconsistent: bool = False,
        refresh: bool = False,
        config: Config | None = None,
        devices: Devices | None = None,
        profiles: Sequence[str] | None = None,
    ) -> OperationResponse:
        """Move it within its server or cluster; see `InstancesAPI.move`. This Python object stays as it is."""
        return await self._moves.move(
            self._key,
            new_name,
            wait,
            project=project,
            pool=pool,
            target=target,
            live=live,
            instance_only=instance_only,
            allow_inconsistent=allow_inconsistent,
            refresh=refresh,
            config=config,
            devices=devices,
            profiles=profiles,
        )

    async def migrate(
        self,
        target: Target | None = None,
        wait: bool = False,
        *,
        live: bool = False,
        instance_only: bool = False,
        allow_inconsistent: bool = False,
    ) -> OperationResponse:
        """Offer it to another server, or send it there; see `InstancesAPI.migrate`."""
        return await self._moves.migrate(
            self._key, target, wait, live=live, instance_only=instance_only, allow_inconsistent=allow_inconsistent
        )

    async def rebuild(self, source: InstanceSource | Mapping[str, Any], wait: bool = False) -> OperationResponse:
        """Make it anew; see `InstancesAPI.rebuild`."""
        return await self._moves.rebuild(self._key, source, wait)

    @property
    def _moves(self) -> InstancesAPI:
        return cast("InstancesAPI", self._collection)


def _definition(config: Config | None, devices: Devices | None, profiles: Sequence[str] | None) -> dict[str, Any]:
    """The server's names for these three have no tags in its source, so they begin with capitals."""
    body: dict[str, Any] = {}
    if config is not None:
        body["Config"] = config_values(config)
    if devices is not None:
        body["Devices"] = device_values(devices)
    if profiles is not None:
        body["Profiles"] = text_list(profiles, "profiles", "['default']")
    return body
