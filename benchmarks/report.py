"""What was measured, as a table for the terminal, as Markdown for the documentation, and as JSON to keep."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from .harness import Case, LeftOut, Result, Sample
from .players import ASYNC
from .targets import Outcome

__all__ = ["Report", "figure", "targets"]

UNITS = {"µs": 1e6, "ms": 1e3, "s": 1.0}
MEGABYTE = 1e6
TITLES = {"wall": "wall", "cpu": "CPU", "memory": "memory"}


class Report:
    """One run.

    Attributes:
        about: When and on what it was.
        results: What was measured.
        left_out: Who could not take part.
    """

    def __init__(self, about: Mapping[str, object], results: list[Result], left_out: list[LeftOut]) -> None:
        self.about = about
        self.results = results
        self.left_out = left_out

    def cases(self) -> Iterator[tuple[Case, list[Result], Result]]:
        """Each case with its results, and the result that the others are compared with."""
        for case, group in itertools.groupby(self.results, lambda result: result.case):
            results = list(group)
            yield case, results, next((each for each in results if each.contestant == ASYNC), results[0])

    def title(self) -> str:
        """When and on what it was, in a line."""
        return ", ".join(f"{name} {value}" for name, value in self.about.items())

    def table(self) -> Iterator[str]:
        """The lines of a table."""
        yield f"{'':<28}{'wall':>13}{'ratio':>8}{'CPU':>13}{'ratio':>8}{'memory':>13}{'ratio':>8}"
        for case, results, base in self.cases():
            yield ""
            yield f"{case.name} ({len(results[0].samples)} runs of {case.repetitions})"
            for result in results:
                cells = (f"{value:>13}{ratio:>8}" for value, ratio in _figures(result, base))
                yield f"  {result.contestant:<26}{''.join(cells)}"
                if result.steps:
                    yield f"    {_steps(result)}"
        yield from (f"left out: {each.contestant}: {each.reason}" for each in self.left_out)

    def markdown(self, outcomes: Iterable[Outcome]) -> Iterator[str]:
        """The lines of the file that the documentation includes."""
        yield "<!-- Written by `./dev bench --docs docs/_static`; do not edit. -->"
        yield ""
        yield self.title() + "."
        for case, results, base in self.cases():
            measures = list(_measures(case))
            yield from ("", f"**{case.name[0].upper()}{case.name[1:]}**", "")
            yield "| | " + " | ".join(f"{TITLES[measure]} | ratio" for measure in measures) + " |"
            yield "| --- |" + " --: | --: |" * len(measures)
            for result in results:
                name = f"**{result.contestant}**" if result is base else result.contestant
                cells = (f"{value} | {ratio}" for value, ratio in _figures(result, base))
                yield f"| {name} | {' | '.join(cells)} |"
        yield from ("", "| target | at most | measured | |", "| --- | --: | --: | --- |")
        for each in outcomes:
            yield f"| {each.name}, {each.what} | {each.target.limit:.3f} | {each.measured:.3f} | {each.verdict} |"

    def write_json(self, file: Path, outcomes: Iterable[Outcome]) -> None:
        """Keep everything, in seconds and bytes, with every sample."""
        medians = ("wall", "cpu", "memory", "steps")
        document = {
            "about": dict(self.about),
            "targets": [asdict(outcome) for outcome in outcomes],
            "left_out": [asdict(each) for each in self.left_out],
            "results": [{**asdict(each), **{name: getattr(each, name) for name in medians}} for each in self.results],
        }
        file.write_text(json.dumps(document, indent=1) + "\n", "utf-8")

    @classmethod
    def read_json(cls, file: Path) -> Report:
        """Read what `write_json` has kept."""
        document = json.loads(file.read_text("utf-8"))
        left_out = [LeftOut(**each) for each in document["left_out"]]
        return cls(document["about"], [_result(each) for each in document["results"]], left_out)


def _result(kept: Mapping[str, Any]) -> Result:
    return Result(Case(**kept["case"]), kept["contestant"], [Sample(**sample) for sample in kept["samples"]])


def _measures(case: Case) -> Iterator[str]:
    yield from ("wall", "cpu")
    if case.memory:
        yield "memory"


def _figures(result: Result, base: Result) -> Iterator[tuple[str, str]]:
    """What the measures are, and how many times those of the base."""
    for measure in _measures(result.case):
        value, other = result.value(measure), base.value(measure)
        known = measure != "memory" or value  # of programs that a contestant starts, it is not
        yield (figure(result, measure), f"{value / other:.2f}" if other else "-") if known else ("-", "-")


def _steps(result: Result) -> str:
    scale = UNITS[result.case.unit]
    return ", ".join(f"{name} {_rounded(seconds * scale)}" for name, seconds in result.steps.items())


def figure(result: Result, measure: str) -> str:
    """A median with its unit."""
    if measure == "memory":
        return f"{_rounded(result.memory / MEGABYTE)} MB"
    return f"{_rounded(result.value(measure) * UNITS[result.case.unit])} {result.case.unit}"


def _rounded(value: float) -> str:
    return f"{value:.1f}" if value < 100 else f"{value:,.0f}"


def targets(outcomes: Iterable[Outcome]) -> Iterator[str]:
    """The lines of a list of targets."""
    yield f"{'target':<46}{'at most':>9}{'measured':>10}"
    for name, group in itertools.groupby(outcomes, lambda outcome: outcome.name):
        yield name
        for each in group:
            yield f"  {each.what:<44}{each.target.limit:>9.3f}{each.measured:>10.3f}  {each.verdict}"
