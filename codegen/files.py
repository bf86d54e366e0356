"""Generated files as a whole: made in memory, then written, or compared with what is there."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

__all__ = ["compare", "formatted", "write"]

GENERATED_FOLDERS = ("incus_sdk/models/_generated", "incus_sdk/sync/api")
"""Folders without a hand-written file: whatever is there and is not generated any more is left over."""


def formatted(files: Mapping[PurePosixPath, str], root: Path) -> dict[PurePosixPath, str]:
    """Return the files as `ruff format` with the settings of the project writes them."""
    return {path: _ruff(text, path, root) for path, text in files.items()}


def compare(files: Mapping[PurePosixPath, str], root: Path) -> list[str]:
    """Return which files are stale, missing or left over, one text each; empty if all is well."""
    problems: list[str] = []
    for path, text in sorted(files.items()):
        there = root / path
        if not there.exists():
            problems.append(f"{path}: missing")
        elif there.read_text(encoding="utf-8") != text:
            problems.append(f"{path}: stale")
    return problems + [f"{path}: left over" for path in _left_over(files, root)]


def write(files: Mapping[PurePosixPath, str], root: Path) -> list[str]:
    """Write what differs, remove what is left over; return what was done, one text for each file."""
    problems = compare(files, root)
    for path in _left_over(files, root):
        (root / path).unlink()
    for path, text in files.items():
        there = root / path
        if not there.exists() or there.read_text(encoding="utf-8") != text:
            there.parent.mkdir(parents=True, exist_ok=True)
            there.write_text(text, encoding="utf-8")
    return problems


def _left_over(files: Mapping[PurePosixPath, str], root: Path) -> list[PurePosixPath]:
    there = (path for folder in GENERATED_FOLDERS for path in (root / folder).glob("*.py"))
    relative = (PurePosixPath(path.relative_to(root).as_posix()) for path in there)
    return sorted(path for path in relative if path not in files)


def _ruff(text: str, path: PurePosixPath, root: Path) -> str:
    """Sort the imports and format."""
    for step in (["check", "--select", "I", "--fix-only", "--quiet"], ["format"]):
        command = [sys.executable, "-m", "ruff", *step, "--stdin-filename", str(path), "-"]
        done = subprocess.run(command, input=text, capture_output=True, text=True, check=False, cwd=root)  # noqa: S603 - a fixed command
        if done.returncode:
            raise RuntimeError(f"ruff {step[0]} failed for {path}: {done.stderr.strip()}")
        text = done.stdout
    return text
