"""What comes of a soak: how its calls end, and what the process holds when nothing is under way."""

from __future__ import annotations

import asyncio
import gc
import os
import statistics
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .plan_soak import Call, WrongResultError

ROUNDS = 10
"""Parts of a soak, after each of which everything is measured; the first one fills caches and pools."""

MEMORY = 6 << 20
"""Bytes that memory may grow by between the first and the last third, as allocators do not return all they got."""

BLOCKS_PER_CALL = 0.02
"""A leak is at least one block for each call of some kind, and the rarest kind is about one of a hundred."""

BLOCKS_ANYHOW = 1000
"""What the number of blocks wavers by, however many calls there are; mostly it is what threads keep for themselves."""

_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Reading:
    """What is held.

    Attributes:
        memory: Bytes of resident memory.
        blocks: Blocks of memory that Python's allocator has given out; each small object is one.
        descriptors: Open file descriptors.
        tasks: Tasks of the running event loop.
        threads: Threads.
    """

    memory: int
    blocks: int
    descriptors: int
    tasks: int
    threads: int

    def __str__(self) -> str:
        text = f"{self.memory / 2**20:.1f} MiB, {self.blocks} blocks, {self.descriptors} descriptors"
        return f"{text}, {self.tasks} tasks, {self.threads} threads"

    def same(self, other: Reading) -> bool:
        """Whether there are as many descriptors, tasks and threads."""
        mine = self.descriptors, self.tasks, self.threads
        return mine == (other.descriptors, other.tasks, other.threads)


def read() -> Reading:
    """Collect garbage and measure; outside of an event loop there are no tasks."""
    gc.collect()
    try:
        tasks = len(asyncio.all_tasks())
    except RuntimeError:
        tasks = 0
    memory = int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE
    return Reading(memory, sys.getallocatedblocks(), descriptors(), tasks, threading.active_count())


def descriptors() -> int:
    """Number of open file descriptors."""
    return len(list(Path("/proc/self/fd").iterdir())) - 1  # less the one that reads them


class Soak:
    """What has come of the calls so far.

    Args:
        drawn: The calls.
        count: How many there are.
        seed: What they were drawn from.
        own: Descriptors that the clients need beside their connections.

    Attributes:
        calls: The calls that are still to be made.
        size: Number of calls in a round.
        outcomes: How often a call ended in which way.
    """

    def __init__(self, drawn: Iterator[Call], count: int, seed: int, *, own: int) -> None:
        self.calls = drawn
        self.size = count // ROUNDS
        self.outcomes: Counter[str] = Counter()
        self._own = own
        self._readings: list[Reading] = []
        self._began = time.monotonic()
        self._note(f"seed {seed} (INCUS_SDK_SEED repeats it), {count} calls")
        self._before = read()

    def judge(self, call: Call, error: BaseException | None) -> None:
        """Count how a call has ended.

        Raises:
            WrongResultError: It should have ended in another way.
        """
        if isinstance(error, WrongResultError):
            raise error
        if error is None and call.must_fail:
            raise WrongResultError(f"{call} succeeded")
        if error is not None and not isinstance(error, call.errors):
            raise WrongResultError(f"{call} raised {type(error).__name__}: {error}") from error
        self.outcomes["right" if error is None else type(error).__name__] += 1

    def quiet(self, connections: int) -> bool:
        """Whether there is nothing left but one connection, for the server as for this process.

        Args:
            connections: How many the server has.
        """
        return connections == 1 and descriptors() == self._before.descriptors + self._own + 1

    def measure(self) -> None:
        """Measure between two rounds, when all is quiet."""
        self._readings.append(read())
        self._note(str(self._readings[-1]))

    def check(self) -> None:
        """Check that nothing has piled up since the first round, and nothing is left when all are disconnected."""
        after = read()
        self._note(f"{after}; {dict(self.outcomes)}")
        flat = self._readings[1:]
        assert self._growth("memory") < MEMORY
        assert self._growth("blocks") < BLOCKS_ANYHOW + BLOCKS_PER_CALL * self.size * len(flat) * 2 // 3
        assert all(reading.same(flat[0]) for reading in flat)
        assert after.same(self._before)

    def _growth(self, what: str) -> float:
        """How much more there was, by the median, in the last third of the rounds than in the first."""
        values: list[int] = [getattr(reading, what) for reading in self._readings[1:]]
        third = len(values) // 3
        return statistics.median(values[-third:]) - statistics.median(values[:third])

    def _note(self, text: str) -> None:
        """Print; pytest shows it when the test fails, or with `-s`."""
        print(f"{time.monotonic() - self._began:6.1f} s: {text}")  # noqa: T201 - in tests, this is how things are told
