"""The benchmarks compare what they say that they compare, and do without what is not installed."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import select
import socket
import socketserver
import threading
from collections.abc import Generator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import pytest

from benchmarks import commands, get, listing, start
from benchmarks.answers import Answer
from benchmarks.answers import listing as many
from benchmarks.contestants.raw import read_answer
from benchmarks.harness import BrokenDownError, Case, Contestant, Group, LeftOut, Result, Sample, measure
from benchmarks.players import AIOHTTP, ASYNC, BUFFERED, COMMAND, PROTOCOL, PYLXD, QUERY, SAME_STEPS, STREAM, SYNC
from benchmarks.replay import replaying
from benchmarks.report import Report, targets
from benchmarks.setting import NAME, Daemon, Setting, record, replayed
from benchmarks.targets import IDLE, TARGETS, Target, check
from benchmarks.worker import UnavailableError, working
from incus_sdk.sync import Client as SyncClient
from incus_sdk.testing import PrivateIncus

CONFIG = {"volatile.uuid": "2b27086f-7ab5-f26f-af39-0fa50798882e", "volatile.eth0.hwaddr": "10:66:6a:90:14:67"}
ADDRESS = {"family": "inet", "address": "192.0.2.1", "netmask": "24", "scope": "global"}
STATE = {"pid": 7, "memory": {"usage": 4096}, "network": {"eth0": {"addresses": [ADDRESS]}}}
INSTANCE: dict[str, Any] = {"name": NAME, "status": "Running", "config": CONFIG, "expanded_config": CONFIG}
CASE = Case("case", "some case", "ms", 1, 3)


def answer(metadata: object, *, chunked: bool = False) -> Answer:
    body = json.dumps({"type": "sync", "status_code": 200, "metadata": metadata}).encode() + b"\n"
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
    if chunked:
        return Answer(head + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(body), body))
    return Answer(head + b"Content-Length: %d\r\n\r\n%s" % (len(body), body))


@pytest.fixture
def setting() -> Generator[Setting]:
    """Replay servers."""
    form = partial(answer, chunked=True)
    server = form({"auth": "trusted", "api_extensions": [], "environment": {"server_version": "6.0"}})
    with replayed(server, form(INSTANCE), form([{**INSTANCE, "state": STATE}]), (3, 5)) as setting:
        yield setting


def without_peers(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether peers are installed or not, let the contestants' processes find none."""
    for name in ("aiohttp", "pylxd"):
        (folder / f"{name}.py").write_text(f"raise ImportError('there is no {name} here')\n")
    monkeypatch.setenv("PYTHONPATH", str(folder))


def result(contestant: str, *samples: tuple[float, float, float], case: Case = CASE) -> Result:
    return Result(case, contestant, [Sample(*sample) for sample in samples])


def test_contestants_take_turns_and_one_round_does_not_count() -> None:
    order: list[str] = []

    def run(name: str, repetitions: int) -> Sample:
        order.append(name)
        return Sample(len(order), repetitions)

    contestants = [Contestant(name, partial(run, name)) for name in "ab"]
    results = measure(CASE, contestants, 3, lambda name, reason: pytest.fail(f"{name}: {reason}"))
    rounds = [order[start : start + 2] for start in range(0, 8, 2)]
    assert all(sorted(each) == ["a", "b"] for each in rounds)
    turns = [[place for place, name in enumerate(order, 1) if name == wanted and place > 2] for wanted in "ab"]
    assert [[sample.wall for sample in each.samples] for each in results] == turns


def test_nobody_always_follows_the_same_one() -> None:
    order: list[str] = []

    def run(name: str, repetitions: int) -> Sample:
        order.append(name)
        return Sample(1, repetitions)

    contestants = [Contestant(name, partial(run, name)) for name in "abc"]
    measure(CASE, contestants, 12, lambda name, reason: pytest.fail(f"{name}: {reason}"))
    before = {name: {first for first, then in itertools.pairwise(order) if then == name != first} for name in "abc"}
    assert before == {"a": {"b", "c"}, "b": {"a", "c"}, "c": {"a", "b"}}


