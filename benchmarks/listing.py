"""Listing all instances with their state."""

from __future__ import annotations

from .harness import Case, Contestant, Group, Sample
from .players import AIOHTTP, ASYNC, PYLXD, SYNC, contestant, contestants, player, players
from .setting import Setting

__all__ = ["run"]

NAMES = (ASYNC, SYNC, AIOHTTP, PYLXD)


def run(setting: Setting, group: Group) -> None:
    """Measure time for the shorter listings, and for the longest what the first one takes in a new process."""
    *sizes, longest = sorted(setting.replays)
    for size in sizes:
        arguments = {"socket": setting.replays[size]}
        with players(group, dict.fromkeys(NAMES, arguments)) as workers:
            case = Case(f"list {size}", f"list of {size:,} instances with state, replayed", "ms", 1, 20, memory=True)
            group.measure(case, contestants(workers, "list"))
    name = f"first list of {longest:,} instances with state in a process, replayed"
    case = Case(f"list {longest}", name, "ms", 1, 6, warm=False, memory=True)
    fresh = [_fresh(group, name, setting.replays[longest]) for name in NAMES]
    group.measure(case, [each for each in fresh if each is not None])


def _fresh(group: Group, name: str, socket: str) -> Contestant | None:
    """A contestant with a new process each time; none if it cannot take part."""

    def run(repetitions: int) -> Sample:
        with player(group, name, {"socket": socket}) as worker:
            if worker is None:
                raise RuntimeError(f"{name} took part before, and cannot now")
            return worker.run("list", repetitions)

    with player(group, name, {"socket": socket}) as worker:
        return None if worker is None else contestant(name, run)
