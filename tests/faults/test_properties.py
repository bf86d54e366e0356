"""What goes out is what was meant, or nothing goes out: whatever names, headers and values a program may have."""

from __future__ import annotations

import string
from collections.abc import Callable
from functools import partial
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from incus_sdk import Client, IncusArgumentError

from ..contract.support import Face
from ..unit.daemon import Request, reply, sync
from .support import CALLS, Faulty, check, outcome

bounded = settings(
    max_examples=80, deadline=None, print_blob=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)

only_unix = pytest.mark.parametrize("link", ["unix"], indirect=True)

NASTY = [
    "..",
    ".",
    "",
    "/",
    "a/../b",
    "%2e%2e",
    "%2F",
    "a?b=c",
    "a#b",
    "a b",
    "a\r\nHost: evil",
    "\0",
    "a\0b",
    "\ud800",
]
"""What has led other clients elsewhere."""

NAMES = st.sampled_from(NASTY) | st.text(max_size=20) | st.text(string.printable + "\0é\ud800", max_size=20)

DONE_AT_ONCE = reply({"type": "sync", "metadata": {}})


async def sent(daemon: Faulty, call: Callable[[Client], Any], client: Client) -> Request | None:
    """Return the one request that a call has made; `None` if it was refused before anything was sent."""
    before = len(daemon.requests)
    daemon.answers.clear()
    daemon.will(DONE_AT_ONCE)
    result = await outcome(call(client))
    daemon.answers.clear()
    if isinstance(result, IncusArgumentError):
        assert daemon.requests[before:] == []
        return None
    (request,) = daemon.requests[before:]
    return request


def segments(request: Request) -> list[str]:
    """The names in a path as a server reads them."""
    assert request.target.isascii()
    assert request.target.isprintable()
    return [unquote(part, errors="strict") for part in request.path.split("/")]


@only_unix
@given(name=NAMES)
@bounded
async def test_names_lead_nowhere_else(daemon: Faulty, name: str) -> None:
    client = daemon.client()
    request = await sent(daemon, lambda client: client.instances.delete(name), client)
    assert (request is not None) == usable(name)
    if request is not None:
        assert segments(request) == ["", "1.0", "instances", name]
        assert request.query == {}
    await client.disconnect()


@only_unix
@given(name=NAMES, project=st.none() | NAMES)
@example(name="web", project="..")
@bounded
async def test_neither_do_new_names_and_projects(daemon: Faulty, name: str, project: str | None) -> None:
    try:
        client = daemon.client(project=project)
    except IncusArgumentError:
        assert project is not None
        assert not usable(project)
        return
    request = await sent(daemon, lambda client: client.instances.rename("web", name), client)
    if request is not None:
        assert segments(request) == ["", "1.0", "instances", "web"]
        assert request.query == ({} if project is None else {"project": project})
        assert request.json == {"name": name}
    await client.disconnect()


@only_unix
@given(path=NAMES | st.binary(max_size=20) | NAMES.map(PurePosixPath))
@bounded
async def test_paths_of_files_arrive(daemon: Faulty, path: str | bytes | PurePosixPath) -> None:
    client = daemon.client()
    request = await sent(daemon, lambda client: client.instances.put_files("web", path, b"x"), client)
    meant = path if isinstance(path, bytes) else str(path).encode(errors="surrogatepass")
    if request is not None:
        assert segments(request) == ["", "1.0", "instances", "web", "files"]
        (pair,) = urlsplit(request.target).query.split("&")
        key, _, value = pair.partition("=")
        assert (key, unquote_bytes(value)) == ("path", meant)
        assert request.body == b"x"
    else:
        assert not meant or b"\0" in meant or b"\xed" in meant
    await client.disconnect()


def unquote_bytes(text: str) -> bytes:
    return unquote(text, "latin-1").encode("latin-1")


def usable(name: str) -> bool:
    """Tell whether a text can be one segment of a path, and so the name of anything."""
    return name not in {"", ".", ".."} and "\0" not in name and encodable(name)


def encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


