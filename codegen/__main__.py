"""Write the generated files of the project, or check that they are as the generator would write them.

`refresh VERSION FILE` brings the facts in schema/incus-api.json up to date with a description of the API that the Incus
project published (doc/rest-api.yaml in its source), says what that changes, and leaves the generated files alone, for
what it says may need a word in schema/overrides.toml first.
"""

from __future__ import annotations

import argparse
import json
import sys
import tomllib
from pathlib import Path, PurePosixPath

from . import extensions, files, models, spec, swagger, sync
from .refresh import refresh

ROOT = Path(__file__).parent.parent


def generate(root: Path) -> dict[PurePosixPath, str]:
    """Return every generated file of the project."""
    facts = spec.load(root / "schema")
    return files.formatted(models.render(facts) | extensions.render(facts) | sync.render(root), root)


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return its exit code."""
    options = _parser().parse_args(arguments)
    if options.command == "refresh":
        return _refresh(options.root / "schema", options.version, options.file, write=not options.check)
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


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m codegen", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a file would change")
    parser.add_argument("--root", type=Path, default=ROOT, help=argparse.SUPPRESS)
    commands = parser.add_subparsers(dest="command", title="command", metavar="refresh VERSION FILE")
    command = commands.add_parser("refresh", help="bring the facts up to date with a published description")
    command.add_argument("version", help="the version that it describes: 7.0, a new one such as 7.1, or main")
    command.add_argument("file", type=Path, help="the description, in YAML (which needs PyYAML) or JSON")
    return parser


def _refresh(schema: Path, version: str, file: Path, *, write: bool) -> int:
    """Refresh the facts, print what changes; with `--check`, return 1 if something would, and write nothing."""
    path = schema / "incus-api.json"
    facts = json.loads(path.read_text(encoding="utf-8"))
    overrides = tomllib.loads((schema / "overrides.toml").read_text(encoding="utf-8"))
    try:
        description = swagger.read(file)
    except (OSError, swagger.SwaggerError) as error:
        print(f"{file} cannot be read: {error}", file=sys.stderr)
        return 2
    changes = refresh(facts, version, description, set(overrides["misdescribed"]))
    print("\n".join(changes) or "Nothing changes.")
    if write and changes:
        path.write_text(json.dumps(facts, indent=1), encoding="utf-8")
        print("Look at the lines with + and !, then run `python -m codegen`.", file=sys.stderr)
    return 1 if changes and not write else 0


if __name__ == "__main__":
    sys.exit(main())
