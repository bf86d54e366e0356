"""How to make a cluster say each text of the table of failures that only clusters say."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from incus_sdk import Client

from .support import call

GROUP = "group-of-a-provocation"


async def same_group(cluster: Client) -> None:
    await call(cluster.cluster.groups.create("default"))


async def rename_to_the_same_group(cluster: Client) -> None:
    await call(cluster.cluster.groups.create(GROUP))
    try:
        await call(cluster.cluster.groups.rename(GROUP, "default"))
    finally:
        await call(cluster.cluster.groups.delete(GROUP))


async def group_of_no_member(cluster: Client) -> None:
    await call(cluster.cluster.groups.create(GROUP, members=["no-such-member"]))


async def delete_group_with_members(cluster: Client) -> None:
    group = await call(cluster.cluster.groups.create(GROUP, members=["one"]))
    try:
        await call(group.delete())
    finally:
        await call(group.update({"members": []}))
        await call(group.delete())


async def token_for_a_member(cluster: Client) -> None:
    await call(cluster.cluster.members.create_token("one"))


async def unknown_key_of_a_member(cluster: Client) -> None:
    await call(cluster.cluster.members.update("one", {"config": {"no.such": "1"}}))


async def delete_with_an_image(cluster: Client) -> None:
    await call(cluster.cluster.members.delete("one"))


async def evacuate_twice(cluster: Client) -> None:
    await call(cluster.cluster.members.evacuate("one", wait=True))
    try:
        await call(cluster.cluster.members.evacuate("one", wait=True))
    finally:
        await call(cluster.cluster.members.restore("one", wait=True))


async def unknown_image(client: Client) -> None:
    await call(client.instances.launch("no-such-image", "x"))


async def move_a_volume_to_where_it_is(cluster: Client) -> None:
    volume = await call(cluster.storage_pools.volumes("default").create("volume-of-a-provocation"))
    try:
        await call(volume.move(target="one", wait=True))
    finally:
        await call(volume.delete())


PROVOCATIONS: dict[tuple[str, str], list[Callable[[Client], Awaitable[object]]]] = {
    ("POST /1.0/instances", r"^No fingerprint prefix specified for the image"): [unknown_image],
    ("/1.0/cluster/groups", r"UNIQUE constraint failed"): [same_group],
    ("/1.0/cluster/groups", r"already in use$"): [rename_to_the_same_group],
    ("POST /1.0/cluster/groups", r"NOT NULL constraint failed: nodes_cluster_groups"): [group_of_no_member],
    ("DELETE /1.0/cluster/groups", r"^Only empty cluster groups can be removed"): [delete_group_with_members],
    ("/1.0/cluster/members", r"^The cluster already has a member with name"): [token_for_a_member],
    ("/1.0/cluster/members", r"^Invalid cluster configuration key"): [unknown_key_of_a_member],
    ("DELETE /1.0/cluster/members", r"^Node still has"): [delete_with_an_image],
    ("Migrating storage volume", r"^Target must be different"): [move_a_volume_to_where_it_is],
    ("cluster member", r"^Cluster member is already (evacuated|restored)"): [evacuate_twice],
}
"""By the row that they meet; each gets a client of a cluster whose only member is `one`."""
