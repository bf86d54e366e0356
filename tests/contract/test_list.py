"""list, names, get, exists."""

from __future__ import annotations

from typing import Any, cast

import pytest

from incus_sdk import Client, IncusArgumentError, IncusNotFoundError, IncusOperationNotFoundError, Instance

from .support import NOTHING, Server, call


async def _own(client: Client, name: str, **arguments: Any) -> list[Instance]:
    return [item for item in await call(client.instances.list(**arguments)) if item.name.startswith(name)]


async def test_list(client: Client, name: str, empty: Instance) -> None:
    (found,) = await _own(client, name)
    assert (found.name, found.status, found.project, found.type) == (name, "Stopped", "default", "container")
    assert (found.state, found.snapshots, found.backups) == (None, None, None)
    assert found.created_at is not None
    assert found.config["volatile.uuid"] == empty.config["volatile.uuid"]


async def test_list_names_and_projects_only(client: Client, name: str, empty: Instance) -> None:
    (found,) = await _own(client, name, recursion=0)
    assert (found.name, found.project, found.status, found.config) == (empty.name, "default", "", {})
    assert (await call(found.get_state()))["status"] == "Stopped"


async def test_list_everything(client: Client, name: str, empty: Instance, server: Server) -> None:
    (found,) = await _own(client, name, recursion=2)
    assert found.name == empty.name
    assert found.state is not None
    assert found.state.status == "Stopped"
    assert not found.snapshots
    assert not found.backups
    box = next(item for item in await call(client.instances.list(2)) if item.name == server.box)
    assert box.state is not None
    assert box.state.pid > 0


@pytest.mark.parametrize("recursion", [-1, 3, True, "1", None, 1.5])
async def test_list_refuses_other_recursions(client: Client, recursion: object) -> None:
    with pytest.raises(IncusArgumentError, match=r"recursion cannot be .*it is 0, 1 or 2"):
        await call(client.instances.list(cast("int", recursion)))


async def test_list_filters(client: Client, name: str, empty: Instance) -> None:
    await call(client.instances.create(f"{name}-b", NOTHING, wait=True))
    found = await call(client.instances.list(filter=f"name eq {empty.name}"))
    assert [item.name for item in found] == [name]
    assert [item.name for item in await call(client.instances.list(0, filter=f"name eq {name}"))] == [name]
    config = {"user.number": [1, 2], "user.flag": [True, False]}  # texts, so there can be several
    await call(client.instances.update(name, {"user.number": 2, "user.flag": True}))
    conditions: list[dict[str, object]] = [
        {"name": name, "ephemeral": [False]},
        {"name": name, "ephemeral": [False, True]},
        {"name": [name], **{f"config.{key}": values for key, values in config.items()}},
    ]
    for condition in conditions:
        assert [item.name for item in await call(client.instances.list(filter=condition))] == [name]
    assert await call(client.instances.list(filter={"name": name, "ephemeral": (True,)})) == []
    with pytest.raises(IncusArgumentError, match="'status_code' has 2 numbers"):
        await call(client.instances.list(filter={"status_code": [102, 103]}))


async def test_list_of_all_projects_gives_objects_of_their_own_project(
    client: Client, admin: Client, name: str, project: str, empty: Instance
) -> None:
    await admin.use_project(project).instances.create(name, NOTHING, wait=True)
    for recursion in (0, 1, 2):
        found = {item.project: item for item in await _own(client, name, recursion=recursion, all_projects=True)}
        assert set(found) == {"default", project}
    assert found["default"] == await call(client.instances.get(empty.name, full=True))
    await call(found[project].update({"user.where": "there"}))
    await call(found[project].refresh())
    assert found[project].config["user.where"] == "there"
    assert "user.where" not in (await call(client.instances.get(name))).config


async def test_names(client: Client, name: str, empty: Instance) -> None:
    await call(client.instances.create(f"{name}-b", NOTHING, wait=True))
    names = await call(client.instances.names())
    assert [found for found in names if found.startswith(name)] == [empty.name, f"{name}-b"]


async def test_get(client: Client, name: str, empty: Instance) -> None:
    found = await call(client.instances.get(name))
    assert found.to_dict() == empty.to_dict()
    assert found.architecture
    assert found.profiles == ["default"]
    assert found.expanded_devices["root"]["type"] == "disk"


async def test_get_everything(client: Client, server: Server) -> None:
    found = await call(client.instances.get(server.box, full=True))
    assert found.state is not None
    assert found.state.network is not None
    assert "lo" in found.state.network


async def test_get_of_what_is_not_there(client: Client, name: str) -> None:
    with pytest.raises(IncusNotFoundError, match=f"GET /1.0/instances/{name}: .*not found") as caught:
        await call(client.instances.get(name))
    assert caught.value.status_code == 404
    assert not isinstance(caught.value, IncusOperationNotFoundError)
    assert caught.value.response is not None
    assert caught.value.response["error_code"] == 404


async def test_exists(client: Client, name: str, empty: Instance) -> None:
    assert await call(client.instances.exists(empty.name)) is True
    assert await call(client.instances.exists(f"{name}-b")) is False
