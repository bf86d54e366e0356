"""Whatever comes from a server is a result or an `IncusError`; and in which pieces it comes changes nothing."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable
from copy import deepcopy
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from incus_sdk import APIClient, Client, ExecResponse, IncusError, OperationResponse, _waiting

from ..unit.daemon import Behaviour, Request, reply
from ..unit.transport.scripted.server import Peer
from .support import CHECK, OPERATION, UUID, Faulty, cut, outcome

bounded = settings(
    max_examples=60, deadline=None, print_blob=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)

only_unix = pytest.mark.parametrize("link", ["unix"], indirect=True)


# -- pieces ------------------------------------------------------------------------------------------------------------


def in_pieces(answer: bytes, sizes: list[int], *, close: bool) -> Behaviour:
    """Send an answer in pieces, each in a turn of its own; the sizes are used again and again."""

    async def behave(peer: Peer, _: Request) -> None:
        start, number = 0, 0
        while start < len(answer):
            size = sizes[number % len(sizes)]
            await peer.send(answer[start : start + size])
            await asyncio.sleep(0)
            start, number = start + size, number + 1
        if close:
            await peer.hang_up()

    return behave


@st.composite
def framed(draw: st.DrawFn) -> tuple[bytes, bytes, bool]:
    """A body, an answer with it in one of the framings, and whether the end of the connection is a part of that."""
    text = draw(st.text(max_size=200).map(lambda text: json.dumps(text, ensure_ascii=draw(st.booleans()))))
    body = b'{"type":"sync","metadata":%b}' % text.encode(errors="replace")
    head = b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * draw(st.integers(0, 3))
    framing = draw(st.sampled_from(["length", "chunks", "end"]))
    if framing == "length":
        return body, head + b"Content-Length: %d\r\n\r\n" % len(body) + body, False
    if framing == "end":
        return body, head + b"\r\n" + body, True
    chunks, rest = b"", body
    while rest:
        size = draw(st.integers(1, len(rest)))
        chunks += b"%x\r\n%b\r\n" % (size, rest[:size])
        rest = rest[size:]
    return body, head + b"Transfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n", False


@given(answer=framed(), sizes=st.lists(st.integers(1, 60), min_size=1, max_size=5))
@bounded
async def test_pieces_do_not_matter(daemon: Faulty, answer: tuple[bytes, bytes, bool], sizes: list[int]) -> None:
    body, data, close = answer
    daemon.answers.clear()
    api = daemon.api(retries=0)
    daemon.will(*[in_pieces(data, sizes, close=close)] * 3)
    assert await api.get("/1.0") == json.loads(body)
    assert (await api.read_raw("/1.0")).body == body
    async with api.stream("GET", "/1.0") as response:
        assert await response.read() == body
    await api.disconnect()


# -- bytes -------------------------------------------------------------------------------------------------------------


async def streamed(api: APIClient) -> bytes:
    async with api.stream("GET", "/1.0/x") as response:
        return b"".join([piece async for piece in response])


async def websocket(api: APIClient) -> None:
    (await api.websocket("/1.0/events")).abort()


async def upgraded(api: APIClient) -> None:
    (await api.upgrade("/1.0/x", "sftp")).abort()


REQUESTS: list[Callable[[APIClient], Awaitable[Any]]] = [
    lambda api: api.get("/1.0"),
    lambda api: api.post("/1.0/x", {"a": 1}),
    lambda api: api.operation("PUT", "/1.0/x", b"x" * 100_000),
    lambda api: api.read_raw("/1.0/x"),
    lambda api: api.read_with_etag("/1.0/x"),
    lambda api: api.request("HEAD", "/1.0"),
    lambda api: api.wait(UUID, 0),
    streamed,
    websocket,
    upgraded,
]

WORDS = st.sampled_from(
    [
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"HTTP/1.0 404 Not Found\r\n",
        b"HTTP/1.1 204 No Content\r\n",
        b"HTTP/1.1 302 Found\r\n",
        b"Content-Length: 5\r\n",
        b"Content-Length: 0\r\n",
        b"Content-Length: -1\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: gzip\r\n",
        b"Connection: Upgrade\r\nUpgrade: sftp\r\n",
        b"Connection: close\r\n",
        b"Upgrade: websocket\r\n",
        b"Location: http://[::1\r\n",
        b"ETag: \xff\r\n",
        b"\r\n",
        b"\r\n",
        b"\n",
        b"5\r\n",
        b"0\r\n\r\n",
        b"hello",
        b'{"type":"sync"}',
        b'{"type":"error","error":"no","error_code":404}',
        b'{"type":"async","metadata":{"id":"1"}}',
        b"\0",
        b"\x81\x05hello",
    ]
)
ANSWERS = st.lists(WORDS | st.binary(max_size=6), max_size=9).map(b"".join)


@only_unix
@given(answer=ANSWERS, index=st.integers(0, len(REQUESTS) - 1), end=st.sampled_from(["closed", "reset"]))
@settings(bounded, max_examples=300)
async def test_any_bytes_are_a_result_or_an_error(daemon: Faulty, answer: bytes, index: int, end: str) -> None:
    api = daemon.api(retries=0)
    daemon.answers.clear()
    daemon.will(CHECK)
    await api.get("/1.0")
    daemon.will(cut(answer, end), cut(answer, end))  # where nothing comes, a GET is repeated
    result = await outcome(REQUESTS[index](api))
    assert not isinstance(result, IncusError) or "/1.0" in result.message
    daemon.answers.clear()
    daemon.will(CHECK)
    assert (await api.get("/1.0"))["metadata"] == ["alive"]
    await api.disconnect()


# -- shapes ------------------------------------------------------------------------------------------------------------

ODD: list[object] = [None, True, False, 0, -1, 200, 400, 401, 1.5, 2**63, 2**70, "", "x", "0001-01-01T00:00:00", [], {}]
LEAVES: st.SearchStrategy[object] = st.sampled_from(ODD)
VALUES: st.SearchStrategy[object] = st.recursive(
    LEAVES | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=4,
)

OPERATION_DATA: dict[str, Any] = {
    "id": UUID,
    "class": "task",
    "description": "Executing command",
    "created_at": "2024-01-01T00:00:00.5Z",
    "status": "Success",
    "status_code": 200,
    "resources": {"instances": ["/1.0/instances/web"]},
    "metadata": {
        "return": 0,
        "output": {"1": f"{OPERATION}/1.stdout", "2": f"{OPERATION}/2.stderr"},
        "progress": {"percent": "5", "speed": "1", "stage": "x", "processed": "1"},
        "download_progress": "rootfs: 5% (1MB/s)",
    },
    "may_cancel": False,
    "err": "",
    "location": "none",
}
INSTANCE_DATA: dict[str, Any] = {
    "name": "web",
    "project": "default",
    "config": {"user.a": "b"},
    "expanded_config": {"user.a": "b"},
    "devices": {"root": {"type": "disk"}},
    "profiles": ["default"],
    "created_at": "2024-01-01T00:00:00Z",
    "last_used_at": "1970-01-01T00:00:00Z",
    "status": "Running",
    "status_code": 103,
    "type": "container",
    "state": {
        "network": {"eth0": {"addresses": [{"family": "inet", "address": "192.0.2.1"}], "counters": {}}},
        "disk": {"root": {"usage": 5}},
        "memory": {"usage": 1},
        "cpu": {"usage": 5},
        "started_at": "2024-01-01T00:00:00Z",
    },
    "snapshots": [{"name": "snap0", "created_at": "2024-01-01T00:00:00Z", "expires_at": "0001-01-01T00:00:00Z"}],
    "backups": [{"name": "backup0"}],
}


def enveloped(metadata: object, kind: str = "sync") -> dict[str, object]:
    return {"type": kind, "status": "Success", "status_code": 200, "operation": OPERATION, "metadata": metadata}


async def executed(client: Client) -> ExecResponse:
    return await client.instances.execute("web", ["ls"], record_output=True, wait=True)


async def by_operation(client: Client) -> OperationResponse:
    return await client.wait_for_operation(UUID, 0)


TYPED: list[tuple[Callable[[Client], Awaitable[Any]], list[dict[str, object]]]] = [
    (lambda client: client.instances.get("web", full=True), [enveloped(INSTANCE_DATA)]),
    (lambda client: client.instances.list(recursion=2), [enveloped([INSTANCE_DATA])]),
    (lambda client: client.instances.list(recursion=0), [enveloped(["/1.0/instances/web?project=a"])]),
    (lambda client: client.instances.state("web"), [enveloped(INSTANCE_DATA["state"])]),
    (lambda client: client.instances.update("web", {"user.a": "b"}), [enveloped(INSTANCE_DATA), enveloped({})]),
    (lambda client: client.instances.start("web"), [enveloped({**OPERATION_DATA, "status_code": 103}, "async")]),
    (lambda client: client.instances.get_logs("web"), [enveloped(["/1.0/instances/web/logs/lxc.log"])]),
    (executed, [enveloped({**OPERATION_DATA, "status_code": 103}, "async"), enveloped(OPERATION_DATA)]),
    (lambda client: client.instances.launch("x"), [enveloped(OPERATION_DATA, "async")]),
    (by_operation, [enveloped(OPERATION_DATA)]),
    (by_operation, [enveloped({**OPERATION_DATA, "status_code": 400, "err": "no"})]),
]
"""Calls, and what a server answers; it answers what they ask beyond that in vain."""


def places(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Where there is anything in a document."""
    items: Iterable[tuple[str | int, Any]] = ()
    if isinstance(value, dict):
        items = cast("dict[str, Any]", value).items()
    elif isinstance(value, list):
        items = enumerate(cast("list[object]", value))
    return [path, *(place for key, item in items for place in places(item, (*path, key)))]


