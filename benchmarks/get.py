"""Reading one instance: one after another, and 64 at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from functools import partial

from incus_sdk import Client

from .harness import Case, Contestant, Result, measure
from .raw import RawConnections
from .setting import NAME, Setting

__all__ = ["run"]

AT_ONCE = 64

Get = Callable[[], Awaitable[object]]


def run(setting: Setting, *, quick: bool) -> Iterator[Result]:
    """Measure against the replay server and against the real daemon."""
    servers = {"replayed": (setting.replay, 500, 20), f"Incus {setting.version}": (setting.daemon, 100, 15)}
    for name, (socket, repetitions, rounds) in servers.items():
        with asyncio.Runner() as runner:
            yield from _against(runner, setting, name, socket, repetitions, rounds, quick)


def _against(
    runner: asyncio.Runner, setting: Setting, server: str, socket: str, repetitions: int, rounds: int, quick: bool
) -> Iterator[Result]:
    stack = AsyncExitStack()
    raw = runner.run(stack.enter_async_context(RawConnections(socket, setting.request)))
    client = runner.run(stack.enter_async_context(Client(f"unix://{socket}")))
    ways: dict[str, Get] = {"raw asyncio socket": raw.get, "incus_sdk": partial(client.instances.get, NAME)}
    for pattern, many in (("one after another", _one_after_another), (f"{AT_ONCE} at once", _at_once)):
        contestants = [Contestant(name, partial(_run, runner, many, get, repetitions)) for name, get in ways.items()]
        yield from measure(Case(f"GET, {server}, {pattern}", "µs", repetitions, rounds, contestants), quick=quick)
    runner.run(stack.aclose())


def _run(runner: asyncio.Runner, many: Callable[[Get, int], Awaitable[None]], get: Get, repetitions: int) -> None:
    async def main() -> None:
        await many(get, repetitions)

    runner.run(main())


async def _one_after_another(get: Get, repetitions: int) -> None:
    for _ in range(repetitions):
        await get()


async def _at_once(get: Get, repetitions: int) -> None:
    """Keep as many requests under way as there are workers, until all are done."""
    left = iter(range(repetitions))

    async def work() -> None:
        for _ in left:
            await get()

    async with asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(work())
