"""The client: its scope, its views, its connections."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from incus_sdk import Client, IncusArgumentError, IncusConfigurationError, IncusConnectionError, InstancesAPI

from . import blocking_daemon
from .daemon import Daemon, envelope, error, sync


async def test_views_share_the_connections(daemon: Daemon) -> None:
    daemon.will(*[sync({})] * 4)
    client = daemon.client()
    shop = client.use_project("shop")
    await client.api.get("/1.0")
    await shop.api.get("/1.0")
    async with shop.use_target("node1") as view:
        await view.api.get("/1.0")
    await client.api.get("/1.0")  # leaving the view has closed nothing
    assert daemon.targets == [
        "GET /1.0",
        "GET /1.0?project=shop",
        "GET /1.0?project=shop&target=node1",
        "GET /1.0",
    ]
    assert {request.connection for request in daemon.requests} == {0}


async def test_views_are_clients(daemon: Daemon) -> None:
    daemon.will(sync({}), sync([]), sync({}), sync([]))

    class MyClient(Client):
        pass

    async with MyClient(daemon.server.endpoint.url) as client:
        view = client.use_project("shop")
        assert type(view) is MyClient
        assert view.instances is view.instances
        assert view.instances is not client.instances
        await view.instances.list()  # an empty list makes it look whether the project is there
        await client.instances.list()
        assert view.use_project("other").api.project == "other"
        assert client.api.project is None
    assert daemon.targets == [
        "GET /",
        "GET /1.0/instances?recursion=1&project=shop",
        "GET /1.0/projects/shop?project=shop",
        "GET /1.0/instances?recursion=1",
    ]


async def test_disconnecting_a_view_disconnects_all(daemon: Daemon) -> None:
    daemon.will(sync({}))
    client = daemon.client()
    await client.api.get("/1.0")
    await client.use_project("shop").disconnect()
    with pytest.raises(IncusConnectionError, match="this client is disconnected"):
        await client.api.get("/1.0")


async def test_entering_a_view_opens_nothing_again(daemon: Daemon) -> None:
    client = daemon.client()
    view = client.use_project("shop")
    await client.disconnect()
    async with view:
        with pytest.raises(IncusConnectionError, match="this client is disconnected"):
            await view.api.get("/1.0")


async def test_leaving_closes_even_after_an_error(daemon: Daemon) -> None:
    daemon.will(sync({}))
    with pytest.raises(KeyError):
        async with Client(daemon.server.endpoint.url):
            raise KeyError
    await daemon.server.peers[0].gone()


async def test_entering_tells_what_is_wrong_with_the_address(daemon: Daemon) -> None:
    await daemon.server.stop()
    with pytest.raises(IncusConnectionError, match="socket"):
        async with Client(daemon.server.endpoint.url):
            pytest.fail("the block must not be entered")


@pytest.mark.parametrize(
    "metadata", [{"api_extensions": ["a"], "environment": {"server_version": "6.0.4"}}, {"auth": "untrusted"}, None]
)
async def test_server_info_is_the_whole_envelope(daemon: Daemon, metadata: object) -> None:
    daemon.will(sync(metadata), sync(metadata))
    client = daemon.client()
    whole = envelope("sync", status="Success", status_code=200, metadata=metadata)
    assert await client.get_server_info() == whole
    assert await client.get_resources() == whole
    assert daemon.targets == ["GET /1.0", "GET /1.0/resources"]


async def test_server_info_that_is_refused(daemon: Daemon) -> None:
    daemon.will(error(403, "not authorized"))
    with pytest.raises(Exception, match="not authorized"):
        await daemon.client().get_server_info()


def test_making_one_touches_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("INCUS_ENDPOINT", "nonsense")
    client = Client(cert=(tmp_path / "none.crt", tmp_path / "none.key"), project="shop")
    assert repr(client) == "<Client project=shop>"
    assert isinstance(client.instances, InstancesAPI)
    assert repr(client.instances) == "<InstancesAPI /1.0/instances>"
    with pytest.raises(IncusConfigurationError, match="INCUS_ENDPOINT"):
        _ = client.api.endpoint


def test_reprs_hold_no_secrets() -> None:
    client = Client("https://192.0.2.1", ("-----BEGIN CERTIFICATE-----", "-----BEGIN PRIVATE KEY-----hush"), False)
    assert repr(client) == "<Client>"
    assert "hush" not in repr(client.api)


def test_a_timeout_that_nothing_could_keep() -> None:
    with pytest.raises(IncusArgumentError, match=r"timeout cannot be 0: .* None waits for ever"):
        Client(timeout=0)


@pytest.mark.parametrize("options", [{"timeout": -0.1}, {"retries": -1}])
def test_options_that_cannot_be(options: dict[str, Any]) -> None:
    with pytest.raises(IncusArgumentError, match="it must be 0 or more"):
        Client(**options)


TWO_RUNS = """
import asyncio, sys
from incus_sdk import Client

client = Client(sys.argv[1])
print([asyncio.run(client.get_server_info())["metadata"] for _ in range(2)])
"""


@pytest.mark.parametrize("name", ["", ".", ".."])
def test_scopes_that_cannot_be(name: str) -> None:
    """Servers would take the default one, where an unset variable was meant for another."""
    with pytest.raises(IncusArgumentError, match="cannot be a name"):
        Client(project=name)
    for use in (Client().use_project, Client().use_target):
        with pytest.raises(IncusArgumentError, match="cannot be a name"):
            use(name)


DISCONNECTED_LATER = """
import asyncio, sys
from incus_sdk import Client

client = Client(sys.argv[1])
asyncio.run(client.get_server_info())
asyncio.run(client.disconnect())
asyncio.run(client.connect())
print(asyncio.run(client.get_server_info())["metadata"])
"""


def test_a_client_is_disconnected_in_another_event_loop(tmp_path: Path) -> None:
    with blocking_daemon.running(tmp_path / "socket") as server:
        script = [sys.executable, "-W", "ignore::ResourceWarning", "-c", DISCONNECTED_LATER, server.url]
        done = subprocess.run(script, capture_output=True, text=True, timeout=30, check=True)
    assert done.stdout == "{'api_status': 'stable'}\n"
    assert done.stderr == ""


def test_a_client_outlives_the_event_loop_that_it_was_used_in(tmp_path: Path) -> None:
    with blocking_daemon.running(tmp_path / "socket") as server:
        script = [sys.executable, "-W", "ignore::ResourceWarning", "-c", TWO_RUNS, server.url]
        done = subprocess.run(script, capture_output=True, text=True, timeout=30, check=True)
    assert done.stdout == "[{'api_status': 'stable'}, {'api_status': 'stable'}]\n"
    assert done.stderr == ""


async def test_a_client_is_not_shared_by_two_running_event_loops(daemon: Daemon) -> None:
    daemon.will(sync({}))
    client = daemon.client()
    await client.get_server_info()
    with pytest.raises(RuntimeError, match="in use in another event loop"):
        await asyncio.to_thread(lambda: asyncio.run(client.get_server_info()))
