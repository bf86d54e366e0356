"""create: what is sent, what comes back, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from incus_sdk import (
    Client,
    IncusArgumentError,
    IncusConflictError,
    IncusError,
    IncusNotFoundError,
    IncusOperationNotFoundError,
    Instance,
    OperationResponse,
)

from .support import NOTHING, Face, Server, call, listening


async def test_without_wait(client: Client, name: str) -> None:
    answer = await call(client.instances.create(name, NOTHING))
    assert type(answer).__name__ == OperationResponse.__name__
    assert (answer["type"], answer["status_code"], answer.status) == ("async", 100, "Running")
    assert answer.resources == {"instances": [f"/1.0/instances/{name}"]}
    await call(answer.wait())
    assert await call(client.instances.exists(name))


async def test_with_wait(client: Client, name: str) -> None:
    created = await call(client.instances.create(name, NOTHING, wait=True))
    assert type(created).__name__ == Instance.__name__
    assert (created.name, created.status, created.ephemeral) == (name, "Stopped", False)


async def test_wait_in_its_printed_position(client: Client, name: str) -> None:
    created = await call(client.instances.create(name, NOTHING, {}, {}, ["default"], False, "container", True))
    assert cast("Instance", created).name == name


@pytest.mark.parametrize("wait", [1, 0, None, "yes", 30])
async def test_wait_must_be_a_bool(client: Client, name: str, wait: object) -> None:
    with pytest.raises(TypeError, match="wait must be True or False"):
        await call(client.instances.create(name, NOTHING, wait=cast("bool", wait)))
    assert not await call(client.instances.exists(name))


async def test_values_become_texts(client: Client, name: str) -> None:
    config: dict[str, Any] = {
        "security.nesting": True,
        "boot.autostart": False,
        "limits.cpu": 2,
        "user.number": 1.5,
        "user.path": Path("/srv/data"),
        "user.text": "as it is",
        "user.bytes": "café".encode(),
        "user.nothing": None,
    }
    before = dict(config)
    created = await call(client.instances.create(name, NOTHING, config, wait=True))
    assert config == before
    assert {key: value for key, value in created.config.items() if not key.startswith("volatile.")} == {
        "security.nesting": "true",
        "boot.autostart": "false",
        "limits.cpu": "2",
        "user.number": "1.5",
        "user.path": "/srv/data",
        "user.text": "as it is",
        "user.bytes": "café",
    }


@pytest.mark.parametrize("value", [["a", "b"], {"a": 1}, bytearray(b"x"), object()])
async def test_other_values_are_refused(client: Client, name: str, value: object) -> None:
    with pytest.raises(IncusArgumentError, match=r"'user\.x' cannot be .* a configuration value is a text"):
        await call(client.instances.create(name, NOTHING, cast("dict[str, str]", {"user.x": value})))
    devices = cast("dict[str, dict[str, str]]", {"d": {"type": "disk", "path": value}})
    with pytest.raises(IncusArgumentError, match="cannot be"):
        await call(client.instances.create(name, NOTHING, devices=devices))
    assert not await call(client.instances.exists(name))


async def test_devices(client: Client, name: str) -> None:
    devices: dict[str, dict[str, Any]] = {
        "root": {"type": "disk", "path": Path("/"), "pool": "default"},
        "data": {"type": "disk", "source": "/tmp", "path": "/data", "readonly": True, "boot.priority": 3},
    }
    created = await call(client.instances.create(name, NOTHING, devices=devices, wait=True))
    assert created.devices == {
        "root": {"type": "disk", "path": "/", "pool": "default"},
        "data": {"type": "disk", "source": "/tmp", "path": "/data", "readonly": "true", "boot.priority": "3"},
    }


async def test_profiles(client: Client, name: str) -> None:
    root = {"root": {"type": "disk", "path": "/", "pool": "default"}}
    create = client.instances.create
    assert (await call(create(name, NOTHING, wait=True))).profiles == ["default"]
    assert (await call(create(f"{name}-b", NOTHING, devices=root, profiles=[], wait=True))).profiles == []
    assert (await call(create(f"{name}-c", NOTHING, profiles=("default",), wait=True))).profiles == ["default"]
    with pytest.raises(TypeError, match=r"profiles must be a list, as in \['default'\]"):
        await call(create(f"{name}-d", NOTHING, profiles="default"))
    with pytest.raises(IncusNotFoundError, match=r'Requested profile "no-such" doesn\'t exist'):
        await call(create(f"{name}-e", NOTHING, profiles=["no-such"]))


async def test_ephemeral(client: Client, name: str) -> None:
    source = {"type": "image", "alias": "busybox"}
    created = await call(client.instances.create(name, source, ephemeral=True, wait=True, start=True))
    assert (created.ephemeral, created.status) == (True, "Running")
    await call(created.stop(force=True, wait=True))
    assert not await call(client.instances.exists(name))


async def test_further_fields(client: Client, name: str) -> None:
    created = await call(client.instances.create(name, NOTHING, wait=True, description="a field of its own"))
    assert created.description == "a field of its own"


async def test_flavor_is_the_size(face: Face) -> None:
    """The wire's names are crossed: `type` is the parameter `instance_type`, and `instance_type` is the size."""
    async with listening() as listener:
        client = face.client(listener.endpoint)
        make = client.instances.create
        with pytest.raises(IncusError, match="noted"):
            await face.start(lambda: make("x", NOTHING, instance_type="virtual-machine", flavor="t3.micro"))
        body = listener.requests[-1].json()
        await face.start(client.disconnect)
    assert (body["type"], body["instance_type"]) == ("virtual-machine", "t3.micro")


