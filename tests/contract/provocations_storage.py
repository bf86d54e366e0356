"""How to make a server say the texts of the table of failures that are about storage."""

from __future__ import annotations

import io
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from .support import call

if TYPE_CHECKING:
    from .provocations import Scene

Provocation = Callable[["Scene"], Awaitable[object]]


@asynccontextmanager
async def volume(scene: Scene, **fields: Any) -> AsyncGenerator[Any]:
    """Make a volume for a while; yields the group of volumes, untyped."""
    volumes: Any = scene.client.storage_pools.volumes("default")
    await call(volumes.create(scene.name, **fields))
    try:
        yield volumes
    finally:
        await call(volumes.delete(scene.name))


async def not_there(scene: Scene) -> None:
    """Fail for another reason: a server that lacks the call would be refused before it could say anything."""
    await call(scene.client.storage_pools.volumes("default").get(scene.name))


async def resources_of_no_pool(scene: Scene) -> None:
    await call(scene.client.storage_pools.resources(scene.name))


async def restore_no_snapshot(scene: Scene) -> None:
    async with volume(scene) as volumes:
        await call(volumes.restore(scene.name, "no-such"))


async def unknown_driver(scene: Scene) -> None:
    await call(scene.client.storage_pools.create(scene.name, "bogus"))


async def unknown_option_of_a_pool(scene: Scene) -> None:
    await call(scene.client.storage_pools.create(scene.name, "dir", config={"no.such": "1"}))


async def another_source_for_a_pool(scene: Scene) -> None:
    await call(scene.client.storage_pools.update("default", {"config": {"source": "/elsewhere"}}))


async def unknown_option_of_a_volume(scene: Scene) -> None:
    async with volume(scene) as volumes:
        await call(volumes.update(scene.name, {"config": {"no.such": "1"}}))


async def short_name_of_a_bucket(scene: Scene) -> None:
    await call(scene.client.storage_pools.buckets("default").create("x"))


async def no_backup_at_all(scene: Scene) -> None:
    await call(scene.client.storage_pools.volumes("default").import_backup(b"none", scene.name))


async def rename_a_volume_in_use(scene: Scene) -> None:
    def attach(draft: Any) -> None:
        draft["devices"][scene.name] = {"type": "disk", "pool": "default", "source": scene.name, "path": "/volume"}

    async with volume(scene) as volumes:
        await call(scene.client.instances.modify(scene.server.box, attach))
        try:
            await call(volumes.rename(scene.name, f"{scene.name}-b"))
        finally:
            await call(scene.client.instances.modify(scene.server.box, lambda draft: draft["devices"].pop(scene.name)))


async def delete_a_folder_with_files(scene: Scene) -> None:
    if scene.server.version == "6.0":
        await not_there(scene)
    async with volume(scene) as volumes:
        folder = f"/1.0/storage-pools/default/volumes/custom/{scene.name}/files?path=/folder"
        await call(scene.client.api.request("POST", folder, None, b"", {"X-Incus-type": "directory"}))
        await call(volumes.put_files(scene.name, "/folder/file", b""))
        await call(volumes.delete_files(scene.name, "/folder"))


async def unknown_role_of_a_key(scene: Scene) -> None:
    buckets = scene.client.storage_pools.buckets("default")
    if scene.server.version == "6.0":
        await not_there(scene)
    await call(buckets.create(scene.name))
    try:
        await call(buckets.keys(scene.name).create("x", "bogus"))
    finally:
        await call(buckets.delete(scene.name))


async def bitmap_without_a_machine(scene: Scene) -> None:
    if scene.server.version == "6.0":
        await not_there(scene)
    async with volume(scene, content_type="block", config={"size": "1MiB"}) as volumes:
        await call(volumes.bitmaps(scene.name).create("x"))


async def nbd_with_files(scene: Scene) -> None:
    if scene.server.version == "6.0":
        await not_there(scene)
    async with volume(scene) as volumes:
        await call(volumes.open_nbd(scene.name))


async def copy_no_volume(scene: Scene) -> None:
    await call(scene.client.storage_pools.volumes("default").copy("no-such", scene.name, wait=True))


async def copy_from_no_pool(scene: Scene) -> None:
    source = {"type": "copy", "pool": "no-such", "name": "no-such"}
    await call(scene.client.storage_pools.volumes("default").create(scene.name, source, True))


async def rename_no_snapshot(scene: Scene) -> None:
    async with volume(scene) as volumes:
        await call(volumes.snapshots(scene.name).rename("no-such", "x", wait=True))


async def rename_a_snapshot_like_another(scene: Scene) -> None:
    async with volume(scene) as volumes:
        for snapshot in ("one", "two"):
            await call(volumes.snapshots(scene.name).create(snapshot, wait=True))
        await call(volumes.snapshots(scene.name).rename("one", "two", wait=True))


