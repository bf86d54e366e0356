"""Who takes part: the names in tables, and the modules in `benchmarks.contestants`."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Generator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial

from .harness import Contestant, Group, Sample
from .setting import Setting
from .worker import UnavailableError, Worker, working

__all__ = [
    "AIOHTTP",
    "ASYNC",
    "BUFFERED",
    "COMMAND",
    "PROTOCOL",
    "PYLXD",
    "QUERY",
    "SAME_STEPS",
    "STREAM",
    "SYNC",
    "contestant",
    "contestants",
    "player",
    "players",
    "program",
    "script",
]

STREAM = "raw asyncio socket"
PROTOCOL = "raw asyncio Protocol"
BUFFERED = "raw BufferedProtocol"
ASYNC = "incus_sdk"
SYNC = "incus_sdk.sync"
AIOHTTP = "aiohttp + msgspec"
SAME_STEPS = "aiohttp, same steps"
PYLXD = "pylxd"
COMMAND = "incus command"
QUERY = "incus query"

MODULES = {
    STREAM: "raw",
    PROTOCOL: "protocol",
    BUFFERED: "buffered",
    ASYNC: "incus",
    SYNC: "incus_sync",
    AIOHTTP: "aiohttp_msgspec",
    PYLXD: "pylxd_client",
    COMMAND: "command",
}


OTHERS = {AIOHTTP, SAME_STEPS, PYLXD, COMMAND, QUERY}
"""Programs of others: where they fail, the rest is still worth to know."""


def contestant(name: str, run: Callable[[int], Sample]) -> Contestant:
    """Something as a contestant of that name."""
    return Contestant(name, run, needed=name not in OTHERS)


def contestants(workers: Mapping[str, Worker], method: str) -> list[Contestant]:
    """The same method of several workers, as contestants."""
    return [contestant(name, partial(worker.run, method)) for name, worker in workers.items()]


@contextmanager
def player(group: Group, name: str, arguments: Mapping[str, str], module: str = "") -> Generator[Worker | None]:
    """Start a contestant's process; nothing if it cannot take part, which is noted."""
    with ExitStack() as stack:
        try:
            worker = stack.enter_context(working(module or MODULES[name], arguments))
        except UnavailableError as error:
            group.leave_out(name, str(error))
            worker = None
        yield worker


@contextmanager
def players(
    group: Group, arguments: Mapping[str, Mapping[str, str]], modules: Mapping[str, str] = MODULES
) -> Generator[dict[str, Worker]]:
    """Start several, each with arguments of its own; return those that can take part."""
    with ExitStack() as stack:
        workers = {
            name: stack.enter_context(player(group, name, given, modules[name])) for name, given in arguments.items()
        }
        yield {name: worker for name, worker in workers.items() if worker is not None}


@contextmanager
def script(
    group: Group, setting: Setting, name: str, source: str, needs: str, arguments: list[str]
) -> Generator[list[Contestant]]:
    """A Python script as a contestant, in a new interpreter each time; none if it cannot take part."""
    command = [sys.executable, "-c", source, *arguments]
    with program(group, setting, name, command, needs, {}) as contestants:
        yield contestants


@contextmanager
def program(
    group: Group, setting: Setting, name: str, command: list[str], needs: str, environ: Mapping[str, str]
) -> Generator[list[Contestant]]:
    """A program as a contestant, a process each time; none if it cannot take part."""
    command = [shutil.which(command[0]) or command[0], *command[1:]]
    given = {"PATH": "/usr/bin:/bin", "HOME": str(setting.folder), "PYLXD_WARNINGS": "none", **environ}
    arguments = {"command": json.dumps(command), "needs": needs, "cwd": str(setting.folder), **given}
    with player(group, name, arguments, "script") as worker:
        yield contestants({name: worker}, "run") if worker else []
