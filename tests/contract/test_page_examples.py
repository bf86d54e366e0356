"""The examples of the documentation page, as they are printed there."""

from __future__ import annotations

from typing import Any, cast

import pytest

from incus_sdk import Client, IncusOperationBadRequestError, Instance

from .support import Server, call


async def test_usage(client: Client, name: str) -> None:
    before = {instance.name for instance in await call(client.instances.list())}

    await call(client.instances.create(name=name, source={"type": "image", "alias": "ubuntu/22.04"}, wait=True))
    assert name not in before
    instance = await call(client.instances.get(name))
    assert (instance.name, instance.status) == (name, "Stopped")

    await call(client.instances.start(name, wait=True))
    assert (await call(client.instances.get(name))).status == "Running"

    await call(client.instances.stop(name, wait=True))
    assert (await call(client.instances.get(name))).status == "Stopped"

    await call(client.instances.delete(name, wait=True))
    assert {instance.name for instance in await call(client.instances.list())}.isdisjoint({name})


async def test_create_a_container(client: Client, name: str) -> None:
    container = await call(
        client.instances.create(
            name=name,
            source={"type": "image", "alias": "ubuntu/22.04"},
            config={"limits.cpu": "2", "limits.memory": "2GB"},
            devices={"root": {"path": "/", "pool": "default", "type": "disk"}},
            profiles=["default"],
            wait=True,
        )
    )
    # On the sync face the object is of that face's class.
    assert type(container).__name__ == Instance.__name__
    assert (container.name, container.type, container.profiles) == (name, "container", ["default"])
    assert container.config.items() >= {"limits.cpu": "2", "limits.memory": "2GB"}.items()
    assert container.devices["root"] == {"path": "/", "pool": "default", "type": "disk"}


async def test_create_a_virtual_machine(client: Client, name: str) -> None:
    """The image is one of containers, and most machines that run tests have no KVM: either way the server refuses."""
    with pytest.raises(IncusOperationBadRequestError, match=r"virtual-machine|image type|Requested image"):
        await call(
            client.instances.create(
                name=name,
                source={"type": "image", "alias": "ubuntu/22.04"},
                instance_type="virtual-machine",
                wait=True,
            )
        )


async def test_execute(client: Client, server: Server) -> None:
    result = await call(
        client.instances.execute(name=server.box, command=["echo", "Hello, World!"], record_output=True, wait=True)
    )
    assert result["metadata"]["output"]["stdout"] == "Hello, World!\n"


async def test_the_rest_of_the_page(client: Client, name: str) -> None:
    """Each method that has no example of its own, with the arguments that are printed."""
    instances = client.instances
    await call(instances.create(name=name, source={"type": "image", "alias": "ubuntu/22.04"}, wait=True))
    answers: list[dict[str, Any]] = [
        await call(instances.start(name=name, stateful=False, wait=True)),
        await call(instances.update(name=name, config={"user.x": "1"}, wait=True)),
        await call(instances.freeze(name=name, wait=True)),
        await call(instances.unfreeze(name=name, wait=True)),
        await call(instances.put_files(name=name, path="/tmp/x", content=b"x")),
        await call(instances.restart(name=name, force=True, timeout=30, wait=True)),
    ]
    state, logs = await call(instances.get_state(name=name)), await call(instances.get_logs(name=name))
    assert (type(state), state["status"]) == (dict, "Running")
    assert (type(logs), "lxc.log" in logs) == (dict, True)
    assert cast("object", await call(instances.get_files(name=name, path="/etc/hostname"))) == f"{name}\n".encode()
    answers.append(await call(instances.stop(name=name, force=True, stateful=False, timeout=30, wait=True)))
    answers.append(await call(instances.delete(name=name, wait=True)))
    assert [answer["status_code"] for answer in answers] == [200] * len(answers)
