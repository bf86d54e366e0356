"""Projects: `/1.0/projects`."""

from __future__ import annotations

import builtins
from typing import Any, Unpack, cast

from ..models import AccessEntry, ProjectBody, ProjectData, ProjectPut, ProjectState
from ._bodies import create_body
from ._bound import BoundBackgroundRename, BoundGet, BoundWritable
from ._collection import BackgroundRenamable, Filterable, Gettable, check_name
from ._writable import Writable
from .profiles import ProfilesAPI

__all__ = ["Project", "ProjectsAPI"]


class Project(ProjectData, BoundGet, BoundWritable[ProjectPut, ProjectBody], BoundBackgroundRename):
    """A part of the server with instances, images, profiles and more of its own, as it was when it was read.

    `client.use_project(name)` works in it.
    """

    async def delete(self, *, force: bool = False) -> None:
        """Delete the project on the server; see `ProjectsAPI.delete`."""
        await self._projects.delete(self.name, force=force)

    async def state(self) -> ProjectState:
        """Return what is used of its limits; see `ProjectsAPI.state`."""
        return await self._projects.state(self.name)

    async def access(self) -> builtins.list[AccessEntry]:
        """Return who may do something with it; see `ProjectsAPI.access`."""
        return await self._projects.access(self.name)

    @property
    def _projects(self) -> ProjectsAPI:
        return cast("ProjectsAPI", self._collection)


class ProjectsAPI(
    Filterable[Project],
    Gettable[Project],
    Writable[Project, ProjectPut, ProjectBody],
    BackgroundRenamable[Project],
):
    """Projects (`/1.0/projects`). The project that a client works in makes no difference here."""

    _path = "/1.0/projects"
    _model = Project
    _in_project = False
    _put = ProjectPut

    async def create(self, name: str, **fields: Unpack[ProjectPut]) -> Project:
        """Create a project (`POST /1.0/projects`).

        What it has of its own, and what it shares with the project `default`, is configuration: without any, it has
        images, profiles, storage volumes and buckets of its own, and shares networks. A profile `default` of its own
        is empty, so that instances need a root disk from elsewhere.

        Example:
            ```python
            shop = await client.projects.create("shop", config={"features.profiles": False, "limits.instances": 10})
            web = await client.use_project("shop").instances.launch("images:debian/13", "web")
            ```

        Args:
            name: Its name, without slashes and blanks.
            **fields: Its definition: `config`, `description`.

        Raises:
            IncusConflictError: There is one of that name already.
            IncusBadRequestError: The server does not take the name, or a value.
        """
        check_name(name)
        body = create_body("Project", ProjectPut.__annotations__, fields, name=name)
        await self._api.operation("POST", self._url(), body)
        return await self._made(name)

    async def delete(self, name: str, *, force: bool = False) -> None:
        """Delete a project (`DELETE /1.0/projects/{name}`).

        Args:
            name: Its name.
            force: Whether to delete all that is in it, too: instances, images, volumes and the rest. By default only
                an empty one is deleted; the profile `default` does not count. With a project that shares profiles
                (`features.profiles`), Incus 6.0 empties the profile `default` of the project `default`: it is written
                back.

        Raises:
            IncusNotFoundError: There is none of that name.
            IncusBadRequestError: There is something in it.
            IncusPermissionError: It is the project `default`.
            IncusAPIError: It shares profiles, and 6.0 finds instances that rely on the one that it would empty.
        """
        if not force:
            await self._api.operation("DELETE", self._url(name))
            return
        project = await self.get(name)
        if project.config.get("features.profiles") == "true":
            await self._api.operation("DELETE", self._url(name), params={"force": True})
        else:
            await self._delete_sharing(name)

    async def _delete_sharing(self, name: str) -> None:
        """Delete a project that shares profiles, and see to it that the shared one stays as it was."""
        profiles = ProfilesAPI(self._api.scoped(project="default"))
        before = await profiles.get("default")
        try:
            await self._api.operation("DELETE", self._url(name), params={"force": True})
        finally:
            async with profiles.edit("default") as draft:  # writes nothing if it is as it was
                draft.update({"config": before.config, "description": before.description, "devices": before.devices})

    async def state(self, name: str) -> ProjectState:
        """Return what is used of a project's limits (`GET /1.0/projects/{name}/state`).

        Raises:
            IncusNotFoundError: There is none of that name.
        """
        return await self._api.read(self._url(name, suffix="/state"), ProjectState)

    async def access(self, name: str) -> builtins.list[AccessEntry]:
        """Return who may do something with a project, and in which role (`GET /1.0/projects/{name}/access`).

        Raises:
            IncusNotFoundError: There is none of that name.
        """
        await self._api.read(self._url(name), dict[str, Any])  # of one that is not there, servers list the admins
        return await self._api.read_list(self._url(name, suffix="/access"), AccessEntry)
