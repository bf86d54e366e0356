"""Requests: their scope, their headers and bodies, and the life of their connections."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncGenerator
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from incus_sdk import (
    APIClient,
    IncusArgumentError,
    IncusConnectionError,
    IncusPreconditionFailedError,
)

from .daemon import Behaviour, Daemon, Request, envelope, error, silence, sync
from .transport.scripted.server import Peer

# -- scope -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("project", "target", "path", "params", "sent"),
    [
        (None, None, "/1.0", None, "/1.0"),
        ("shop", None, "/1.0", None, "/1.0?project=shop"),
        ("a b/ü&c=d", None, "/1.0", None, "/1.0?project=a%20b%2F%C3%BC%26c%3Dd"),
        ("shop", "node1", "/1.0", {"recursion": 1}, "/1.0?recursion=1&project=shop&target=node1"),
        ("shop", "node1", "/1.0", {"project": "p", "target": "t"}, "/1.0?project=p&target=t"),
        ("shop", None, "/1.0", {"project": None}, "/1.0"),
        ("shop", None, "/1.0?project=p", None, "/1.0?project=p"),
        ("shop", None, "/1.0?recursion=1", {"filter": "a eq b"}, "/1.0?recursion=1&filter=a%20eq%20b&project=shop"),
        ("shop", None, "/1.0?old_project=p", None, "/1.0?old_project=p&project=shop"),
        ("shop", "node1", "/1.0?target=t", None, "/1.0?target=t&project=shop"),
        ("shop", None, "/1.0", {"all-projects": True}, "/1.0?all-projects=true"),
        ("shop", None, "/1.0", {"all-projects": "1"}, "/1.0?all-projects=1"),
        ("shop", None, "/1.0?all-projects=true", None, "/1.0?all-projects=true"),
        ("shop", None, "/1.0", {"all-projects": False}, "/1.0?all-projects=false&project=shop"),
        ("shop", None, "/1.0", {"all-projects": None}, "/1.0?project=shop"),
        ("shop", None, "/1.0/profiles/project%3Dx", None, "/1.0/profiles/project%3Dx?project=shop"),
    ],
)
async def test_scope(
    daemon: Daemon, project: str | None, target: str | None, path: str, params: dict[str, object] | None, sent: str
) -> None:
    daemon.will(sync({}))
    before = dict(params or {})
    await daemon.api(project=project, target=target).get(path, params)
    assert daemon.last.target == sent
    assert (params or {}) == before


async def test_a_scope_keeps_what_it_does_not_replace(daemon: Daemon) -> None:
    api = daemon.api(project="shop", target="node1")
    assert (api.scoped(project="p").project, api.scoped(project="p").target) == ("p", "node1")
    assert (api.scoped(target="t").project, api.scoped(target="t").target) == ("shop", "t")
    assert (api.project, api.target) == ("shop", "node1")
    assert api.endpoint == daemon.server.endpoint.url


async def test_the_project_of_the_restricted_socket_is_there_from_the_first_request(
    daemon: Daemon, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "socket").rename(tmp_path / "unix.socket.user")
    monkeypatch.delenv("INCUS_ENDPOINT", raising=False)
    monkeypatch.delenv("INCUS_SOCKET", raising=False)
    monkeypatch.setenv("INCUS_DIR", str(tmp_path))
    daemon.will(sync({}), sync({}))
    api = APIClient()
    before = api.project  # nothing has been looked for yet
    await api.get("/1.0")
    project = f"user-{os.geteuid()}"
    assert daemon.last.query == {"project": project}
    assert (before, api.project) == (None, project)
    await api.scoped(project="mine").get("/1.0")
    assert daemon.last.query == {"project": "mine"}
    await api.disconnect()


# -- headers and bodies ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "kind", "body"),
    [
        (None, None, b""),
        ({"a": {"b": [1, None, True, "ü"]}}, "application/json", '{"a":{"b":[1,null,true,"ü"]}}'.encode()),
        (MappingProxyType({"a": MappingProxyType({"b": 1})}), "application/json", b'{"a":{"b":1}}'),
        ({}, "application/json", b"{}"),
        (b"\x00\xff", "application/octet-stream", b"\x00\xff"),
        (bytearray(b"abc"), "application/octet-stream", b"abc"),
        (memoryview(b"abc"), "application/octet-stream", b"abc"),
        (b"", "application/octet-stream", b""),
        (b"x" * 300_000, "application/octet-stream", b"x" * 300_000),
    ],
)
async def test_bodies(daemon: Daemon, data: Any, kind: str | None, body: bytes) -> None:
    daemon.will(sync({}))
    await daemon.api().request("POST", "/1.0/x", data=data)
    assert daemon.last.body == body
    assert daemon.last.headers.get("content-type") == kind
    assert daemon.last.headers["content-length"] == str(len(body))


async def test_an_iterator_is_sent_in_chunks(daemon: Daemon) -> None:
    daemon.will(sync({}))
    await daemon.api().request("POST", "/1.0/x", data=pieces(b"ab", b"", b"c" * 100_000))
    assert daemon.last.body == b"ab" + b"c" * 100_000
    assert daemon.last.headers["transfer-encoding"] == "chunked"
    assert daemon.last.headers["content-type"] == "application/octet-stream"


async def test_headers_of_the_caller_win(daemon: Daemon) -> None:
    daemon.will(sync({}), sync({}))
    headers = {"content-type": "text/yaml", "X-Incus-type": "file"}
    await daemon.api().request("PUT", "/1.0/x", data=b"a: 1", headers=headers)
    assert daemon.last.headers["content-type"] == "text/yaml"
    assert daemon.last.headers["x-incus-type"] == "file"
    assert headers == {"content-type": "text/yaml", "X-Incus-type": "file"}
    data = {"config": {"a": 1}}
    await daemon.api().request("PUT", "/1.0/x", data=data)
    assert data == {"config": {"a": 1}}


async def test_etag(daemon: Daemon) -> None:
    daemon.will(sync({"name": "web"}, {"ETag": '"abc"'}), sync({}), sync({}), error(412, "ETag doesn't match"))
    api = daemon.api()
    current, etag = await api.read_with_etag("/1.0/instances/web")
    assert (current, etag) == ({"name": "web"}, '"abc"')
    await api.operation("PUT", "/1.0/instances/web", {}, headers={"X-A": "b"}, etag=etag)
    assert (daemon.last.headers["if-match"], daemon.last.headers["x-a"]) == ('"abc"', "b")
    await api.operation("PUT", "/1.0/instances/web", {})
    assert "if-match" not in daemon.last.headers
    with pytest.raises(IncusPreconditionFailedError, match="ETag doesn't match"):
        await api.operation("PUT", "/1.0/instances/web", {}, etag="other")


async def test_an_answer_without_etag(daemon: Daemon) -> None:
    daemon.will(sync({}))
    assert await daemon.api().read_with_etag("/1.0/x") == ({}, "")


@pytest.mark.parametrize("data", ["text", ["a"], 1, object(), iter([b"a"])])
async def test_what_cannot_be_sent_is_refused_before(daemon: Daemon, data: Any) -> None:
    with pytest.raises(TypeError, match="body must be"):
        await daemon.api().request("POST", "/1.0/x", data=data)
    assert not daemon.server.peers


async def test_what_json_cannot_hold_is_refused_before(daemon: Daemon) -> None:
    with pytest.raises(TypeError, match=r"^a: a value of type complex cannot be sent as JSON$"):
        await daemon.api().request("POST", "/1.0/x", data={"a": 1j})
    assert not daemon.server.peers


async def test_the_short_forms(daemon: Daemon) -> None:
    daemon.will(*[sync({})] * 5)
    api = daemon.api()
    assert await api.get("/1.0/a", {"x": 1}) == envelope("sync", status="Success", status_code=200, metadata={})
    await api.post("/1.0/a", {"b": 1}, {"x": 1})
    await api.put("/1.0/a", {"b": 2})
    await api.patch("/1.0/a", {"b": 3})
    await api.delete("/1.0/a", {"x": 2})
    assert daemon.targets == ["GET /1.0/a?x=1", "POST /1.0/a?x=1", "PUT /1.0/a", "PATCH /1.0/a", "DELETE /1.0/a?x=2"]
    assert [json.loads(request.body)["b"] for request in daemon.requests[1:4]] == [1, 2, 3]


# -- life --------------------------------------------------------------------------------------------------------------


async def test_connect_opens_and_opens_again(daemon: Daemon) -> None:
    daemon.will(sync(["/1.0"]), sync({}), sync(["/1.0"]), sync({}))
    api = daemon.api(project="shop")
    await api.connect()
    assert daemon.targets == ["GET /"]
    await api.get("/1.0")
    await api.disconnect()
    await api.disconnect()
    with pytest.raises(IncusConnectionError, match=r"this client is disconnected; connect\(\) .* opens it again"):
        await api.get("/1.0")
    await api.connect()
    await api.get("/1.0")
    assert [request.connection for request in daemon.requests] == [0, 0, 1, 1]


async def test_disconnect_ends_what_is_under_way(daemon: Daemon) -> None:
    asked = asyncio.Event()
    daemon.will(telling(asked, silence))
    api = daemon.api(retries=0)
    task = asyncio.create_task(api.get("/1.0"))
    await asked.wait()
    await api.disconnect()
    with pytest.raises(IncusConnectionError, match="closed"):
        await task


async def test_a_cancelled_request_closes_its_connection(daemon: Daemon) -> None:
    asked = asyncio.Event()
    daemon.will(telling(asked, silence), sync({}))
    api = daemon.api()
    task = asyncio.create_task(api.get("/1.0"))
    await asked.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await daemon.server.peers[0].gone()
    await api.get("/1.0")
    assert daemon.last.connection == 1


@pytest.mark.parametrize(
    ("options", "kind"),
    [
        ({"timeout": -1}, IncusArgumentError),
        ({"timeout": float("nan")}, IncusArgumentError),
        ({"timeout": "30"}, TypeError),
        ({"timeout": True}, TypeError),
        ({"retries": -1}, IncusArgumentError),
        ({"retries": True}, TypeError),
        ({"retries": None}, TypeError),
        ({"retries": 1.5}, TypeError),
    ],
)
def test_options_that_cannot_be(daemon: Daemon, options: dict[str, Any], kind: type[Exception]) -> None:
    with pytest.raises(kind, match=r"^(timeout|retries) "):
        daemon.api(**options)


async def pieces(*data: bytes) -> AsyncGenerator[bytes]:
    for piece in data:
        yield piece


def telling(event: asyncio.Event, behaviour: Behaviour) -> Behaviour:
    """Do that, and tell when the request is there."""

    async def tell(peer: Peer, request: Request) -> None:
        event.set()
        await behaviour(peer, request)

    return tell
