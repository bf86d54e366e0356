"""What all tests share: which Incus daemons there are to run on."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import inspect
import os
import signal
import sys
import traceback
from collections import Counter
from collections.abc import Generator
from types import FrameType

import pytest

ENDPOINT = os.environ.get("INCUS_SDK_TEST_ENDPOINT") or None
"""A running daemon to test on, instead of private ones."""

ROOTFS = os.environ.get("INCUS_SDK_ROOTFS_7_0") or None
"""Root file system with Incus 7.0; the other private daemon is the machine's own Incus, 6.0 on Debian."""

DAEMONS = ["given"] if ENDPOINT else ["6.0", "7.0"] if ROOTFS else ["6.0"]
"""Names of the daemons that the contract tests run on."""


HANGS = 120.0
"""Seconds after which a test hangs, on however busy a machine."""


def pytest_configure(config: pytest.Config) -> None:
    """Print plain tracebacks on Pythons that can fail in `ast.parse` when threads switch meanwhile (gh-106905)."""
    if sys.version_info < (3, 11, 8):
        config.option.tbstyle = "native"


def pytest_collection_finish() -> None:
    """Spare the garbage collector what thousands of tests consist of: some tests have it look at everything."""
    gc.freeze()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol() -> Generator[None, object, object]:
    """Fail a test that hangs, and show where; faulthandler, which ends the run, is for those that cannot be stopped."""
    signal.signal(signal.SIGALRM, _hangs)
    signal.setitimer(signal.ITIMER_REAL, HANGS)
    try:
        return (yield)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _hangs(_number: int, _frame: FrameType | None) -> None:
    """Show what threads and tasks wait for, and fail the test."""
    frames = sys._current_frames()  # pyright: ignore[reportPrivateUsage] - there is no other way
    stacks = Counter("".join(traceback.format_stack(frame)[-4:]) for frame in frames.values())
    lines = [f"{count} threads:\n{stack}" for stack, count in stacks.items()]
    with contextlib.suppress(RuntimeError):  # no loop is running
        lines += [f"{task!r}\n{_awaited(task)}" for task in asyncio.all_tasks()]
    pytest.fail("\n".join([f"it hangs, after {HANGS:g} s", *lines]))


def _awaited(task: asyncio.Task[object]) -> str:
    """Return where a task is, from its first line down to what it waits for."""
    lines: list[str] = []
    inner: object = task.get_coro()
    while inner is not None:
        if inspect.iscoroutine(inner) or inspect.isasyncgen(inner):
            frame = inner.cr_frame if inspect.iscoroutine(inner) else inner.ag_frame
            code = inner.cr_code if inspect.iscoroutine(inner) else inner.ag_code
            lines.append(f"    {code.co_filename}:{frame.f_lineno if frame else '?'} {code.co_name}")
            inner = inner.cr_await if inspect.iscoroutine(inner) else inner.ag_await
        else:  # what steps through a generator refers to it, and nothing else tells
            inner = next(filter(inspect.isasyncgen, gc.get_referents(inner)), None)
    return "\n".join(lines)


def pytest_report_header() -> str:
    """Tell which daemons the tests that need one run on, and why one is missing."""
    if ENDPOINT:
        return "incus: the daemon of INCUS_SDK_TEST_ENDPOINT; tests that would kill it are left out"
    if ROOTFS:
        return "incus: private daemons of this machine's version (6.0) and of 7.0"
    return "incus: a private daemon of this machine's version (6.0); none of 7.0: INCUS_SDK_ROOTFS_7_0 is not set"
