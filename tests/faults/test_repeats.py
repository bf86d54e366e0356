"""A request that changes nothing is sent again; a change never is, and its error says what that means."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from incus_sdk import APIClient, IncusConnectionError, IncusError, IncusUnavailableError

from ..contract.support import Face
from ..unit.daemon import Behaviour, reply
from .support import CHECK, UNKNOWN, Faulty, check, cut, outcome, told, using

GOOD = reply({"type": "sync", "metadata": ["good"]})

both_faces = pytest.mark.parametrize(
    ("link", "face"), [("unix", "async"), ("unix", "sync"), ("tls", "async")], indirect=True
)

FAILURES: dict[str, Behaviour] = {
    "hung up": cut(b"", "closed"),
    "reset": cut(b"", "reset"),
    "cut off in the head": cut(GOOD[:9], "closed"),
    "cut off in the body": cut(GOOD[:-9], "closed"),
    "reset in the body": cut(GOOD[:-9], "reset"),
}

CHANGES: dict[str, Callable[[APIClient], Awaitable[Any]]] = {
    "POST": lambda api: api.post("/1.0/x", {"a": 1}),
    "PUT": lambda api: api.put("/1.0/x", {"a": 1}),
    "PATCH": lambda api: api.patch("/1.0/x", {"a": 1}),
    "DELETE": lambda api: api.delete("/1.0/x"),
    "POST of bytes": lambda api: api.post("/1.0/x", bytes(100_000)),
    "POST of nothing": lambda api: api.post("/1.0/x"),
    "GET with a body": lambda api: api.request("GET", "/1.0/x", data=b"x"),
}


@pytest.mark.usefixtures("at_once")
@both_faces
async def test_a_read_is_sent_again(daemon: Faulty, face: Face) -> None:
    async with using(daemon, face, retries=2) as client:
        for failure in FAILURES.values():
            await check(daemon, client, face)
            daemon.will(failure, failure, GOOD)
            assert (await outcome(face.start(lambda: client.api.get("/1.0/x")))) == {
                "type": "sync",
                "metadata": ["good"],
            }


@pytest.mark.usefixtures("at_once")
@both_faces
@pytest.mark.parametrize("name", [name for name in CHANGES if not name.startswith("GET")])
async def test_a_change_is_not(daemon: Faulty, face: Face, name: str) -> None:
    async with using(daemon, face, retries=5) as client:
        for failure in FAILURES.values():
            await check(daemon, client, face)
            asked = len(daemon.requests)
            daemon.will(failure)
            error = told(await outcome(face.start(lambda: CHANGES[name](client.api))), f"{name[:3]}", doubt=True)
            assert isinstance(error, IncusConnectionError)
            assert error.sent
            assert "/1.0/x on " in error.message
            # How to find out: what to look at, before it is tried again.
            assert "look at" in error.message
            assert "/1.0/operations" in error.message
            assert len(daemon.requests) == asked + 1
        await check(daemon, client, face)


@pytest.mark.usefixtures("at_once")
@both_faces
async def test_the_attempts_have_an_end(daemon: Faulty, face: Face) -> None:
    async with using(daemon, face, retries=3) as client:
        await check(daemon, client, face)
        asked = len(daemon.requests)
        daemon.will(*[cut(GOOD[:9], "closed")] * 4)
        error = told(await outcome(face.start(lambda: client.api.get("/1.0/x"))), "GET /1.0/x")
        assert isinstance(error, IncusConnectionError)
        assert len(daemon.requests) == asked + 4
        await check(daemon, client, face)


@pytest.mark.usefixtures("at_once")
@both_faces
async def test_a_daemon_that_is_not_ready(daemon: Faulty, face: Face) -> None:
    """It says so with a 503, with an envelope or without."""
    starting = reply({"type": "error", "error": "Incus daemon isn't started", "error_code": 503}, 503)
    async with using(daemon, face, retries=2) as client:
        for unready in (starting, reply(b"Service Unavailable", 503)):
            daemon.will(unready, unready, CHECK)
            assert (await face.start(lambda: client.api.get("/1.0")))["metadata"] == ["alive"]
            daemon.will(unready, unready, unready)
            assert isinstance(await outcome(face.start(lambda: client.api.get("/1.0"))), IncusUnavailableError)
            daemon.will(unready)
            error = await outcome(face.start(lambda: client.api.post("/1.0/x")))
            assert isinstance(error, IncusUnavailableError)
            assert "POST /1.0/x" in error.message
        assert len(daemon.server.peers) == 1


@pytest.mark.usefixtures("at_once")
async def test_what_was_never_sent_is_sent_again_even_if_it_is_a_change(daemon: Faulty, face: Face) -> None:
    """A daemon that is being restarted: its connections are gone, and for a while nobody listens."""
    async with using(daemon, face, retries=0) as client:
        await check(daemon, client, face)
        await daemon.server.stop()
        error = await outcome(face.start(lambda: client.api.post("/1.0/x", {})))
        assert isinstance(error, IncusConnectionError)
        assert not error.sent
        assert UNKNOWN not in error.message
        await daemon.server.start()
        daemon.will(GOOD)
        assert (await client.api.post("/1.0/x", {}))["metadata"] == ["good"]


@both_faces
async def test_two_hundred_at_once_of_which_each_connection_breaks(daemon: Faulty, face: Face) -> None:
    """Each gets the right answer or an error of its own, and none gets another's."""
    async with using(daemon, face, retries=0) as client:
        calls: list[asyncio.Future[Any]] = []
        count = 200 if face.name == "async" else 50
        for number in range(count):
            daemon.will(GOOD if number % 3 else cut(GOOD[: number % len(GOOD)], "closed" if number % 2 else "reset"))
            calls.append(face.start(lambda: client.api.post("/1.0/x", {"a": 1})))
        results = await asyncio.gather(*[outcome(call) for call in calls])
        failed = [result for result in results if isinstance(result, IncusError)]
        for error in failed:
            told(error, "POST /1.0/x", doubt=True)
        assert len(failed) == len(range(0, count, 3))
        assert all(result["metadata"] == ["good"] for result in results if not isinstance(result, IncusError))
        assert len(daemon.requests) == count
        await check(daemon, client, face)
