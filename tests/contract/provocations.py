"""How to make a server say each text of the table of failures: one way or more for each row."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from incus_sdk import Client

from .support import MIB, NOTHING, Server, call

IMAGE = {"type": "image", "alias": "busybox"}
NO_SERVER = {"type": "image", "mode": "pull", "protocol": "simplestreams", "server": "https://127.0.0.1:1"}


@dataclass(frozen=True, slots=True)
class Scene:
    """Where a provocation takes place: the client of the face, and a name for instances."""

    client: Client
    name: str
    server: Server

    async def empty(self) -> str:
        """Make an instance with nothing in it."""
        await call(self.client.instances.create(self.name, NOTHING, wait=True))
        return self.name

    @asynccontextmanager
    async def frozen(self) -> AsyncGenerator[str]:
        """Freeze the shared instance for a while."""
        await call(self.client.instances.freeze(self.server.box, wait=True))
        try:
            yield self.server.box
        finally:
            await call(self.client.instances.unfreeze(self.server.box, wait=True))

    async def create(self, source: Any = None, **fields: Any) -> None:
        """Create an instance, and wait for it."""
        untyped: Any = self.client.instances.create
        await call(untyped(self.name, source or NOTHING, wait=True, **fields))


Provocation = Callable[[Scene], Awaitable[object]]


async def duplicate(scene: Scene) -> None:
    await scene.empty()
    await scene.create()


async def unknown_alias(scene: Scene) -> None:
    await scene.create({"type": "image", "alias": "no-such-image"})


async def unknown_profile(scene: Scene) -> None:
    await scene.create(profiles=["no-such-profile"])


async def unreachable_image_server(scene: Scene) -> None:
    await scene.create({**NO_SERVER, "alias": "debian/13"})


async def unknown_pool(scene: Scene) -> None:
    await scene.create(devices={"root": {"type": "disk", "path": "/", "pool": "no-such-pool"}})


async def unknown_key(scene: Scene) -> None:
    await scene.create(config={"no.such": "1"})


async def invalid_value(scene: Scene) -> None:
    await scene.create(config={"limits.memory": "lots"})


async def invalid_device(scene: Scene) -> None:
    await scene.create(devices={"x": {"type": "bogus"}})


async def virtual_machine(scene: Scene) -> None:
    await scene.create(instance_type="virtual-machine")


async def virtual_machine_of_a_container_image(scene: Scene) -> None:
    await scene.create(IMAGE, instance_type="virtual-machine")


async def patch_config(scene: Scene) -> None:
    await call(scene.client.instances.update(await scene.empty(), {"no.such": "1"}))


async def patch_devices(scene: Scene) -> None:
    await call(scene.client.instances.update(await scene.empty(), {"devices": {"x": {"type": "bogus"}}}))


async def put_config(scene: Scene) -> None:
    def change(draft: Any) -> None:
        draft["config"]["no.such"] = "1"

    await call(scene.client.instances.modify(await scene.empty(), change))


async def put_devices(scene: Scene) -> None:
    def change(draft: Any) -> None:
        draft["devices"]["x"] = {"type": "bogus"}

    await call(scene.client.instances.modify(await scene.empty(), change))


async def put_without_volatile(scene: Scene) -> None:
    await call(scene.client.instances.replace(await scene.empty(), {"config": {}}, wait=True))


async def unknown_command(scene: Scene) -> None:
    await call(scene.client.instances.execute(scene.server.box, ["no-such-command"], wait=True))


async def no_program(scene: Scene) -> None:
    await call(scene.client.instances.execute(scene.server.box, ["/etc/passwd"], wait=True))


async def start_running(scene: Scene) -> None:
    await call(scene.client.instances.start(scene.server.box, wait=True))


async def restart_frozen(scene: Scene) -> None:
    async with scene.frozen() as name:
        await call(scene.client.instances.restart(name, timeout=1, wait=True))


async def unfreeze_running(scene: Scene) -> None:
    await call(scene.client.instances.unfreeze(scene.server.box, wait=True))


async def stop_stopped(scene: Scene) -> None:
    await call(scene.client.instances.stop(await scene.empty(), wait=True))


async def restart_stopped(scene: Scene) -> None:
    await call(scene.client.instances.restart(await scene.empty(), wait=True))


async def freeze_frozen(scene: Scene) -> None:
    async with scene.frozen() as name:
        await call(scene.client.instances.freeze(name, wait=True))


async def freeze_stopped(scene: Scene) -> None:
    await call(scene.client.instances.freeze(await scene.empty(), wait=True))


async def unfreeze_stopped(scene: Scene) -> None:
    await call(scene.client.instances.unfreeze(await scene.empty(), wait=True))


async def stateful_stop(scene: Scene) -> None:
    await call(scene.client.instances.stop(scene.server.box, stateful=True, wait=True))


async def stateful_start(scene: Scene) -> None:
    await call(scene.client.instances.start(await scene.empty(), stateful=True, wait=True))


async def stop_in_too_short_a_time(scene: Scene) -> None:
    # Not the shared instance: it would stop when it is thawed.
    await call(scene.client.instances.launch("busybox", scene.name))
    await call(scene.client.instances.freeze(scene.name, wait=True))
    await call(scene.client.instances.stop(scene.name, timeout=1, wait=True))


async def delete_while_it_starts(scene: Scene) -> None:
    await scene.create(IMAGE)
    operation = await call(scene.client.instances.start(scene.name))
    try:
        await call(scene.client.instances.delete(scene.name, wait=True))
    finally:
        await call(operation.wait())


async def rename_running(scene: Scene) -> None:
    await call(scene.client.instances.rename(scene.server.box, scene.name, wait=True))


async def delete_running(scene: Scene) -> None:
    await call(scene.client.instances.delete(scene.server.box, wait=True))


async def execute_in_stopped(scene: Scene) -> None:
    await call(scene.client.instances.execute(await scene.empty(), ["true"]))


# What 6.0 takes, it refuses for another reason: in both cases there is one.


async def too_much_to_execute(scene: Scene) -> None:
    await call(scene.client.instances.execute(await scene.empty(), ["echo", "x" * 2 * MIB]))


async def too_much_to_change(scene: Scene) -> None:
    await call(scene.client.instances.update(await scene.empty(), {"no.such": "x" * 2 * MIB}))


async def execute_in_frozen(scene: Scene) -> None:
    async with scene.frozen() as name:
        await call(scene.client.instances.execute(name, ["true"]))


PROVOCATIONS: dict[tuple[str, str], list[Provocation]] = {
    ("Creating instance", r"UNIQUE constraint failed: instances\."): [duplicate],
    ("POST /1.0/instances", r'^Instance ".*" already exists'): [duplicate],
    ("Creating instance", r"^Image not provided for instance creation"): [unknown_alias],
    ("POST /1.0/instances", r'^Requested profile ".*" doesn\'t exist'): [unknown_profile],
    ("Creating instance", r"Failed getting remote image"): [unreachable_image_server],
    ("Creating instance", r"(Unknown configuration key|Invalid value|Invalid device type)"): [
        unknown_key,
        invalid_value,
        invalid_device,
    ],
    ("Creating instance", r"Storage pool not found"): [unknown_pool],
    ("Creating instance", r"is not supported on this server"): [virtual_machine],
    ("Creating instance", r"^Requested image's type .* doesn't match instance type"): [
        virtual_machine_of_a_container_image
    ],
    ("PATCH /1.0/instances", r"^Invalid (config|devices):"): [patch_config, patch_devices],
    ("Updating instance", r"^Invalid (config|devices):"): [put_config, put_devices],
    ("Updating instance", r"^Volatile idmap keys can't be deleted by the user"): [put_without_volatile],
    ("Executing command", r"^Command not found"): [unknown_command],
    ("Executing command", r"^Command not executable"): [no_program],
    ("Starting instance", r"is already running"): [start_running],
    ("Restarting instance", r"^Instance is not running"): [restart_frozen],
    ("instance", r"is already (running|stopped|frozen)"): [
        unfreeze_running,
        stop_stopped,
        restart_stopped,
        freeze_frozen,
    ],
    ("instance", r"^The (instance|container) isn't running"): [freeze_stopped, unfreeze_stopped],
    ("instance", r"^Stateful (stop|start) requires"): [stateful_stop, stateful_start],
    ("instance", r"Failed shutting down instance.*context deadline exceeded"): [stop_in_too_short_a_time],
    ("instance", r"Instance is busy running a"): [delete_while_it_starts],
    ("Renaming instance", r"^Renaming of running instance not allowed"): [rename_running],
    ("DELETE /1.0/instances", r"^Instance is running"): [delete_running],
    ("", r"request body too large"): [too_much_to_execute, too_much_to_change],
    ("exec", r"^Instance is (frozen|not running)"): [execute_in_stopped, execute_in_frozen],
}
"""By place and text of the row."""
