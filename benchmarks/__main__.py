"""`python -m benchmarks [OPTION...] [GROUP...]`; see `--help`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from . import commands, get, life, listing, plot, start
from .about import about
from .harness import Group
from .report import Report, targets
from .setting import prepared
from .targets import check

GROUPS = {"start": start.run, "get": get.run, "list": listing.run, "life": life.run, "commands": commands.run}
"""A group is a module with a function `run`, which measures its cases in a setting."""

QUICK = 5
"""By what the number of rounds is divided for a first look."""

NOTES = """
Medians, with how many runs of how many repetitions they are from; contestants take turns, in processes of their own.
Ratios are to incus_sdk. CPU is the client's alone, memory the most that its process had. "Replayed" is against a
server that gives recorded answers at once. With a real daemon, the daemon is the greater part of the wall time.
"""


def main() -> int:
    """Measure, or read what was measured before; then print, and write what is wanted."""
    parser = _parser()
    options = parser.parse_args()
    if unknown := set(options.groups) - set(GROUPS):
        parser.error(f"there is no group {', '.join(sorted(unknown))}; there are {', '.join(GROUPS)}")
    report = (
        Report.read_json(options.read) if options.read else _measured(options.groups or list(GROUPS), options.quick)
    )
    outcomes = list(check(report.results))
    print(report.title(), end="\n\n")
    print("\n".join(report.table()), NOTES, sep="\n")
    print("\n".join(targets(outcomes)))
    if options.json:
        report.write_json(options.json, outcomes)
    if options.docs:
        options.docs.mkdir(parents=True, exist_ok=True)
        (options.docs / "benchmarks.inc").write_text("\n".join(report.markdown(outcomes)) + "\n", "utf-8")
    if folder := options.plot or options.docs:
        _draw(report, folder)
    return int(options.check and not all(outcome.reached for outcome in outcomes))


def _draw(report: Report, folder: Path) -> None:
    try:
        plot.draw(report, folder)
    except ImportError as error:
        print(f"nothing is drawn: {error}", file=sys.stderr)


def _measured(groups: list[str], quick: bool) -> Report:
    group = Group(QUICK if quick else 1, lambda line: print(line, file=sys.stderr, flush=True))
    with prepared() as setting:
        known = about(setting, quick=quick)
        for name in groups:
            GROUPS[name](setting, group)
    return Report(known, group.results, group.left_out)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="What the library and its peers cost.")
    add = parser.add_argument
    add("groups", nargs="*", metavar="GROUP", help=f"what to measure: {', '.join(GROUPS)} (default: all)")
    add("--quick", action="store_true", help="a fifth of the rounds, for a first look")
    add("--json", type=Path, metavar="FILE", help="write every sample to this file")
    add("--read", type=Path, metavar="FILE", help="measure nothing, take what --json wrote")
    add("--plot", type=Path, metavar="FOLDER", help="draw benchmarks.svg and benchmarks.png there; needs matplotlib")
    add("--docs", type=Path, metavar="FOLDER", help="the same, and benchmarks.inc, a table in Markdown")
    add("--check", action="store_true", help="exit with status 1 if a target was missed")
    return parser


if __name__ == "__main__":
    sys.exit(main())
