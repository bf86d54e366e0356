"""Values: what people write naturally arrives as what the server takes."""

from __future__ import annotations

import copy
import enum
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from incus_sdk import IncusArgumentError
from incus_sdk._values import body_values, config_value, config_values, device_values, string_values

VALUES = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.text().map(PurePosixPath)
CONFIGS = st.dictionaries(st.text(), VALUES, max_size=4)


class Size(enum.StrEnum):
    SMALL = "1GiB"


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
    ],
)
def test_config_values(value: object, text: str) -> None:
    assert config_value("k", value) == text
    assert str.__str__(config_values({"k": value})["k"]) == text


@pytest.mark.parametrize("value", [[], ["a"], {"a": 1}, b"x", object(), 1j, ("a",)])
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
    body = {"devices": devices, "config": config, "profiles": ["a"], "ephemeral": True, "count": 5}
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
