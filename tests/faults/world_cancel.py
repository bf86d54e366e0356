"""A daemon that answers everything, and the checks that nothing is left of a call that was broken off."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from incus_sdk import Client, IncusError

from .answers_soak import Asked
from .calls_cancel import Call
from .server_soak import Daemon
from .steps_cancel import PATIENCE, Steps, Way, whole


def descriptors() -> int:
    """Number of open file descriptors."""
    return len(list(Path("/proc/self/fd").iterdir()))


async def turns(count: int) -> None:
    """Let the event loop run so many times."""
    for _ in range(count):
        await asyncio.sleep(0)


class World:
    """A daemon, and one client after the other.

    Args:
        daemon: The daemon, in the same loop; it has no tasks of its own.
        options: How to reach it.

    Attributes:
        daemon: The daemon.
        client: The client of the moment.
    """

    def __init__(self, daemon: Daemon, options: dict[str, Any]) -> None:
        self.daemon = daemon
        self.client = Client(**options)
        self._options = options
        self._numbers = itertools.count()
        self._tasks = asyncio.all_tasks()
        self._descriptors = descriptors()

    @property
    def requests(self) -> list[Asked]:
        """What the daemon was asked since the last `renew`."""
        return list(self.daemon.requests)

    @property
    def targets(self) -> list[str]:
        """Methods and paths of the requests."""
        return [f"{asked.method} {asked.path}" for asked in self.daemon.requests]

    def name(self, fault: str) -> str:
        """A name that nobody has asked for before, with a fault."""
        return f"web-{next(self._numbers)}--{fault}"

    async def until(self, what: str, holds: Callable[[], object]) -> None:
        """Let the loop run until something holds."""
        try:
            async with asyncio.timeout(PATIENCE):
                while not holds():
                    await turns(1)
        except TimeoutError:
            raise AssertionError(f"it never came to pass that {what}") from None

    async def renew(self, prepare: Callable[[Client], Awaitable[Any]] | None = None, *, warm: bool = True) -> Any:
        """Take a fresh client, and return what `prepare` makes of it.

        Args:
            prepare: Gets what a call is made on; by default the client itself.
            warm: Whether the call is to find an open connection.
        """
        self.client = Client(**self._options)
        subject = self.client if prepare is None else await prepare(self.client)
        if warm:
            await self.client.connect()
        else:
            for peer in list(self.daemon.peers):
                peer.transport.close()
            await self.until("the client noticed", lambda: descriptors() == self._descriptors)
        self.daemon.requests.clear()
        return subject

    async def check(self, *, reopen: bool = False) -> None:
        """Check that nothing is left of what was broken off, and that the client gets its answers as before.

        Args:
            reopen: Whether the client may have been disconnected.
        """
        self._check_tasks()
        await self.until("all is quiet", lambda: not any(peer.busy for peer in self.daemon.peers))
        requests = self.requests
        if reopen:
            await self.client.connect()
        target = f"/1.0/echo/{next(self._numbers)}"
        answer = await self.client.api.get(target)
        assert answer["metadata"]["target"] == target, "the answer belongs to another request"
        # One connection is all that it takes for one call after the other; another one would be known to nobody.
        await self.until("one connection is left", lambda: len(self.daemon.peers) == 1)
        await self.client.disconnect()
        await self.until("no connection is left", lambda: not self.daemon.peers)
        assert descriptors() == self._descriptors, "a descriptor is left"
        self._check_tasks()
        self.daemon.requests[:] = requests

    def _check_tasks(self) -> None:
        left = [str(task) for task in asyncio.all_tasks() - self._tasks]
        left = [
            text for text in left if "._accept_connection2()" not in text
        ]  # of the server: asyncio accepts in tasks
        assert not left, left

    async def break_off(self, call: Call, *, warm: bool, way: Way, made_up: bool = False) -> int:
        """Break a call off at each of its waits in turn; return how many there were.

        Args:
            call: The call.
            warm: Whether it is to find an open connection.
            way: How to break it off.
            made_up: Whether it may get an answer that it cannot use, after which it does not go on.
        """
        steps = Steps(whole(call.make(await self.renew(call.prepare, warm=warm))))
        with contextlib.suppress(*((IncusError,) if made_up else ())):
            await steps
        await self.check(reopen=True)
        all_of_it = self.requests
        for at in range(steps.waits):
            subject = await self.renew(call.prepare, warm=warm)
            await way(whole(call.make(subject)), at)
            del subject
            await self.check(reopen=call.disconnects)
            # What was sent is the beginning of what is sent otherwise: no half request taken for a whole one, no
            # repetition, and nothing that undoes what was begun.
            assert self.requests == all_of_it[: len(self.requests)], f"at wait {at}"
        return steps.waits

    async def interrupt(self, call: Call, *, warm: bool) -> int:
        """Cancel a call after each number of turns of the event loop; return after how many it was done."""

        async def make(subject: Any) -> None:
            await call.make(subject)

        for count in itertools.count():
            task = asyncio.ensure_future(make(await self.renew(call.prepare, warm=warm)))
            await turns(count)
            cancelled = task.cancel()
            async with asyncio.timeout(PATIENCE):
                await asyncio.wait([task])
            assert task.cancelled() is cancelled, f"at turn {count}: {task}"
            if not cancelled:
                task.result()
                await self.check(reopen=True)
                return count
            await self.check(reopen=call.disconnects)
        raise AssertionError