async def import_an_image_over_a_volume(scene: Scene) -> None:
    async with volume(scene) as volumes:
        await call(volumes.import_iso(scene.name, bytes(1000), wait=True))


async def import_an_image_twice(scene: Scene) -> None:
    volumes: Any = scene.client.storage_pools.volumes("default")
    await call(volumes.import_iso(scene.name, bytes(1000), wait=True))
    try:
        await call(volumes.import_iso(scene.name, bytes(1000), wait=True))
    finally:
        await call(volumes.delete(scene.name))


async def rebuild_with_snapshots(scene: Scene) -> None:
    if scene.server.version == "6.0":
        await not_there(scene)
    async with volume(scene) as volumes:
        await call(volumes.snapshots(scene.name).create("one", wait=True))
        await call(volumes.rebuild(scene.name, wait=True))


async def same_backup(scene: Scene) -> None:
    async with volume(scene) as volumes:
        for _ in range(2):
            await call(volumes.backups(scene.name).create("one", wait=True))


async def rename_a_backup_like_another(scene: Scene) -> None:
    async with volume(scene) as volumes:
        for backup in ("one", "two"):
            await call(volumes.backups(scene.name).create(backup, wait=True))
        await call(volumes.backups(scene.name).rename("one", "two", wait=True))


async def import_a_backup_beside_its_volume(scene: Scene) -> None:
    async with volume(scene) as volumes:
        file = io.BytesIO()
        await call((await call(volumes.backups(scene.name).create(wait=True))).export(file))
        await call(volumes.import_backup(file.getvalue(), wait=True))


async def back_up_an_image(scene: Scene) -> None:
    """Incus 7.0 does that once, but not twice under one name."""
    volumes: Any = scene.client.storage_pools.volumes("default")
    await call(volumes.import_iso(scene.name, bytes(1000), wait=True))
    try:
        for _ in range(2):
            await call(volumes.backups(scene.name).create("one", wait=True))
    finally:
        await call(volumes.delete(scene.name))


async def back_up_a_bucket_without_a_listener(scene: Scene) -> None:
    buckets = scene.client.storage_pools.buckets("default")
    if scene.server.version == "6.0":
        await not_there(scene)
    await call(buckets.create(scene.name))
    try:
        await call(buckets.backups(scene.name).create(wait=True))
    finally:
        await call(buckets.delete(scene.name))


async def same_backup_of_a_bucket(scene: Scene) -> None:
    if scene.server.version == "6.0":
        await not_there(scene)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    buckets = scene.client.storage_pools.buckets("default")
    await call(buckets.create(scene.name))
    await call(scene.client.api.patch("/1.0", {"config": {"core.storage_buckets_address": address}}))
    try:
        for _ in range(2):
            await call(buckets.backups(scene.name).create("one", wait=True))
    finally:
        await call(scene.client.api.patch("/1.0", {"config": {"core.storage_buckets_address": ""}}))
        await call(buckets.delete(scene.name))


STORAGE: dict[tuple[str, str], list[Provocation]] = {
    ("/1.0/storage-pools", r"^(Storage pool|Snapshot) not found$"): [resources_of_no_pool, restore_no_snapshot],
    (
        "/1.0/storage-pools",
        r"(^|: )(Unknown driver|Invalid option|Pool source cannot|\w+ name (must|cannot)|Unsupported compression)",
    ): [
        unknown_driver,
        unknown_option_of_a_pool,
        another_source_for_a_pool,
        unknown_option_of_a_volume,
        short_name_of_a_bucket,
        no_backup_at_all,
    ],
    (
        "/1.0/storage-pools",
        r"(: Invalid key role|^Volume is not attached to running instance|^qemu-nbd failed)",
    ): [unknown_role_of_a_key, bitmap_without_a_machine, nbd_with_files],
    ("/1.0/storage-pools", r"^Volume is still in use"): [rename_a_volume_in_use],
    ("DELETE /1.0/storage-pools", r"directory not empty"): [delete_a_folder_with_files],
    ("storage volume", r"(Storage volume|Storage pool) not found$"): [
        copy_no_volume,
        copy_from_no_pool,
        rename_no_snapshot,
    ],
    ("storage volume", r"(: file exists$|already exists|UNIQUE constraint failed)"): [
        rename_a_snapshot_like_another,
        import_an_image_over_a_volume,
        import_an_image_twice,
    ],
    ("Rebuilding storage volume", r"^Cannot rebuild"): [rebuild_with_snapshots],
    ("volume backup", r"(already exists|UNIQUE constraint failed)"): [
        same_backup,
        rename_a_backup_like_another,
        import_a_backup_beside_its_volume,
    ],
    ("volume backup", r"cannot be backed up$"): [back_up_an_image],
    ("bucket backup", r"already exists"): [same_backup_of_a_bucket],
    ("bucket backup", r"lacking a storage buckets listener address$"): [back_up_a_bucket_without_a_listener],
}
"""By place and text of the row."""
