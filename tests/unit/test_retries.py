"""When a request is sent again, and when it must not be."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncGenerator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Self

import pytest

from incus_sdk import (
    APIClient,
    IncusAPIError,
    IncusConnectionError,
    IncusNotFoundError,
    IncusProtocolError,
    IncusTimeoutError,
    IncusUnavailableError,
    _link,
)

from .daemon import Answer, Daemon, Request, envelope, error, hang_up, operation, reply, silence, started, sync
from .transport.scripted.server import Peer


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the pauses between attempts away."""
    monkeypatch.setattr(random, "uniform", no_pause)


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses between attempts, which nobody waits for here."""
    seen: list[float] = []

    async def sleep(seconds: float) -> None:
        seen.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    return seen


@pytest.mark.usefixtures("at_once")
async def test_a_get_without_answer_is_sent_again(daemon: Daemon) -> None:
    daemon.will(sync({}))
    api = daemon.api()
    await api.get("/1.0")
    daemon.will(hang_up, hang_up, hang_up, sync({"a": 1}))  # the transport has one more attempt of its own
    assert (await api.get("/1.0"))["metadata"] == {"a": 1}


@pytest.mark.usefixtures("at_once")
async def test_attempts_are_counted(daemon: Daemon) -> None:
    daemon.will(sync({}))
    api = daemon.api(retries=1)
    await api.get("/1.0")
    daemon.will(hang_up, hang_up, hang_up)
    with pytest.raises(IncusConnectionError) as caught:
        await api.get("/1.0")
    assert caught.value.sent


@pytest.mark.usefixtures("at_once")
async def test_unavailable_is_asked_again(daemon: Daemon) -> None:
    starting = error(503, "Daemon is starting up")
    daemon.will(starting, starting, sync({"a": 1}))
    api = daemon.api()
    assert (await api.get("/1.0"))["metadata"] == {"a": 1}
    daemon.will(starting, starting, starting)
    with pytest.raises(IncusUnavailableError, match="starting up"):
        await api.get("/1.0")
    daemon.will(starting)
    with pytest.raises(IncusUnavailableError):
        await api.delete("/1.0/x")


@pytest.mark.usefixtures("at_once")
async def test_a_read_whose_body_is_used_up_is_not_sent_again(daemon: Daemon) -> None:
    daemon.will(error(503, "Daemon is starting up"))
    with pytest.raises(IncusUnavailableError):
        await daemon.api().request("GET", "/1.0", data=pieces(b"a"))


@pytest.mark.usefixtures("at_once")
async def test_a_server_in_its_last_moments_is_asked_again(daemon: Daemon) -> None:
    closed = error(500, "Failed to begin transaction: sql: database is closed")
    daemon.will(closed, sync({"a": 1}), closed, error(500, "something else"))
    api = daemon.api()
    assert (await api.get("/1.0"))["metadata"] == {"a": 1}
    with pytest.raises(IncusUnavailableError, match="database is closed"):
        await api.delete("/1.0/x")
    with pytest.raises(IncusAPIError, match="something else"):
        await api.get("/1.0")


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_a_change_that_was_sent_is_never_repeated(daemon: Daemon, method: str) -> None:
    daemon.will(sync({}))
    api = daemon.api(retries=5)
    await api.get("/1.0")
    daemon.will(hang_up)
    with pytest.raises(IncusConnectionError) as caught:
        await api.request(method, "/1.0/x", data={})
    assert caught.value.sent
    assert daemon.targets == ["GET /1.0", f"{method} /1.0/x"]


async def test_no_retries(daemon: Daemon) -> None:
    daemon.will(error(503, "starting"), hang_up)
    with pytest.raises(IncusUnavailableError):
        await daemon.api(retries=0).get("/1.0")
    with pytest.raises(IncusConnectionError):  # of another client: on a connection of before, the transport repeats
        await daemon.api(retries=0).get("/1.0")


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize("kind", ["wait", "create", "launch", "profile", "recordings"])
async def test_what_is_sent_counts_for_the_whole_call(daemon: Daemon, kind: str) -> None:
    """The server has taken the change; then it is gone, so that the call's last request never leaves."""

    def stop(answer: bytes) -> Answer:
        async def behave(peer: Peer, _: Request) -> None:
            daemon.server.deafen()
            await peer.send(answer)
            await peer.hang_up()

        return behave

    client = daemon.client()
    done = sync(operation("Success", 200, metadata={"output": {"1": "/1.0/instances/web/logs/exec-output/a"}}))
    ways: dict[str, tuple[list[Answer], Callable[[], Awaitable[object]]]] = {
        "wait": ([stop(started())], lambda: client.instances.start("web", wait=True)),
        "create": ([started(), stop(done)], lambda: client.instances.create("web", {"type": "none"}, wait=True)),
        "launch": ([started(), stop(done)], lambda: client.instances.launch("x", "web")),
        "profile": ([stop(sync(None))], lambda: client.profiles.create("small")),
        "recordings": ([started(), stop(done)], lambda: client.instances.execute("web", ["x"], wait=True)),
    }
    answers, act = ways[kind]
    daemon.will(*answers)
    with pytest.raises(IncusConnectionError) as caught:
        await act()
    assert caught.value.sent


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_restart_of_the_daemon_is_outlived(daemon: Daemon, method: str) -> None:
    daemon.will(sync({}))
    api = daemon.api()
    await api.get("/1.0")
    await daemon.server.stop()
    with Watch("again in") as refused:
        task = asyncio.create_task(api.request(method, "/1.0/x", data={} if method == "POST" else None))
        await refused.seen()
    daemon.will(sync({}))
    await daemon.server.start()
    await task
    assert daemon.targets == ["GET /1.0", f"{method} /1.0/x"]


