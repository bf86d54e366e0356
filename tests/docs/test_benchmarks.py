"""The benchmarks compare what they say that they compare."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

import pytest

from benchmarks.harness import Case, Contestant, Result, Sample, as_json, measure, table
from benchmarks.raw import RawConnections, read_answer, recorded_request
from benchmarks.replay import replaying
from incus_sdk import Client

ENVELOPE = b'{"type":"sync","status":"Success","status_code":200,"metadata":{"name":"bench"}}\n'
PLAIN = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(ENVELOPE), ENVELOPE)
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(ENVELOPE), ENVELOPE)


def test_contestants_take_turns_and_one_round_does_not_count() -> None:
    order: list[str] = []
    contestants = [Contestant(name, partial(order.append, name)) for name in "ab"]
    results = measure(Case("case", "µs", 1, 3, contestants))
    assert "".join(order) == "abababab"
    assert [(result.contestant, len(result.samples)) for result in results] == [("a", 3), ("b", 3)]


def test_medians_per_repetition_and_ratios() -> None:
    base = Result("case", "base", "ms", [Sample(0.001, 0.001), Sample(0.002, 0.001), Sample(0.9, 0.001)])
    other = Result("case", "other", "ms", [Sample(0.003, 0.0015)])
    lines = list(table([base, other]))
    assert lines[2] == "case"
    assert lines[3].split() == ["base", "2.0", "ms", "1.0", "ms", "1.00", "1.00"]
    assert lines[4].split() == ["other", "3.0", "ms", "1.5", "ms", "1.50", "1.50"]
    document = as_json([other], incus="6.0")
    assert document["about"]["incus"] == "6.0"
    assert document["results"][0]["samples"] == [{"wall": 0.003, "cpu": 0.0015}]


async def test_the_recorded_request_reads_one_instance(tmp_path: Path) -> None:
    request = await recorded_request("bench", tmp_path)
    assert request.startswith(b"GET /1.0/instances/bench HTTP/1.1\r\n")
    assert request.endswith(b"\r\n\r\n")


@pytest.mark.parametrize("answer", [PLAIN, CHUNKED], ids=["plain", "chunked"])
async def test_both_sides_get_the_replayed_answer(answer: bytes, tmp_path: Path) -> None:
    request = await recorded_request("bench", tmp_path)
    with replaying(answer, tmp_path) as path:
        async with RawConnections(path, request) as raw, Client(f"unix://{path}") as client:
            both: list[Callable[[], Awaitable[object]]] = [raw.get, lambda: client.instances.get("bench")]
            for get in both:
                await asyncio.gather(*(get() for _ in range(8)))
            assert await raw.get() == answer
            assert (await client.instances.get("bench")).name == "bench"


async def test_an_answer_is_read_to_its_end_and_no_further() -> None:
    reader = asyncio.StreamReader()
    reader.feed_data(PLAIN + CHUNKED + PLAIN)
    assert [await read_answer(reader) for _ in range(3)] == [PLAIN, CHUNKED, PLAIN]
