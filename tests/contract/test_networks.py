"""Networks with what is below them: forwards, load balancers and peers; and the addresses that are in use."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest

from incus_sdk import (
    Client,
    IncusArgumentError,
    IncusBadRequestError,
    IncusConflictError,
    IncusMissingExtensionError,
    IncusNotFoundError,
    IncusPreconditionFailedError,
    Network,
)

from .support import Server, call, entered

PLAIN = {"ipv4.address": "none", "ipv6.address": "none"}
"""Configuration of a bridge that needs no DHCP server, and so is there in no time."""

ADDRESSED = {"ipv4.address": "10.213.77.1/24", "ipv6.address": "none"}
LISTEN = "192.0.2.77"
PORT: Any = {"protocol": "tcp", "listen_port": "80", "target_address": "10.213.77.5"}


@asynccontextmanager
async def bridge(admin: Client, name: str, config: dict[str, str]) -> AsyncGenerator[Network]:
    """Have a bridge for a while."""
    network = await admin.networks.create(name, config=config)
    try:
        yield network
    finally:
        await network.delete()


async def test_a_life(client: Client, name: str) -> None:
    networks = client.networks
    made = await call(networks.create(name, type="bridge", config=PLAIN, description="first"))
    try:
        assert (made.name, made.type, made.managed, made.status) == (name, "bridge", True, "Created")
        assert (made.config, made.description, made.used_by) == (PLAIN, "first", [])
        assert await call(networks.exists(name))
        assert name in await call(networks.names())
        assert [one.name for one in await call(networks.list(filter={"name": name, "managed": True}))] == [name]

        await call(networks.update(name, {"config": {"user.x": 1}}))
        assert (await call(made.refresh())).config == {**PLAIN, "user.x": "1"}
        assert made.description == "first"
        await call(made.update({"config": {"user.x": None}, "description": "second"}))
        async with entered(networks.edit(name)) as draft:
            assert (draft["config"], draft["description"]) == (PLAIN, "second")
            draft["config"]["user.y"] = True
        await call(made.modify(lambda draft: draft["config"].update({"user.z": 2})))
        assert (await call(made.refresh())).config == {**PLAIN, "user.y": "true", "user.z": "2"}
        await call(made.replace({"config": PLAIN}))
        assert ((await call(made.refresh())).config, made.description) == (PLAIN, "")

        await call(made.rename(f"{name}b"))
        assert not await call(networks.exists(name))
        await call(networks.rename(f"{name}b", name))
    finally:
        await call(made.delete())
    assert not await call(networks.exists(name))


async def test_refusals(client: Client, server: Server) -> None:
    networks = client.networks
    own = next(network.name for network in await call(networks.list()) if network.managed)
    with pytest.raises(IncusConflictError, match="already exists"):
        await call(networks.create(own))
    with pytest.raises(IncusBadRequestError, match="too long"):
        await call(networks.create("a-name-that-no-interface-can-have"))
    with pytest.raises(IncusBadRequestError, match="Unknown driver"):
        await call(networks.create("unmade0", type="carrier-pigeon"))
    with pytest.raises(IncusBadRequestError, match="Invalid option"):
        await call(networks.update(own, {"config": {"no.such": "1"}}))
    with pytest.raises(IncusBadRequestError, match="in use"):
        await call(networks.delete(own))
    with pytest.raises(IncusBadRequestError, match="in use"):
        await call(networks.rename(own, "unmade0"))
    with pytest.raises(IncusArgumentError, match="no field 'descripton'"):
        await call(networks.update(own, {"descripton": "x"}))  # type: ignore[typeddict-unknown-key]
    for missing in (networks.get, networks.state, networks.leases, networks.delete):
        with pytest.raises(IncusNotFoundError):
            await call(missing("unmade0"))
    with pytest.raises(IncusNotFoundError):
        await call(networks.rename("unmade0", "unmade1"))
    with pytest.raises(IncusNotFoundError):
        await call(networks.replace("unmade0", {}))
    with pytest.raises(IncusNotFoundError):
        await call(client.use_project(f"{server.box}-nowhere").networks.list())


async def test_somebody_else_changes_it(client: Client, admin: Client, name: str) -> None:
    async with bridge(admin, name, PLAIN):
        editing, theirs = client.networks.edit(name), admin.networks.update(name, {"config": {"user.theirs": "1"}})
        with pytest.raises(IncusPreconditionFailedError, match=r"PUT /1\.0/networks/"):
            await _edit_while(editing, theirs)
        network = await call(client.networks.get(name))
        assert (network.description, network.config) == ("", {**PLAIN, "user.theirs": "1"})


async def test_state_leases_and_allocations(client: Client, server: Server) -> None:
    network = next(network for network in await call(client.networks.list()) if network.managed)
    state = await call(network.state())
    assert (state.state, state.type) == ("up", "broadcast")
    assert state.mtu > 0
    assert state.bridge is not None
    assert state.bridge.upper_devices
    assert state.counters is not None
    assert state.ovn is None
    assert {address.family for address in state.addresses} >= {"inet"}
    loopback = await call(client.networks.state("lo"))
    assert (loopback.type, loopback.bridge) == ("loopback", None)

    leases = await call(network.leases())
    gateway = next(lease for lease in leases if lease.type == "gateway")
    assert network.config["ipv4.address"].startswith(f"{gateway.address}/")

    allocations = await call(client.network_allocations.list())
    own = [allocation for allocation in allocations if allocation.type == "network"]
    assert network.config["ipv4.address"] in {allocation.addresses for allocation in own}
    assert f"/1.0/networks/{network.name}" in {allocation.used_by for allocation in own}
    everywhere = await call(client.network_allocations.list(all_projects=True))
    assert {one.addresses for one in everywhere} >= {one.addresses for one in own}
    with pytest.raises(IncusNotFoundError):
        await call(client.use_project(f"{server.box}-nowhere").network_allocations.list())


async def test_forwards(client: Client, admin: Client, server: Server, name: str) -> None:
    async with bridge(admin, name, ADDRESSED) as network:
        forwards = client.networks.forwards(name)
        made = await call(forwards.create(LISTEN, ports=[PORT], description="first", config={"user.x": 1}))
        assert (made.listen_address, made.description, made.config) == (LISTEN, "first", {"user.x": "1"})
        assert [(port.listen_port, port.target_address) for port in made.ports] == [("80", "10.213.77.5")]
        assert await call(forwards.names()) == [LISTEN]
        assert [one.listen_address for one in await call(forwards.list(filter={"description": "first"}))] == [LISTEN]
        assert await call(forwards.list(filter={"description": "second"})) == []
        assert [one.listen_address for one in await network.forwards().list()] == [LISTEN]

        await call(forwards.update(LISTEN, {"config": {"user.x": None, "user.y": "1"}}))
        assert ((await call(made.refresh())).config, made.description) == ({"user.y": "1"}, "first")
        other: Any = {**PORT, "listen_port": "81"}
        await call(made.modify(lambda draft: draft["ports"].append(other)))
        async with entered(made.edit()) as draft:
            assert [port.get("listen_port") for port in draft["ports"]] == ["80", "81"]
            draft["description"] = "second"
        assert ((await call(made.refresh())).description, len(made.ports)) == ("second", 2)
        await call(made.replace({"ports": [PORT]}))
        assert ((await call(made.refresh())).description, made.config, len(made.ports)) == ("", {}, 1)

        await _refusals_of_forwards(client, server, name)
        theirs = admin.networks.forwards(name).update(LISTEN, {"description": "theirs"})
        with pytest.raises(IncusPreconditionFailedError, match="it has changed since it was read"):
            await _edit_while(made.edit(), theirs)
        assert (await call(made.refresh())).description == "theirs"

        await call(made.delete())
        assert not await call(forwards.exists(LISTEN))


async def _edit_while(editing: AbstractAsyncContextManager[Any], interference: Awaitable[object]) -> None:
    """Edit something that somebody else changes meanwhile."""
    async with entered(editing) as draft:
        draft["description"] = "mine"
        await interference


async def _refusals_of_forwards(client: Client, server: Server, name: str) -> None:
    forwards = client.networks.forwards(name)
    with pytest.raises(IncusConflictError, match="already exists"):
        await call(forwards.create(LISTEN))
    with pytest.raises(IncusBadRequestError, match="Failed parsing"):
        await call(forwards.create("here"))
    with pytest.raises(IncusBadRequestError, match="Invalid option"):
        await call(forwards.update(LISTEN, {"config": {"no.such": "1"}}))
    with pytest.raises(IncusNotFoundError):
        await call(forwards.get("192.0.2.99"))
    with pytest.raises(IncusNotFoundError):
        await call(forwards.delete("192.0.2.99"))
    with pytest.raises(IncusNotFoundError, match="Network not found"):
        await call(client.networks.forwards("unmade0").list())
    snat: Any = [{**PORT, "snat": True}]
    if server.version == "6.0":
        with pytest.raises(IncusMissingExtensionError, match="network_forward_snat"):
            await call(forwards.update(LISTEN, {"ports": snat}))
    else:
        await call(forwards.update(LISTEN, {"ports": snat}))
        assert (await call(forwards.get(LISTEN))).ports[0].snat


async def test_what_only_ovn_has(client: Client) -> None:
    """Its answers are those of tests/unit/test_networks.py; a bridge refuses each call."""
    network = next(network for network in await call(client.networks.list()) if network.managed)
    balancers, peers = network.load_balancers(), client.networks.peers(network.name)
    for group, name in ((balancers, LISTEN), (peers, "other")):
        calls: list[tuple[Any, list[Any]]] = [(group.list, []), (group.names, [])]
        calls += [(verb, [name]) for verb in (group.get, group.delete, group.exists, group.create)]
        calls += [(verb, [name, {}]) for verb in (group.replace, group.update)]
        for verb, arguments in calls:
            with pytest.raises(IncusBadRequestError, match=r'"bridge" does not support (load balancers|peering)'):
                await call(verb(*arguments))
    with pytest.raises(IncusBadRequestError, match="does not support load balancers"):
        await call(balancers.state(LISTEN))
