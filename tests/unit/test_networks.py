"""Networks: what is sent for that which needs OVN or a cluster, with answers that daemons of 6.0.4 and 7.0.2 gave."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from incus_sdk import IncusArgumentError, IncusPreconditionFailedError
from incus_sdk.models import (
    NetworkLoadBalancerStateBackendHealth,
    NetworkLoadBalancerStateBackendHealthPort,
    NetworkStateOVN,
)

from .daemon import Daemon, error, reply, sync

ETAG = {"ETag": '"f8812636"'}
OTHER_ETAG = {"ETag": '"69d7514a"'}
CREATED = sync(None)
CHANGED = sync({})

OVN: dict[str, Any] = {
    "config": {
        "bridge.mtu": "1500",
        "ipv4.address": "10.42.101.1/24",
        "network": "incusbr0",
        "volatile.network.ipv4.address": "10.155.18.200",
    },
    "description": "",
    "name": "ovn0",
    "type": "ovn",
    "used_by": [],
    "managed": True,
    "status": "Created",
    "locations": ["none"],
    "project": "default",
}

STATE: dict[str, Any] = {
    "addresses": [{"family": "inet", "address": "10.42.101.1", "netmask": "24", "scope": "link"}],
    "counters": None,
    "hwaddr": "10:66:6a:e5:cf:57",
    "mtu": 1500,
    "state": "up",
    "type": "broadcast",
    "bond": None,
    "bridge": None,
    "vlan": None,
    "ovn": {
        "chassis": "vm",
        "logical_router": "incus-net2-lr",
        "logical_switch": "incus-net2-ls-int",
        "uplink_ipv4": "10.155.18.200",
        "uplink_ipv6": "",
    },
}

BACKEND: Any = {"name": "b1", "target_address": "10.42.101.2", "target_port": "80"}
PORT: Any = {"protocol": "tcp", "listen_port": "80", "target_backend": ["b1"]}

BALANCER: dict[str, Any] = {
    "description": "d",
    "config": {"healthcheck": "true", "user.x": "1"},
    "backends": [{"name": "b1", "description": "", "target_port": "80", "target_address": "10.42.101.2"}],
    "ports": [{"description": "", "protocol": "tcp", "listen_port": "80", "target_backend": ["b1"]}],
    "listen_address": "192.0.2.5",
    "location": "",
}

EMPTY_BALANCER: dict[str, Any] = {**BALANCER, "description": "", "config": {}, "backends": None, "ports": None}
"""As 7.0.2 says it; 6.0.4 has empty lists."""

HEALTH: dict[str, Any] = {
    "backend_health": {
        "b1": {"address": "10.42.101.2", "ports": [{"protocol": "tcp", "port": 80, "status": "unknown"}]}
    }
}

PEER: dict[str, Any] = {
    "description": "d",
    "config": {"user.x": "1"},
    "name": "to2",
    "target_project": "default",
    "target_network": "ovn1",
    "status": "Pending",
    "used_by": [],
    "type": "local",
}

LOG = (
    b'{"time":"2026-11-24T13:41:04Z","proto":"icmp","src":"10.173.121.2","dst":"10.173.121.1",'
    b'"icmp_type":"8","icmp_code":"0","action":"allow"}\n'
)
RAW = {"Content-Type": "application/octet-stream", "Content-Disposition": "inline;filename="}

BALANCERS = "/1.0/networks/ovn0/load-balancers"
PEERS = "/1.0/networks/ovn0/peers"


# -- networks ----------------------------------------------------------------------------------------------------------


async def test_an_ovn_network(daemon: Daemon) -> None:
    daemon.will(CREATED, sync(OVN), sync(STATE))
    network = await daemon.client().networks.create("ovn0", type="ovn", config={"network": "incusbr0"})
    assert daemon.requests[0].json == {"name": "ovn0", "type": "ovn", "config": {"network": "incusbr0"}}
    state = await network.state()
    assert state.ovn == NetworkStateOVN(
        chassis="vm",
        logical_router="incus-net2-lr",
        logical_switch="incus-net2-ls-int",
        uplink_ipv4="10.155.18.200",
    )
    assert (state.counters, state.bridge, state.mtu) == (None, None, 1500)
    assert daemon.targets == ["POST /1.0/networks", "GET /1.0/networks/ovn0", "GET /1.0/networks/ovn0/state"]


async def test_a_network_of_a_cluster(daemon: Daemon) -> None:
    """It is defined on each member, then on all."""
    pending = {**OVN, "name": "lan", "type": "physical", "status": "Pending", "locations": ["node1"]}
    daemon.will(CREATED, sync(pending), CREATED, sync({**pending, "status": "Created"}), sync(STATE), sync(None))
    client = daemon.client()
    there = client.use_target("node1").networks
    assert (await there.create("lan", type="physical", config={"parent": "eth1"})).status == "Pending"
    assert (await client.networks.create("lan", type="physical")).status == "Created"
    await there.state("lan")
    assert await there.leases("lan") == []
    assert daemon.targets == [
        "POST /1.0/networks?target=node1",
        "GET /1.0/networks/lan?target=node1",
        "POST /1.0/networks",
        "GET /1.0/networks/lan",
        "GET /1.0/networks/lan/state?target=node1",
        "GET /1.0/networks/lan/leases?target=node1",
    ]


async def test_what_is_below_a_network_is_in_its_project(daemon: Daemon) -> None:
    daemon.will(sync([{**OVN, "project": "shop"}]), sync([]), sync([BALANCER]), sync([PEER]), sync([]))
    (network,) = await daemon.client().networks.list(all_projects=True)
    assert await network.forwards().names() == []
    (balancer,) = await network.load_balancers().list(filter={"listen_address": "192.0.2.5"})
    (peer,) = await network.peers().list()
    assert (balancer.listen_address, peer.name) == ("192.0.2.5", "to2")
    assert await network.leases() == []
    queries = [request.query.get("project") for request in daemon.requests]
    assert queries == [None, "shop", "shop", "shop", "shop"]
    assert daemon.requests[2].path == BALANCERS


@pytest.mark.parametrize("name", ["", "..", "a/b"])
async def test_names_of_what_is_below_a_network(daemon: Daemon, name: str) -> None:
    if name == "a/b":
        daemon.will(sync([]))
        await daemon.client().networks.forwards(name).names()
        assert daemon.last.target.startswith("/1.0/networks/a%2Fb/forwards")
    else:
        with pytest.raises(IncusArgumentError, match="cannot be a name"):
            daemon.client().networks.forwards(name)


# -- load balancers ----------------------------------------------------------------------------------------------------


async def test_a_load_balancer(daemon: Daemon) -> None:
    daemon.will(CREATED, sync(BALANCER), sync(HEALTH), CHANGED)
    balancers = daemon.client().networks.load_balancers("ovn0")
    made = await balancers.create(
        "192.0.2.5", description="d", config={"healthcheck": True, "user.x": 1}, backends=[BACKEND], ports=[PORT]
    )
    assert daemon.requests[0].json == {
        "listen_address": "192.0.2.5",
        "description": "d",
        "config": {"healthcheck": "true", "user.x": "1"},
        "backends": [BACKEND],
        "ports": [PORT],
    }
    assert made.ports[0].target_backend == ["b1"]
    port = NetworkLoadBalancerStateBackendHealthPort(port=80, protocol="tcp", status="unknown")
    health = NetworkLoadBalancerStateBackendHealth(address="10.42.101.2", ports=[port])
    assert (await made.state()).backend_health == {"b1": health}
    await made.delete()
    assert daemon.targets == [
        f"POST {BALANCERS}",
        f"GET {BALANCERS}/192.0.2.5",
        f"GET {BALANCERS}/192.0.2.5/state",
        f"DELETE {BALANCERS}/192.0.2.5",
    ]


async def test_health_that_nobody_checks(daemon: Daemon) -> None:
    daemon.will(sync({"backend_health": None}))
    assert (await daemon.client().networks.load_balancers("ovn0").state("192.0.2.5")).backend_health == {}


async def test_addresses_of_the_newer_kind(daemon: Daemon) -> None:
    daemon.will(sync([f"{BALANCERS}/fd42::5"]), sync({**BALANCER, "listen_address": "fd42::5"}))
    balancers = daemon.client().networks.load_balancers("ovn0")
    (address,) = await balancers.names()
    assert (await balancers.get(address)).listen_address == "fd42::5"
    assert daemon.last.path == f"{BALANCERS}/fd42%3A%3A5"


async def test_an_update_repeats_what_stays(daemon: Daemon) -> None:
    daemon.will(sync(BALANCER, ETAG), CHANGED)
    await daemon.client().networks.load_balancers("ovn0").update("192.0.2.5", {"config": {"user.x": None}})
    patch = daemon.last
    assert (patch.method, patch.headers["if-match"]) == ("PATCH", ETAG["ETag"])
    assert patch.json == {**BALANCER, "config": {"healthcheck": "true", "user.x": ""}}


async def test_what_changed_since_it_was_read_is_not_written(daemon: Daemon) -> None:
    """Servers do not look at the ETag there."""
    daemon.will(sync(BALANCER, ETAG), sync(BALANCER, OTHER_ETAG))
    with pytest.raises(IncusPreconditionFailedError, match=f"PUT {BALANCERS}/192.0.2.5: it has changed") as caught:
        async with daemon.client().networks.load_balancers("ovn0").edit("192.0.2.5") as draft:
            draft["description"] = "mine"
    assert caught.value.status_code == 412
    assert [request.method for request in daemon.requests] == ["GET", "GET"]


async def test_modify_reads_again_what_has_changed(daemon: Daemon) -> None:
    theirs = {**BALANCER, "description": "theirs"}
    answers = [sync(BALANCER, ETAG), sync(theirs, OTHER_ETAG), sync(theirs, OTHER_ETAG), sync(theirs, OTHER_ETAG)]
    daemon.will(*answers, CHANGED)
    balancers = daemon.client().networks.load_balancers("ovn0")
    await balancers.modify("192.0.2.5", lambda draft: draft["config"].update({"user.y": 2}))
    assert daemon.last.json == {**theirs, "config": {"healthcheck": "true", "user.x": "1", "user.y": "2"}}
    assert daemon.last.headers["if-match"] == OTHER_ETAG["ETag"]


async def test_an_update_that_others_keep_overtaking(daemon: Daemon) -> None:
    overtaken = [sync(BALANCER, ETAG), error(412, "ETag doesn't match")]
    balancers = daemon.client().networks.load_balancers("ovn0")
    daemon.will(*overtaken * 9, sync(BALANCER, ETAG), CHANGED)
    await balancers.update("192.0.2.5", {"description": "mine"})
    daemon.will(*overtaken * 10)
    with pytest.raises(IncusPreconditionFailedError, match=f"PATCH {BALANCERS}"):
        await balancers.update("192.0.2.5", {"description": "mine"})


async def test_lists_that_the_server_calls_null(daemon: Daemon) -> None:
    """A draft has them, so that they can be added to; what stays empty goes back as it came."""
    daemon.will(sync(EMPTY_BALANCER, ETAG), sync(EMPTY_BALANCER, ETAG), CHANGED)
    async with daemon.client().networks.load_balancers("ovn0").edit("192.0.2.5") as draft:
        assert (draft["backends"], draft["ports"]) == ([], [])
        draft["backends"].append(BACKEND)
    assert daemon.last.json == {**EMPTY_BALANCER, "backends": [BACKEND]}


async def test_lists_that_the_server_calls_null_are_no_change(daemon: Daemon) -> None:
    daemon.will(sync(EMPTY_BALANCER, ETAG))
    async with daemon.client().networks.load_balancers("ovn0").edit("192.0.2.5") as draft:
        assert draft["ports"] == []
    assert [request.method for request in daemon.requests] == ["GET"]


# -- peers -------------------------------------------------------------------------------------------------------------


async def test_a_peer(daemon: Daemon) -> None:
    daemon.will(CREATED, sync(PEER), CHANGED)
    peers = daemon.client().networks.peers("ovn0")
    made = await peers.create("to2", target_network="ovn1", target_project="default", config={"user.x": 1})
    sent = {"name": "to2", "target_network": "ovn1", "target_project": "default", "config": {"user.x": "1"}}
    assert daemon.requests[0].json == sent
    assert (made.status, made.type, made.target_integration) == ("Pending", "local", "")
    await made.delete()
    assert daemon.targets == [f"POST {PEERS}", f"GET {PEERS}/to2", f"DELETE {PEERS}/to2"]


async def test_a_peer_through_an_integration(daemon: Daemon) -> None:
    remote = {**PEER, "type": "remote", "target_integration": "region", "target_network": "", "target_project": ""}
    daemon.will(CREATED, sync(remote))
    made = await daemon.client().networks.peers("ovn0").create("out", type="remote", target_integration="region")
    assert daemon.requests[0].json == {"name": "out", "type": "remote", "target_integration": "region"}
    assert (made.type, made.target_integration) == ("remote", "region")


async def test_a_peer_of_a_network_that_there_is_not(daemon: Daemon) -> None:
    daemon.will(error(404, "Network peer not found"), sync(OVN))
    assert not await daemon.client().networks.peers("ovn0").exists("to2")


# -- ACLs --------------------------------------------------------------------------------------------------------------


async def test_the_log_of_an_acl(daemon: Daemon, tmp_path: Path) -> None:
    daemon.will(sync({"name": "a"}), *[reply(LOG, headers=RAW)] * 3)
    acl = await daemon.client().network_acls.get("a")
    assert await acl.log() == LOG.decode()
    assert await acl.download_log(tmp_path / "log") == len(LOG)
    assert (tmp_path / "log").read_bytes() == LOG
    async with acl.stream_log() as response:
        assert b"".join([piece async for piece in response]) == LOG
    assert daemon.targets[1:] == ["GET /1.0/network-acls/a/log"] * 3


async def test_rules_keep_what_this_library_does_not_know(daemon: Daemon) -> None:
    rule: dict[str, Any] = {"action": "allow", "state": "enabled", "from_the_future": {"a": [1, None]}}
    acl: dict[str, Any] = {
        "name": "a",
        "description": "",
        "egress": [],
        "ingress": [rule],
        "config": {},
        "mood": "good",
    }
    daemon.will(sync(acl, ETAG), CHANGED)
    async with daemon.client().network_acls.edit("a") as draft:
        draft["ingress"].append({"action": "drop", "state": "enabled"})
    assert daemon.last.headers["if-match"] == ETAG["ETag"]
    assert daemon.last.json == {**acl, "ingress": [rule, {"action": "drop", "state": "enabled"}]}
    daemon.will(sync(acl, ETAG))
    with pytest.raises(
        IncusArgumentError, match=r"ingress\[1\] of NetworkACL has no field 'stat' \(did you mean 'state'"
    ):
        await daemon.client().network_acls.modify("a", _with_a_slip)
    assert daemon.last.method == "GET"


def _with_a_slip(draft: Any) -> None:
    draft["ingress"].append({"action": "drop", "stat": "enabled"})


# -- records -----------------------------------------------------------------------------------------------------------


async def test_records_are_updated_by_a_put(daemon: Daemon) -> None:
    """Of a PATCH, servers make a record with the configuration of the zone."""
    record: dict[str, Any] = {"name": "www", "description": "d", "config": {"user.x": "1"}, "entries": None}
    daemon.will(sync(record, ETAG), CHANGED)
    await daemon.client().network_zones.records("lab.example.net").update("www", {"config": {"user.y": 2}})
    assert (daemon.last.method, daemon.last.headers["if-match"]) == ("PUT", ETAG["ETag"])
    assert daemon.last.json == {**record, "config": {"user.x": "1", "user.y": "2"}}
    assert daemon.last.path == "/1.0/network-zones/lab.example.net/records/www"


# -- slips of the pen --------------------------------------------------------------------------------------------------


async def test_unknown_fields(daemon: Daemon) -> None:
    client = daemon.client()
    groups = [
        client.networks,
        client.networks.forwards("n"),
        client.networks.load_balancers("n"),
        client.networks.peers("n"),
        client.network_acls,
        client.network_address_sets,
        client.network_zones,
        client.network_zones.records("z"),
        client.network_integrations,
    ]
    for group in groups:
        with pytest.raises(IncusArgumentError, match=r"has no field 'descripton' \(did you mean 'description'\?\)"):
            await cast("Any", group).create("x", descripton="y")
        with pytest.raises(IncusArgumentError, match="cannot be a name"):
            await cast("Any", group).create("")
    assert daemon.targets == []
