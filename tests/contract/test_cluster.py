"""Clusters: of one member, which is all that one machine needs; and what a server says that is in none."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Generator
from pathlib import Path
from typing import Any

import pytest

from incus_sdk import (
    Client,
    IncusArgumentError,
    IncusBadRequestError,
    IncusConflictError,
    IncusError,
    IncusMissingExtensionError,
    IncusNotFoundError,
    IncusPermissionError,
    IncusPreconditionFailedError,
    token_text,
)
from incus_sdk._causes import TABLE, Cause
from incus_sdk.sync import Client as SyncClient
from incus_sdk.testing import PrivateIncus

from ..conftest import ROOTFS
from .clustered import PROVOCATIONS
from .support import Face, Server, call, entered
from .test_failures import check_row

CASES = [
    pytest.param(row, provocation, id=provocation.__name__)
    for row in TABLE
    for provocation in PROVOCATIONS.get((row.where, row.text), [])
]


@pytest.fixture(scope="module")
def first(server: Server) -> Generator[PrivateIncus]:
    """A daemon of these tests' own, of the same version, in a cluster of one member."""
    if server.private is None:
        pytest.skip("a server that is not ours is not made a cluster: leaving it would empty its database")
    with PrivateIncus(https=True, rootfs=ROOTFS if server.version == "7.0" else None) as daemon:
        with SyncClient(daemon.endpoint) as client:
            made = client.cluster.enable("one", wait=True)
            assert made["metadata"]["status"] == "Success"
        yield daemon


@pytest.fixture
async def cluster(first: PrivateIncus, face: Face) -> AsyncGenerator[Client]:
    """A client of the cluster, of the face."""
    async with entered(face.client(first.endpoint)) as client:
        yield client


class TestNoCluster:
    async def test_get(self, client: Client) -> None:
        found = await call(client.cluster.get())
        assert (found.enabled, found.server_name) == (False, "")
        assert {key.entity for key in found.member_config} <= {"storage-pool", "network"}

    async def test_members(self, client: Client) -> None:
        members: Any = client.cluster.members
        for refused in (members.list, members.names, lambda: members.get("x"), lambda: members.create_token("x")):
            with pytest.raises(IncusBadRequestError, match="is not clustered"):
                await call(refused())
        for refused in (lambda: members.state("x"), lambda: members.evacuate("x"), lambda: members.rename("x", "y")):
            with pytest.raises(IncusNotFoundError):
                await call(refused())

    async def test_groups(self, client: Client) -> None:
        groups = client.cluster.groups
        for refused in (groups.list, lambda: groups.get("x"), lambda: groups.create("x")):
            with pytest.raises(IncusBadRequestError, match="is not clustered"):
                await call(refused())
        with pytest.raises(IncusNotFoundError):
            await call(groups.delete("x"))

    async def test_disable_is_refused_here(self, client: Client, server: Server) -> None:
        """The server would do it: empty its database, and restart."""
        with pytest.raises(IncusArgumentError, match="is in no cluster"):
            await call(client.cluster.disable())
        assert server.box in await call(client.instances.names())


