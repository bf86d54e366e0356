"""Containers and virtual machines: `/1.0/instances`."""

from __future__ import annotations

import builtins
from collections.abc import Mapping, Sequence
from typing import Any, Literal, Self, Unpack, cast, overload

from .._paths import fill, name_and_project
from ..exceptions import IncusArgumentError, IncusNotFoundError, IncusPreconditionFailedError, IncusProtocolError
from ..models import InstanceBody, InstanceCreateFields, InstanceData, InstancePut, InstanceSource, InstanceState
from ..operations import OperationResponse
from ..types import Config, Devices
from ._collection import (
    BackgroundDeletable,
    BackgroundRenamable,
    BoundBackgroundDelete,
    BoundBackgroundRename,
    BoundEditable,
    Editable,
    Gettable,
    Listable,
    check_name,
    check_wait,
)
from ._instance_bodies import check_draft, create_body, fingerprint, image_source, replace_body, update_body
from ._instance_exec import BoundExec, ExecVerbs
from ._instance_files import BoundFiles, FileVerbs
from ._instance_power import BoundPower, PowerVerbs

__all__ = ["Instance", "InstancesAPI"]

Source = InstanceSource | Mapping[str, Any]
Changes = InstancePut | Mapping[str, Any]


class Instance(
    InstanceData,
    BoundPower,
    BoundExec,
    BoundFiles,
    BoundEditable[InstanceBody],
    BoundBackgroundRename,
    BoundBackgroundDelete,
):
    """A container or virtual machine, as it was when it was read, with the verbs of its group.

    `state`, `snapshots` and `backups` are `None` unless it was read with `list(recursion=2)` or `refresh(full=True)`.
    Verbs act on the server and leave this object as it is; `refresh()` reads it again.
    """

    def __repr__(self) -> str:
        project = f" project={self.project}" if self.project not in {"", "default"} else ""
        return f"<{type(self).__name__} {self.name} {self.status}{project}>"

    @property
    def _instances(self) -> InstancesAPI:
        return cast("InstancesAPI", self._collection)

    async def refresh(self, full: bool = False) -> Self:
        """Read it again, in place (`GET /1.0/instances/{name}`).

        Args:
            full: Whether to read `state`, `snapshots` and `backups`, too.

        Raises:
            IncusNotFoundError: It is gone.
        """
        return self._replace(cast("Self", await self._instances.get(self.name, full=full)))

    async def update(self, config: Changes, wait: bool = False) -> OperationResponse:
        """Change what is named, and nothing else; see `InstancesAPI.update`."""
        return await self._instances.update(self.name, config, wait)

    async def replace(self, body: InstancePut, wait: bool = False) -> OperationResponse:
        """Replace its whole definition; see `InstancesAPI.replace`."""
        return await self._instances.replace(self.name, body, wait)

    async def get_state(self) -> dict[str, Any]:
        """Return its state as the server sends it; see `InstancesAPI.get_state`."""
        return await self._instances.get_state(self.name)