def replaced(value: Any, path: tuple[str | int, ...], new: object) -> Any:
    """The document with another value in one place."""
    if not path:
        return new
    result = deepcopy(value)
    parent = result
    for key in path[:-1]:
        parent = parent[key]
    parent[path[-1]] = new
    return result


def looked_at(result: object) -> None:
    """Use all that an object says of itself."""
    repr(result)
    for name in dir(result):
        if not (name.startswith("_") or isinstance(result, Exception)):
            getattr(result, name)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask at once again about an operation that is still running."""
    monkeypatch.setattr(_waiting, "BREATH", 0.0)


@only_unix
@given(data=st.data())
@settings(bounded, max_examples=400)
@pytest.mark.usefixtures("impatient")
async def test_any_shape_is_a_result_or_an_error(daemon: Faulty, data: st.DataObject) -> None:
    """One thing in an answer is something else: that is told, or does no harm."""
    daemon.answers.clear()
    call, answers = data.draw(st.sampled_from(TYPED))
    step = data.draw(st.integers(0, len(answers) - 1))
    place = data.draw(st.sampled_from(places(answers[step])))
    changed = replaced(answers[step], place, data.draw(VALUES))
    client = daemon.client(retries=0)
    daemon.will(*[reply(changed if number == step else answer) for number, answer in enumerate(answers)])
    daemon.will(*[reply({"type": "error", "error": "gone", "error_code": 404}, 404)] * 4)
    result = await outcome(call(client))
    daemon.answers.clear()
    items = cast("list[object]", result) if isinstance(result, list) else [result]
    for item in items:
        looked_at(item)
    await client.disconnect()