class TestMembers:
    async def test_get_and_list(self, cluster: Client) -> None:
        found = await call(cluster.cluster.get())
        assert (found.enabled, found.server_name) == (True, "one")
        members = cluster.cluster.members
        assert await call(members.names()) == ["one"]
        one = await call(members.get("one"))
        assert (one.server_name, one.status, one.groups) == ("one", "Online", ["default"])
        assert await call(members.list()) == [one]
        assert (await call(members.exists("one")), await call(members.exists("two"))) == (True, False)
        with pytest.raises(IncusNotFoundError):
            await call(members.get("two"))

    async def test_filter(self, cluster: Client) -> None:
        members: Any = cluster.cluster.members
        for wanted in (
            {"server_name": ["one", "two"]},
            {"roles": "database"},
            {"database": True, "status": "Online"},
            {},
        ):
            assert [one.server_name for one in await call(members.list(filter=wanted))] == ["one"], wanted
        for wanted in ({"server_name": "two"}, {"roles": "event-hub"}, {"config.user.no": "x"}, {"status": "online"}):
            assert await call(members.list(filter=wanted)) == [], wanted
        with pytest.raises(TypeError, match="must be a mapping here"):
            await call(members.list(filter="server_name eq one"))

    async def test_changes(self, cluster: Client) -> None:
        one = await call(cluster.cluster.members.get("one"))
        await call(one.update({"config": {"user.a": 1}, "description": "first"}))
        await call(one.update({"failure_domain": "rack1"}))
        await call(one.refresh())
        assert (one.config, one.description, one.failure_domain) == ({"user.a": "1"}, "first", "rack1")
        whole: Any = {"roles": one.roles, "groups": one.groups, "failure_domain": "default", "description": "x"}
        await call(one.replace(whole))
        await call(one.modify(lambda draft: draft["config"].update({"user.b": "2"})))
        await call(one.refresh())
        assert (one.config, one.description) == ({"user.b": "2"}, "x")
        with pytest.raises(IncusBadRequestError, match="at least one group"):
            await call(one.update({"groups": []}))
        await call(one.update({"config": {"user.b": None}}))

    async def test_two_edit_at_once(self, cluster: Client, first: PrivateIncus, name: str) -> None:
        with pytest.raises(IncusPreconditionFailedError):
            await _edit_while_another_does(cluster, first, "members", "one", name)
        assert (await call(cluster.cluster.members.get("one"))).description == name

    async def test_state(self, cluster: Client) -> None:
        one = await call(cluster.cluster.members.get("one"))
        state = await call(one.state())
        assert state.sysinfo.total_ram > state.sysinfo.free_ram > 0
        assert "default" in state.storage_pools

    async def test_rename(self, cluster: Client) -> None:
        one = await call(cluster.cluster.members.get("one"))
        await call(one.rename("first"))
        try:
            with pytest.raises(IncusNotFoundError):
                await call(cluster.cluster.members.rename("one", "second"))
            with pytest.raises(IncusConflictError):
                await call(cluster.cluster.members.rename("first", "first"))
        finally:
            await call(cluster.cluster.members.rename("first", "one"))

    async def test_evacuate_and_restore(self, cluster: Client) -> None:
        one = await call(cluster.cluster.members.get("one"))
        done = await call(one.evacuate("stop", wait=True))
        assert done["metadata"]["status"] == "Success"
        assert (await call(one.refresh())).status == "Evacuated"
        await call(one.restore(wait=True))
        assert (await call(one.refresh())).status == "Online"
        with pytest.raises(IncusBadRequestError, match="bad"):
            await call(one.evacuate("bad"))
        with pytest.raises(IncusNotFoundError):
            await call(cluster.cluster.members.restore("two"))

    async def test_token(self, cluster: Client) -> None:
        members = cluster.cluster.members
        made = await call(members.create_token("two"))
        assert re.fullmatch(r"[A-Za-z0-9+/]+=*", token_text(made))
        assert token_text(made) not in repr(made)
        await call(made.cancel())
        other = await call(cluster.get_server_info())
        with pytest.raises(IncusArgumentError, match="no answer of create_token"):
            token_text(other)

    async def test_delete(self, cluster: Client) -> None:
        with pytest.raises(IncusNotFoundError):
            await call(cluster.cluster.members.delete("two", force=True))
        with pytest.raises(IncusNotFoundError):
            await call(cluster.cluster.members.delete("two", pending=True))


