"""Control groups: one of our own in every hierarchy, so that all of a capsule can be found and removed."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path

__all__ = ["create", "is_unified", "join", "remove"]

_ROOT = "/sys/fs/cgroup"


def is_unified() -> bool:
    """Tells whether the machine has the unified hierarchy (version 2) alone."""
    return Path(_ROOT, "cgroup.controllers").exists()


def create(name: str, *, cgroup2: bool) -> list[Path]:
    """Makes a control group of that name at the top of every hierarchy, or of the unified one only.

    Returns:
        The groups, to `join`.
    """
    groups = [hierarchy / name for hierarchy in _hierarchies(cgroup2=cgroup2)]
    if not groups:
        kind = "of version 2 (cgroup2)" if cgroup2 else "of any version"
        raise OSError(f"no control groups {kind} are mounted below {_ROOT}")
    for group in groups:
        group.mkdir()
        # A cpuset of version 1 takes no process before it is told its processors, and neither do those below it.
        if (group / "cgroup.clone_children").exists():
            (group / "cgroup.clone_children").write_text("1")
            for name_of_set in ("cpuset.cpus", "cpuset.mems"):
                if (group / name_of_set).exists():
                    (group / name_of_set).write_text((group.parent / name_of_set).read_text())
    return groups


def join(groups: list[Path]) -> None:
    """Moves the calling process, and so all its children to come, into the groups."""
    for group in groups:
        (group / "cgroup.procs").write_text("0")


def remove(name: str, *, timeout: float = 2.0) -> list[str]:
    """Removes the groups of that name with all below them, which must hold no process any more.

    Returns:
        Those that could not be removed.
    """
    deadline = time.monotonic() + timeout
    while True:
        groups = [str(h / name) for h in _hierarchies(cgroup2=False) if (h / name).exists()]
        for group in groups:
            _remove_tree(group)
        left = [group for group in groups if Path(group).exists()]
        if not left or time.monotonic() > deadline:
            return left
        time.sleep(0.01)  # version 1 says "busy" until the last process is buried, and tells nobody when it is


def _remove_tree(group: str) -> None:
    for folder, _, _ in os.walk(group, topdown=False):
        with contextlib.suppress(OSError):
            Path(folder).rmdir()


def _hierarchies(*, cgroup2: bool) -> list[Path]:
    kinds = {"cgroup2"} if cgroup2 else {"cgroup", "cgroup2"}
    found: dict[str, None] = {}
    for line in Path("/proc/self/mounts").read_text().splitlines():
        _, target, kind, *_ = line.split(" ")
        if kind in kinds and target.startswith(_ROOT):
            found[target] = None
    return [Path(target) for target in found]
