"""A daemon's end and its return, with calls under way."""

from __future__ import annotations

import asyncio
import gc
import itertools
import threading
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import cast

import pytest

from incus_sdk import Client, IncusError
from incus_sdk.testing import PrivateIncus

from .beliefs import flaw
from .deeds import Deed

__all__ = ["PATIENCE", "Strike", "end_and_return", "nothing_left", "stirred"]

PATIENCE = 60
"""Seconds after which something hangs, on however busy a machine."""


class Strike:
    """One end of a daemon, and what becomes of the calls meanwhile.

    Attributes:
        back: Set when the daemon is back.
        failed: How often calls of a kind raised which error.
        wrong: Calls that did not end as they must.
    """

    def __init__(self, daemon: PrivateIncus, how: str) -> None:
        self.back = asyncio.Event()
        self.failed: Counter[str] = Counter()
        self.wrong: list[str] = []
        self._daemon, self._how = daemon, how
        self._under_way: set[str] = set()

    async def at(self, moment: float, deeds: list[Deed], numbers: itertools.count[int]) -> None:
        """Do all deeds beside each other, and end the daemon after so many seconds; return when all were done again."""
        try:
            async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as group:
                for deed in deeds:
                    group.create_task(self._survive(deed, numbers), name=deed.name)
                await asyncio.sleep(moment)
                await end_and_return(self._daemon, self._how)
                self.back.set()
        except TimeoutError:
            self.wrong += [f"{kind}: hangs" for kind in self._under_way]

    async def _survive(self, deed: Deed, numbers: itertools.count[int]) -> None:
        """Do it over and over, until it was done with a daemon that is back."""
        kind = type(deed).__name__
        while True:
            was_back = self.back.is_set()
            self._under_way.add(kind)
            problem = await self._attempt(deed, next(numbers), must_work=was_back or deed.repeated)
            self._under_way.discard(kind)
            if problem:
                self.wrong.append(f"{kind}: {problem}")
            if was_back:
                return
            if not self.back.is_set() and problem is not None:
                await self.back.wait()

    async def _attempt(self, deed: Deed, number: int, *, must_work: bool) -> str | None:
        """Do it once.

        Returns:
            What is wrong with the outcome, nothing for a fair error, and `None` for a success.
        """
        try:
            await _begun(deed, number)
        except IncusError as error:
            self.failed[f"{type(deed).__name__}: {type(error).__name__}"] += 1
            problem = "fails, and must not" if must_work else flaw(error, changes=deed.changes)
            return problem and f"{problem}: {error!r}"
        except AssertionError as error:
            return f"a wrong result: {error!r}"
        return None


async def end_and_return(daemon: PrivateIncus, how: str) -> None:
    """Kill or restart the daemon, and wait until it is ready again."""
    await asyncio.to_thread(daemon.kill_daemon if how == "killed" else daemon.restart)
    await asyncio.to_thread(daemon.wait_ready)


def _begun(deed: Deed, number: int) -> asyncio.Future[None]:
    """Begin a deed; one of the sync face in a thread of its own."""

    async def once() -> None:
        await deed.once(number)

    def alone() -> None:
        asyncio.run(once())  # which never waits: calls of the sync face have returned what they await

    face = deed.stage.face
    return face.start(cast("Callable[[], Awaitable[None]]", alone) if face.blocking else once)


@asynccontextmanager
async def nothing_left() -> AsyncGenerator[None]:
    """Fail if a block leaves tasks, descriptors or clients' threads behind."""
    await asyncio.to_thread(int)  # the loop's own sockets are there from now on
    gc.collect()  # what other tests have left to it may not go meanwhile
    before = _held()
    yield
    gc.collect()
    left = _held() - before
    for _ in range(500):  # what has been closed goes in one of the loop's next turns
        if not left:
            return
        await asyncio.sleep(0.01)
        left = _held() - before
    pytest.fail(f"left behind: {left}")


def _held() -> set[str]:
    tasks = {task.get_name() for task in asyncio.all_tasks()}
    clients = {repr(thread) for thread in threading.enumerate() if thread.name == "incus_sdk"}
    return tasks | clients | {*filter(None, map(_described, Path("/proc/self/fd").iterdir()))}


def _described(descriptor: Path) -> str | None:
    try:
        return f"{descriptor.name}: {descriptor.readlink()}"
    except FileNotFoundError:  # that of the folder itself
        return None


@asynccontextmanager
async def stirred(admin: Client, profile: str) -> AsyncGenerator[None]:
    """Make things happen to a profile during a block, for those who listen."""
    done = asyncio.Event()

    async def stir() -> None:
        for number in itertools.count():
            with suppress(IncusError):
                await admin.api.patch(f"/1.0/profiles/{profile}", {"config": {"user.stirred": str(number)}})
            with suppress(TimeoutError):
                await asyncio.wait_for(done.wait(), 0.05)
                return

    async with asyncio.TaskGroup() as group:
        group.create_task(stir())
        try:
            yield
        finally:
            done.set()
