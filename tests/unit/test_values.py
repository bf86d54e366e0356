"""Values: what people write naturally arrives as what the server takes."""

from __future__ import annotations

import copy
import enum
from collections import UserDict, UserList, deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from incus_sdk import IncusArgumentError
from incus_sdk._encoding import decode, encode
from incus_sdk._requests import wire
from incus_sdk._values import (
    body_values,
    config_value,
    config_values,
    device_values,
    plain,
    string_values,
    text,
    text_list,
    whole_number,
)

VALUES = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.text().map(PurePosixPath)
CONFIGS = st.dictionaries(st.text(), VALUES, max_size=4)


class Size(enum.StrEnum):
    SMALL = "1GiB"


class Loud(str):
    """A text that prints itself as something else, as members of a `str` enumeration do."""

    __slots__ = ()

    def __str__(self) -> str:
        return "LOUD"


class Level(int, enum.Enum):
    HIGH = 3


class Ratio(float):
    def __repr__(self) -> str:
        return "Ratio"

    __str__ = __repr__


@dataclass
class Pair:
    """Something that the encoder takes apart itself."""

    first: object
    second: int = 2


class Number:
    """A whole number of another library."""

    def __init__(self, value: int) -> None:
        self.value = value

    def __index__(self) -> int:
        return self.value


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("1GiB", "1GiB"),
        ("", ""),
        (None, ""),
        (True, "true"),
        (False, "false"),
        (2, "2"),
        (-1, "-1"),
        (0.5, "0.5"),
        (Path("/srv/www"), "/srv/www"),
        (Size.SMALL, "1GiB"),
        (Loud("1GiB"), "1GiB"),
        (Level.HIGH, "3"),
        (Ratio(0.5), "0.5"),
        (Number(2), "2"),
        (b"caf\xc3\xa9", "café"),
    ],
)
def test_config_values(value: object, text: str) -> None:
    assert config_value("k", value) == text
    found = config_values({"k": value})["k"]
    assert (found, type(found)) == (text, str)


@pytest.mark.parametrize("value", [[], ["a"], {"a": 1}, bytearray(b"x"), object(), 1j, ("a",)])
def test_what_is_no_value(value: object) -> None:
    with pytest.raises(IncusArgumentError, match=r"'limits\.cpu' cannot be .*a configuration value is"):
        config_values({"limits.cpu": value})


@given(CONFIGS)
@settings(deadline=None)
def test_all_become_text_and_stay_so(config: dict[str, object]) -> None:
    before = dict(config)
    texts = config_values(config)
    assert config == before
    assert list(texts) == list(config)
    assert all(isinstance(value, str) for value in texts.values())
    assert config_values(texts) == texts


@given(st.dictionaries(st.text(), CONFIGS, max_size=3), CONFIGS)
@settings(deadline=None)
def test_bodies_are_not_changed(devices: dict[str, Any], config: dict[str, object]) -> None:
    body: dict[str, object] = {"devices": devices, "config": config, "profiles": ["a"], "ephemeral": True, "count": 5}
    before = copy.deepcopy(body)
    result = body_values(body)
    assert repr(body) == repr(before)  # NaN is not equal to itself
    assert result == {**body, "devices": device_values(devices), "config": config_values(config)}


def test_null_config_of_a_body_is_left_alone() -> None:
    assert body_values({"config": None, "devices": None}) == {"config": None, "devices": None}
    assert body_values(MappingProxyType({"config": MappingProxyType({"a": 1})})) == {"config": {"a": "1"}}


def test_an_environment() -> None:
    assert string_values({"A": 1, "B": True, "C": ""}, "environment") == {"A": "1", "B": "true", "C": ""}
    with pytest.raises(IncusArgumentError, match="environment: 'A' is None; leave it out"):
        string_values({"A": None}, "environment")


@pytest.mark.parametrize(
    ("function", "value", "text"),
    [
        (config_values, ["a"], "config must be a mapping, not list"),
        (config_values, "a=b", "config must be a mapping, not str"),
        (config_values, {5: "x"}, "config: a key must be a str, not int: 5"),
        (body_values, {"profiles": 5}, r"profiles must be a list, as in \['default'\], not int"),
        (body_values, {"profiles": "default"}, "profiles must be a list, .* not str"),
        (body_values, {"profiles": {"a": 1}}, "profiles must be a list, .* not dict"),
        (body_values, {"profiles": ["a", 1]}, r"profiles\[1\] must be a str, not int"),
        (device_values, {"eth0": "nic"}, "device eth0 must be a mapping, not str"),
        (device_values, {None: {}}, "devices: a key must be a str"),
        (body_values, None, "the body must be a mapping, not NoneType"),
        (body_values, {"devices": ["eth0"]}, "devices must be a mapping, not list"),
    ],
)
def test_wrong_types(function: Callable[[Any], object], value: Any, text: str) -> None:
    with pytest.raises(TypeError, match=text):
        function(value)


def test_a_bad_device_option_is_named() -> None:
    with pytest.raises(IncusArgumentError, match="'nictype' cannot be"):
        device_values({"eth0": {"nictype": ["bridged"]}})


# -- lists and numbers ------------------------------------------------------------------------------------------------


def test_lists_of_texts() -> None:
    values = ["a", Loud("b"), PurePosixPath("/c"), "ü".encode(), ""]
    found = text_list(iter(values), "command", "['ls']")
    assert found == ["a", "b", "/c", "ü", ""]
    assert {type(item) for item in found} == {str}
    assert body_values({"profiles": (Size.SMALL,)}) == {"profiles": ["1GiB"]}


