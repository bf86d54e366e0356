"""What the contestants have in common: to do something often, one after another or many at once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor

__all__ = ["AT_ONCE", "FEW", "Stopwatch", "Threads", "at_once", "one_after_another"]

AT_ONCE = 64
"""How many requests are under way at once."""

FEW = 8
"""The same, where it is few: as many as programs have threads."""


async def one_after_another(get: Callable[[], Awaitable[object]], repetitions: int) -> None:
    """Await it that often."""
    for _ in range(repetitions):
        await get()


async def at_once(get: Callable[[], Awaitable[object]], repetitions: int, number: int = AT_ONCE) -> None:
    """Keep as many under way as there are workers, until all are done."""
    left = iter(range(repetitions))

    async def work() -> None:
        for _ in left:
            await get()

    async with asyncio.TaskGroup() as group:
        for _ in range(number):
            group.create_task(work())


class Threads:
    """As many threads, which are there already when it counts."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(AT_ONCE)

    def at_once(self, get: Callable[[], object], repetitions: int, number: int = AT_ONCE) -> None:
        """Call it that often, in all threads or in fewer."""
        left = iter(range(repetitions))  # iterating over a range is one step for the interpreter, so threads can share

        def work() -> None:
            for _ in left:
                get()

        for done in [self._pool.submit(work) for _ in range(number)]:
            done.result()

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown()


class Stopwatch:
    """How long each step took.

    Attributes:
        steps: Seconds for each, summed up if a step was done more than once.
    """

    def __init__(self) -> None:
        self.steps: dict[str, float] = {}
        self.start()

    def start(self) -> None:
        """Begin the first step."""
        self._since = time.perf_counter()

    def done(self, step: str) -> None:
        """End a step, and begin the next."""
        now = time.perf_counter()
        self.steps[step] = self.steps.get(step, 0.0) + now - self._since
        self._since = now
