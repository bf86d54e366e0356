"""Projects, cluster members, views, the server, and the requests below the groups."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from incus_sdk import Client, IncusBadRequestError, IncusError, IncusNotFoundError, Instance

from .support import NOTHING, Face, Server, call, entered

NOWHERE = "no-such-project"


async def test_a_project_that_does_not_exist(server: Server, face: Face) -> None:
    """Servers answer a list there as if there were such a project, but empty."""
    async with entered(face.client(server.endpoint, project=NOWHERE)) as client:
        attempts: tuple[Callable[[], Awaitable[object]], ...] = (
            client.instances.list,
            lambda: client.instances.list(0),
            lambda: client.instances.list(2),
            client.instances.names,
            lambda: client.instances.get(server.box),
            lambda: client.instances.exists(server.box),
            lambda: client.instances.create("x", NOTHING),
            lambda: client.instances.execute(server.box, ["true"]),
            lambda: client.instances.delete(server.box),
        )
        for attempt in attempts:
            with pytest.raises(IncusNotFoundError, match="Project not found"):
                await call(attempt())


async def test_use_project(client: Client, name: str, project: str) -> None:
    view = client.use_project(project)
    assert (view.api.project, client.api.project) == (project, None)
    assert repr(view) == f"<Client project={project}>"
    created = await call(view.instances.create(name, NOTHING, wait=True))
    assert created.project == project
    assert await call(view.instances.names()) == [name]
    assert name not in await call(client.instances.names())
    with pytest.raises(IncusNotFoundError):
        await call(client.instances.get(name))


async def test_an_empty_project_is_an_empty_list(client: Client, project: str) -> None:
    assert await call(client.use_project(project).instances.list()) == []
    assert await call(client.use_project(project).instances.names()) == []


async def test_execute_in_a_project(client: Client, admin: Client, name: str, project: str) -> None:
    await admin.use_project(project).instances.launch("busybox", name)
    view = client.use_project(project)
    result = await call(view.instances.execute(name, ["echo", "here"], record_output=True, wait=True))
    assert result.stdout == "here\n"
    await call(view.instances.put_files(name, "/tmp/x", b"there"))
    assert await call(view.instances.get_files(name, "/tmp/x")) == b"there"
    assert await call(view.instances.get_logs(name))


async def test_a_view_closes_nothing(client: Client, project: str) -> None:
    async with entered(client.use_project(project)) as view:
        assert await call(view.instances.list()) == []
    assert (await call(client.get_server_info()))["type"] == "sync"
    assert await call(view.instances.list()) == []


async def test_use_target_outside_a_cluster(client: Client, server: Server) -> None:
    """A server by itself ignores what member is named, but for creations, which it refuses."""
    view = client.use_target("elsewhere")
    assert (view.api.target, client.api.target) == ("elsewhere", None)
    with pytest.raises(IncusBadRequestError, match=r"[Cc]lustered"):
        await call(view.instances.create(f"{server.box}-b", NOTHING))
    assert await call(client.instances.exists(server.box))


async def test_project_of_the_client(server: Server, face: Face, name: str, project: str, empty: Instance) -> None:
    async with entered(face.client(server.endpoint, project=project)) as client:
        assert await call(client.instances.exists(empty.name)) is False
        assert await call(client.use_project("default").instances.exists(name)) is True


async def test_server_info_is_the_envelope(client: Client) -> None:
    info = await call(client.get_server_info())
    assert (type(info), info["type"], info["status_code"]) == (dict, "sync", 200)
    assert info["metadata"]["auth"] == "trusted"
    assert "container_exec_recording" in info["metadata"]["api_extensions"]


async def test_resources_are_the_envelope(client: Client) -> None:
    resources = await call(client.get_resources())
    assert (type(resources), resources["type"]) == (dict, "sync")
    assert resources["metadata"]["cpu"]["total"] > 0


async def test_requests_below_the_groups(client: Client, name: str) -> None:
    api, path = client.api, f"/1.0/profiles/{name}"
    assert (await call(api.post("/1.0/profiles", {"name": name, "config": {"user.a": "1"}})))["status_code"] == 200
    try:
        assert (await call(api.patch(path, {"config": {"user.b": "2"}})))["type"] == "sync"
        assert (await call(api.get(path)))["metadata"]["config"] == {"user.a": "1", "user.b": "2"}
        assert (await call(api.put(path, {"config": {"user.c": "3"}, "description": "d"})))["type"] == "sync"
        got = (await call(api.get("/1.0/profiles", {"recursion": 1})))["metadata"]
        assert next(profile for profile in got if profile["name"] == name)["config"] == {"user.c": "3"}
    finally:
        assert (await call(api.delete(path)))["type"] == "sync"
    with pytest.raises(IncusNotFoundError):
        await call(api.get(path))


async def test_requests_that_the_server_refuses(client: Client) -> None:
    with pytest.raises(IncusNotFoundError, match=r"GET /1\.0/bogus"):
        await call(client.api.get("/1.0/bogus"))
    with pytest.raises(IncusError, match=r"DELETE /1\.0") as caught:
        await call(client.api.delete("/1.0"))
    assert caught.value.status_code == 501
    with pytest.raises(IncusBadRequestError):
        await call(client.api.post("/1.0/profiles", b"no JSON"))
