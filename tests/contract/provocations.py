"""How to make a server say each text of the table of failures: one way or more for each row."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from incus_sdk import Client

from .provocations_projects import PROJECTS
from .provocations_storage import STORAGE
from .support import MIB, NOTHING, Server, call, entered, image_content

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

    @asynccontextmanager
    async def acl(self) -> AsyncGenerator[str]:
        """Have a network ACL for a while."""
        await call(self.client.network_acls.create(self.name))
        try:
            yield self.name
        finally:
            await call(self.client.network_acls.delete(self.name))

    @asynccontextmanager
    async def project(self) -> AsyncGenerator[str]:
        """Have a project with a profile in it for a while."""
        await call(self.client.projects.create(self.name))
        await call(self.client.use_project(self.name).profiles.create("x"))
        try:
            yield self.name
        finally:
            await call(self.client.projects.delete(self.name, force=True))


Provocation = Callable[[Scene], Awaitable[object]]


async def duplicate(scene: Scene) -> None:
    await scene.empty()
    await scene.create()


async def filter_by_no_field(scene: Scene) -> None:
    await call(scene.client.instances.list(filter={"no_such_field": "x"}))


async def filter_by_a_list(scene: Scene) -> None:
    await call(scene.client.instances.list(filter={"profiles": "default"}))


async def filter_by_a_code(scene: Scene) -> None:
    await call(scene.client.instances.list(filter={"status_code": 102}))


async def filter_by_a_text_that_is_a_bool(scene: Scene) -> None:
    await call(scene.client.instances.list(filter={"ephemeral": "false"}))


async def filter_by_a_time(scene: Scene) -> None:
    await call(scene.client.instances.list(filter={"created_at": "2026"}))


async def filter_by_a_list_of_objects(scene: Scene) -> None:
    await call(scene.client.images.list(filter={"aliases": "busybox"}))


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


async def nowhere(scene: Scene) -> None:
    await scene.create(profiles=[])


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


async def two_at_a_console(scene: Scene) -> None:
    instances, box = scene.client.instances, scene.server.box
    async with entered(instances.console(box)), entered(instances.console(box)):
        pass


async def execute_in_frozen(scene: Scene) -> None:
    async with scene.frozen() as name:
        await call(scene.client.instances.execute(name, ["true"]))


async def same_profile(scene: Scene) -> None:
    await call(scene.client.profiles.create("default"))


async def unknown_key_of_a_profile(scene: Scene) -> None:
    await call(scene.client.profiles.update("default", {"config": {"no.such": "1"}}))


async def same_acl(scene: Scene) -> None:
    async with scene.acl() as name:
        await call(scene.client.network_acls.create(name))


async def same_name_for_an_acl(scene: Scene) -> None:
    async with scene.acl() as name:
        await call(scene.client.network_acls.rename(name, name))


async def same_name_for_an_integration(scene: Scene) -> None:
    integrations = scene.client.network_integrations
    names = scene.name, f"{scene.name}-b"
    for name in names:
        await call(integrations.create(name))
    try:
        await call(integrations.rename(*names))
    finally:
        for name in names:
            await call(integrations.delete(name))


async def delete_acl_in_use(scene: Scene) -> None:
    user = f"{scene.name}-b"
    async with scene.acl() as name:
        await call(
            scene.client.network_acls.create(user, ingress=[{"action": "allow", "source": name, "state": "enabled"}])
        )
        try:
            await call(scene.client.network_acls.delete(name))
        finally:
            await call(scene.client.network_acls.delete(user))


async def rename_no_integration(scene: Scene) -> None:
    await call(scene.client.network_integrations.rename(scene.name, f"{scene.name}-b"))


async def log_without_ovn(scene: Scene) -> None:
    async with scene.acl() as name:
        await call(scene.client.network_acls.log(name))


async def invalid_rule(scene: Scene) -> None:
    await call(scene.client.network_acls.create(scene.name, ingress=[{"action": "perhaps"}]))


async def invalid_option_of_a_network(scene: Scene) -> None:
    await call(scene.client.networks.create("unmade0", config={"no.such": "1"}))


async def invalid_name_of_an_acl(scene: Scene) -> None:
    await call(scene.client.network_acls.create(f"-{scene.name}"))


async def dots_in_the_name_of_an_acl(scene: Scene) -> None:
    await call(scene.client.network_acls.create("a.b"))


async def blank_in_the_name_of_an_acl(scene: Scene) -> None:
    await call(scene.client.network_acls.create("a b"))


async def unknown_parent_of_a_network(scene: Scene) -> None:
    await call(scene.client.networks.create("unmade0", type="physical", config={"parent": "unmade1"}))


async def same_image(scene: Scene) -> None:
    image = await call(scene.client.images.get_by_alias("busybox"))
    async with entered(image.stream_export()) as response:
        content = await call(response.read())
    await call(scene.client.images.create(content, wait=True))


async def image_with_the_same_alias(scene: Scene) -> None:
    await call(scene.client.images.publish(await scene.empty(), True, aliases=["busybox"]))


async def image_with_an_unknown_profile(scene: Scene) -> None:
    await call(scene.client.images.create(image_content(scene.name), profiles=["no-such-profile"], wait=True))


async def image_of_no_instance(scene: Scene) -> None:
    await call(scene.client.images.publish("no-such-instance", True))


async def image_of_garbage(scene: Scene) -> None:
    await call(scene.client.images.create(b"garbage", wait=True))


async def another_image(scene: Scene) -> None:
    await call(scene.client.images.create(b"garbage", fingerprint="ab" * 32, wait=True))


async def refresh_what_was_uploaded(scene: Scene) -> None:
    image = await call(scene.client.images.get_by_alias("busybox"))
    await call(image.refresh_from_source(wait=True))


async def unknown_source_of_an_image(scene: Scene) -> None:
    await call(scene.client.images.create_from({"type": "bogus"}))


async def same_snapshot(scene: Scene) -> None:
    group = scene.client.instances.snapshots(await scene.empty())
    await call(group.create("s", wait=True))
    await call(group.create("s", wait=True))


async def stateful_snapshot(scene: Scene) -> None:
    await call(scene.client.instances.snapshots(scene.server.box).create(stateful=True, wait=True))


async def restore_nothing(scene: Scene) -> None:
    await call(scene.client.instances.snapshots(await scene.empty()).restore("nope", wait=True))


async def same_backup(scene: Scene) -> None:
    group = scene.client.instances.backups(await scene.empty())
    await call(group.create("b", wait=True))
    await call(group.create("b", wait=True))


async def _backup(scene: Scene) -> bytes:
    backup = await call(scene.client.instances.backups(await scene.empty()).create(wait=True))
    async with entered(backup.stream_export()) as stream:
        return await call(stream.read())


async def import_beside_the_original(scene: Scene) -> None:
    await call(scene.client.instances.import_backup(await _backup(scene), scene.name, wait=True))


async def import_into_an_unknown_pool(scene: Scene) -> None:
    await call(scene.client.instances.import_backup(await _backup(scene), f"{scene.name}-b", "no-such-pool"))


async def import_of_garbage(scene: Scene) -> None:
    await call(scene.client.instances.import_backup(b"x" * 1024, scene.name))


async def rebuild_from_no_image(scene: Scene) -> None:
    await call(scene.client.instances.rebuild(await scene.empty(), {"type": "image"}))


async def rebuild_from_an_unknown_image(scene: Scene) -> None:
    source = {"type": "image", "alias": "no-such-image"}
    await call(scene.client.instances.rebuild(await scene.empty(), source, wait=True))


async def rebuild_with_snapshots(scene: Scene) -> None:
    await call(scene.client.instances.snapshots(await scene.empty()).create(wait=True))
    await call(scene.client.instances.rebuild(scene.name, NOTHING, wait=True))


async def move_to_an_unknown_pool(scene: Scene) -> None:
    await call(scene.client.instances.move(await scene.empty(), pool="no-such-pool", wait=True))


async def move_to_an_unknown_project(scene: Scene) -> None:
    await call(scene.client.instances.move(await scene.empty(), project="no-such-project", wait=True))


async def move_to_its_own_pool(scene: Scene) -> None:
    await call(scene.client.instances.move(await scene.empty(), pool="default", wait=True))


async def template_with_a_slash(scene: Scene) -> None:
    await call(scene.client.instances.templates(scene.server.box).write("a/b.tpl", "x"))


async def delete_a_folder_with_files(scene: Scene) -> None:
    await call(scene.client.instances.delete_files(scene.server.box, "/etc"))


async def repair_a_container(scene: Scene) -> None:
    await call(scene.client.instances.repair(scene.server.box, "rebuild-config-volume"))


async def same_project(scene: Scene) -> None:
    await call(scene.client.projects.create("default"))


async def rename_to_the_same_project(scene: Scene) -> None:
    async with scene.project() as name:
        await call(scene.client.projects.rename(name, "default", wait=True))


async def rename_no_project(scene: Scene) -> None:
    await call(scene.client.projects.rename(scene.name, f"{scene.name}-b", wait=True))


async def rename_project_with_something_in_it(scene: Scene) -> None:
    async with scene.project() as name:
        await call(scene.client.projects.rename(name, f"{name}-b", wait=True))


async def delete_project_with_something_in_it(scene: Scene) -> None:
    async with scene.project() as name:
        await call(scene.client.projects.delete(name))


async def members_of_no_cluster(scene: Scene) -> None:
    await call(scene.client.cluster.members.list())


PROVOCATIONS: dict[tuple[str, str], list[Provocation]] = {
    ("Snapshotting instance", r"UNIQUE constraint failed: instances_snapshots\."): [same_snapshot],
    ("Snapshotting instance", r'This "Instance_snapshot" entry already exists'): [same_snapshot],
    ("Snapshotting instance", r"^Stateful snapshots require"): [stateful_snapshot],
    ("Restoring snapshot", r"^Snapshot .* does not exist"): [restore_nothing],
    ("Backing up instance", r'Backup ".*" already exists'): [same_backup],
    ("Restoring backup", r"already exists on target"): [import_beside_the_original],
    ("POST /1.0/instances", r"^Storage pool not found"): [import_into_an_unknown_pool],
    ("POST /1.0/instances", r"^Unsupported compression"): [import_of_garbage],
    ("/rebuild", r"^Must specify one of alias"): [rebuild_from_no_image],
    ("Rebuilding instance", r"^Image not provided"): [rebuild_from_an_unknown_image],
    ("Rebuilding instance", r"volume that has snapshots"): [rebuild_with_snapshots],
    ("Migrating instance", r"(Storage pool not found|^Can't find a storage pool)"): [move_to_an_unknown_pool],
    ("Migrating instance", r"Failed loading project: Project not found"): [move_to_an_unknown_project],
    ("Migrating instance", r"storage pool is the same as current"): [move_to_its_own_pool],
    ("/metadata/templates", r"^Invalid template filename"): [template_with_a_slash],
    ("DELETE /1.0/instances", r"directory not empty"): [delete_a_folder_with_files],
    ("/debug/repair", r"is only possible on"): [repair_a_container],
    ("Downloading image", r"^(Image with same fingerprint|The image|Alias) already exists"): [
        same_image,
        image_with_the_same_alias,
    ],
    ("Downloading image", r"(^Profile '.*' doesn't exist|Instance not found)$"): [
        image_with_an_unknown_profile,
        image_of_no_instance,
    ],
    ("Downloading image", r"^(Unsupported compression|fingerprints don't match)"): [image_of_garbage, another_image],
    ("Refreshing image", r"Image source not found$"): [refresh_what_was_uploaded],
    ("POST /1.0/images", r"^Invalid images JSON"): [unknown_source_of_an_image],
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
    ("Creating instance", r"No root device could be found"): [nowhere],
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
    ("/1.0/profiles", r"already exists$"): [same_profile],
    ("/1.0/profiles", r"^(Unknown configuration key|Invalid (value|device type))"): [unknown_key_of_a_profile],
    ("POST /1.0/projects", r"UNIQUE constraint failed: projects"): [same_project],
    ("Renaming project", r"already exists$"): [rename_to_the_same_project],
    ("Renaming project", r"Project not found$"): [rename_no_project],
    ("Renaming project", r"^Only empty projects can be renamed"): [rename_project_with_something_in_it],
    ("DELETE /1.0/projects", r"^Only empty projects can be removed"): [delete_project_with_something_in_it],
    ("/1.0/cluster", r"^Server is not clustered"): [members_of_no_cluster],
    ("/1.0/network", r"(already exists|exists already|UNIQUE constraint failed)"): [
        same_acl,
        same_name_for_an_acl,
        same_name_for_an_integration,
    ],
    ("/1.0/network", r" in use$"): [delete_acl_in_use],
    ("/1.0/network-integrations", r"(^Query affected 0 rows|Project not found$)"): [rename_no_integration],
    ("/1.0/network-acls/", r"^Only OVN log entries"): [log_without_ovn],
    (
        "/1.0/network",
        r"(^|: )(Invalid|Failed parsing|Bad zone record entry|Names? (must|can|contains)|Parent interface)",
    ): [
        invalid_rule,
        invalid_option_of_a_network,
        invalid_name_of_an_acl,
        dots_in_the_name_of_an_acl,
        blank_in_the_name_of_an_acl,
        unknown_parent_of_a_network,
    ],
    ("exec", r"^Instance is (frozen|not running)"): [execute_in_stopped, execute_in_frozen],
    ("/console", r"^This console is already connected"): [two_at_a_console],
    ("GET /1.0/", r'^Invalid type "invalid" for field'): [filter_by_no_field],
    ("GET /1.0/", r'^(Failed to parse value: |Unsupported filter type "|Invalid (slice )?type ")'): [
        filter_by_a_list,
        filter_by_a_code,
        filter_by_a_text_that_is_a_bool,
        filter_by_a_time,
        filter_by_a_list_of_objects,
    ],
    **STORAGE,
    **PROJECTS,
}
"""By place and text of the row."""