async def test_a_daemon_that_is_about_to_listen_is_waited_for(daemon: Daemon) -> None:
    """Its socket is there, but nobody answers yet."""
    await daemon.server.stop()
    daemon.will(sync({}))
    with Watch("again in") as refused:
        task = asyncio.create_task(daemon.api().connect())
        await refused.seen()
    await daemon.server.start()
    await task
    await daemon.server.stop()
    with Watch("again in") as refused, pytest.raises(IncusConnectionError):
        await daemon.api(retries=0).connect()
    assert not refused.records


async def test_a_socket_that_was_never_there_is_not_waited_for(daemon: Daemon, tmp_path: Path) -> None:
    api = APIClient(f"unix://{tmp_path}/none")
    with Watch("again in") as refused, pytest.raises(IncusConnectionError, match="no such file") as caught:
        await api.get("/1.0")
    assert not caught.value.sent
    assert not refused.records


async def test_a_socket_that_was_there_is_waited_for(daemon: Daemon) -> None:
    """A daemon that restarts removes it, and makes it anew."""
    daemon.will(sync({}), sync({}))
    api = daemon.api()
    await api.get("/1.0")
    await daemon.server.stop()
    socket = Path(daemon.server.endpoint.socket or "")
    await asyncio.to_thread(socket.unlink)
    with Watch("no such file") as refused:
        task = asyncio.create_task(api.get("/1.0"))
        await refused.seen()
    await daemon.server.start()
    await task


@pytest.mark.parametrize("kind", ["stream", "websocket", "upgrade"])
async def test_what_is_streamed_outlives_a_restart_before_it_begins(daemon: Daemon, kind: str) -> None:
    daemon.will(sync({}))
    api = daemon.api()
    await api.get("/1.0")
    await daemon.server.stop()
    with Watch("again in") as refused:
        task = asyncio.create_task(streamed(api, kind))
        await refused.seen()
    daemon.will(error(404, "Not found"))
    await daemon.server.start()
    with pytest.raises(IncusNotFoundError):
        await task


async def streamed(api: APIClient, kind: str) -> None:
    if kind == "websocket":
        await api.websocket("/1.0/events")
    elif kind == "upgrade":
        await api.upgrade("/1.0/instances/x/sftp", "sftp")
    else:
        async with api.stream("GET", "/1.0/x"):
            pass


@pytest.mark.usefixtures("at_once")
async def test_a_stream_that_is_unavailable_is_asked_for_again(daemon: Daemon) -> None:
    starting = error(503, "Daemon is starting up")
    daemon.will(starting, reply(b"text"), starting, starting, starting)
    api = daemon.api()
    async with api.stream("GET", "/1.0/x") as response:
        assert await response.read() == b"text"
    with pytest.raises(IncusUnavailableError, match="starting up"):
        async with api.stream("GET", "/1.0/x"):
            pass


def starting_up(retry_after: str) -> bytes:
    body = envelope("error", error_code=503, error="Daemon is starting up")
    return reply(body, 503, {"Retry-After": retry_after})


