"""Conditions on what lists return, in the notation of the server."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias, cast

from ._values import check_key, config_value
from .exceptions import IncusArgumentError

__all__ = ["Filter", "filter_text", "fulfils"]

Filter: TypeAlias = str | Mapping[str, object]
"""A condition as the server writes it, or fields and the values that they must have; a list means any of these."""


def filter_text(condition: Filter | None) -> str | None:
    """Return a condition as the server takes it.

    Values are compared as they are: what would be special in the server's regular expressions is not, and case counts.
    Servers compare texts with one of several, but a number or a bool with one only. Lists of objects, times and
    `status_code` they do not compare at all.

    Args:
        condition: A text is passed on. Of a mapping, all must hold.

    Raises:
        IncusArgumentError: A field's name cannot be one, or a value cannot be compared.
        TypeError: It is neither.
    """
    if condition is None or isinstance(condition, str):
        return condition
    if not isinstance(condition, Mapping):
        raise TypeError(f"filter must be a str or a mapping, not {type(condition).__name__}")
    patterns = [(_field(key), _pattern(key, value)) for key, value in condition.items()]
    return " and ".join(f"{key} eq {pattern}" for key, pattern in patterns if pattern is not None) or None


def fulfils(item: Mapping[str, object], condition: Mapping[str, object] | None) -> bool:
    """Tell whether an object fulfils a condition, for lists that servers do not filter.

    Args:
        item: The object as the server sent it. Of a list in it, one item is enough.
        condition: Fields and the values that they must have; all must hold.

    Raises:
        TypeError: It is no mapping.
    """
    if not isinstance(condition, Mapping | None):
        raise TypeError(f"filter must be a mapping here, not {type(condition).__name__}")
    return all(_found(item, key) & _wanted(key, value) for key, value in (condition or {}).items())


def _found(item: Mapping[str, object], key: str) -> set[str]:
    """Return the values of a field; keys of a configuration have dots themselves, so the rest of the key is one."""
    value: object = item.get(key)
    if value is None and "." in key:
        first, _, rest = key.partition(".")
        inner = item.get(first)
        value = cast("Mapping[str, object]", inner).get(rest) if isinstance(inner, Mapping) else None
    values = cast("list[object]", value) if isinstance(value, list) else [value]
    return {config_value(key, each) for each in values if each is not None}


def _wanted(key: str, value: object) -> set[str]:
    return {config_value(key, each) for each in _alternatives(value)}


def _alternatives(value: object) -> Iterable[object]:
    several = isinstance(value, Iterable) and not isinstance(value, str | bytes | Mapping)
    return cast("Iterable[object]", value if several else [value])


def _field(key: object) -> str:
    name = check_key(key, "filter")
    if not name or any(character.isspace() or character in "\"'(),=" for character in name):
        raise IncusArgumentError(f"filter: {name!r:.80} is no name of a field, such as status or config.user.team")
    return name


def _pattern(key: str, value: object) -> str | None:
    """Return what a field is compared with; `None` if any value will do."""
    if isinstance(value, bool | int) or (isinstance(value, float) and "." not in key):  # in a text, its dot is one
        return config_value(key, value)
    items = list(_alternatives(value))
    if not items:
        raise IncusArgumentError(f"filter: {key!r:.80} has an empty list, which nothing can be any of")
    values = list(dict.fromkeys(config_value(key, item) for item in items))
    if "." not in key and all(isinstance(item, bool | int | float) for item in items):
        return _one(key, values)  # a configuration has texts, also for numbers and bools
    # The server ignores case unless it is told otherwise.
    return f"(?-i:{'|'.join(map(_escaped, values))})"


def _one(key: str, values: list[str]) -> str | None:
    """Return the only value of a field that is no text: servers do not compare such a one with several."""
    if set(values) == {"true", "false"}:
        return None
    if len(values) > 1:
        raise IncusArgumentError(
            f"filter: {key!r:.80} has {len(values)} numbers, and servers compare it with one only; "
            "look at the numbers in what the list returns"
        )
    return values[0]


def _escaped(value: str) -> str:
    """Return a text as a regular expression that matches it alone, without anything that the server's parser reads."""
    return "".join(
        character if character.isascii() and character.isalnum() else f"\\x{{{ord(character):x}}}"
        for character in value
    )
