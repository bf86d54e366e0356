"""`python -m benchmarks [--quick] [--json FILE] [GROUP...]`."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from incus_sdk import __version__

from . import get, start
from .harness import Result, as_json, table
from .setting import prepared

GROUPS = {"get": get.run, "start": start.run}
"""A group is a module with a function `run`, which measures its cases in a setting."""

NOTES = """
Medians; contestants take turns, ratios are to the first of each case. CPU is the client's alone.
The replay server is a Python program: what it takes is part of each wall time, so these ratios are nearer to 1 than
they would be with a faster one. In the real daemon's wall times, the daemon is the greater part.
"""


def main() -> None:
    """Measure, print a table, and write the samples if that is wanted."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="What the library costs.")
    parser.add_argument(
        "groups", nargs="*", metavar="GROUP", help=f"what to measure: {', '.join(GROUPS)} (default: all)"
    )
    parser.add_argument("--quick", action="store_true", help="a fifth of the rounds, for a first look")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every sample to this file")
    options = parser.parse_args()
    if unknown := set(options.groups) - set(GROUPS):
        parser.error(f"there is no group {', '.join(sorted(unknown))}; there are {', '.join(GROUPS)}")
    results: list[Result] = []
    with prepared() as setting:
        for name in options.groups or GROUPS:
            results += GROUPS[name](setting, quick=options.quick)
    print("\n".join(table(results)))
    print(NOTES)
    if options.json:
        about = as_json(results, incus_sdk=__version__, incus=setting.version, quick=options.quick)
        options.json.write_text(json.dumps(about, indent=1) + "\n")


if __name__ == "__main__":
    main()
