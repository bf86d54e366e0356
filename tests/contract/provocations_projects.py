"""How to make a server say what projects do not allow: their limits, and what they restrict."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Protocol

from incus_sdk import Client

from .support import NOTHING, call

__all__ = ["PROJECTS"]

ROOT = {"root": {"type": "disk", "path": "/", "pool": "default"}}


class Scene(Protocol):
    """What is used of the scene of a provocation."""

    @property
    def client(self) -> Client:
        """The client of the face."""
        ...

    @property
    def name(self) -> str:
        """A name for instances."""
        ...

    async def empty(self) -> str:
        """Make an instance with nothing in it."""
        ...


@asynccontextmanager
async def project(scene: Scene, **config: str) -> AsyncGenerator[Client]:
    """Have a project for a while; the keys of its configuration have underscores here for the dots."""
    keys = {key.replace("_", "."): value for key, value in config.items()}
    await call(scene.client.projects.create(scene.name, config=keys))
    try:
        yield scene.client.use_project(scene.name)
    finally:
        await call(scene.client.projects.delete(scene.name, force=True))


async def create(client: Client, devices: Any = None, **config: Any) -> None:
    """Create an instance in a project."""
    keys = {key.replace("_", "."): value for key, value in config.items()}
    await call(client.instances.create("web", NOTHING, config=keys, devices={**ROOT, **(devices or {})}, wait=True))


# -- limits -----------------------------------------------------------------------------------------------------------


async def one_instance_too_many(scene: Scene) -> None:
    async with project(scene, limits_instances="0") as client:
        await create(client)


async def one_container_too_many(scene: Scene) -> None:
    async with project(scene, limits_containers="0") as client:
        await create(client)


async def too_much_memory(scene: Scene) -> None:
    async with project(scene, limits_memory="1MiB") as client:
        await create(client, limits_memory="2MiB")


async def too_much_memory_later(scene: Scene) -> None:
    async with project(scene, limits_memory="2MiB") as client:
        await create(client, limits_memory="2MiB")
        await call(client.instances.update("web", {"limits.memory": "3MiB"}))


async def too_large_a_volume(scene: Scene) -> None:
    async with project(scene, limits_disk="1MiB") as client:
        await call(client.storage_pools.volumes("default").create("data", config={"size": "2MiB"}))


async def move_to_a_full_project(scene: Scene) -> None:
    await scene.empty()
    async with project(scene, limits_instances="0"):
        await call(scene.client.instances.move(scene.name, project=scene.name, wait=True))


async def an_instance_without_a_limit(scene: Scene) -> None:
    async with project(scene, limits_memory="1GiB") as client:
        await create(client)


async def a_volume_without_a_limit(scene: Scene) -> None:
    async with project(scene, limits_disk="1GiB") as client:
        await call(client.storage_pools.volumes("default").create("data"))


async def a_part_of_the_memory(scene: Scene) -> None:
    async with project(scene, limits_memory="1GiB") as client:
        await create(client, limits_memory="10%")


async def a_limit_below_what_is_used(scene: Scene) -> None:
    async with project(scene) as client:
        await create(client)
        await call(scene.client.projects.update(scene.name, {"config": {"limits.instances": "0"}}))


# -- restrictions -----------------------------------------------------------------------------------------------------


async def a_restriction_of_what_is_used(scene: Scene) -> None:
    async with project(scene) as client:
        await create(client, security_privileged=True)
        changes = {"restricted": "true", "restricted.devices.disk": "allow"}
        await call(scene.client.projects.update(scene.name, {"config": changes}))


async def privileged(scene: Scene) -> None:
    async with project(scene, restricted="true") as client:
        await create(client, security_privileged=True)


async def a_profile_of_privileged_ones(scene: Scene) -> None:
    async with project(scene, restricted="true", restricted_devices_disk="allow") as client:
        await create(client)
        await call(client.profiles.update("default", {"config": {"security.privileged": "true"}}))


async def somebody_elses_network(scene: Scene) -> None:
    async with project(
        scene, restricted="true", restricted_networks_access="none", features_networks="false"
    ) as client:
        bridge = next(each for each in await call(scene.client.networks.list()) if each.managed)
        await create(client, {"eth0": {"type": "nic", "network": bridge.name}})


async def snapshot(scene: Scene) -> None:
    async with project(scene, restricted="true") as client:
        await create(client)
        await call(client.instances.snapshots("web").create("one"))


async def backup(scene: Scene) -> None:
    async with project(scene, restricted="true") as client:
        await create(client)
        await call(client.instances.backups("web").create("one"))


async def another_image_server(scene: Scene) -> None:
    source = {"type": "image", "mode": "pull", "protocol": "simplestreams", "server": "https://127.0.0.1:1"}
    async with project(scene, restricted="true", restricted_images_servers="images.example") as client:
        await call(client.instances.create("web", {**source, "alias": "x"}, devices=ROOT, wait=True))


PROJECTS: dict[tuple[str, str], list[Callable[[Any], Awaitable[object]]]] = {
    ("", r"(^|: )Reached maximum (number of instances|aggregate value)"): [
        one_instance_too_many,
        one_container_too_many,
        too_much_memory,
        too_much_memory_later,
        too_large_a_volume,
        move_to_a_full_project,
    ],
    ("", r'has no "(size|limits\.\w+)" config'): [an_instance_without_a_limit, a_volume_without_a_limit],
    ("", r'(^|: )Failed parsing "limits\.'): [a_part_of_the_memory],
    ("/1.0/projects", r"(^Conflict detected when changing|is too low: )"): [
        a_limit_below_what_is_used,
        a_restriction_of_what_is_used,
    ],
    ("", r"( forbidden|Network not allowed in project|doesn't allow for (snapshot|backup) creation)$"): [
        privileged,
        a_profile_of_privileged_ones,
        somebody_elses_network,
        snapshot,
        backup,
    ],
    ("", r"^Image server .* isn't allowed in this project$"): [another_image_server],
}
