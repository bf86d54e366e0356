"""How it is measured: contestants take turns, in ever new orders, and medians are compared.

What is measured is in the other modules.

A machine is never quiet, so absolute figures are worth little: two things that are measured in turn meet the same
noise, and the ratio of their medians is what to look at. CPU is the client's alone, all its threads and child processes
together; servers are not in it.
"""

from __future__ import annotations

import random
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

__all__ = ["BrokenDownError", "Case", "Contestant", "Group", "LeftOut", "Result", "Sample", "measure"]


@dataclass(frozen=True)
class Sample:
    """What one run of a contestant cost, for one repetition.

    Attributes:
        wall: Seconds on the clock.
        cpu: Seconds of CPU, of the system and of its own.
        memory: Most bytes that its process has had in memory so far; 0 if that was not measured.
        growth: By how many bytes that is more than when it was ready to begin.
        steps: Seconds on the clock for each step, where there are several.
    """

    wall: float
    cpu: float
    memory: float = 0.0
    growth: float = 0.0
    steps: dict[str, float] = field(default_factory=dict[str, float])


@dataclass(frozen=True)
class Contestant:
    """One way to do what a case is about.

    Attributes:
        name: How the table calls it.
        run: Does it that many times, and returns what one time cost.
        needed: Whether to give up if it breaks down; others are left out then.
    """

    name: str
    run: Callable[[int], Sample]
    needed: bool = True


@dataclass(frozen=True)
class Case:
    """Something that is done in several ways.

    Attributes:
        key: Short name, by which targets and plots refer to it.
        name: What is done.
        unit: Unit for one repetition: `µs`, `ms` or `s`.
        repetitions: How often one run does it.
        rounds: How often each contestant runs.
        warm: Have one round first that does not count.
        memory: Whether the memory of the contestants' processes says something about the case.
    """

    key: str
    name: str
    unit: str
    repetitions: int
    rounds: int
    warm: bool = True
    memory: bool = False


@dataclass
class Result:
    """All samples of one contestant in one case."""

    case: Case
    contestant: str
    samples: list[Sample] = field(default_factory=list[Sample])

    @property
    def wall(self) -> float:
        """Median on the clock."""
        return statistics.median(sample.wall for sample in self.samples)

    @property
    def cpu(self) -> float:
        """Median of CPU."""
        return statistics.median(sample.cpu for sample in self.samples)

    @property
    def memory(self) -> float:
        """Median of memory."""
        return statistics.median(sample.memory for sample in self.samples)

    @property
    def growth(self) -> float:
        """Median of the memory above that of a process which is ready to begin."""
        return statistics.median(sample.growth for sample in self.samples)

    @property
    def steps(self) -> dict[str, float]:
        """Median of each step on the clock."""
        names = self.samples[0].steps
        return {name: statistics.median(sample.steps[name] for sample in self.samples) for name in names}

    def value(self, measure: str) -> float:
        """The median of `wall`, `cpu`, `memory` or `growth`."""
        return {"wall": self.wall, "cpu": self.cpu, "memory": self.memory, "growth": self.growth}[measure]


class BrokenDownError(Exception):
    """A contestant could not do what it was asked to; the message says what is known."""


@dataclass(frozen=True)
class LeftOut:
    """A contestant that could not take part.

    Attributes:
        contestant: How the table would have called it.
        reason: Why.
    """

    contestant: str
    reason: str


@dataclass
class Group:
    """What has been measured so far, and who was missing.

    Attributes:
        divisor: By what to divide the number of rounds; two are the fewest.
        tell: Called with a line for each case that begins.
    """

    divisor: int = 1
    tell: Callable[[str], object] = print
    results: list[Result] = field(default_factory=list[Result])
    left_out: list[LeftOut] = field(default_factory=list[LeftOut])

    def measure(self, case: Case, contestants: Sequence[Contestant]) -> None:
        """Measure one case, with those who can take part in it."""
        rounds = max(2, case.rounds // self.divisor)
        self.tell(f"{case.name}: {rounds} rounds of {', '.join(each.name for each in contestants)}")
        self.results += measure(case, contestants, rounds, self.leave_out)

    def leave_out(self, contestant: str, reason: str) -> None:
        """Note once that a contestant cannot take part, and why."""
        note = LeftOut(contestant, reason)
        if note not in self.left_out:
            self.left_out.append(note)
            self.tell(f"left out: {contestant}: {reason}")


def measure(
    case: Case, contestants: Sequence[Contestant], rounds: int, leave_out: Callable[[str, str], object]
) -> list[Result]:
    """Let contestants take turns, in another order each round: nobody always follows one that keeps the server busy.

    Args:
        case: What to do.
        contestants: Who does it.
        rounds: How often each has its turn.
        leave_out: Called with the name of one that broke down, and why.

    Raises:
        BrokenDownError: One that is needed broke down.
    """
    running = {contestant.name: contestant for contestant in contestants}
    results = {name: Result(case, name) for name in running}
    orders = random.Random(0)
    for number in range(-1 if case.warm else 0, rounds):
        for name, contestant in orders.sample(list(running.items()), len(running)):
            try:
                sample = contestant.run(case.repetitions)
            except BrokenDownError as error:
                if contestant.needed:
                    raise
                leave_out(name, str(error))
                del running[name], results[name]
                continue
            if number >= 0:
                results[name].samples.append(sample)
    return list(results.values())