def test_who_breaks_down_is_left_out_unless_needed() -> None:
    left_out: list[tuple[str, str]] = []

    def fail(repetitions: int) -> Sample:
        raise BrokenDownError(f"not {repetitions} times")

    def measured(*, needed: bool) -> list[Result]:
        contestants = [Contestant("a", fail, needed), Contestant("b", lambda _: Sample(1, 1))]
        return measure(CASE, contestants, 2, lambda name, reason: left_out.append((name, reason)))

    assert [(each.contestant, len(each.samples)) for each in measured(needed=False)] == [("b", 2)]
    assert left_out == [("a", "not 1 times")]
    with pytest.raises(BrokenDownError):
        measured(needed=True)


def test_medians_are_compared_with_the_library_wherever_it_stands() -> None:
    samples = [(0.001, 0.001, 0.0), (0.002, 0.001, 0.0), (0.9, 0.001, 0.0)]
    report = Report({}, [result("other", (0.003, 0.0005, 0.0)), result(ASYNC, *samples)], [LeftOut("x", "no x")])
    lines = list(report.table())
    assert lines[3].split() == ["other", "3.0", "ms", "1.50", "0.5", "ms", "0.50"]
    assert lines[4].split() == [ASYNC, "2.0", "ms", "1.00", "1.0", "ms", "1.00"]
    assert lines[5] == "left out: x: no x"
    assert "| **incus_sdk** | 2.0 ms | 1.00 | 1.0 ms | 1.00 |" in report.markdown([])


def test_targets_are_bounds_for_ratios() -> None:
    results = [result(ASYNC, (3, 1, 7)), result(PYLXD, (5, 2, 10))]
    wanted = [Target("case", "wall", ASYNC, PYLXD, 0.6), Target("case", "memory", ASYNC, PYLXD, 0.69)]
    unknown = Target("case", "cpu", ASYNC, AIOHTTP, 1)
    outcomes = list(check(results, [*wanted, unknown]))
    assert [(each.target, each.measured, each.reached) for each in outcomes] == [
        (wanted[0], 0.6, True),
        (wanted[1], 0.7, False),
    ]
    assert [line.split()[-1] for line in targets(outcomes)][2:] == ["reached", "missed"]


def test_memory_is_compared_with_what_there_was_before() -> None:
    grown = Result(CASE, ASYNC, [Sample(1, 1, 50 << 20, growth) for growth in (5 << 20, 7 << 20, 6 << 20)])
    wanted = [Target("case", "growth", ASYNC, IDLE, 6.0), Target("case", "growth", ASYNC, IDLE, 5.9)]
    outcomes = list(check([grown], [*wanted, Target("case", "growth", SYNC, IDLE, 1)]))
    assert [(each.what, each.measured, each.reached) for each in outcomes] == [
        (f"MiB above idle: {ASYNC}", 6.0, True),
        (f"MiB above idle: {ASYNC}", 6.0, False),
    ]


def test_memory_that_is_not_known_is_no_figure() -> None:
    case = Case("case", "some case", "ms", 1, 3, memory=True)
    report = Report({}, [result(ASYNC, (1, 1, 1e6), case=case), result(COMMAND, (1, 1, 0), case=case)], [])
    assert [line.split()[-2:] for line in report.table()][3:] == [["MB", "1.00"], ["-", "-"]]


def test_each_target_is_of_a_case_that_is_measured() -> None:
    known = {"start", "get", "get by few", "get at once", "get real", "list 1000", "list 10000", "life"}
    known |= {"run", "run at once", "stdout", "stdin"}
    assert {target.case for target in TARGETS} == known


def test_what_a_call_costs_beside_another() -> None:
    """As a difference, where the ratio of two short times says little."""
    target = Target("case", "extra", SYNC, ASYNC, 100)
    results = [result(ASYNC, (50e-6, 1, 1)), result(SYNC, (120e-6, 1, 1))]
    (outcome,) = check(results, [target])
    assert (round(outcome.measured), outcome.reached, outcome.what) == (70, True, "µs: incus_sdk.sync - incus_sdk")