# -- headers -----------------------------------------------------------------------------------------------------------

TOKENS = st.text(string.ascii_letters + string.digits + "-", min_size=1, max_size=12)
HEADERS = st.dictionaries(
    TOKENS | st.sampled_from(["Host", "Content-Length", "Transfer-Encoding", "Connection", "X", "x"]) | NAMES,
    st.text(string.printable, max_size=12) | NAMES,
    max_size=3,
)

OURS = {"host", "content-length", "content-type"}


@only_unix
@given(headers=HEADERS)
@example(headers={"X": "a\r\nY: b"})
@example(headers={"X": "a\r\n\r\nDELETE /1.0/instances/web HTTP/1.1\r\n\r\n"})
@example(headers={"X\r\nY": "a"})
@example(headers={"Transfer-Encoding": "chunked"})
@bounded
async def test_headers_arrive_or_are_refused(daemon: Faulty, headers: dict[str, str]) -> None:
    """And there is one request, however they are written: the next one on the connection is the one asked for."""
    client = daemon.client()
    lower = [name.lower() for name in headers]
    if len(set(lower)) < len(lower):
        return
    request = await sent(
        daemon, lambda client: client.api.request("POST", "/1.0/x", data=b"body", headers=headers), client
    )
    if request is not None:
        given = {name: value.strip(" \t") for name, value in request.headers.items() if name not in OURS}
        assert given == {
            name.lower(): value.strip(" \t") for name, value in headers.items() if name.lower() not in OURS
        }
        assert request.body == b"body"
        assert request.headers["content-length"] == "4"
        daemon.will(sync(["alive"]))
        assert (await client.api.get("/1.0"))["metadata"] == ["alive"]
        assert {request.connection for request in daemon.requests[-2:]} == {request.connection}
    await client.disconnect()


# -- values ------------------------------------------------------------------------------------------------------------

VALUES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=9)
    | st.binary(max_size=9)
    | st.text(max_size=9).map(PurePosixPath)
    | st.lists(st.integers(), max_size=2)
    | st.sampled_from([object(), {1}, 1j])
)
KEYS = st.text(max_size=9).map(lambda text: f"user.{text}") | st.text(max_size=9)


def written(value: object) -> str | None:
    """How a configuration value is written; `None` for what is none."""
    if value is None or isinstance(value, bool):
        return {None: "", True: "true", False: "false"}[value]
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, bytes):
        value = value.decode(errors="surrogateescape")
    text = str(value) if isinstance(value, str | PurePosixPath) else None
    return text if text is not None and encodable(text) else None


@only_unix
@given(config=st.dictionaries(KEYS, VALUES, max_size=3), device=st.dictionaries(KEYS, VALUES, max_size=2))
@bounded
async def test_values_arrive_as_texts_or_are_refused(
    daemon: Faulty, config: dict[str, object], device: dict[str, object]
) -> None:
    client = daemon.client()
    create: Any = client.instances.create
    request = await sent(
        daemon, lambda _: create("web", {"type": "none"}, config=config, devices={"disk": device}), client
    )
    texts = {key: written(value) for key, value in (*config.items(), *device.items())}
    assert (request is None) == (None in texts.values() or not all(encodable(key) for key in texts))
    if request is not None:
        assert request.json["config"] == {key: written(value) for key, value in config.items()}
        assert request.json["devices"] == {"disk": {key: written(value) for key, value in device.items()}}
    await client.disconnect()


@pytest.mark.parametrize("face", ["async", "sync"], indirect=True)
async def test_a_refusal_costs_nothing(daemon: Faulty, face: Face) -> None:
    client = face.client(daemon.url, **daemon.options)
    await check(daemon, client, face)
    for name in NASTY[:3]:
        assert isinstance(await outcome(face.start(partial(client.instances.get, name))), IncusArgumentError)
    daemon.will(*CALLS["envelope"].answers)
    assert (await face.start(lambda: client.instances.get("web"))).name == "web"
    assert len(daemon.server.peers) == 1
    await face.start(client.disconnect)
