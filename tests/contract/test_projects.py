"""Projects."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

import pytest

from incus_sdk import (
    Client,
    IncusArgumentError,
    IncusBadRequestError,
    IncusConflictError,
    IncusNotFoundError,
    IncusOperationConflictError,
    IncusOperationNotFoundError,
    IncusPermissionError,
    IncusPreconditionFailedError,
)
from incus_sdk.testing import PrivateIncus

from ..conftest import ROOTFS
from .support import Face, Server, call, entered

OWN = {"features.images": "true", "features.profiles": "true"}


@pytest.fixture
async def project(admin: Client, name: str) -> AsyncGenerator[str]:
    """A project with something in each of its fields; it is gone afterwards, whatever its name is then."""
    await admin.projects.create(name, description="kept", config={**OWN, "user.a": "1"})
    yield name
    for left in await admin.projects.names():
        if left.startswith(name):
            await admin.projects.delete(left, force=True)


async def test_create(client: Client, admin: Client, name: str) -> None:
    made = await call(client.projects.create(name, config={"features.profiles": False, "limits.instances": 3}))
    try:
        assert (made.name, made.config["features.profiles"], made.config["limits.instances"]) == (name, "false", "3")
        with pytest.raises(IncusConflictError):
            await call(client.projects.create(name))
    finally:
        await admin.projects.delete(name)


async def test_create_with_what_the_server_refuses(client: Client, name: str) -> None:
    create: Any = client.projects.create
    with pytest.raises(IncusArgumentError, match="did you mean 'description'"):
        await call(create(name, descripton="x"))
    with pytest.raises(IncusBadRequestError, match=r"limits\.instances"):
        await call(client.projects.create(name, config={"limits.instances": "many"}))
    with pytest.raises(IncusBadRequestError, match="name"):
        await call(client.projects.create(f"{name}/x"))
    assert not await call(client.projects.exists(name))


async def test_get_and_list(client: Client, project: str) -> None:
    found = await call(client.projects.get(project))
    assert (found.name, found.description) == (project, "kept")
    assert {project, "default"} <= set(await call(client.projects.names()))
    assert found in await call(client.projects.list())
    assert [one.name for one in await call(client.projects.list(filter={"name": project}))] == [project]
    assert await call(client.projects.exists(project))
    with pytest.raises(IncusNotFoundError):
        await call(client.projects.get(f"{project}-none"))


async def test_the_client_s_own_project_makes_no_difference(client: Client, project: str) -> None:
    elsewhere = client.use_project(f"{project}-none")
    assert project in await call(elsewhere.projects.names())
    assert not await call(elsewhere.projects.exists(f"{project}-none"))


async def test_update_keeps_the_rest(client: Client, project: str) -> None:
    """A PATCH alone would replace the whole configuration, on both servers."""
    found = await call(client.projects.get(project))
    await call(found.update({"config": {"user.b": 2}}))
    await call(client.projects.update(project, {"description": "new"}))
    changed = await call(found.refresh())
    assert changed.description == "new"
    assert changed.config.items() >= {**OWN, "user.a": "1", "user.b": "2"}.items()
    await call(found.update({"config": {"user.a": None}}))
    assert "user.a" not in (await call(found.refresh())).config
    with pytest.raises(IncusBadRequestError, match=r"no\.such"):
        await call(found.update({"config": {"no.such": "1"}}))


async def test_replace(client: Client, project: str) -> None:
    await call(client.projects.replace(project, {"description": "new", "config": OWN}))
    found = await call(client.projects.get(project))
    assert (found.description, "user.a" in found.config) == ("new", False)


async def test_two_edit_at_once(client: Client, admin: Client, project: str) -> None:
    with pytest.raises(IncusPreconditionFailedError):
        await _edit_while_another_does(client, admin, project)
    await call(client.projects.modify(project, lambda draft: draft["config"].update({"user.mine": "1"})))
    found = await call(client.projects.get(project))
    assert (found.description, found.config["user.theirs"], found.config["user.mine"]) == ("kept", "1", "1")


async def _edit_while_another_does(client: Client, admin: Client, project: str) -> None:
    async with entered(client.projects.edit(project)) as draft:
        draft["description"] = "mine"
        await admin.projects.update(project, {"config": {"user.theirs": "1"}})


async def test_state_and_access(client: Client, project: str) -> None:
    found = await call(client.projects.get(project))
    await call(found.update({"config": {"limits.instances": 5}}))
    instances = (await call(found.state())).resources["instances"]
    assert (instances.usage, instances.limit) == (0, 5)
    await call(found.access())  # who is in it: test_cluster.py, where a client is trusted
    with pytest.raises(IncusNotFoundError):
        await call(client.projects.state(f"{project}-none"))
    with pytest.raises(IncusNotFoundError):
        await call(client.projects.access(f"{project}-none"))


async def test_rename(client: Client, project: str) -> None:
    await call(client.projects.rename(project, f"{project}-b", wait=True))
    assert not await call(client.projects.exists(project))
    found = await call(client.projects.get(f"{project}-b"))
    with pytest.raises(IncusOperationConflictError, match="already exists"):
        await call(found.rename("default", wait=True))
    with pytest.raises(IncusOperationNotFoundError):
        await call(client.projects.rename(project, f"{project}-c", wait=True))
    with pytest.raises(IncusPermissionError, match="cannot be renamed"):
        await call(client.projects.rename("default", f"{project}-c"))


async def test_delete(client: Client, project: str) -> None:
    await call(client.use_project(project).profiles.create("x"))
    found = await call(client.projects.get(project))
    with pytest.raises(IncusOperationConflictError, match="Only empty projects"):
        await call(found.rename(f"{project}-b", wait=True))
    with pytest.raises(IncusBadRequestError, match=r"Only empty projects.*force=True"):
        await call(found.delete())
    await call(found.delete(force=True))
    assert not await call(client.projects.exists(project))
    with pytest.raises(IncusNotFoundError):
        await call(client.projects.delete(project))
    with pytest.raises(IncusPermissionError):
        await call(client.projects.delete("default"))


async def test_what_a_project_shares_outlives_it(face: Face, server: Server) -> None:
    """6.0 empties the shared profile when such a project is deleted by force, if nothing relies on it."""
    if server.private is None:
        pytest.skip("it needs a server without instances, and may cost it its profile")
    with PrivateIncus(rootfs=ROOTFS if server.version == "7.0" else None) as daemon:
        async with entered(face.client(daemon.endpoint)) as client:
            before = await call(client.profiles.get("default"))
            assert before.devices
            made = await call(client.projects.create("sharing", config={"features.profiles": False}))
            await call(made.delete(force=True))
            assert await call(client.projects.names()) == ["default"]
            after = await call(client.profiles.get("default"))
            assert (after.devices, after.config) == (before.devices, before.config)
