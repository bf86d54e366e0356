"""Clusters of several members, which one machine does not have: what is sent, and answers as 6.0.4 and 7.0.2 gave them.

The calls of this file were made by hand on clusters of three members.
"""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from incus_sdk import IncusArgumentError, IncusNotFoundError, OperationResponse, token_text
from incus_sdk._filters import fulfils
from incus_sdk.models import ClusterMemberConfigKeyDict

from .daemon import Daemon, error, started, sync

MEMBER: dict[str, Any] = {
    "roles": ["database"],
    "failure_domain": "default",
    "description": "",
    "config": {},
    "groups": ["default"],
    "server_name": "n2",
    "url": "https://198.51.100.12:8443",
    "database": True,
    "status": "Online",
    "message": "Fully operational",
    "architecture": "x86_64",
}

TOKEN: dict[str, Any] = {
    "addresses": ["198.51.100.11:8443", "198.51.100.12:8443"],
    "expiresAt": "2026-11-24T16:54:22.931831677Z",
    "fingerprint": "5032efda6ea0cd7e6da9a075c9c1231b4a3ab88962d967240de4957c1e5755b7",
    "secret": "4f627e293d62c2859f978e2d9845b7a2",
    "serverName": "n4",
}

KEYS: list[ClusterMemberConfigKeyDict] = [{"entity": "storage-pool", "name": "default", "key": "source", "value": ""}]


async def test_join(daemon: Daemon) -> None:
    daemon.will(started(description="Joining cluster"))
    await daemon.client().cluster.join("n4", "198.51.100.14:8443", "198.51.100.11:8443", "PEM", "token", KEYS)
    assert (daemon.last.method, daemon.last.path) == ("PUT", "/1.0/cluster")
    assert daemon.last.json == {
        "enabled": True,
        "server_name": "n4",
        "server_address": "198.51.100.14:8443",
        "cluster_address": "198.51.100.11:8443",
        "cluster_certificate": "PEM",
        "cluster_token": "token",
        "member_config": KEYS,
    }


async def test_token(daemon: Daemon) -> None:
    daemon.will(started(**{"class": "token", "metadata": TOKEN}))
    made = await daemon.client().cluster.members.create_token("n4")
    assert daemon.last.json == {"server_name": "n4"}
    assert json.loads(base64.b64decode(token_text(made))) == {
        "server_name": "n4",
        "fingerprint": TOKEN["fingerprint"],
        "addresses": TOKEN["addresses"],
        "secret": TOKEN["secret"],
        "expires_at": TOKEN["expiresAt"],
    }
    assert TOKEN["secret"] not in repr(made)


@pytest.mark.parametrize("metadata", [{}, None, {"class": "task", "metadata": TOKEN}, {"class": "token"}])
def test_what_is_no_token(metadata: object) -> None:
    with pytest.raises(IncusArgumentError, match="no answer of create_token"):
        token_text({"type": "async", "metadata": metadata})


async def test_a_server_in_no_cluster_is_not_emptied(daemon: Daemon) -> None:
    daemon.will(sync({"enabled": False, "server_name": "", "member_config": []}))
    with pytest.raises(IncusArgumentError, match="would empty its database"):
        await daemon.client().cluster.disable()
    assert daemon.targets == ["GET /1.0/cluster"]


async def test_disable(daemon: Daemon) -> None:
    daemon.will(sync({"enabled": True, "server_name": "n1"}), sync({}))
    await daemon.client().cluster.disable()
    assert (daemon.last.method, daemon.last.json) == ("PUT", {"enabled": False})


async def test_another_certificate(daemon: Daemon) -> None:
    daemon.will(sync({}))
    await daemon.client().cluster.update_certificate("PEM of it", "PEM of its key")
    assert (daemon.last.method, daemon.last.path) == ("PUT", "/1.0/cluster/certificate")
    assert daemon.last.json == {
        "cluster_certificate": "PEM of it",
        "cluster_certificate_key": "PEM of its key",
    }


@pytest.mark.parametrize(
    ("options", "query"), [({}, {}), ({"force": True}, {"force": "true"}), ({"pending": True}, {"pending": "true"})]
)
async def test_delete(daemon: Daemon, options: dict[str, bool], query: dict[str, str]) -> None:
    daemon.will(sync({}))
    await daemon.client().cluster.members.delete("n3", **options)
    assert (daemon.last.method, daemon.last.path) == ("DELETE", "/1.0/cluster/members/n3")
    sent = {key: value.replace("1", "true") for key, value in daemon.last.query.items()}
    assert sent == query


async def test_evacuate_and_restore(daemon: Daemon) -> None:
    members = daemon.client().cluster.members
    daemon.will(started(location="n3"), started(location="n3"))
    assert isinstance(await members.evacuate("n3", "live-migrate"), OperationResponse)
    assert daemon.last.json == {"action": "evacuate", "mode": "live-migrate"}
    await members.restore("n3")
    assert daemon.last.json == {"action": "restore"}


async def test_a_member_that_is_gone(daemon: Daemon) -> None:
    """7.0 tells a little more than 6.0."""
    daemon.will(
        error(404, "Cluster member not found"), error(404, 'Failed to get member "n9": Cluster member not found')
    )
    for _ in range(2):
        with pytest.raises(IncusNotFoundError, match="Cluster member not found"):
            await daemon.client().cluster.members.delete("n9")


async def test_an_update_repeats_what_the_server_would_drop(daemon: Daemon) -> None:
    """Without its roles and groups, servers refuse any change to a member."""
    daemon.will(sync(MEMBER, {"ETag": "e"}), sync({}))
    await daemon.client().cluster.members.update("n2", {"config": {"user.a": 1}})
    sent = daemon.last.json
    assert daemon.last.method == "PATCH"
    assert sent.items() >= {"config": {"user.a": "1"}, "roles": ["database"], "groups": ["default"]}.items()


async def test_list(daemon: Daemon) -> None:
    """6.0 sends all members, whatever the condition."""
    others = [{**MEMBER, "server_name": name, "roles": roles} for name, roles in (("n1", ["event-hub"]), ("n3", []))]
    daemon.will(sync([MEMBER, *others]))
    found = await daemon.client().cluster.members.list(filter={"roles": ["database", "event-hub"]})
    assert [member.server_name for member in found] == ["n2", "n1"]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (None, True),
        ({}, True),
        ({"status": "Online", "database": True}, True),
        ({"status": "online"}, False),
        ({"status": ["Offline", "Online"]}, True),
        ({"groups": "default"}, True),
        ({"groups": "default", "roles": "x"}, False),
        ({"config.user.a": 5}, True),
        ({"config.user.b": "5"}, False),
        ({"no.such": "x"}, False),
        ({"status": []}, False),
    ],
)
def test_conditions(condition: dict[str, object] | None, expected: bool) -> None:
    assert fulfils({**MEMBER, "config": {"user.a": "5"}}, condition) is expected
