"""Write the generated files of the project, or check that they are as the generator would write them."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path, PurePosixPath

from . import files, models, spec, sync

ROOT = Path(__file__).parent.parent


def generate(root: Path) -> dict[PurePosixPath, str]:
    """Return every generated file of the project."""
    return files.formatted(models.render(spec.load(root / "schema")) | sync.render(root), root)


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m codegen", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a file would change")
    parser.add_argument("--root", type=Path, default=ROOT, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    made = generate(options.root)
    if not options.check:
        for line in files.write(made, options.root):
            print(f"{line}, now up to date")
        return 0
    if problems := files.compare(made, options.root):
        print("\n".join(problems))
        print("Run `python -m codegen` and look at the difference; generated files are never edited.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