async def _create_and_wait(client: Client, name: str) -> None:
    """Do it in two steps: one server refuses in the first, another in the second."""
    answer = await call(client.instances.create(name, NOTHING, {"user.new": "1"}))
    await call(answer.wait())


async def test_a_name_that_is_taken(client: Client, name: str, empty: Instance) -> None:
    """Never the one that was there before, as if it had been created."""
    with pytest.raises(IncusConflictError, match="exists"):
        await call(client.instances.create(name, NOTHING, {"user.new": "1"}, wait=True))
    with pytest.raises(IncusConflictError, match="exists"):
        await _create_and_wait(client, name)
    assert (await call(client.instances.get(name))).to_dict() == empty.to_dict()


@pytest.mark.parametrize("key", ["alias", "fingerprint"])
async def test_an_image_that_is_not_there(client: Client, name: str, key: str) -> None:
    with pytest.raises(IncusOperationNotFoundError, match=r"Image not provided|not found|No such"):
        await call(client.instances.create(name, {"type": "image", key: "0123456789abcdef"}, wait=True))
    assert not await call(client.instances.exists(name))


async def test_a_source_that_is_none(client: Client, name: str) -> None:
    for source in ("images:debian/13", ["image"], None):
        with pytest.raises(TypeError, match="source must be a mapping such as"):
            await call(client.instances.create(name, cast("dict[str, str]", source)))
    with pytest.raises(IncusError, match="Unknown source type bogus"):
        await call(client.instances.create(name, {"type": "bogus"}))


async def test_the_callers_dictionaries_are_left_alone(client: Client, name: str) -> None:
    source, config = {"type": "none"}, {"limits.cpu": 1}
    devices: dict[str, dict[str, Any]] = {"root": {"type": "disk", "path": "/", "pool": "default"}}
    await call(client.instances.create(name, source, config, devices, ["default"], wait=True))
    assert source == {"type": "none"}
    assert config == {"limits.cpu": 1}
    assert devices == {"root": {"type": "disk", "path": "/", "pool": "default"}}


async def test_a_start_that_fails_leaves_the_instance(client: Client, server: Server, name: str) -> None:
    assert server.box
    source = {"type": "image", "alias": "busybox"}
    with pytest.raises(IncusError, match="config"):
        await call(client.instances.create(name, source, {"raw.lxc": "lxc.bogus = 1"}, start=True, wait=True))
    assert (await call(client.instances.get(name))).status == "Stopped"
