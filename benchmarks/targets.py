"""What the library has to reach: ratios of medians from one run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from .harness import Result
from .players import AIOHTTP, ASYNC, COMMAND, PROTOCOL, PYLXD, STREAM, SYNC
from .start import ASYNCIO

__all__ = ["TARGETS", "Outcome", "Target", "check"]


@dataclass(frozen=True)
class Target:
    """A bound for a ratio.

    Attributes:
        case: Key of the case.
        measure: What is compared: `wall`, `cpu` or `memory`.
        contestant: Whose figure is divided.
        baseline: By whose.
        limit: The most that the ratio may be.
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
    Target("get at once", "wall", ASYNC, PROTOCOL, 1.2),
    Target("get at once", "wall", ASYNC, AIOHTTP, 1 / 3.5),
    Target("get at once", "cpu", ASYNC, PROTOCOL, 1.2),
    Target("get at once", "cpu", ASYNC, AIOHTTP, 1 / 3.5),
    Target("get real", "wall", ASYNC, STREAM, 1.15),
    Target("list 1000", "wall", ASYNC, PYLXD, 1 / 5),
    Target("list 1000", "cpu", ASYNC, PYLXD, 1 / 5),
    Target("list 10000", "memory", ASYNC, PYLXD, 0.7),
    Target("life", "wall", ASYNC, COMMAND, 1.0),
)


@dataclass(frozen=True)
class Outcome:
    """How a target was met.

    Attributes:
        target: The target.
        name: What the case is about.
        measured: The ratio.
        reached: Whether it is within the limit.
    """

    target: Target
    name: str
    measured: float
    reached: bool

    @property
    def what(self) -> str:
        """What is divided by what."""
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
        if result is not None and base is not None and base.value(target.measure):
            ratio = result.value(target.measure) / base.value(target.measure)
            yield Outcome(target, result.case.name, ratio, ratio <= target.limit)
