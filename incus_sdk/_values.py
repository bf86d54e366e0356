"""What people write naturally, turned into what the server takes: the only place where values are coerced.

Configuration and device values are strings on the wire; Incus before 6.0.6 refuses JSON numbers and booleans in their
place. Everything else of a body keeps its type, made plain: `plain` does that to each body on its way out.

Any value can be a secret, so messages name the key and the type only.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from operator import index
from os import PathLike, fspath
from typing import Any, SupportsIndex, cast

from ._encoding import encode
from .exceptions import IncusArgumentError

__all__ = [
    "body_values",
    "check_key",
    "config_value",
    "config_values",
    "content_bytes",
    "device_values",
    "plain",
    "string_values",
    "text",
    "text_list",
    "whole_number",
]


# -- single values ----------------------------------------------------------------------------------------------------


def text(value: object, what: str) -> str:
    """Return a text, a path or UTF-8 bytes as a plain string.

    Raises:
        IncusArgumentError: It is no Unicode text, which JSON cannot carry.
        TypeError: It is something else.
    """
    if isinstance(value, str):
        return _unicode(str.__str__(value), what)  # a subclass, such as an enumeration, may print itself as it likes
    if isinstance(value, PathLike):
        return text(fspath(cast("PathLike[str]", value)), what)
    if isinstance(value, bytes):
        return _unicode(value.decode(errors="surrogateescape"), what)
    raise TypeError(f"{what} must be a str, not {_type(value)}")


def content_bytes(
    content: bytes | bytearray | memoryview | str, what: str = "content"
) -> bytes | bytearray | memoryview:
    """Return the content of a file as bytes; text becomes UTF-8.

    Raises:
        IncusArgumentError: It is no Unicode text.
        TypeError: It is something else.
    """
    data = text(content, what).encode() if isinstance(content, str) else content
    if not isinstance(data, bytes | bytearray | memoryview):
        raise TypeError(f"{what} must be bytes or str, not {_type(content)}")
    return data


def text_list(values: object, what: str, example: str) -> list[str]:
    """Return several texts as a list of plain strings; one text alone is refused, since it would be taken apart.

    Raises:
        IncusArgumentError: One is no Unicode text.
        TypeError: It is no list, or has something else in it.
    """
    kind = _type(values)
    if not isinstance(values, Iterable) or isinstance(values, str | bytes | bytearray | Mapping):
        raise TypeError(f"{what} must be a list, as in {example}, not {kind}")
    return [text(value, f"{what}[{position}]") for position, value in enumerate(cast("Iterable[object]", values))]


def whole_number(what: str, value: object, low: int, high: int, hint: str = "") -> int:
    """Return a whole number as a plain int; whatever stands for one (`__index__`) is taken, a bool or a text is not.

    Args:
        what: Name of the argument, for messages.
        value: The number.
        low: The smallest that is taken.
        high: The largest that is taken.
        hint: What else to say about a number out of that range.

    Raises:
        IncusArgumentError: It is out of that range.
        TypeError: It is no whole number.
    """
    if isinstance(value, bool) or not isinstance(value, SupportsIndex):
        raise TypeError(f"{what} must be a whole number, not {_type(value)}")
    number = index(value)
    if not low <= number <= high:
        raise IncusArgumentError(f"{what} cannot be {number}: it is from {low} to {high}{hint}")
    return number


def config_value(key: str, value: object) -> str:
    """Return one configuration value as the server's text; `None` becomes the empty text, which unsets a key."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | bytes | PathLike):
        return text(cast("object", value), key)
    if isinstance(value, float):
        return float.__repr__(value)
    if isinstance(value, SupportsIndex):
        return str(index(value))
    raise IncusArgumentError(
        f"{key!r:.80} cannot be of type {_type(value)}: a configuration value is a text, a number, a bool, a path or "
        "None (lists are written as the server wants them, often separated by commas)"
    )


# -- parts of bodies --------------------------------------------------------------------------------------------------


