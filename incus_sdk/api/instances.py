"""Containers and virtual machines: `/1.0/instances`."""

from __future__ import annotations

import builtins
from collections.abc import Mapping, Sequence
from typing import Any, Literal, Self, Unpack, cast, overload

from .._filters import Filter
from .._listing import Listing
from .._paths import name_and_project
from ..exceptions import IncusArgumentError
from ..models import AccessEntry, InstanceCreateFields, InstanceData, InstanceSource, InstanceState
from ..operations import OperationResponse
from ..types import Config, Devices
from ._bound import BoundBackgroundDelete, BoundBackgroundRename
from ._collection import BackgroundDeletable, BackgroundRenamable, Gettable, Listable, check_name, check_wait
from ._instance_console import BoundConsole, ConsoleVerbs
from ._instance_debug import BoundDebug, DebugVerbs
from ._instance_exec import BoundExec, ExecVerbs
from ._instance_files import BoundFiles, FileVerbs
from ._instance_import import ImportVerbs
from ._instance_launch import LaunchVerbs
from ._instance_moves import BoundMoves, MoveVerbs
from ._instance_parts import BoundParts, PartVerbs
from ._instance_power import BoundPower, PowerVerbs
from ._instance_run import BoundRun, RunVerbs
from ._instance_shell import BoundShell, ShellVerbs
from ._instance_streams import BoundStreams, StreamVerbs
from ._instance_update import BoundUpdate, UpdateVerbs

__all__ = ["Instance", "InstancesAPI"]

Source = InstanceSource | Mapping[str, Any]


class Instance(
    InstanceData,
    BoundPower,
    BoundExec,
    BoundRun,
    BoundShell,
    BoundFiles,
    BoundUpdate,
    BoundParts,
    BoundConsole,
    BoundStreams,
    BoundMoves,
    BoundDebug,
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

    async def get_state(self) -> dict[str, Any]:
        """Return its state as the server sends it; see `InstancesAPI.get_state`."""
        return await self._instances.get_state(self.name)

    async def access(self) -> builtins.list[AccessEntry]:
        """Return who may do something with it; see `InstancesAPI.access`."""
        return await self._instances.access(self.name)


class InstancesAPI(
    PowerVerbs[Instance],
    ExecVerbs[Instance],
    RunVerbs[Instance],
    ShellVerbs[Instance],
    FileVerbs[Instance],
    LaunchVerbs[Instance],
    ImportVerbs[Instance],
    UpdateVerbs[Instance],
    PartVerbs[Instance],
    ConsoleVerbs[Instance],
    StreamVerbs[Instance],
    MoveVerbs[Instance],
    DebugVerbs[Instance],
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
        self, recursion: int = 1, *, filter: Filter | None = None, all_projects: bool = False
    ) -> builtins.list[Instance]:
        """Return the instances of the client's project.

        Args:
            recursion: How much to read: 0 only names and projects, 1 their definitions, 2 also state, snapshots and
                backups, which takes the server several milliseconds for each.
            filter: Fields and the values that they must have, as in `{"status": "Running"}`: all must hold, and a list
                means any of these. Or a text in the server's own notation, as in `status eq running`.
            all_projects: Whether to return those of all projects.

        Raises:
            IncusNotFoundError: The client's project does not exist.
        """
        if type(recursion) is not int or recursion not in {0, 1, 2}:
            raise IncusArgumentError(f"recursion cannot be {recursion!r}: it is 0, 1 or 2")
        if recursion:
            return await self._items(recursion, filter, all_projects)
        pairs = [name_and_project(url) for url in await self._urls(filter, all_projects)]
        return Listing(self._bind(Instance(name=name, project=project)) for name, project in pairs)

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
        return await self._made(name)

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

    async def access(self, name: str) -> builtins.list[AccessEntry]:
        """Return who may do something with an instance, and as what (`GET /1.0/instances/{name}/access`).

        Servers do not look whether there is such an instance.

        Args:
            name: Name of the instance.
        """
        return await self._api.read_list(self._url(name, suffix="/access"), AccessEntry)
