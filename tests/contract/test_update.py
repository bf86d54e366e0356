"""update and replace."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest

from incus_sdk import Client, IncusArgumentError, IncusBadRequestError, IncusNotFoundError, Instance

from .support import Face, call

ROOT = {"type": "disk", "path": "/", "pool": "default"}


@pytest.fixture
async def full(client: Client, name: str) -> Instance:
    """An instance that has something of everything."""
    return await call(
        client.instances.create(
            name,
            {"type": "none"},
            {"user.a": "1", "user.b": "2"},
            {"root": ROOT, "x": {"type": "disk", "source": "/tmp", "path": "/x", "readonly": "true"}},
            description="before",
            wait=True,
        )
    )


async def test_configuration_keys(client: Client, full: Instance) -> None:
    values = {"user.b": 3, "limits.cpu": 2, "security.nesting": True, "user.path": Path("/srv")}
    await call(client.instances.update(full.name, values))
    after = await call(client.instances.get(full.name))
    new = {"user.b": "3", "limits.cpu": "2", "security.nesting": "true", "user.path": "/srv"}
    assert after.config == {**full.config, **new}
    assert (after.description, after.devices, after.profiles) == ("before", full.devices, full.profiles)


async def test_none_unsets_a_key(client: Client, full: Instance) -> None:
    await call(client.instances.update(full.name, {"user.a": None, "user.never-there": None}))
    after = await call(client.instances.get(full.name))
    assert "user.a" not in after.config
    assert after.config["user.b"] == "2"


async def test_fields(client: Client, full: Instance) -> None:
    await call(client.instances.update(full.name, {"description": "after", "profiles": [], "ephemeral": True}))
    after = await call(client.instances.get(full.name))
    assert (after.description, after.profiles, after.ephemeral) == ("after", [], True)
    assert (after.config["user.a"], after.config["user.b"], after.devices) == ("1", "2", full.devices)


async def test_fields_and_keys_mixed(client: Client, full: Instance) -> None:
    changes = {"description": "mixed", "user.a": "dotted", "config": {"user.b": None, "user.c": 5}}
    before = repr(changes)
    await call(client.instances.update(full.name, changes))
    after = await call(client.instances.get(full.name))
    assert after.description == "mixed"
    assert {k: v for k, v in after.config.items() if k.startswith("user.")} == {"user.a": "dotted", "user.c": "5"}
    assert repr(changes) == before


async def test_a_device_is_replaced_as_a_whole(client: Client, full: Instance) -> None:
    await call(client.instances.update(full.name, {"devices": {"x": {"type": "disk", "source": "/tmp", "path": "/y"}}}))
    after = await call(client.instances.get(full.name))
    assert after.devices == {"root": ROOT, "x": {"type": "disk", "source": "/tmp", "path": "/y"}}


@pytest.mark.parametrize("nothing", [None, {}])
async def test_a_device_is_not_removed(client: Client, full: Instance, nothing: object) -> None:
    changes = cast("dict[str, Any]", {"devices": {"x": nothing}})
    with pytest.raises((IncusArgumentError, TypeError), match=r"cannot remove device 'x'; edit\(\) can"):
        await call(client.instances.update(full.name, changes))
    assert (await call(client.instances.get(full.name))).devices == full.devices


@pytest.mark.parametrize(
    ("key", "nearest"),
    [("descripton", "did you mean 'description'"), ("profile", "did you mean 'profiles'"), ("memory", "there are")],
)
async def test_an_unknown_field(client: Client, full: Instance, key: str, nearest: str) -> None:
    with pytest.raises(IncusArgumentError, match=f"no field '{key}'.*{nearest}.*configuration key has a dot"):
        await call(client.instances.update(full.name, {"user.a": "changed", key: "x"}))
    assert (await call(client.instances.get(full.name))).config == full.config


async def test_many_at_once(client: Client, face: Face, full: Instance) -> None:
    """Each overtakes the others: none is lost, and none fails for that."""
    instances = client.instances
    updates = [face.start(partial(instances.update, full.name, {f"user.many{number}": "1"})) for number in range(8)]
    await asyncio.gather(*updates)
    after = await call(instances.get(full.name))
    assert after.config == {**full.config, **{f"user.many{number}": "1" for number in range(8)}}
    assert after.description == full.description


async def test_the_answer_is_finished(client: Client, full: Instance) -> None:
    for wait in (False, True):
        answer = await call(client.instances.update(full.name, {"user.a": "1"}, wait))
        assert (answer.id, answer.done, answer.status, answer["type"]) == ("", True, "Success", "sync")
        assert await call(answer.wait()) is answer
        with pytest.raises(IncusArgumentError, match="nothing to cancel"):
            await call(answer.cancel())


async def test_refusals(client: Client, name: str, full: Instance) -> None:
    with pytest.raises(IncusBadRequestError, match=r"Unknown configuration key: no\.such"):
        await call(client.instances.update(full.name, {"no.such": "1"}))
    with pytest.raises(IncusBadRequestError, match="Invalid config"):
        await call(client.instances.update(full.name, {"limits.memory": "lots"}))
    with pytest.raises(IncusNotFoundError, match="Profile not found"):
        await call(client.instances.update(full.name, {"profiles": ["no-such"]}))
    with pytest.raises(IncusNotFoundError, match="Instance not found"):
        await call(client.instances.update(f"{name}-b", {"user.a": "1"}))
    with pytest.raises(TypeError, match="wait must be True or False"):
        await call(client.instances.update(full.name, {"user.a": "x"}, cast("bool", 30)))
    for wrong in (None, "description", [("user.a", "1")]):
        with pytest.raises(TypeError, match="an update must be a mapping"):
            await call(client.instances.update(full.name, cast("dict[str, str]", wrong)))
    assert (await call(client.instances.get(full.name))).to_dict() == full.to_dict()


async def test_replace(client: Client, full: Instance) -> None:
    volatile = {key: value for key, value in full.config.items() if key.startswith("volatile.")}
    body: Any = {"config": {**volatile, "user.c": 3}, "devices": {"root": ROOT}, "profiles": ["default"]}
    answer = await call(client.instances.replace(full.name, body, wait=True))
    assert (answer.status, bool(answer.id)) == ("Success", True)
    after = await call(client.instances.get(full.name))
    assert after.config == {**volatile, "user.c": "3"}
    assert (after.devices, after.description) == ({"root": ROOT}, "")


async def test_replace_without_what_the_server_needs(client: Client, full: Instance) -> None:
    with pytest.raises(IncusBadRequestError, match=r"Volatile idmap keys can't be deleted.*update\(\)"):
        await call(client.instances.replace(full.name, {"config": {}}, wait=True))
    answer = await call(client.instances.replace(full.name, {"config": {}}))
    with pytest.raises(IncusBadRequestError, match="Volatile idmap keys"):
        await call(answer.wait())
    assert (await call(client.instances.get(full.name))).config == full.config