def config_values(config: Mapping[str, object], what: str = "config") -> dict[str, str]:
    """Return configuration keys and values as texts; the caller's mapping is left alone."""
    return {check_key(key, what): config_value(key, value) for key, value in _mapping(config, what).items()}


def device_values(devices: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Return devices with all their options as texts."""
    return {
        check_key(name, "devices"): config_values(device, f"device {name:.80}")
        for name, device in _mapping(devices, "devices").items()
    }


def string_values(values: Mapping[str, object], what: str) -> dict[str, str]:
    """Return an environment or the like: as `config_values`, but `None` is refused, since nothing unsets a variable."""
    for key, value in _mapping(values, what).items():
        if value is None:
            raise IncusArgumentError(f"{what}: {key!r:.80} is None; leave it out, or give it a text")
    return config_values(values, what)


def body_values(body: Mapping[str, object]) -> dict[str, Any]:
    """Return a request body with its `config` and `devices`, if it has any, as texts, its `profiles` as a list."""
    result = dict(_mapping(body, "the body"))
    if result.get("config") is not None:
        result["config"] = config_values(result["config"])
    if result.get("devices") is not None:
        result["devices"] = device_values(result["devices"])
    if result.get("profiles") is not None:
        result["profiles"] = text_list(result["profiles"], "profiles", "['default']")
    return result


# -- whole bodies -----------------------------------------------------------------------------------------------------


def plain(value: Any, what: str = "") -> Any:
    """Return a body, or what is in it, with JSON's own types in place of those that stand for them.

    Subclasses of texts and numbers, what counts as a whole number (`__index__`), paths, mappings and sequences of any
    type are taken. What else the encoder can write is left to it.

    Args:
        value: The body, or a part of it.
        what: Where that part is, for messages.

    Raises:
        IncusArgumentError: JSON cannot carry a value: it is no Unicode text, or no finite number.
        TypeError: A key is no text, or a value is bytes, or of another type that JSON has nothing for.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str | PathLike):
        return text(cast("object", value), what or "the body")
    if isinstance(value, Mapping):
        return _plain_mapping(cast("Mapping[object, object]", value), what)
    if isinstance(value, bytes | bytearray | memoryview):  # the encoder would write them as base64
        raise TypeError(
            f"{what or 'the body'}: {_type(cast('object', value))} cannot be sent as JSON; decode them to a str"
        )
    if isinstance(value, Sequence | AbstractSet):
        items = cast("Iterable[object]", value)
        return [plain(item, f"{what}[{position}]") for position, item in enumerate(items)]
    if isinstance(value, float):
        if not math.isfinite(value):  # the encoder would write null
            raise IncusArgumentError(f"{what} cannot be {value}: JSON has no such number")
        return float(value)
    return index(value) if isinstance(value, SupportsIndex) else _encodable(value, what)


def check_key(key: Any, what: str) -> str:
    """Return a key of a mapping as a plain string.

    Raises:
        TypeError: It is something else.
    """
    if not isinstance(key, str):
        raise TypeError(f"{what}: a key must be a str, not {_type(key)}: {key!r:.80}")
    return text(key, f"{what}: the key {key!a:.80}")


def _encodable(value: Any, what: str) -> Any:
    """Return a date, a data class or the like as it is; the encoder does not know where a value is, so try it here."""
    try:
        encode(value)
    except TypeError as error:
        raise TypeError(f"{what or 'the body'}: {error}") from None
    return value


def _plain_mapping(value: Mapping[object, object], what: str) -> dict[str, Any]:
    where = f"{what}." if what else ""
    return {check_key(key, what or "the body"): plain(item, f"{where}{key!s:.80}") for key, item in value.items()}


def _mapping(value: Any, what: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise TypeError(f"{what} must be a mapping, not {_type(value)}")
    return cast("Mapping[str, Any]", value)


def _type(value: object) -> str:
    return type(value).__name__


def _unicode(value: str, what: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError:  # that error holds the value, so the next one is not chained to it
        pass
    else:
        return value
    raise IncusArgumentError(f"{what:.100} is no Unicode text, or no UTF-8, so JSON cannot carry it")
