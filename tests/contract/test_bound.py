"""Objects that know the collection that they came from."""

from __future__ import annotations

import copy
import inspect
import json
import pickle
from contextlib import AbstractAsyncContextManager

import pytest

from incus_sdk import Client, IncusArgumentError, IncusNotFoundError, Instance

from .support import NOTHING, Face, call, entered


async def test_a_life(client: Client, name: str) -> None:
    """Every verb of an instance, on the instance itself."""
    web = await call(client.instances.launch("busybox", name, start=False))
    await call(web.start(wait=True))
    assert (await call(web.execute(["echo", "x"], record_output=True, wait=True))).stdout == "x\n"
    await call(web.put_files("/tmp/x", "y", mode=0o600))
    assert await call(web.get_files("/tmp/x")) == b"y"
    assert "lxc.log" in await call(web.get_logs())
    assert (await call(web.get_state()))["status"] == "Running"
    await call(web.freeze(wait=True))
    await call(web.unfreeze(wait=True))
    await call(web.restart(force=True, wait=True))
    await call(web.update({"user.x": 1}))
    await call(web.modify(lambda draft: draft["config"].update({"user.y": 2})))
    async with entered(web.edit()) as draft:
        draft["config"]["user.z"] = 3
    config = (await call(client.instances.get(name))).config
    assert {key: value for key, value in config.items() if key.startswith("user.")} == {
        "user.x": "1",
        "user.y": "2",
        "user.z": "3",
    }
    await call(web.stop(force=True, wait=True))
    volatile = {key: value for key, value in (await call(client.instances.get(name))).config.items() if "." in key}
    await call(web.replace({"config": volatile, "profiles": ["default"]}, wait=True))
    await call(web.rename(f"{name}-b", wait=True))
    renamed = await call(client.instances.get(f"{name}-b"))
    await call(renamed.delete(wait=True))
    assert not await call(client.instances.exists(renamed.name))


def test_verbs_have_the_signatures_of_their_group(face: Face) -> None:
    """Less the name, that is."""
    kinds = face.kind("InstancesAPI"), face.kind("Instance")
    verbs = {verb for base in kinds[0].__mro__[:-1] for verb in vars(base) if not verb.startswith("_")}
    shared = [verb for verb in verbs if inspect.isfunction(getattr(kinds[1], verb, None))]  # some are names of data
    assert {"start", "stop", "execute", "update", "edit", "delete", "rename", "put_files"} <= set(shared)
    for verb in shared:
        group, bound = (inspect.signature(getattr(kind, verb)) for kind in kinds)
        of_group = [(p.name, p.kind, p.default) for p in group.parameters.values() if p.name not in {"self", "name"}]
        assert [(p.name, p.kind, p.default) for p in bound.parameters.values() if p.name != "self"] == of_group, verb
        assert bound.return_annotation == group.return_annotation, verb


async def test_verbs_leave_the_data_alone(client: Client, empty: Instance) -> None:
    web = await call(client.instances.get(empty.name))
    before = copy.deepcopy(web.to_dict())
    await call(web.update({"user.x": 1, "description": "new"}))
    await call(web.modify(lambda draft: draft.update({"description": "newer"})))
    assert web.to_dict() == before
    assert await call(web.refresh()) is web
    assert (web.description, web.config["user.x"]) == ("newer", "1")


async def test_refresh(client: Client, empty: Instance) -> None:
    web = await call(client.instances.get(empty.name))
    assert (web.state, web.snapshots) == (None, None)
    full = await call(web.refresh(full=True))
    assert full is web
    assert full.state is not None
    assert full.state.status == "Stopped"
    assert (await call(web.refresh())).state is None
    await call(web.delete(wait=True))
    with pytest.raises(IncusNotFoundError):
        await call(web.refresh())
    assert web.name == empty.name


async def test_an_object_acts_in_its_own_project(client: Client, admin: Client, name: str, project: str) -> None:
    await admin.use_project(project).instances.create(name, NOTHING, wait=True)
    listed = await call(client.instances.list(all_projects=True))
    (there,) = [item for item in listed if item.name == name]
    assert (there.project, repr(there)) == (project, f"<Instance {name} Stopped project={project}>")
    await call(there.update({"user.x": "1"}))
    await call(there.refresh(full=True))
    assert there.config["user.x"] == "1"
    await call(there.rename(f"{name}-b", wait=True))
    assert await call(client.use_project(project).instances.names()) == [f"{name}-b"]


async def test_an_object_outlives_a_view(client: Client, project: str, name: str) -> None:
    async with entered(client.use_project(project)) as view:
        web = await call(view.instances.create(name, NOTHING, wait=True))
    await call(web.update({"user.x": "1"}))
    await call(web.delete(wait=True))


async def test_copies_are_unbound(client: Client, empty: Instance) -> None:
    web = await call(client.instances.get(empty.name))
    copies = [copy.copy(web), copy.deepcopy(web), pickle.loads(pickle.dumps(web)), type(web).from_dict(web.to_dict())]
    for other in copies:
        assert type(other) is type(web)
        assert other == web
        assert other.config == web.config
        for verb in (other.refresh, other.stop, other.get_state, other.delete):
            with pytest.raises(IncusArgumentError, match="copy that belongs to no client"):
                await call(verb())
        with pytest.raises(IncusArgumentError, match="copy that belongs to no client"):
            await _enter(other.edit())
    assert await call(client.instances.exists(web.name))


async def _enter(manager: AbstractAsyncContextManager[object]) -> None:
    async with entered(manager):
        pytest.fail("there is nothing to enter")


async def test_equality_is_that_of_the_data(client: Client, empty: Instance) -> None:
    web, again = await call(client.instances.get(empty.name)), await call(client.instances.get(empty.name))
    assert web == again
    again.description = "another"
    assert web != again


async def test_as_a_dictionary(client: Client, admin: Client, empty: Instance) -> None:
    sent = (await admin.api.get(f"/1.0/instances/{empty.name}"))["metadata"]
    data = json.loads(json.dumps((await call(client.instances.get(empty.name))).to_dict()))
    assert {key: data[key] for key in ("name", "type", "config", "devices", "profiles", "architecture")} == {
        key: sent[key] for key in ("name", "type", "config", "devices", "profiles", "architecture")
    }
    assert not [key for key in data if key.startswith("_")]


async def test_repr(client: Client, name: str) -> None:
    secret = {"cloud-init.user-data": "password: hunter2", "environment.TOKEN": "hunter2"}
    web = await call(client.instances.create(name, NOTHING, secret, wait=True))
    assert repr(web) == str(web) == f"<Instance {name} Stopped>"
    assert repr(client.instances) == "<InstancesAPI /1.0/instances>"
