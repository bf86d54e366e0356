"""Answers in good HTTP that no Incus server gives: pages, halves, other shapes, redirects, refusals of all kinds."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from incus_sdk import Client, IncusAPIError, IncusProtocolError

from ..contract.support import Face
from ..unit.daemon import reply
from .support import CALLS, DONE, FILE, STARTED, UUID, Faulty, check, chunked, outcome, started, told, using

PAGE = b"<!DOCTYPE html><html><body>It works!</body></html>"

NO_ENVELOPES = {
    "a page": PAGE,
    "half a document": b'{"type":"sync","metadata":{"name":"w',
    "nothing": b"",
    "blanks": b" \r\n ",
    "a list": b"[1,2]",
    "an empty list": b"[]",
    "a number": b"42",
    "null": b"null",
    "a text": b'"sync"',
    "true": b"true",
    "an empty object": b"{}",
    "no type": b'{"metadata":{"name":"web"}}',
    "a type of another type": b'{"type":1,"metadata":{"name":"web"}}',
    "a code of another type": b'{"type":"sync","status_code":"200"}',
    "two documents": b'{"type":"sync"}{"type":"sync"}',
    "no UTF-8": b'{"type":"sync","metadata":{"name":"\xff\xfe"}}',
    "UTF-16": '{"type":"sync"}'.encode("utf-16"),
    "compressed": b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03",
    "NUL bytes": bytes(100),
}

each_link = pytest.mark.parametrize(
    ("link", "face"), [("unix", "async"), ("unix", "sync"), ("tls", "async")], indirect=True
)


@each_link
async def test_bodies_that_are_no_envelope(daemon: Faulty, face: Face) -> None:
    async with using(daemon, face) as client:
        for body in NO_ENVELOPES.values():
            for answer in (reply(body), chunked(body)):
                for name in ("envelope", "change"):
                    call = CALLS[name]
                    daemon.will(answer)
                    error = told(await outcome(started(face, call, client)), call.requests[0], doubt=call.changes(0))
                    assert isinstance(error, IncusProtocolError)
        await check(daemon, client, face)
        assert len(daemon.server.peers) == 1  # its HTTP was good, so the connection is


@each_link
async def test_a_wait_that_is_answered_by_something_else(daemon: Faulty, face: Face) -> None:
    async with using(daemon, face) as client:
        call = CALLS["background"]
        for body in (*NO_ENVELOPES.values(), b'{"type":"sync"}', b'{"type":"sync","metadata":[]}'):
            daemon.will(STARTED, reply(body))
            error = told(await outcome(started(face, call, client)), call.requests[1], doubt=True)
            assert isinstance(error, IncusProtocolError)
            assert f"wait_for_operation('{UUID}')" in error.message
        await check(daemon, client, face)


async def test_an_operation_without_a_name(daemon: Faulty) -> None:
    """A change that goes on where nobody can follow it must not look like one that was made."""
    client = daemon.client()
    for metadata in ("null", "[]", '"text"', "5", "{}", '{"id":""}', '{"id":null}'):
        daemon.will(reply(b'{"type":"async","metadata":%b}' % metadata.encode(), 202))
        error = told(await outcome(client.instances.start("web")), "PUT /1.0/instances/web/state", doubt=True)
        assert "names no operation" in error.message


def no_change(draft: object) -> None:
    """Change nothing."""


READS: dict[str, Callable[[Client], Awaitable[Any]]] = {
    "get": lambda client: client.instances.get("web"),
    "get full": lambda client: client.instances.get("web", full=True),
    "list": lambda client: client.instances.list(),
    "list of names": lambda client: client.instances.list(recursion=0),
    "list full": lambda client: client.instances.list(recursion=2),
    "names": lambda client: client.instances.names(),
    "exists": lambda client: client.instances.exists("web"),
    "state": lambda client: client.instances.state("web"),
    "get_state": lambda client: client.instances.get_state("web"),
    "get_logs": lambda client: client.instances.get_logs("web"),
    "update": lambda client: client.instances.update("web", {"user.a": "b"}),
    "modify": lambda client: client.instances.modify("web", no_change),
    "wait": lambda client: client.wait_for_operation(UUID),
}
"""Calls whose first request is a GET with an answer of a certain type."""

LISTS = {"list", "list of names", "list full", "names", "get_logs"}


@pytest.mark.parametrize("metadata", ['"text"', "5", "true", "1.5", "[1]", '{"a":1}', "null", None])
@pytest.mark.parametrize("name", READS)
@pytest.mark.parametrize("link", ["unix"], indirect=True)
async def test_metadata_of_another_type(daemon: Faulty, name: str, metadata: str | None) -> None:
    client = daemon.client()
    fits = {"null", None} if name in LISTS else {'{"a":1}'}
    if metadata in fits:
        return
    daemon.will(reply(('{"type":"sync"%s}' % (f',"metadata":{metadata}' if metadata else "")).encode()))
    error = told(await outcome(READS[name](client)), "GET /1.0/", doubt=name == "wait")
    assert isinstance(error, IncusProtocolError)


@pytest.mark.parametrize(
    "metadata",
    [
        {"name": 5},
        {"config": []},
        {"config": {"a": 5}},
        {"devices": {"root": "disk"}},
        {"profiles": "default"},
        {"ephemeral": "yes"},
        {"created_at": "yesterday"},
        {"created_at": 5},
        {"status_code": "103"},
    ],
)
@pytest.mark.parametrize("link", ["unix"], indirect=True)
async def test_fields_of_another_type(daemon: Faulty, metadata: object) -> None:
    client = daemon.client()
    daemon.will(reply({"type": "sync", "metadata": metadata}), reply({"type": "sync", "metadata": [metadata]}))
    error = told(await outcome(client.instances.get("web")), "GET /1.0/instances/web")
    assert isinstance(error, IncusProtocolError)
    assert "$" in error.message  # where in the document
    told(await outcome(client.instances.list()), "GET /1.0/instances")


@pytest.mark.parametrize("odd", ["text", 5, True, [1], {"a": 1}, {"instances": 5}, {"instances": [5]}, {"1": None}])
@pytest.mark.parametrize("link", ["unix"], indirect=True)
async def test_operations_with_odd_parts(daemon: Faulty, odd: object) -> None:
    """They are as the server sent them, so what is odd shows where somebody looks, and breaks nothing there."""
    client = daemon.client()
    details = {"return": odd, "output": odd, "progress": odd, "download_progress": odd}
    for metadata in (odd, details):
        running = {"id": UUID, "status_code": 103, "resources": odd, "metadata": metadata}
        daemon.will(reply({"type": "async", "metadata": running}, 202))
        response = await client.instances.execute("web", ["ls"])
        assert (response.id, response.done) == (UUID, False)
        assert response.returncode is None or response.returncode == odd
        assert set(response.resources) <= {"instances", "1"}
        assert response.progress is None or response.progress.percent is None
        daemon.will(reply({"type": "sync", "metadata": {**running, "status_code": 200, "metadata": [odd]}}))
        assert (await response.wait()).stdout == ""


# -- redirects ---------------------------------------------------------------------------------------------------------

ENVELOPE = json.dumps({"type": "sync", "metadata": {"name": "web"}}).encode()


@each_link
@pytest.mark.parametrize("status", [300, 301, 302, 303, 307, 308])
async def test_redirects_are_not_followed(daemon: Faulty, face: Face, status: int) -> None:
    async with using(daemon, face) as client:
        headers = {"Location": f"{daemon.url}/elsewhere?secret=hush", "X-Incus-type": "file"}
        for body in (b"", PAGE, ENVELOPE):
            for name in ("envelope", "file", "change"):
                call = CALLS[name]
                daemon.will(reply(body, status, headers))
                error = told(await outcome(started(face, call, client)), call.requests[0], doubt=call.changes(0))
                assert isinstance(error, IncusProtocolError)
                assert f"redirects to '{daemon.url}/elsewhere' (status {status})" in error.message
        assert not [target for target in daemon.targets if "elsewhere" in target]
        await check(daemon, client, face)
        assert len(daemon.server.peers) == 1


async def test_neither_are_those_of_streams(daemon: Faulty) -> None:
    api = daemon.api()
    redirect = reply(PAGE, 302, {"Location": "/1.0/elsewhere"})
    daemon.will(redirect, redirect, redirect, CHECKED)

    async def stream() -> None:
        async with api.stream("GET", "/1.0/images/x/export"):
            pytest.fail("a page is no image")

    for call in (stream(), api.websocket("/1.0/events"), api.upgrade("/1.0/instances/web/sftp", "sftp")):
        error = told(await outcome(call), "GET /1.0/")
        assert "redirects to '/1.0/elsewhere'" in error.message
    await api.get("/1.0")
    assert not [target for target in daemon.targets if "elsewhere" in target]


CHECKED = reply({"type": "sync"})


# -- refusals ----------------------------------------------------------------------------------------------------------

REFUSALS = [400, 401, 403, 404, 405, 409, 412, 413, 429, 499, 500, 501, 502, 504, 507, 599]


@each_link
@pytest.mark.parametrize("name", ["envelope", "file", "change"])
async def test_refusals_with_and_without_an_envelope(daemon: Faulty, face: Face, name: str) -> None:
    async with using(daemon, face) as client:
        for status in REFUSALS:
            for body in (
                json.dumps({"type": "error", "error": "not today", "error_code": status, "metadata": None}).encode(),
                b"not today",
                b'"not today',
                b"<html>not today</html>",
            ):
                call = CALLS[name]
                daemon.will(reply(body, status))
                # A page with one of the statuses from 500 on comes from a proxy that may have lost its server.
                doubt = call.changes(0) and status >= 500 and body[:1] != b"{"
                error = told(await outcome(started(face, call, client)), call.requests[0], doubt=doubt)
                assert isinstance(error, IncusAPIError)
                assert error.status_code == status
                assert "not today" in error.message
                assert (error.response is None) == (body[:1] != b"{")
        await check(daemon, client, face)
        assert len(daemon.server.peers) == 1


async def test_a_refused_wait(daemon: Faulty) -> None:
    client = daemon.client()
    for status in (400, 403, 500, 502):
        daemon.will(STARTED, reply(b"not today", status))
        error = told(
            await outcome(client.instances.start("web", wait=True)), CALLS["background"].requests[1], doubt=True
        )
        assert isinstance(error, IncusAPIError)
    daemon.will(STARTED, DONE, FILE)
    await client.instances.start("web", wait=True)
    assert await client.instances.get_files("web", "/f") == b"hello"
