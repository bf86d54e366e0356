"""Faults as users meet them: through `Client`, on a unix socket and over TLS, on either face where that is cheap."""

from __future__ import annotations

import asyncio
import gc
import random
import threading
from collections.abc import AsyncGenerator, Generator
from pathlib import Path
from typing import Any

import pytest

from ..contract.support import Face
from ..unit.transport.peers import descriptors
from ..unit.transport.scripted.conftest import Identity, identity
from .support import PATIENCE, Faulty, until

__all__ = ["identity"]


@pytest.fixture(params=["unix", "tls"])
def link(request: pytest.FixtureRequest) -> str:
    """The kind of connection."""
    return str(request.param)


@pytest.fixture(params=["async"])
def face(request: pytest.FixtureRequest) -> Generator[Face]:
    """The async face; tests that are cheap enough ask for both."""
    face = Face(str(request.param))
    yield face
    face.close()


@pytest.fixture
async def daemon(link: str, tmp_path: Path, identity: Identity) -> AsyncGenerator[Faulty]:
    """A daemon that does what the test says; afterwards no task, thread or socket may be left over."""
    complaints: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    sockets = descriptors()
    daemon = Faulty(link, tmp_path, identity)
    await daemon.server.start()
    yield daemon
    async with asyncio.timeout(PATIENCE):
        await daemon.stop()
        gc.collect(1)  # lets the loop complain about errors that nobody has looked at
    await until(lambda: descriptors() <= sockets)
    left = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    assert not complaints
    assert not left
    assert [thread for thread in threading.enumerate() if thread.name == "incus_sdk"] == []


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the pauses between attempts away."""

    def none(_low: float, _high: float) -> float:
        return 0.0

    monkeypatch.setattr(random, "uniform", none)