def test_what_is_kept_can_be_read_again(tmp_path: Path) -> None:
    report = Report({"Incus": "6.0"}, [result(ASYNC, (1, 2, 3), (4, 5, 6))], [LeftOut("x", "no x")])
    report.write_json(tmp_path / "run.json", [])
    again = Report.read_json(tmp_path / "run.json")
    assert (again.about, again.results, again.left_out) == (report.about, report.results, report.left_out)


def test_the_recorded_request_reads_one_instance(setting: Setting) -> None:
    assert setting.request.startswith(f"GET /1.0/instances/{NAME} HTTP/1.1\r\n".encode())
    assert setting.request.endswith(b"\r\n\r\n")


async def test_an_answer_is_read_to_its_end_and_no_further() -> None:
    reader = asyncio.StreamReader()
    whole = [answer(1).whole, answer(2, chunked=True).whole, answer(3).whole]
    reader.feed_data(b"".join(whole))
    assert [await read_answer(reader) for _ in whole] == whole


@pytest.mark.parametrize("chunked", [False, True])
def test_a_listing_has_as_many_different_instances_as_wanted(chunked: bool) -> None:
    listed = many(answer([{**INSTANCE, "state": STATE}], chunked=chunked), 300)
    assert Answer.is_whole(listed.whole)
    assert not Answer.is_whole(listed.whole[:-1])
    instances = listed.document["metadata"]
    assert len({each["name"] for each in instances}) == 300
    assert len({each["config"]["volatile.uuid"] for each in instances}) == 300
    assert instances[258]["state"]["network"]["eth0"]["addresses"][0]["address"] == "10.0.1.2"


def test_the_server_answers_by_path_whatever_pieces_a_request_comes_in(tmp_path: Path) -> None:
    one = answer(1)
    with replaying({"/1.0/a": one.whole}, tmp_path / "server") as path:
        assert record(path, "/1.0/a?x=1").whole == one.whole
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(30)
            connection.connect(path)
            for piece in (b"GET /1.0/a", b" HTTP/1.1\r\nContent-Length: 3\r\n\r\n", b"{}"):
                connection.sendall(piece)
                # A later request is answered, so this piece has been looked at; and it did not make a whole request.
                assert record(path, "/1.0/nothing").document["error"] == "not recorded"
                assert select.select([connection], [], [], 0)[0] == []
            connection.sendall(b"\n")
            assert connection.recv(65536) == one.whole