@pytest.mark.parametrize("value", ["\udcff", "a\ud800", b"\xff", PurePosixPath("/\udcff"), Loud("\udcff")])
def test_what_is_no_text(value: object) -> None:
    with pytest.raises(IncusArgumentError, match=r"command\[1\] is no Unicode text, or no UTF-8") as caught:
        text_list(["ls", value], "command", "['ls']")
    str(caught.value).encode()
    with pytest.raises(IncusArgumentError, match="is no Unicode text"):
        plain({"a": value if isinstance(value, str) else PurePosixPath("/\udcff")})


@pytest.mark.parametrize(
    ("value", "number"), [(0, 0), (7, 7), (Number(3), 3), (Level.HIGH, 3)], ids=["low", "high", "index", "enum"]
)
def test_whole_numbers(value: object, number: int) -> None:
    found = whole_number("uid", value, 0, 7)
    assert (found, type(found)) == (number, int)


@pytest.mark.parametrize("value", [-1, 8, 10**30, Number(-1)])
def test_numbers_out_of_range(value: object) -> None:
    with pytest.raises(IncusArgumentError, match=r"^uid cannot be -?\d+: it is from 0 to 7, really$"):
        whole_number("uid", value, 0, 7, ", really")


@pytest.mark.parametrize("value", [True, False, None, "5", b"5", 5.0, 0.5, float("nan"), [5], 5j])
def test_what_is_no_whole_number(value: object) -> None:
    with pytest.raises(TypeError, match=rf"^uid must be a whole number, not {type(value).__name__}$"):
        whole_number("uid", value, 0, 7)


# -- whole bodies -----------------------------------------------------------------------------------------------------

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False, allow_infinity=False)
    # Of a text, all but surrogates can be sent.
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), JSON, max_size=3))
@settings(deadline=None)
def test_what_is_plain_arrives_as_it_is(body: dict[str, Any]) -> None:
    assert plain(body) == body
    assert decode(encode(plain(body)), dict[str, Any]) == body


def test_what_stands_for_plain_values() -> None:
    body: dict[str, Any] = {
        Loud("key"): [Loud("a"), Size.SMALL, Level.HIGH, Ratio(0.5), Number(5), True, None],
        "mapping": MappingProxyType({"a": UserDict({"b": (1, PurePosixPath("/c"))})}),
        "lists": [UserList([Number(1)]), deque([2]), range(2), frozenset({Loud("x")})],
        "time": datetime(2026, 1, 2, tzinfo=UTC),
        "pair": Pair(1),
    }
    before = repr(body)
    sent, headers = wire(body, None)
    assert isinstance(sent, bytes)
    assert decode(sent, dict[str, Any]) == {
        "key": ["a", "1GiB", 3, 0.5, 5, True, None],
        "mapping": {"a": {"b": [1, "/c"]}},
        "lists": [[1], [2], [0, 1], ["x"]],
        "time": "2026-01-02T00:00:00Z",
        "pair": {"first": 1, "second": 2},
    }
    assert headers == {"Content-Type": "application/json"}
    assert repr(body) == before


@pytest.mark.parametrize(
    ("value", "kind", "message"),
    [
        ({"a": [{"b": b"hush"}]}, TypeError, r"^a\[0\]\.b: bytes cannot be sent as JSON"),
        ({"a": bytearray(b"hush")}, TypeError, "^a: bytearray cannot"),
        ({"a": memoryview(b"hush")}, TypeError, "^a: memoryview cannot"),
        ({"a": {5: "hush"}}, TypeError, "^a: a key must be a str, not int: 5"),
        ({b"k": "hush"}, TypeError, "^the body: a key must be a str, not bytes: b'k'"),
        ({"a\udcff": "hush"}, IncusArgumentError, r"the key 'a\\udcff' is no Unicode text"),
        ({"a": "hush\udcff"}, IncusArgumentError, "^a is no Unicode text"),
        ({"a": float("nan")}, IncusArgumentError, "^a cannot be nan"),
        ({"a": [1, float("inf")]}, IncusArgumentError, r"^a\[1\] cannot be inf"),
        ({"a": 1j}, TypeError, "^a: a value of type complex cannot be sent as JSON$"),
        ({"a": [{"b": object()}]}, TypeError, r"^a\[0\]\.b: a value of type object cannot be sent as JSON$"),
        ({"a": Pair(object())}, TypeError, "^a: a value of type object cannot be sent as JSON$"),
    ],
)
def test_what_json_cannot_carry(value: dict[Any, Any], kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message) as caught:
        wire(value, None)
    str(caught.value).encode()
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize(
    "attempt",
    [
        lambda: config_values({"PASSWORD": b"hush\xff"}),
        lambda: config_values({"PASSWORD": ["hush"]}),
        lambda: config_values({"PASSWORD": "hush\udcff"}),
        lambda: string_values({"PASSWORD": b"hush\xff"}, "environment"),
        lambda: string_values(["PASSWORD=hush"], "environment"),  # type: ignore[arg-type]  # refused
        lambda: device_values({"d": "hush"}),
        lambda: body_values("hush"),  # type: ignore[arg-type]  # refused
        lambda: text_list("hush", "command", "['ls']"),
        lambda: text_list(["ls", ["hush"]], "command", "['ls']"),
        lambda: text_list(["ls", b"hush\xff"], "command", "['ls']"),
        lambda: whole_number("user", "hush", 0, 7),
        lambda: text(bytearray(b"hush"), "cwd"),
    ],
)
def test_values_are_not_in_messages(attempt: Callable[[], object]) -> None:
    with pytest.raises((IncusArgumentError, TypeError)) as caught:
        attempt()
    error: BaseException | None = caught.value
    while error is not None:  # nor in those of the errors that led to it
        assert "hush" not in f"{error} {error.args!r}"
        error = error.__cause__ or error.__context__
