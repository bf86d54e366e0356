"""What people write naturally, turned into what the server takes: the only place where values are coerced.

Configuration and device values are strings on the wire; Incus before 6.0.6 refuses JSON numbers and booleans in their
place. Everything else of a body is sent as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any, cast

from .exceptions import IncusArgumentError

__all__ = ["body_values", "config_value", "config_values", "device_values", "string_values"]


def config_value(key: str, value: object) -> str:
    """Return one configuration value as the server's text; `None` becomes the empty text, which unsets a key."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float | PurePath):
        return str(value)
    raise IncusArgumentError(
        f"{key!r} cannot be {value!r:.80}: a configuration value is a text, a number, a bool, a path or None, "
        f"not {type(value).__name__} (lists are written as the server wants them, often separated by commas)"
    )


def config_values(config: Mapping[str, object], what: str = "config") -> dict[str, str]:
    """Return configuration keys and values as texts; the caller's mapping is left alone."""
    return {_key(key, what): config_value(key, value) for key, value in _mapping(config, what).items()}


def device_values(devices: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Return devices with all their options as texts."""
    return {
        _key(name, "devices"): config_values(device, f"device {name}")
        for name, device in _mapping(devices, "devices").items()
    }


def string_values(values: Mapping[str, object], what: str) -> dict[str, str]:
    """Return an environment or the like: as `config_values`, but `None` is refused, since nothing unsets a variable."""
    for key, value in _mapping(values, what).items():
        if value is None:
            raise IncusArgumentError(f"{what}: {key!r} is None; leave it out, or give it a text")
    return config_values(values, what)


def body_values(body: Mapping[str, object]) -> dict[str, Any]:
    """Return a request body with its `config` and `devices`, if it has any, as texts."""
    result = dict(_mapping(body, "the body"))
    if result.get("config") is not None:
        result["config"] = config_values(result["config"])
    if result.get("devices") is not None:
        result["devices"] = device_values(result["devices"])
    return result


def _mapping(value: Any, what: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise TypeError(f"{what} must be a mapping, not {type(value).__name__}: {value!r:.80}")
    return cast("Mapping[str, Any]", value)


def _key(key: Any, what: str) -> str:
    if not isinstance(key, str):
        raise TypeError(f"{what}: a key must be a str, not {type(key).__name__}: {key!r:.80}")
    return key