class TestGroups:
    async def test_all(self, cluster: Client, name: str) -> None:
        groups = cluster.cluster.groups
        made = await call(groups.create(name, description="some", members=["one"]))
        assert (made.name, made.members) == (name, ["one"])
        assert name in await call(groups.names())
        assert made in await call(groups.list())
        await call(made.update({"description": "other"}))
        assert (await call(made.refresh())).members == ["one"]
        await call(made.update({"members": []}))
        await call(made.update({"description": "empty"}))
        await call(made.replace({"description": "new", "members": ["one"]}))
        await call(made.modify(lambda draft: draft["members"].clear()))
        assert (await call(made.refresh())).to_dict().items() >= {"description": "new", "members": []}.items()
        await call(made.rename(f"{name}-b"))
        assert not await call(groups.exists(name))
        await call(groups.delete(f"{name}-b"))
        with pytest.raises(IncusNotFoundError):
            await call(groups.delete(f"{name}-b"))

    async def test_refusals(self, cluster: Client, name: str) -> None:
        groups = cluster.cluster.groups
        with pytest.raises(IncusConflictError):
            await call(groups.create("default"))
        with pytest.raises(IncusPermissionError):
            await call(groups.delete("default"))
        with pytest.raises(IncusPermissionError):
            await call(groups.rename("default", name))
        with pytest.raises(IncusNotFoundError):
            await call(groups.create(name, members=["two"]))

    async def test_configuration(self, cluster: Client, server: Server, name: str) -> None:
        create = cluster.cluster.groups.create
        if server.version == "6.0":
            with pytest.raises(IncusMissingExtensionError, match="clustering_groups_config"):
                await call(create(name, config={"user.a": "1"}))
            return
        made = await call(create(name, config={"user.a": "1"}))
        await call(made.update({"config": {"user.b": 2}}))
        assert (await call(made.refresh())).config == {"user.a": "1", "user.b": "2"}
        await call(made.delete())

    async def test_two_edit_at_once(self, cluster: Client, first: PrivateIncus, name: str) -> None:
        """The server takes any PUT, so it is the client that notices."""
        groups = cluster.cluster.groups
        await call(groups.create(name))
        with pytest.raises(IncusPreconditionFailedError):
            await _edit_while_another_does(cluster, first, "groups", name, "theirs")
        assert (await call(groups.get(name))).description == "theirs"
        await call(groups.delete(name))


async def _edit_while_another_does(
    cluster: Client, daemon: PrivateIncus, kind: str, name: str, description: str
) -> None:
    async with entered(getattr(cluster.cluster, kind).edit(name)) as draft:
        draft["description"] = "mine"
        with SyncClient(daemon.endpoint) as rival:
            getattr(rival.cluster, kind).update(name, {"description": description})


@pytest.mark.parametrize(("row", "provocation"), CASES)
async def test_row(cluster: Client, server: Server, row: Cause, provocation: Any) -> None:
    try:
        await provocation(cluster)
    except IncusError as error:
        check_row(row, server.version, error)
    else:
        assert server.version not in row.versions, "it did not fail"


async def test_who_has_access_to_a_project(cluster: Client) -> None:
    assert {entry.role for entry in await call(cluster.projects.access("default"))} == {"admin"}


async def test_from_the_beginning_to_the_end(face: Face, server: Server) -> None:
    """Enable, another certificate, disable; on a daemon that is empty afterwards."""
    if server.private is None:
        pytest.skip("a server that is not ours is not made a cluster: leaving it would empty its database")
    with PrivateIncus(https=True, rootfs=ROOTFS if server.version == "7.0" else None) as daemon:
        async with entered(face.client(daemon.endpoint)) as client:
            await _begin(client, daemon)
            await call(client.cluster.disable())
        async with entered(face.client(daemon.endpoint, timeout=60)) as client:
            assert not (await call(client.cluster.get())).enabled
            assert await call(client.profiles.names()) == ["default"]


async def _begin(client: Client, daemon: PrivateIncus) -> None:
    await call(client.cluster.enable("one", wait=True))
    with pytest.raises(IncusBadRequestError):
        await call(client.cluster.update_certificate("no PEM", "no PEM"))
    certificate, key = _texts(daemon)
    await call(client.cluster.update_certificate(certificate, key))
    join: Any = client.cluster.join
    with pytest.raises(IncusBadRequestError, match="already clustered"):
        await call(join("two", "127.0.0.1:1", "127.0.0.1:2", certificate, "token"))


def _texts(daemon: PrivateIncus) -> list[str]:
    """Return some certificate and its key."""
    return [Path(path).read_text() for path in daemon.client_cert]
