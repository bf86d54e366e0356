"""Driving a coroutine step by step, to count where it waits and to break it off exactly there."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Generator
from typing import Any, cast

Act = Callable[["asyncio.Task[Any]", object], None]
"""What to do to the task when it waits, for the future that it waits for, or `None` when it only lets others run."""

Work = Coroutine[Any, Any, object]

PATIENCE = 10
"""Seconds after which something that should happen has not."""


class Steps:
    """A coroutine that is driven by hand inside the task which awaits this.

    Everything reaches the event loop as it would without it: what the coroutine waits for is handed on untouched.

    Args:
        work: The coroutine.
        at: Number of the wait to act at, from 0; `None` only counts.
        act: What to do then.

    Attributes:
        waits: How often it has waited so far.
    """

    def __init__(self, work: Work, at: int | None = None, act: Act | None = None) -> None:
        self._work = work
        self._at = at
        self._act = act
        self.waits = 0

    def __await__(self) -> Generator[Any, None, object]:
        thrown: BaseException | None = None
        while True:
            try:
                awaited: object = self._work.send(None) if thrown is None else self._work.throw(thrown)
            except StopIteration as end:
                return cast("object", end.value)
            if self.waits == self._at and self._act is not None:
                self._act(cast("asyncio.Task[Any]", asyncio.current_task()), awaited)
            self.waits += 1
            thrown = None
            try:
                yield awaited
            except BaseException as error:  # noqa: BLE001 - it is the coroutine's
                thrown = error


def at_once(task: asyncio.Task[Any], _: object) -> None:
    """Cancel the task as it begins to wait."""
    task.cancel()


def too_late(task: asyncio.Task[Any], awaited: object) -> None:
    """Cancel the task when what it waits for is there already, just before it would go on."""
    if isinstance(awaited, asyncio.Future):
        future = cast("asyncio.Future[object]", awaited)
        future.add_done_callback(lambda _: task.cancel())  # comes before the task's own, which is added after this
    else:
        task.cancel()


async def whole(work: Awaitable[object]) -> object:
    """Make a coroutine of anything that can be awaited."""
    return await work


async def ended(task: asyncio.Task[Any]) -> str:
    """Wait for a task, and tell how it has ended."""
    async with asyncio.timeout(PATIENCE):
        await asyncio.wait([task])
    if task.cancelled():
        return "cancelled"
    error = task.exception()
    return "done" if error is None else type(error).__name__


# -- ways to break something off at a wait: each returns how often it waited ------------------------------------------


async def _cancelled(work: Work, at: int, act: Act) -> int:
    steps = Steps(work, at, act)
    how = await ended(asyncio.ensure_future(whole(steps)))
    # It need not wait as often each time: an answer can come in as many reads as it likes.
    assert how == ("cancelled" if steps.waits > at else "done")
    return steps.waits


async def by_cancel(work: Work, at: int) -> int:
    """Cancel it as it begins to wait."""
    return await _cancelled(work, at, at_once)


async def by_late_cancel(work: Work, at: int) -> int:
    """Cancel it when what it waits for is there."""
    return await _cancelled(work, at, too_late)


async def by_timeout(work: Work, at: int) -> int:
    """Let an `asyncio.timeout` be over."""

    async def limited() -> None:
        async with asyncio.timeout(None) as limit:
            steps.append(Steps(work, at, lambda _task, _awaited: limit.reschedule(0)))
            await steps[0]

    steps: list[Steps] = []
    how = await ended(asyncio.ensure_future(limited()))
    assert how == "TimeoutError" or (how == "done" and steps[0].waits <= at + 1)
    return steps[0].waits


async def by_sibling(work: Work, at: int) -> int:
    """Let another task of the same `TaskGroup` fail."""

    async def fail() -> None:
        await now.wait()
        raise ZeroDivisionError

    now = asyncio.Event()
    steps = Steps(work, at, lambda _task, _awaited: now.set())
    errors: tuple[Exception, ...] = ()
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(fail())
            group.create_task(whole(steps)).add_done_callback(lambda _: now.set())
    except ExceptionGroup as several:
        errors = several.exceptions
    assert [type(error) for error in errors] == [ZeroDivisionError]
    return steps.waits


Way = Callable[[Work, int], Awaitable[int]]
WAYS: dict[str, Way] = {
    "cancel": by_cancel,
    "late cancel": by_late_cancel,
    "timeout": by_timeout,
    "sibling": by_sibling,
}
