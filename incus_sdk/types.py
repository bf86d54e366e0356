"""Names for types that appear in many signatures."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from typing import Any, TypeAlias

__all__ = ["Config", "ConfigDraft", "ConfigValue", "Devices", "DevicesDraft"]

ConfigValue: TypeAlias = str | bytes | int | float | bool | PathLike[str] | None
"""A configuration value as a person writes it: `2` and `"2"` are the same, `None` unsets a key."""

Config: TypeAlias = Mapping[str, ConfigValue]
"""Configuration keys and values, such as `{"limits.cpu": 2, "security.nesting": True}`."""

Devices: TypeAlias = Mapping[str, Config]
"""Devices by name with their options, such as `{"root": {"type": "disk", "path": "/", "pool": "default"}}`."""

# In a draft, values are read as the texts that the server sent and may be set to anything natural. A checker can be
# told that only by Any: with the union above, it would refuse `draft["config"]["limits.cpu"].split("-")`.

ConfigDraft: TypeAlias = dict[str, Any]
"""Configuration that is changed in place: texts when it comes from the server, any `ConfigValue` going back."""

DevicesDraft: TypeAlias = dict[str, dict[str, Any]]
"""Devices that are changed in place; see `ConfigDraft`."""
