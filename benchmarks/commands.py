"""Commands in an instance, on the real daemon: short ones, many at once, and streams of half a gigabyte."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from .harness import Case, Group
from .players import ASYNC, COMMAND, PYLXD, SAME_STEPS, SYNC, contestants, players
from .setting import NAME, Daemon, Setting
from .worker import Worker

__all__ = ["run"]

MODULES = {
    ASYNC: "exec_incus",
    SYNC: "exec_incus_sync",
    SAME_STEPS: "exec_aiohttp",
    COMMAND: "exec_command",
    PYLXD: "exec_pylxd",
}
WITHOUT_PYLXD = (ASYNC, SYNC, SAME_STEPS, COMMAND)
EVERYONE = (*WITHOUT_PYLXD, PYLXD)

SIZE = 500_000_000
"""Bytes to stream."""

MANY = 100
"""How many commands to run at once."""


def run(setting: Setting, group: Group, size: int = SIZE, many: int = MANY) -> None:
    """Measure on the daemon, if there is one.

    Args:
        setting: Where.
        group: What becomes of it.
        size: Bytes to stream.
        many: How many commands to run at once.
    """
    daemon = setting.daemon
    if daemon is None:
        return
    with _players(group, daemon, EVERYONE) as workers:
        case = Case("run", f"run echo, Incus {daemon.version}, one after another", "ms", 3, 20)
        group.measure(case, contestants(workers, "run"))
    with _players(group, daemon, WITHOUT_PYLXD) as workers:
        name = f"run echo, Incus {daemon.version}, {many} at once; of the incus command, 8 processes at a time"
        group.measure(Case("run at once", name, "ms", many, 6), contestants(workers, "run_at_once"))
    _stream(setting, group, daemon, size)


def _stream(setting: Setting, group: Group, daemon: Daemon, size: int) -> None:
    """Measure streams, each in new processes, so that their memory is that of a stream."""
    file = setting.folder / "input"
    with file.open("wb") as sparse:  # takes no room on the disk, and is read as fast as the system has memory
        sparse.truncate(size)
    arguments = {"size": str(size), "file": str(file)}
    amount = f"{size / 1e6:,.0f} MB"
    try:
        for key, name, names in (("stdout", "read", EVERYONE), ("stdin", "write", WITHOUT_PYLXD)):
            title = f"{name} {amount} {'from' if key == 'stdout' else 'to'} a command, Incus {daemon.version}"
            with _players(group, daemon, names, **arguments) as workers:
                group.measure(Case(key, title, "ms", 1, 6, memory=True), contestants(workers, key))
    finally:
        file.unlink()


@contextmanager
def _players(group: Group, daemon: Daemon, names: tuple[str, ...], **arguments: str) -> Generator[dict[str, Worker]]:
    """Start those contestants, to run commands in the instance."""
    all_of_them = {"socket": daemon.socket, "name": NAME, **arguments}
    given = {name: {**all_of_them, **daemon.environ} if name == COMMAND else all_of_them for name in names}
    with players(group, given, MODULES) as workers:
        yield workers
