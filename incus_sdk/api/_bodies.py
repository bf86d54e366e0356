"""What people write, as the bodies that the server takes.

The server ignores fields that it does not know, so a misspelled one would be lost without a word: here it is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from .._values import body_values, check_key
from ..exceptions import IncusArgumentError

__all__ = ["as_it_came", "check_known", "check_upload", "create_body", "merged", "nearest", "replace_body"]


def create_body(what: str, known: Iterable[str], fields: Mapping[str, Any], **given: Any) -> dict[str, Any]:
    """Return the body of a creation.

    Args:
        what: What is created, for messages.
        known: Fields that may be given as keywords.
        fields: The keywords.
        **given: What the creation has as parameters; `None` is left to the server.

    Raises:
        IncusArgumentError: There is no such field.
    """
    check_known(what, fields, known)
    return body_values({key: value for key, value in {**given, **fields}.items() if value is not None})


def replace_body(what: str, known: Iterable[str], sent: Iterable[str], body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the body of a replacement; what the server itself sends beside the fields is let through.

    Args:
        what: What is replaced, for messages.
        known: Its fields.
        sent: What the server sends.
        body: The new definition.

    Raises:
        IncusArgumentError: There is no such field.
    """
    result = body_values(body)
    others = set(sent)
    check_known(what, (key for key in result if key not in others), known)
    return result


def merged(what: str, known: Iterable[str], current: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return a definition with some changes: maps (configuration, devices) are merged, the rest is replaced.

    Args:
        what: What is changed, for messages.
        known: Fields that can be changed.
        current: The definition as the server sent it.
        changes: What to change in it.

    Raises:
        IncusArgumentError: There is no such field, a field is None, or a device would be removed.
        TypeError: The changes are no mapping.
    """
    if not isinstance(changes, Mapping):
        raise TypeError(f"an update must be a mapping, not {type(changes).__name__}")
    check_known(what, changes, known)
    result = dict(current)
    for key, value in body_values(_checked(changes)).items():
        old = result.get(key)
        both = isinstance(old, Mapping) and isinstance(value, Mapping)
        result[key] = {**cast("Mapping[str, Any]", old), **value} if both else value
    return result


def as_it_came(current: Mapping[str, Any], draft: Mapping[str, Any], filled: Iterable[str]) -> dict[str, Any]:
    """Return a definition that was edited, with nothing changed but what its editor has changed.

    Args:
        current: The definition as the server sent it.
        draft: What has become of it.
        filled: Keys that the draft had from the start and the definition had not, or had as null.
    """
    unused = {key for key in filled if not draft.get(key)}
    kept = {key: value for key, value in draft.items() if key not in unused}
    return {**kept, **{key: current[key] for key in unused if key in current}}


def check_known(what: str, keys: Iterable[str], known: Iterable[str]) -> None:
    """Refuse a key that is none of the fields, and name the nearest one."""
    names = tuple(known)
    for key in keys:
        if check_key(key, what) not in names:
            hint = "; a configuration key goes into its config" if "." in key else nearest(key, names)
            raise IncusArgumentError(f"{what} has no field {key!r:.80}{hint}")


def check_upload(source: object) -> None:
    """Refuse what would not be sent as a file."""
    kind = type(source).__name__
    if source is None or isinstance(source, Mapping):
        raise TypeError(f"source must be bytes, a Path or an iterator of bytes, not {kind}")


def nearest(key: str, known: Sequence[str]) -> str:
    """Return a hint which name was meant."""
    import difflib

    near = difflib.get_close_matches(key, known, 1)
    return f" (did you mean {near[0]!r}?)" if near else f" (there are {', '.join(known)})"


def _checked(changes: Mapping[str, Any]) -> Mapping[str, Any]:
    for key, value in changes.items():
        if value is None:
            raise IncusArgumentError(
                f"{key!r} cannot be None: a field is never unset, unlike a configuration key. Leave it out to keep it, "
                "or give the empty value"
            )
    devices = changes.get("devices")
    for device, options in cast("Mapping[str, object]", devices).items() if isinstance(devices, Mapping) else ():
        if not options:  # the server would keep the device, or say something that does not help
            raise IncusArgumentError(
                f"an update cannot remove device {device!r:.80}; edit() can: del draft['devices'][{device!r:.80}]"
            )
    return changes
