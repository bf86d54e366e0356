"""What the library has to reach: ratios of medians from one run, and memory that stays the same."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from .harness import Result
from .players import AIOHTTP, ASYNC, COMMAND, PROTOCOL, PYLXD, SAME_STEPS, STREAM, SYNC
from .start import ASYNCIO

__all__ = ["IDLE", "TARGETS", "Outcome", "Target", "check"]

MIB = 1 << 20
IDLE = "an idle process"
"""What memory is compared with: the difference in MiB, not the ratio."""


@dataclass(frozen=True)
class Target:
    """A bound for a ratio, or for memory beyond what the same process had before it began.

    Attributes:
        case: Key of the case.
        measure: What is compared: `wall`, `cpu` or `memory`; `growth` with `IDLE`; `extra` is the difference in wall
            time, in µs.
        contestant: Whose figure is divided.
        baseline: By whose, or `IDLE`.
        limit: The most that the ratio, or the difference in MiB, may be.
    """

    case: str
    measure: str
    contestant: str
    baseline: str
    limit: float


TARGETS = (
    Target("start", "wall", ASYNC, PYLXD, 0.6),
    Target("start", "wall", ASYNC, AIOHTTP, 0.5),
    Target("start", "wall", SYNC, PYLXD, 0.7),
    Target("start", "cpu", ASYNC, ASYNCIO, 1.7),
    Target("get", "cpu", ASYNC, STREAM, 1.4),
    Target("get", "cpu", ASYNC, AIOHTTP, 1 / 2),
    Target("get", "cpu", ASYNC, PYLXD, 1 / 8),
    Target("get", "cpu", SYNC, PYLXD, 1 / 4),
    Target("get", "extra", SYNC, ASYNC, 100),
    Target("get by few", "wall", SYNC, ASYNC, 1.2),
    Target("get by few", "cpu", SYNC, PYLXD, 1 / 4),
    Target("get at once", "wall", ASYNC, PROTOCOL, 1.2),
    Target("get at once", "wall", ASYNC, AIOHTTP, 1 / 3.5),
    Target("get at once", "cpu", ASYNC, PROTOCOL, 1.2),
    Target("get at once", "cpu", ASYNC, AIOHTTP, 1 / 3.5),
    Target("get real", "wall", ASYNC, STREAM, 1.15),
    Target("list 1000", "wall", ASYNC, PYLXD, 1 / 5),
    Target("list 1000", "cpu", ASYNC, PYLXD, 1 / 5),
    Target("list 10000", "memory", ASYNC, PYLXD, 0.7),
    Target("life", "wall", ASYNC, COMMAND, 1.0),
    Target("run", "wall", ASYNC, SAME_STEPS, 1.0),
    Target("run", "wall", ASYNC, COMMAND, 1 / 2),
    Target("run", "wall", ASYNC, PYLXD, 1 / 6),
    Target("run at once", "wall", ASYNC, COMMAND, 1 / 2),
    Target("stdout", "wall", ASYNC, COMMAND, 1.0),
    Target("stdout", "growth", ASYNC, IDLE, 32.0),
    Target("stdin", "wall", ASYNC, COMMAND, 1.0),
    Target("stdin", "cpu", ASYNC, COMMAND, 1 / 2),
    Target("stdin", "growth", ASYNC, IDLE, 32.0),
)


@dataclass(frozen=True)
class Outcome:
    """How a target was met.

    Attributes:
        target: The target.
        name: What the case is about.
        measured: The ratio, or the difference.
        reached: Whether it is within the limit.
    """

    target: Target
    name: str
    measured: float
    reached: bool

    @property
    def what(self) -> str:
        """What is compared with what."""
        if self.target.baseline == IDLE:
            return f"MiB above idle: {self.target.contestant}"
        if self.target.measure == "extra":
            return f"µs: {self.target.contestant} - {self.target.baseline}"
        measure = {"cpu": "CPU"}.get(self.target.measure, self.target.measure)
        return f"{measure}: {self.target.contestant} / {self.target.baseline}"

    @property
    def verdict(self) -> str:
        """In a word."""
        return "reached" if self.reached else "missed"


def check(results: Iterable[Result], targets: Sequence[Target] = TARGETS) -> Iterator[Outcome]:
    """Compare; targets of which something was not measured are passed over."""
    found = {(result.case.key, result.contestant): result for result in results}
    for target in targets:
        result, base = (found.get((target.case, name)) for name in (target.contestant, target.baseline))
        if result is None:
            continue
        if target.baseline == IDLE:
            measured = result.value(target.measure) / MIB
        elif base is not None and target.measure == "extra":
            measured = (result.wall - base.wall) * 1e6
        elif base is not None and base.value(target.measure):
            measured = result.value(target.measure) / base.value(target.measure)
        else:
            continue
        yield Outcome(target, result.case.name, measured, measured <= target.limit)
