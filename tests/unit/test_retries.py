"""When a request is sent again, and when it must not be."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncGenerator
from typing import Self

import pytest

from incus_sdk import (
    IncusConnectionError,
    IncusProtocolError,
    IncusTimeoutError,
    IncusUnavailableError,
)

from .daemon import Daemon, Request, error, hang_up, reply, silence, sync
from .transport.scripted.server import Peer


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the pauses between attempts away."""
    monkeypatch.setattr(random, "uniform", no_pause)


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


async def test_a_daemon_that_was_never_there_is_not_waited_for(daemon: Daemon) -> None:
    await daemon.server.stop()
    with Watch("again in") as refused, pytest.raises(IncusConnectionError) as caught:
        await daemon.api().get("/1.0")
    assert not caught.value.sent
    assert not refused.records
    with pytest.raises(IncusConnectionError):
        await daemon.api().connect()


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
    with pytest.raises(IncusTimeoutError, match=r"0\.05 seconds"):
        await daemon.api(timeout=0.05).get("/1.0")


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
