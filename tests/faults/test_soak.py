"""Ten thousands of mixed calls, with faults at random: right results, and nothing that piles up.

`INCUS_SDK_SEED` repeats a run, `INCUS_SDK_SOAK_CALLS` makes it longer or shorter.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme

from incus_sdk import Client, sync

from .calls_soak import ASYNC, SYNC
from .gauge_soak import ROUNDS, Soak
from .plan_soak import Call, calls
from .server_soak import QUIETEN

SEED = int(os.environ.get("INCUS_SDK_SEED") or random.randrange(2**32))
CALLS = int(os.environ.get("INCUS_SDK_SOAK_CALLS") or 50_000)
SYNC_CALLS = CALLS // 10
ENOUGH = 30_000
"""Calls among which each outcome is sure to be."""

OUTCOMES = {
    "IncusTimeoutError",
    "IncusConnectionError",
    "IncusProtocolError",
    "IncusNotFoundError",
    "IncusConflictError",
    "IncusUnavailableError",
}
WORKERS = 32
THREADS = 12

LOOP = 4
"""Descriptors of a sync client's event loop: that of `epoll`, asyncio's pair of sockets to wake it up, and our bell."""

PATIENCE = 60
"""Seconds in which the server must have noticed that nothing is under way any more, and threads must have ended."""

CLIENTS: dict[str, dict[str, Any]] = {
    "unix": {"retries": 0},
    "tls": {"retries": 2},
    "hasty": {"retries": 0, "timeout": 0.25},
    "wild": {"retries": 0},
}
"""Who makes the calls; what each of them is for stands at `Call.client`."""

Options = dict[str, dict[str, Any]]


@pytest.fixture
def options(tmp_path: Path) -> Generator[Options]:
    """A daemon in a process of its own, and what the clients need to reach it."""
    issued, both, trusted = trustme.CA().issue_cert("127.0.0.1"), tmp_path / "both.pem", tmp_path / "server.crt"
    issued.private_key_and_cert_chain_pem.write_to_path(str(both))
    issued.cert_chain_pems[0].write_to_path(str(trusted))
    command = [sys.executable, "-m", "tests.faults.server_soak", str(tmp_path / "socket"), str(both)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]) as process:
        assert process.stdout is not None
        try:
            port = int(process.stdout.readline())
            unix = {"endpoint": f"unix://{tmp_path / 'socket'}"}
            tls = {"endpoint": f"https://127.0.0.1:{port}", "verify": str(trusted)}
            yield {name: {**given, **(tls if name == "tls" else unix)} for name, given in CLIENTS.items()}
        finally:
            process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0


# -- async ------------------------------------------------------------------------------------------------------------


async def _perform(clients: dict[str, Client], call: Call) -> None:
    """Make a call, and give up on it when it says so."""
    work = ASYNC[call.kind](clients[call.client], call)
    if call.deadline is not None:
        async with asyncio.timeout(call.deadline):
            await work
    elif call.cancelled is None:
        await work
    else:
        task = asyncio.ensure_future(work)
        for _ in range(call.cancelled):
            await asyncio.sleep(0)
        task.cancel()
        await task


async def _worker(soak: Soak, clients: dict[str, Client], todo: Iterator[Call]) -> None:
    for call in todo:
        try:
            await _perform(clients, call)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if call.cancelled is None or (task is not None and task.cancelling()):
                raise
            soak.outcomes["cancelled"] += 1
        except Exception as error:  # noqa: BLE001 - judged there
            soak.judge(call, error)
        else:
            soak.judge(call, None)


async def _quieten(soak: Soak, client: Client) -> None:
    """Have the server close the connections that are not in use, until there are no others."""
    async with asyncio.timeout(PATIENCE):
        while True:
            left: int = (await client.api.get(QUIETEN))["metadata"]
            if soak.quiet(left):
                return
            await asyncio.sleep(0.01)


async def test_fifty_thousand_calls_with_faults_leave_nothing_behind(options: Options) -> None:
    complaints: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    soak = Soak(calls(SEED, CALLS), CALLS, SEED, own=0)
    clients = {name: Client(**given) for name, given in options.items()}
    for client in clients.values():
        await client.connect()
    for _ in range(ROUNDS):
        todo = itertools.islice(soak.calls, soak.size)
        async with asyncio.TaskGroup() as group:
            for _ in range(WORKERS):
                group.create_task(_worker(soak, clients, todo))
        await _quieten(soak, clients["unix"])
        soak.measure()
    for client in clients.values():
        await client.disconnect()
    soak.check()
    assert not complaints
    assert sum(soak.outcomes.values()) == soak.size * ROUNDS
    assert soak.outcomes["right"] > 0.7 * CALLS
    if CALLS >= ENOUGH:
        assert set(soak.outcomes) >= {"cancelled", "TimeoutError", "IncusOperationError", *OUTCOMES}


# -- sync -------------------------------------------------------------------------------------------------------------


class _Threads:
    """Threads that share the clients."""

    def __init__(self, soak: Soak, clients: dict[str, sync.Client]) -> None:
        self._soak = soak
        self._clients = clients
        self._lock = threading.Lock()
        self._failures: list[Exception] = []

    def make(self, todo: Iterator[Call]) -> None:
        """Make these calls, and return when all have ended."""
        threads = [threading.Thread(target=self._work, args=(todo,), daemon=True) for _ in range(THREADS)]
        for thread in threads:
            thread.start()
        until = time.monotonic() + PATIENCE
        for thread in threads:
            thread.join(max(0.0, until - time.monotonic()))
            assert not thread.is_alive()
        if self._failures:
            raise ExceptionGroup("calls that ended as they should not", self._failures)

    def _next(self, todo: Iterator[Call]) -> Call | None:
        with self._lock:
            return None if self._failures else next(todo, None)

    def _work(self, todo: Iterator[Call]) -> None:
        while call := self._next(todo):
            error = self._error(call)
            with self._lock:
                try:
                    self._soak.judge(call, error)
                except Exception as failure:  # noqa: BLE001 - raised in the main thread
                    self._failures.append(failure)

    def _error(self, call: Call) -> Exception | None:
        try:
            SYNC[call.kind](self._clients[call.client], call)
        except Exception as error:  # noqa: BLE001 - judged by the caller
            return error
        return None


def _sync_quieten(soak: Soak, client: sync.Client) -> None:
    until = time.monotonic() + PATIENCE
    while not soak.quiet(client.api.get(QUIETEN)["metadata"]):
        assert time.monotonic() < until
        time.sleep(0.01)


def test_threads_that_share_clients_leave_nothing_behind(options: Options) -> None:
    drawn = calls(SEED, SYNC_CALLS, SYNC, given_up=False)
    soak = Soak(drawn, SYNC_CALLS, SEED, own=LOOP * len(options))
    clients = {name: sync.Client(**given) for name, given in options.items()}
    threads = _Threads(soak, clients)
    for client in clients.values():
        client.connect()
    for _ in range(ROUNDS):
        threads.make(itertools.islice(soak.calls, soak.size))
        _sync_quieten(soak, clients["unix"])
        soak.measure()
    for client in clients.values():
        client.disconnect()
    soak.check()
    assert sum(soak.outcomes.values()) == soak.size * ROUNDS
    assert soak.outcomes["right"] > 0.7 * SYNC_CALLS
    if CALLS >= ENOUGH:
        assert set(soak.outcomes) >= OUTCOMES
