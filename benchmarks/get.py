"""Reading one instance: one after another, and 64 at once."""

from __future__ import annotations

from .harness import Case, Group
from .players import AIOHTTP, ASYNC, BUFFERED, PROTOCOL, PYLXD, STREAM, SYNC, contestants, players
from .setting import NAME, Setting

__all__ = ["run"]

RAW = (STREAM, PROTOCOL, BUFFERED)
NAMES = (*RAW, ASYNC, SYNC, AIOHTTP, PYLXD)


def run(setting: Setting, group: Group) -> None:
    """Measure against the replay server, and one after another and by few against the real daemon."""
    with players(group, _arguments(setting, setting.replay)) as workers:
        case = Case("get", "GET of one instance, replayed, one after another", "µs", 100, 60)
        group.measure(case, contestants(workers, "get"))
        case = Case("get at once", "GET of one instance, replayed, 64 at once", "µs", 640, 25)
        group.measure(case, contestants(workers, "get_at_once"))
    if setting.daemon is not None:
        name = f"GET of one instance, Incus {setting.daemon.version}, one after another"
        with players(group, _arguments(setting, setting.daemon.socket)) as workers:
            case = Case("get real", name, "µs", 20, 60)
            group.measure(case, contestants(workers, "get"))
        name = f"GET of one instance, Incus {setting.daemon.version}, by 8 tasks or threads"
        arguments = _arguments(setting, setting.daemon.socket)
        with players(group, {name: arguments[name] for name in (ASYNC, SYNC, PYLXD)}) as workers:
            case = Case("get by few", name, "µs", 80, 30)
            group.measure(case, contestants(workers, "get_by_few"))


def _arguments(setting: Setting, socket: str) -> dict[str, dict[str, str]]:
    raw = {"socket": socket, "request": setting.request.hex()}
    typed = {"socket": socket, "name": NAME}
    return {name: raw if name in RAW else typed for name in NAMES}
