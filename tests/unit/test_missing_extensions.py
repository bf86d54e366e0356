"""A call that needs an API extension which the server lacks is refused before anything is sent."""

from __future__ import annotations

from typing import Any

import pytest

from incus_sdk import IncusMissingExtensionError, IncusPermissionError
from incus_sdk._extension_data import CALLS, RECURSION
from incus_sdk._extensions import NEWER
from incus_sdk._requests import LATER, may_be_later

from .daemon import Daemon, error, sync

OLD = {"api_extensions": ["instances"], "environment": {"server_version": "6.0.4"}}
NEW = {"api_extensions": ["instances", "network_address_set"], "environment": {"server_version": "7.0.2"}}


async def test_it_is_refused(daemon: Daemon) -> None:
    daemon.will(sync(OLD))
    api = daemon.api()
    with pytest.raises(IncusMissingExtensionError) as caught:
        await api.get("/1.0/network-address-sets/x")
    assert caught.value.extension == "network_address_set"
    for part in ("GET /1.0/network-address-sets/x", "'network_address_set'", "Incus 6.0.4"):
        assert part in str(caught.value)
    assert daemon.targets == ["GET /1.0"]


async def test_the_server_is_asked_once(daemon: Daemon) -> None:
    daemon.will(sync(NEW), sync({}), sync({}))
    api = daemon.api()
    await api.get("/1.0/network-address-sets/x")
    await api.scoped(project="p").get("/1.0/network-address-sets/y")
    assert daemon.targets[0] == "GET /1.0"
    assert len(daemon.targets) == 3


async def test_what_was_missing_is_looked_for_again(daemon: Daemon) -> None:
    """The server may be a newer one by now."""
    daemon.will(sync(OLD), sync(NEW), sync({}))
    api = daemon.api()
    with pytest.raises(IncusMissingExtensionError, match="does not have"):
        await api.get("/1.0/network-address-sets/x")
    await api.get("/1.0/network-address-sets/x")


async def test_strangers_are_told_nothing_so_the_call_itself_is_answered(daemon: Daemon) -> None:
    daemon.will(sync({"auth": "untrusted"}), error(403, "not authorized"), sync({**NEW, "auth": "trusted"}), sync({}))
    api = daemon.api()
    with pytest.raises(IncusPermissionError, match="sets/x: not authorized"):
        await api.get("/1.0/network-address-sets/x")
    await api.get("/1.0/network-address-sets/x")  # trusted by now
    assert daemon.targets == ["GET /1.0", "GET /1.0/network-address-sets/x"] * 2


async def test_strangers_who_are_told_are_refused(daemon: Daemon) -> None:
    daemon.will(sync({**OLD, "auth": "untrusted"}))
    with pytest.raises(IncusMissingExtensionError):
        await daemon.api().get("/1.0/network-address-sets/x")


@pytest.mark.parametrize(
    ("method", "path", "params", "body", "extension"),
    [
        ("GET", "/1.0/instances/x/nvram", None, None, "instance_nvram"),
        ("GET", "/1.0/storage-pools/p/volumes/custom", {"recursion": 2}, None, "storage_volume_full"),
        ("GET", "/1.0/storage-pools/p/volumes/custom/v/files?path=%2F", None, None, "file_storage_volume"),
        ("POST", "/1.0/cluster/groups", None, {"name": "g", "config": {"a": "b"}}, "clustering_groups_config"),
        ("PUT", "/1.0/networks/n/forwards/1.2.3.4", None, {"ports": [{"snat": True}]}, "network_forward_snat"),
    ],
)
async def test_what_is_looked_at(
    daemon: Daemon, method: str, path: str, params: dict[str, Any] | None, body: dict[str, Any] | None, extension: str
) -> None:
    daemon.will(sync(OLD))
    with pytest.raises(IncusMissingExtensionError) as caught:
        await daemon.api().request(method, path, params, body)
    assert caught.value.extension == extension


async def test_streams_are_looked_at(daemon: Daemon) -> None:
    daemon.will(sync(OLD), sync(OLD))
    api = daemon.api()
    with pytest.raises(IncusMissingExtensionError):
        async with api.stream("GET", "/1.0/storage-pools/p/volumes/custom/v/files"):
            pytest.fail("it was sent")
    with pytest.raises(IncusMissingExtensionError):
        await api.upgrade("/1.0/instances/x/nbd", "nbd")


async def test_what_all_servers_have_is_just_sent(daemon: Daemon) -> None:
    daemon.will(sync({}), sync({}), sync({}))
    api = daemon.api()
    await api.get("/1.0/instances/x/files?path=%2F")
    await api.post("/1.0/cluster/groups", {"name": "g", "config": {}})
    await api.get("/1.0/instances", {"recursion": 2})
    assert len(daemon.targets) == 3


def test_the_quick_look_misses_nothing() -> None:
    for table in (CALLS, RECURSION):
        for path, needs in table.items():
            for key, extension in needs.items():
                if extension not in NEWER:
                    continue
                params = {"recursion": key} if table is RECURSION else None
                assert may_be_later(path, params, None), (key, path)
    paths = {path for path, needs in CALLS.items() if NEWER.intersection(needs.values())}
    words = {segment for path in paths for segment in path.split("/")}
    assert words >= LATER, "words that are in no such path (any more)"
