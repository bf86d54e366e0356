"""How it is measured: contestants take turns, medians are compared. What is measured is in the other modules.

A machine is never quiet, so absolute figures are worth little: two things that are measured in turn meet the same
noise, and the ratio of their medians is what to look at. CPU is that of this process and of those that it has waited
for; servers are not in it.
"""

from __future__ import annotations

import platform
import resource
import statistics
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

__all__ = ["Case", "Contestant", "Result", "Sample", "as_json", "measure", "table"]

UNITS = {"µs": 1e6, "ms": 1e3, "s": 1.0}
QUICK = 5
"""By what the number of rounds is divided for a first look."""


@dataclass(frozen=True)
class Contestant:
    """One way to do what a case is about.

    Attributes:
        name: How the table calls it.
        run: Does it, as often as the case says, and returns when it is done.
    """

    name: str
    run: Callable[[], object]


@dataclass(frozen=True)
class Case:
    """Something that is done in several ways.

    Attributes:
        name: What is done.
        unit: Unit for one repetition: `µs`, `ms` or `s`.
        repetitions: How often one run does it.
        rounds: How often each contestant runs.
        contestants: Who does it; the first is what the others are compared with.
    """

    name: str
    unit: str
    repetitions: int
    rounds: int
    contestants: Sequence[Contestant]


@dataclass(frozen=True)
class Sample:
    """Seconds for one repetition: on the clock, and of CPU."""

    wall: float
    cpu: float


@dataclass
class Result:
    """All samples of one contestant in one case."""

    case: str
    contestant: str
    unit: str
    samples: list[Sample] = field(default_factory=list[Sample])

    @property
    def wall(self) -> float:
        """Median on the clock."""
        return statistics.median(sample.wall for sample in self.samples)

    @property
    def cpu(self) -> float:
        """Median of CPU."""
        return statistics.median(sample.cpu for sample in self.samples)


def measure(case: Case, *, quick: bool = False) -> list[Result]:
    """Let the contestants of a case take turns, after one round that does not count."""
    results = [Result(case.name, contestant.name, case.unit) for contestant in case.contestants]
    rounds = max(2, case.rounds // QUICK) if quick else case.rounds
    for number in range(-1, rounds):
        for contestant, result in zip(case.contestants, results, strict=True):
            sample = _sample(contestant.run, case.repetitions)
            if number >= 0:
                result.samples.append(sample)
    return results


def _sample(run: Callable[[], object], repetitions: int) -> Sample:
    cpu, wall = _cpu(), time.perf_counter()
    run()
    return Sample((time.perf_counter() - wall) / repetitions, (_cpu() - cpu) / repetitions)


def _cpu() -> float:
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def table(results: Iterable[Result]) -> Iterator[str]:
    """The lines of a table; ratios are to the first contestant of each case."""
    yield f"{'':<28}{'wall':>13}{'CPU':>13}{'wall ratio':>13}{'CPU ratio':>12}"
    base: Result | None = None
    for result in results:
        if base is None or result.case != base.case:
            yield ""
            yield result.case
            base = result
        yield (
            f"  {result.contestant:<26}{_figure(result.wall, result.unit):>13}{_figure(result.cpu, result.unit):>13}"
            f"{_ratio(result.wall, base.wall):>13}{_ratio(result.cpu, base.cpu):>12}"
        )


def _figure(seconds: float, unit: str) -> str:
    return f"{seconds * UNITS[unit]:.1f} {unit}"


def _ratio(value: float, base: float) -> str:
    return f"{value / base:.2f}" if base else "-"


def as_json(results: Iterable[Result], **about: object) -> dict[str, Any]:
    """Everything that was measured, in seconds, with what it was measured on."""
    machine = {"python": platform.python_version(), "system": platform.platform(), "machine": platform.machine()}
    return {
        "about": {**machine, **about},
        "results": [{**asdict(result), "wall": result.wall, "cpu": result.cpu} for result in results],
    }