async def test_the_server_may_say_when_to_come_again(daemon: Daemon, pauses: list[float]) -> None:
    soon = datetime.now(UTC) + timedelta(seconds=20)
    wishes = ["3", format_datetime(soon, usegmt=True), "0", "Tue, 01 Jan 2019 00:00:00 GMT", "later", "-1", "²"]
    wishes.append("Mon, 01 Jan 2020 00:00:00 +99999999999999999999")
    daemon.will(*(starting_up(wish) for wish in wishes), sync({}))
    await daemon.api(retries=len(wishes)).get("/1.0")
    assert pauses[0] == 3
    assert 10 < pauses[1] <= 20
    assert all(0.1 <= pause <= 5 for pause in pauses[2:])


async def test_a_server_that_wants_much_time_is_not_waited_for(daemon: Daemon, pauses: list[float]) -> None:
    daemon.will(starting_up("31"))
    with pytest.raises(IncusUnavailableError):
        await daemon.api().get("/1.0")
    assert pauses == []


async def test_pauses_grow_and_differ(daemon: Daemon, pauses: list[float]) -> None:
    for _ in range(2):
        daemon.will(*[error(503, "Daemon is starting up")] * 6)
        with pytest.raises(IncusUnavailableError):
            await daemon.api(retries=5).get("/1.0")
    longest = [0.2, 0.8, 3.2, 5.0, 5.0]
    assert 2.5 <= _link._pause(10_000) <= 5  # pyright: ignore[reportPrivateUsage]  # nobody waits for so many
    assert all(limit / 2 <= pause <= limit for pause, limit in zip(pauses, longest * 2, strict=True))
    assert pauses[:5] != pauses[5:]


@pytest.mark.usefixtures("at_once")
async def test_an_iterator_is_never_sent_twice(daemon: Daemon) -> None:
    daemon.will(sync({}))
    api = daemon.api()
    await api.get("/1.0")
    await daemon.server.stop()
    with Watch("again in") as again, pytest.raises(IncusConnectionError) as caught:
        await api.request("POST", "/1.0/x", data=pieces(b"a"))
    assert (caught.value.sent, again.records) == (False, [])
    with Watch("again in") as again, pytest.raises(IncusConnectionError):
        await api.request("POST", "/1.0/x", data=b"a")
    assert len(again.records) == 2
    await daemon.server.start()


@pytest.mark.usefixtures("at_once")
async def test_a_get_whose_answer_is_cut_off_is_sent_again(daemon: Daemon) -> None:
    async def cut_off(peer: Peer, _: Request) -> None:
        await peer.send(reply({"type": "sync"})[:-5])
        await peer.hang_up()

    daemon.will(sync({}))
    api = daemon.api()
    await api.get("/1.0")
    daemon.will(cut_off, sync({"a": 1}))
    assert (await api.get("/1.0"))["metadata"] == {"a": 1}
    daemon.will(cut_off)
    with pytest.raises(IncusConnectionError, match="cut off in its body") as caught:
        await api.delete("/1.0/x")
    assert caught.value.sent


@pytest.mark.usefixtures("at_once")
async def test_answers_of_another_kind_are_not_asked_for_again(daemon: Daemon) -> None:
    daemon.will(reply(b"<html>"))
    with pytest.raises(IncusProtocolError):
        await daemon.api().get("/1.0")


@pytest.mark.usefixtures("at_once")
async def test_silence_is_not_tried_again(daemon: Daemon) -> None:
    daemon.will(silence)
    with pytest.raises(IncusTimeoutError, match=r"0\.05 seconds") as caught:
        await daemon.api(timeout=0.05).get("/1.0")
    assert caught.value.sent


async def pieces(*data: bytes) -> AsyncGenerator[bytes]:
    for piece in data:
        yield piece


class Watch(logging.Handler):
    """Waits for a line of the log."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text
        self.records: list[str] = []
        self._seen = asyncio.Event()
        self._logger = logging.getLogger("incus_sdk.api")

    def emit(self, record: logging.LogRecord) -> None:
        if self.text in record.getMessage():
            self.records.append(record.getMessage())
            self._seen.set()

    async def seen(self) -> None:
        await self._seen.wait()

    def __enter__(self) -> Self:
        self._logger.addHandler(self)
        self._logger.setLevel(logging.DEBUG)
        return self

    def __exit__(self, *_: object) -> None:
        self._logger.removeHandler(self)
        self._logger.setLevel(logging.NOTSET)


def no_pause(_low: float, _high: float) -> float:
    return 0.0


async def test_what_has_been_made_but_could_not_be_read_is_said_to_be_there(daemon: Daemon) -> None:
    daemon.will(sync(None), hang_up, hang_up)  # the transport has one more attempt of its own
    with pytest.raises(IncusConnectionError, match="'web' has been made, and only reading it failed") as caught:
        await daemon.client(retries=0).profiles.create("web")
    assert caught.value.sent
