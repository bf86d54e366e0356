"""ACLs, address sets, zones with their records, and integrations: definitions that need no network."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from incus_sdk import (
    Client,
    IncusBadRequestError,
    IncusConflictError,
    IncusMissingExtensionError,
    IncusNotFoundError,
    IncusPreconditionFailedError,
)

from .support import Server, call, entered

SSH: Any = {"action": "allow", "protocol": "tcp", "destination_port": "22", "state": "enabled"}
WEB: Any = {**SSH, "destination_port": "80,443"}
ENTRY: Any = {"type": "A", "value": "192.0.2.1", "ttl": 60}
OTHER: Any = {"type": "TXT", "value": '"x"', "ttl": 0}

Group = Callable[[Client], Any]
GROUPS: dict[str, tuple[Group, str, Any, Any]] = {
    "acls": (lambda client: client.network_acls, "ingress", [SSH], [SSH, WEB]),
    "address sets": (lambda client: client.network_address_sets, "addresses", ["192.0.2.1"], ["192.0.2.0/24", "::1"]),
    "zones": (lambda client: client.network_zones, "config", {"user.a": "1"}, {"user.b": "2"}),
    "records": (lambda client: client.network_zones.records("ct.example.net"), "entries", [ENTRY], [ENTRY, OTHER]),
    "integrations": (lambda client: client.network_integrations, "config", {"user.a": "1"}, {"user.b": "2"}),
}
"""How to get at each group, and one of its fields with two values for it."""

each_group = pytest.mark.parametrize("key", GROUPS)


@pytest.fixture(autouse=True)
async def around(request: pytest.FixtureRequest, server: Server, admin: Client, name: str) -> AsyncGenerator[None]:
    """Leave out what 6.0 does not have, and remove what a test made."""
    key = request.node.callspec.params.get("key")
    if key == "address sets" and server.version == "6.0":
        with pytest.raises(IncusMissingExtensionError, match=r"network_address_set.* \(Incus 6\.0"):
            await admin.network_address_sets.list()
        pytest.skip("Incus 6.0 has no address sets, and says so")
    if key == "records":
        await admin.network_zones.create("ct.example.net", config={"user.zone": "z"})
    yield
    if key == "records":
        await admin.network_zones.delete("ct.example.net")
    elif key is not None:
        group: Any = GROUPS[key][0](admin)
        for one in await group.names():
            if one.startswith(name):
                await group.delete(one)


def plain(value: Any) -> Any:
    """Return data, or a list of it, as mappings without what is empty."""
    if hasattr(value, "append"):
        return [plain(item) for item in value]
    fields: Any = value.to_dict() if hasattr(value, "to_dict") else value
    return {key: fields[key] for key in fields if fields[key]} if hasattr(fields, "keys") else value


def definition(value: Any, field: str) -> Any:
    return plain(getattr(value, field))


def add_a_key(draft: Any) -> None:
    draft["config"]["user.y"] = 2


@each_group
async def test_a_life(client: Client, key: str, name: str) -> None:
    group, field, first, second = GROUPS[key][0](client), *GROUPS[key][1:]
    made = await call(group.create(name, description="first", **{field: first}))
    assert (made.name, made.description, definition(made, field)) == (name, "first", plain(first))
    assert await call(group.exists(name))
    assert not await call(group.exists(f"{name}-b"))
    assert name in await call(group.names())
    assert [one.name for one in await call(group.list(filter={"name": name}))] == [name]
    assert name in {one.name for one in await call(group.list())}

    # What an update does not name stays, which a mere PATCH would empty.
    await call(group.update(name, {"description": "second"}))
    assert (made.description, definition(await call(made.refresh()), field)) == ("first", plain(first))
    assert made.description == "second"
    await call(made.update({"config": {"user.x": 1}}))
    assert (await call(made.refresh())).config == {**(first if field == "config" else {}), "user.x": "1"}
    await call(made.update({"config": {"user.x": None}}))
    assert "user.x" not in (await call(made.refresh())).config

    async with entered(group.edit(name)) as draft:
        assert draft["description"] == "second"
        draft[field] = second
    assert definition(await call(made.refresh()), field) == plain(second)
    await call(made.modify(add_a_key))
    assert (await call(made.refresh())).config["user.y"] == "2"
    await call(made.replace({field: first}))
    assert (await call(made.refresh())).description == ""
    assert definition(made, field) == plain(first)
    if hasattr(made, "rename"):
        await call(made.rename(f"{name}-b"))
        await call(group.rename(f"{name}-b", name))
    await call(made.delete())
    assert not await call(group.exists(name))


@each_group
async def test_refusals(client: Client, key: str, name: str) -> None:
    group, field, first, _ = GROUPS[key][0](client), *GROUPS[key][1:]
    await call(group.create(name, **{field: first}))
    with pytest.raises(IncusConflictError):
        await call(group.create(name))
    with pytest.raises(IncusBadRequestError, match=r"Invalid|Bad"):
        await call(group.update(name, {"config": {"no.such": "1"}}))
    with pytest.raises(IncusNotFoundError):
        await call(group.get(f"{name}-b"))
    with pytest.raises(IncusNotFoundError):
        await call(group.replace(f"{name}-b", {}))
    with pytest.raises(IncusNotFoundError):
        await call(group.delete(f"{name}-b"))
    if hasattr(group, "rename"):
        with pytest.raises(IncusNotFoundError):
            await call(group.rename(f"{name}-b", f"{name}-c"))
    await call(group.delete(name))


async def edit_while(made: Any, interfere: Callable[[], Awaitable[object]]) -> None:
    """Edit an object that somebody else changes meanwhile."""
    async with entered(made.edit()) as draft:
        draft["description"] = "mine"
        await interfere()


@each_group
async def test_somebody_else_changes_it(client: Client, admin: Client, key: str, name: str) -> None:
    group, field, first, second = GROUPS[key][0](client), *GROUPS[key][1:]
    made = await call(group.create(name, **{field: first}))
    theirs = GROUPS[key][0](admin)
    with pytest.raises(IncusPreconditionFailedError):
        await edit_while(made, lambda: theirs.update(name, {field: second}))
    await call(made.refresh())
    assert made.description == ""
    kept = {**first, **second} if field == "config" else plain(second)
    assert definition(made, field) == kept
    await call(made.delete())


async def test_a_record_has_nothing_of_its_zone(client: Client, admin: Client) -> None:
    """Which a PATCH would mix into it."""
    zone = await call(client.network_zones.create("ct2.example.net", config={"user.zone": "z"}))
    try:
        record = await call(zone.records().create("@", entries=[ENTRY]))
        await call(record.update({"config": {"user.x": 1}}))
        assert (await call(record.refresh())).config == {"user.x": "1"}
        assert await call(client.network_zones.records(zone.name).names()) == ["@"]
        with pytest.raises(IncusBadRequestError, match="Bad zone record entry"):
            await call(record.update({"entries": [{"type": "A", "value": "here"}]}))
    finally:
        await admin.network_zones.delete(zone.name)
    with pytest.raises(IncusNotFoundError, match="zone not found"):
        await call(zone.records().list())


async def test_rules_that_the_server_does_not_take(client: Client, name: str) -> None:
    with pytest.raises(IncusBadRequestError, match="Invalid ingress rule 0"):
        await call(client.network_acls.create(name, ingress=[{"action": "perhaps"}]))
    with pytest.raises(IncusBadRequestError, match="Invalid integration type"):
        await call(client.network_integrations.create(name, type="tin-can"))
    assert name not in await call(client.network_acls.names())


async def test_no_log_without_ovn(client: Client, admin: Client, name: str, tmp_path: Any) -> None:
    """With OVN, there are lines: see tests/unit/test_networks.py."""
    acl = await call(client.network_acls.create(name))
    try:
        with pytest.raises(IncusBadRequestError, match="Only OVN log entries"):
            await call(acl.log())
        with pytest.raises(IncusBadRequestError, match="Only OVN log entries"):
            await call(acl.download_log(tmp_path / "log"))
        with pytest.raises(IncusBadRequestError, match="Only OVN log entries"):
            async with entered(acl.stream_log()):
                pytest.fail("there is no log")
        assert not list(tmp_path.iterdir())
        with pytest.raises(IncusNotFoundError):
            await call(client.network_acls.log(f"{name}-b"))
    finally:
        await admin.network_acls.delete(name)


@asynccontextmanager
async def project_with_zones(admin: Client, name: str) -> AsyncGenerator[str]:
    """Have a project with zones of its own; networks of its own take OVN."""
    config = {"features.networks.zones": "true"}
    await admin.api.post("/1.0/projects", {"name": name, "config": config})
    try:
        yield name
    finally:
        await admin.api.delete(f"/1.0/projects/{name}")


async def test_projects(client: Client, admin: Client, name: str) -> None:
    async with project_with_zones(admin, name) as project:
        there, zone = client.use_project(project), f"{name}.example.net"
        await call(there.network_zones.create(zone))
        assert await call(there.network_zones.names()) == [zone]
        assert zone not in await call(client.network_zones.names())
        listed = await call(client.network_zones.list(all_projects=True, filter={"name": zone}))
        assert [(one.name, one.project) for one in listed] == [(zone, project)]
        await call(listed[0].update({"description": "there"}))
        assert (await call(there.network_zones.get(zone))).description == "there"
        await call(listed[0].records().create("www", entries=[ENTRY]))
        assert await call(there.network_zones.records(zone).names()) == ["www"]
        await call(listed[0].delete())
        assert await call(there.network_zones.list()) == []
    with pytest.raises(IncusNotFoundError, match="Project not found"):
        await call(there.network_acls.list())
    with pytest.raises(IncusNotFoundError, match="Project not found"):
        await call(there.network_integrations.list())
