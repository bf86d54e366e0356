"""Every call of the API has a method that makes it: found out by calling the methods, and looking at what they send."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from codegen.calls import Call, Method, record

FACTS = json.loads((Path(__file__).parents[2] / "schema" / "incus-api.json").read_text())
CALLS = {Call(item["method"], item["path"]) for item in FACTS["operations"]}

EXCLUDED: dict[Call, str] = {
    Call("PATCH", "/1.0/cluster/groups/{name}"): "6.0 refuses it with any ETag when there are members; "
    "update() is a PUT there",
    Call("PATCH", "/1.0/images/{fingerprint}"): "it changes neither profiles nor expires_at, and does not say so; "
    "update() is a PUT there",
    Call("PATCH", "/1.0/network-zones/{zone}/records/{name}"): "it mixes the zone's configuration into the record's; "
    "update() is a PUT there",
}
"""Calls that no method makes, with the reason."""


@pytest.fixture(scope="module")
def methods() -> list[Method]:
    return record(FACTS["operations"])


def test_there_are_as_many_calls_as_we_say() -> None:
    assert len(CALLS) == 254


def test_each_call_has_a_method(methods: list[Method]) -> None:
    made = {call for method in methods for call in method.calls}
    missing = sorted(CALLS - made - EXCLUDED.keys())
    assert not missing, f"{len(missing)} calls have none; {list(_odd(methods))}"
    assert not made & EXCLUDED.keys(), "there is a method for these by now"


def test_each_method_makes_a_call(methods: list[Method]) -> None:
    assert [f"{method.reached}.{method.name}: {method.outcome}" for method in methods if not method.calls] == []


def _odd(methods: list[Method]) -> Iterator[str]:
    """What may be the reason that something is missing."""
    return (f"{method.reached}.{method.name}: {method.outcome}" for method in methods if method.outcome)
