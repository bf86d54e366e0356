"""Conditions on lists, as the server reads them. (That it reads them so, tests/contract/test_profiles.py shows.)"""

from __future__ import annotations

from typing import Any

import pytest

from incus_sdk import IncusArgumentError
from incus_sdk._filters import filter_text

TEXTS = "config.limits.cpu eq (?-i:1|2) and config.user.on eq (?-i:true|false)"
"""Values of a configuration are texts on the server, so these can be compared with several."""


@pytest.mark.parametrize(
    ("condition", "text"),
    [
        (None, None),
        ("status eq running", "status eq running"),
        ({}, None),
        ({"status": "Running"}, "status eq (?-i:Running)"),
        ({"ephemeral": True, "status_code": 103}, "ephemeral eq true and status_code eq 103"),
        ({"name": ["a", "b"]}, "name eq (?-i:a|b)"),
        ({"name": ("a-b",)}, r"name eq (?-i:a\x{2d}b)"),
        ({"config.user.x": "a b,c|d"}, r"config.user.x eq (?-i:a\x{20}b\x{2c}c\x{7c}d)"),
        ({"config.user.x": "ü😀"}, r"config.user.x eq (?-i:\x{fc}\x{1f600})"),
        ({"config.user.x": None}, "config.user.x eq (?-i:)"),
        ({"config.user.x": 1.5}, r"config.user.x eq (?-i:1\x{2e}5)"),
        ({"config.user.x": [1, True, b"x"]}, "config.user.x eq (?-i:1|true|x)"),
        ({"config.limits.cpu": [1, 2], "config.user.on": [True, False]}, TEXTS),
        ({"ephemeral": [True], "size": (5, 5)}, "ephemeral eq true and size eq 5"),
        ({"ephemeral": [False, True], "name": "a"}, "name eq (?-i:a)"),
        ({"ephemeral": {True, False}}, None),
        ({"name": ["a", 1]}, "name eq (?-i:a|1)"),
    ],
)
def test_conditions(condition: Any, text: str | None) -> None:
    assert filter_text(condition) == text


@pytest.mark.parametrize("field", ["", "a b", "a\tb", "a,b", "(a)", 'a"', "a=b"])
def test_fields_that_cannot_be(field: str) -> None:
    with pytest.raises(IncusArgumentError, match="no name of a field"):
        filter_text({field: "x"})


def test_conditions_that_cannot_be() -> None:
    wrong: list[tuple[Any, type[Exception], str]] = [
        (5, TypeError, "str or a mapping, not int"),
        (["status"], TypeError, "str or a mapping, not list"),
        ({5: "x"}, TypeError, "a key must be a str"),
        ({"status": []}, IncusArgumentError, "empty list"),
        ({"size": [1, 2]}, IncusArgumentError, "'size' has 2 numbers, and servers compare it with one only"),
        ({"status": {"a": 1}}, IncusArgumentError, "cannot be of type dict"),
        ({"status": object()}, IncusArgumentError, "cannot be of type object"),
    ]
    for condition, error, text in wrong:
        with pytest.raises(error, match=text):
            filter_text(condition)