def test_all_get_the_replayed_answer(setting: Setting, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The groups that need no daemon, in their quickest form, and with nothing of others installed."""
    without_peers(tmp_path, monkeypatch)
    group = Group(divisor=100, tell=lambda line: None)
    for run in (get.run, listing.run):
        run(setting, group)
    assert {each.contestant for each in group.left_out} == {AIOHTTP, PYLXD}
    found = [(each.case.key, each.contestant) for each in group.results if len(each.samples) == 2]
    everyone = (STREAM, PROTOCOL, BUFFERED, ASYNC, SYNC)
    assert found == [
        *[(case, name) for case in ("get", "get at once") for name in everyone],
        *[(case, name) for case in ("list 3", "list 5") for name in (ASYNC, SYNC)],
    ]
    assert all(each.wall > 0 and each.cpu > 0 and each.memory > 1e6 for each in group.results)


class Counting(socketserver.StreamRequestHandler):
    """Answers each request for the instance, and notes it."""

    seen: ClassVar[list[bytes]] = []

    def handle(self) -> None:
        while line := self.rfile.readline():
            if line.startswith(b"GET "):
                self.seen.append(line.split()[1])
            elif line == b"\r\n":
                self.wfile.write(answer(INSTANCE).whole)


class CountingServer(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """A server for 64 connections at once."""

    request_queue_size = 64
    daemon_threads = True


@pytest.mark.parametrize(
    ("module", "method"),
    [
        *itertools.product(["raw", "protocol", "buffered", "incus", "incus_sync"], ["get", "get_at_once"]),
        ("incus", "get_by_few"),
        ("incus_sync", "get_by_few"),
    ],
)
def test_as_many_requests_are_made_as_are_counted(module: str, method: str, tmp_path: Path) -> None:
    path, target = str(tmp_path / "socket"), f"/1.0/instances/{NAME}"
    request = f"GET {target} HTTP/1.1\r\nHost: incus\r\n\r\n".encode().hex()
    arguments = {"request": request} if not module.startswith("incus") else {"name": NAME}
    Counting.seen.clear()
    with CountingServer(path, Counting) as server:
        threading.Thread(target=server.serve_forever, args=[0.01]).start()
        try:
            with working(module, {"socket": path, **arguments}) as worker:
                worker.run(method, 100)
        finally:
            server.shutdown()
    assert Counting.seen.count(target.encode()) == 100


def test_scripts_start_and_get_the_answer(setting: Setting, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without_peers(tmp_path, monkeypatch)
    group = Group(divisor=100, tell=lambda line: None)
    start.run(setting, group)
    assert {AIOHTTP, PYLXD} <= {each.contestant for each in group.left_out} <= {AIOHTTP, PYLXD, QUERY}
    assert {ASYNC, SYNC} <= {each.contestant for each in group.results if each.wall > 0 and each.cpu > 0}


@pytest.mark.parametrize("module", ["incus", "incus_sync", "command"])
def test_a_life_has_five_steps(daemon: PrivateIncus, module: str) -> None:
    environ = {"PATH": os.environ["PATH"], **daemon.environ()} if module == "command" else {}
    arguments = {"socket": daemon.socket, "name": "bench-life", "image": daemon.IMAGE, **environ}
    with working(module, arguments) as worker:
        sample = worker.run("life", 1)
    assert list(sample.steps) == ["create", "start", "echo", "stop", "delete"]
    assert sum(sample.steps.values()) <= sample.wall
    assert record(daemon.socket, "/1.0/instances").document["metadata"] == []


def test_commands_are_run_by_all_who_can(
    daemon: PrivateIncus, setting: Setting, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All cases, with less to do; what they come to is checked by the contestants."""
    without_peers(tmp_path, monkeypatch)
    known = Daemon(daemon.socket, daemon.version, daemon.IMAGE, {"PATH": os.environ["PATH"], **daemon.environ()})
    group = Group(divisor=100, tell=lambda line: None)
    with SyncClient(daemon.endpoint) as client:
        client.instances.launch(daemon.IMAGE, NAME)
        try:
            commands.run(replace(setting, daemon=known), group, size=1_000_000, many=3)
        finally:
            client.instances.stop(NAME, force=True, wait=True)
            client.instances.delete(NAME, wait=True)
    assert {each.contestant for each in group.left_out} <= {SAME_STEPS, PYLXD, COMMAND}
    found = [(each.case.key, each.contestant) for each in group.results if each.contestant != COMMAND]
    assert found == [(case, name) for case in ("run", "run at once", "stdout", "stdin") for name in (ASYNC, SYNC)]
    ours = [each for each in group.results if each.contestant != COMMAND]
    assert all(each.wall > 0 and each.cpu > 0 and each.growth > 0 for each in ours)


def test_a_contestant_that_fails_says_why(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with replaying({}, tmp_path / "server") as path, working("incus", {"socket": path, "name": "x"}) as worker:
        with pytest.raises(BrokenDownError, match="status 1"):
            worker.run("get", 1)
        assert "IncusNotFoundError" in capfd.readouterr().err


def test_what_is_not_installed_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without_peers(tmp_path, monkeypatch)
    with pytest.raises(UnavailableError, match="there is no pylxd here"), working("pylxd_client", {"socket": "x"}):
        pass