class InstancesAPI(
    PowerVerbs[Instance],
    ExecVerbs[Instance],
    FileVerbs[Instance],
    Editable[Instance, InstanceBody],
    BackgroundRenamable[Instance],
    BackgroundDeletable[Instance],
    Gettable[Instance],
    Listable[Instance],
):
    """Containers and virtual machines (`/1.0/instances`).

    Verbs with `wait` return an `OperationResponse`: finished with `wait=True`, when a failure has raised; still under
    way otherwise, and its own `wait()` tells how it ends.
    """

    _path = "/1.0/instances"
    _model = Instance

    async def list(
        self, recursion: int = 1, *, filter: str | None = None, all_projects: bool = False
    ) -> builtins.list[Instance]:
        """Return the instances of the client's project.

        Args:
            recursion: How much to read: 0 only names and projects, 1 their definitions, 2 also state, snapshots and
                backups, which takes the server several milliseconds for each.
            filter: Condition that the server applies, in its own notation, as in `status eq running`.
            all_projects: Whether to return those of all projects.

        Raises:
            IncusNotFoundError: The client's project does not exist.
        """
        if type(recursion) is not int or recursion not in {0, 1, 2}:
            raise IncusArgumentError(f"recursion cannot be {recursion!r}: it is 0, 1 or 2")
        if recursion:
            return await self._items(recursion, filter, all_projects)
        pairs = [name_and_project(url) for url in await self._urls(filter, all_projects)]
        return [self._bind(Instance(name=name, project=project)) for name, project in pairs]

    async def get(self, name: str, *, full: bool = False) -> Instance:
        """Return one instance.

        Args:
            name: Name of the instance.
            full: Whether to read `state`, `snapshots` and `backups`, too.

        Raises:
            IncusNotFoundError: There is none of that name.
        """
        params = {"recursion": 1} if full else None
        return self._bind(await self._api.read(self._url(name), Instance, params))

    @overload
    async def create(
        self,
        name: str,
        source: Source,
        config: Config | None = None,
        devices: Devices | None = None,
        profiles: Sequence[str] | None = None,
        ephemeral: bool = False,
        instance_type: str = "container",
        wait: Literal[False] = False,
        *,
        flavor: str | None = None,
        **fields: Unpack[InstanceCreateFields],
    ) -> OperationResponse: ...
    @overload
    async def create(
        self,
        name: str,
        source: Source,
        config: Config | None = None,
        devices: Devices | None = None,
        profiles: Sequence[str] | None = None,
        ephemeral: bool = False,
        instance_type: str = "container",
        *,
        wait: Literal[True],
        flavor: str | None = None,
        **fields: Unpack[InstanceCreateFields],
    ) -> Instance: ...
    @overload
    async def create(
        self,
        name: str,
        source: Source,
        config: Config | None = None,
        devices: Devices | None = None,
        profiles: Sequence[str] | None = None,
        ephemeral: bool = False,
        instance_type: str = "container",
        wait: bool = False,
        *,
        flavor: str | None = None,
        **fields: Unpack[InstanceCreateFields],
    ) -> OperationResponse | Instance: ...
    async def create(
        self,
        name: str,
        source: Source,
        config: Config | None = None,
        devices: Devices | None = None,
        profiles: Sequence[str] | None = None,
        ephemeral: bool = False,
        instance_type: str = "container",
        wait: bool = False,
        *,
        flavor: str | None = None,
        **fields: Unpack[InstanceCreateFields],
    ) -> OperationResponse | Instance:
        """Create an instance (`POST /1.0/instances`); it is not started unless `start=True` is given.

        Example:
            ```python
            web = await client.instances.create("web", {"type": "image", "alias": "debian/13"}, wait=True)
            ```

        Args:
            name: Name of the instance: letters, digits and hyphens.
            source: What to make it from, as in `{"type": "image", "alias": "debian/13"}`; `{"type": "none"}` makes an
                empty one.
            config: Configuration; numbers, booleans and paths are written as the server wants them.
            devices: Devices by name, which come on top of those of the profiles.
            profiles: Profiles to apply; by default those of the image, or `default`. An empty list is none.
            ephemeral: Whether it is deleted when it stops.
            instance_type: `container` or `virtual-machine`.
            wait: Whether to return the instance itself, when it is there.
            flavor: Size in the notation of cloud providers, as in `t3.micro`.
            **fields: Further fields of the request, such as `description` and `start`.

        Returns:
            The `Instance` with `wait=True`; otherwise the answer, whose `wait()` tells how it ended.

        Raises:
            IncusConflictError: There is one of that name already.
            IncusOperationNotFoundError: The image does not exist (from the wait).
            IncusNotFoundError: A profile does not exist.
            IncusBadRequestError: The configuration is not valid.
        """
        check_wait(wait)
        check_name(name)
        operation = await self._create(
            name, source, config, devices, profiles, ephemeral, instance_type, flavor, dict(fields)
        )
        if not wait:
            return operation
        await operation.wait()
        return await self.get(name)

    async def launch(
        self,
        image: str,
        name: str | None = None,
        config: Config | None = None,
        devices: Devices | None = None,
        profiles: Sequence[str] | None = None,
        ephemeral: bool = False,
        instance_type: str = "container",
        *,
        flavor: str | None = None,
        **fields: Unpack[InstanceCreateFields],
    ) -> Instance:
        """Create an instance from an image, start it, and return it when it runs.

        Args:
            image: Image in the notation of the `incus` command: an alias or a fingerprint on this server, or
                `images:debian/13` for one of the public image server.
            name: Name of the instance; `None` lets the server choose one.
            config: See `create`.
            devices: See `create`.
            profiles: See `create`.
            ephemeral: See `create`.
            instance_type: See `create`.
            flavor: See `create`.
            **fields: See `create`.

        Raises:
            IncusOperationNotFoundError: There is no such image on this server.
            IncusError: As for `create` and `start`.
        """
        if name is not None:
            check_name(name)
        source = await self._image(image)
        start: dict[str, Any] = {"start": True, **fields}
        operation = await self._create(name, source, config, devices, profiles, ephemeral, instance_type, flavor, start)
        await operation.wait()
        return await self.get(name or _created(operation))

    async def update(self, name: str, config: Changes, wait: bool = False) -> OperationResponse:
        """Change what is named, and nothing else (`PATCH /1.0/instances/{name}`).

        A key with a dot in it is a configuration key, and the value `None` unsets it; any other key is a field of the
        instance. A device that is given replaces the one of that name as a whole. Unless a description is given, the
        present one is read first and sent along, since Incus 6.0 would empty it.

        Example:
            ```python
            await client.instances.update("web", {"limits.cpu": 2, "description": "front end"})
            ```

        Args:
            name: Name of the instance.
            config: What to change.
            wait: The server makes this change at once, so this changes nothing.

        Raises:
            IncusArgumentError: There is no such field, or a device would be removed (that is for `edit`).
            IncusBadRequestError: The server does not take a value.
            IncusPreconditionFailedError: Others changed the instance in between, three times in a row.
        """
        check_wait(wait)
        body = update_body(config)
        if "description" in body:
            return await self._change("PATCH", self._url(name), body, wait)
        return await self._patch(name, body)

    async def replace(self, name: str, body: InstancePut, wait: bool = False) -> OperationResponse:
        """Replace the whole definition (`PUT /1.0/instances/{name}`): what the body does not hold is gone.

        To change some of it, use `update`, or `edit`, which keeps the rest.

        Args:
            name: Name of the instance.
            body: The new definition.
            wait: Whether to return only when it is done; otherwise the answer's `wait()` tells how it ended.

        Raises:
            IncusBadRequestError: The server does not take it (from the wait). It never takes one without the
                `volatile` keys that the instance has.
        """
        return await self._change("PUT", self._url(name), replace_body(body), wait)

    def _edited(self, current: dict[str, Any], draft: dict[str, Any]) -> dict[str, Any]:
        check_draft(current, draft)
        return super()._edited(current, draft)

    async def state(self, name: str) -> InstanceState:
        """Return addresses, memory, disks and processes of an instance (`GET /1.0/instances/{name}/state`).

        Raises:
            IncusNotFoundError: There is none of that name.
        """
        return await self._api.read(self._url(name, suffix="/state"), InstanceState)

    async def get_state(self, name: str) -> dict[str, Any]:
        """Return what `state` does, as the server sends it.

        Raises:
            IncusNotFoundError: There is none of that name.
        """
        return await self._api.read(self._url(name, suffix="/state"), dict[str, Any])

    async def _patch(self, name: str, body: dict[str, Any], attempts: int = 3) -> OperationResponse:
        """Change an instance and keep its description, which Incus 6.0 empties whenever a PATCH does not repeat it.

        The ETag sees to it that what somebody else writes in between is not undone by the repetition.
        """
        current, etag = await self._api.read_with_etag(self._url(name))
        unchanged = {"description": current.get("description") or ""}
        try:
            return await self._api.operation("PATCH", self._url(name), {**body, **unchanged}, etag=etag)
        except IncusPreconditionFailedError:
            if attempts == 1:
                raise
        return await self._patch(name, body, attempts - 1)

    async def _create(
        self,
        name: str | None,
        source: Source,
        config: Config | None,
        devices: Devices | None,
        profiles: Sequence[str] | None,
        ephemeral: bool,
        instance_type: str,
        flavor: str | None,
        fields: dict[str, Any],
    ) -> OperationResponse:
        body = create_body(
            name,
            source,
            instance_type=instance_type,
            profiles=profiles,
            flavor=flavor,
            config=config,
            devices=devices,
            ephemeral=ephemeral,
            **fields,
        )
        return await self._api.operation("POST", self._url(), body)

    async def _image(self, image: str) -> dict[str, Any]:
        """Return the source for an image; what looks like a fingerprint is one unless it is an alias."""
        source = image_source(image)
        number = fingerprint(image)
        if number is None:
            return source
        try:
            await self._api.read(fill("/1.0/images/aliases/{name}", {"name": number}), dict[str, Any])
        except IncusNotFoundError:
            return {"type": "image", "fingerprint": number}
        return source


def _created(operation: OperationResponse) -> str:
    """Return the name of the instance that an operation has created."""
    urls = operation.resources.get("instances")
    if not urls:
        raise IncusProtocolError(f"{operation!r}: the server does not say which instance it has created")
    return name_and_project(urls[0])[0]
