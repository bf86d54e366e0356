"""What people write, as the bodies that the server takes.

The server ignores fields that it does not know, so a misspelled one would be lost without a word: here it is refused,
also one of what is in a list, such as the rules of an ACL. `known` is where the fields are from: the annotations of a
body, which tell what is in its lists.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast, get_args, is_typeddict

from .._values import body_values, check_key
from ..exceptions import IncusArgumentError

__all__ = [
    "as_it_came",
    "check_changes",
    "check_draft",
    "check_known",
    "check_source",
    "check_upload",
    "create_body",
    "merged",
    "migration_body",
    "nearest",
    "renaming",
    "replace_body",
]


IDENTITIES = frozenset({"name", "server_name", "fingerprint", "listen_address"})
"""What objects are addressed by, which servers leave as it is when a definition is written."""


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
    body = {key: value for key, value in {**given, **fields}.items() if value is not None}
    _check_items(what, known, body)
    return body_values(body)


def replace_body(
    what: str,
    known: Iterable[str],
    sent: Iterable[str],
    body: Mapping[str, Any],
    name: str | None = None,
    rename: bool = False,
) -> dict[str, Any]:
    """Return the body of a replacement; what the server itself sends beside the fields is let through.

    Args:
        what: What is replaced, for messages.
        known: Its fields.
        sent: What the server sends.
        body: The new definition.
        name: What it is called: of that, the body can say nothing else.
        rename: Whether there is another verb for the name.

    Raises:
        IncusArgumentError: There is no such field, or the body is that of another object.
    """
    result = body_values(body)
    others = set(sent)
    for key in IDENTITIES.intersection(result).difference(known) if name else ():
        said = str(result[key] or name)
        # Servers call a snapshot volume/snapshot, and people give the beginning of a fingerprint.
        same = said.startswith(name or "") if key == "fingerprint" else said == name or said.endswith(f"/{name}")
        if not same:
            hint = renaming(key) if rename else ""
            raise IncusArgumentError(f"a replacement cannot change {key!r} of {what} {name!r:.80}{hint}")
    check_known(what, (key for key in result if key not in others), known)
    _check_items(what, known, result)
    return result


def migration_body(
    what: str,
    known: Iterable[str],
    target: Mapping[str, object] | None,
    wait: bool,
    name: str | None = None,
    **flags: bool,
) -> dict[str, Any]:
    """Return the body by which something is offered to another server, or sent there.

    Args:
        what: What is migrated, for messages.
        known: Fields of a target.
        target: Where it is sent; `None` if the other server fetches it.
        wait: Whether the caller is going to wait for the end.
        name: What the server wants to be told once more.
        **flags: How it is done; what is false is left out.

    Raises:
        IncusArgumentError: Nobody would end the waiting, or the target has no such field.
        TypeError: The target is no mapping.
    """
    if not target and wait is True:
        raise IncusArgumentError(
            f"migrate() of {what} without a target waits for another server to fetch it, so wait=True would not end: "
            "tell that server first, then wait() for the answer"
        )
    if not isinstance(target, Mapping | None):
        raise TypeError(f"target must be a mapping, not {type(target).__name__}")
    check_known("the target", target or (), known)
    body: dict[str, Any] = {"migration": True, **{key: True for key, value in flags.items() if value}}
    return {**body, **({"name": name} if name else {}), **({"target": dict(target)} if target else {})}


def merged(
    what: str, known: Iterable[str], current: Mapping[str, Any], changes: Mapping[str, Any], rename: bool = False
) -> dict[str, Any]:
    """Return a definition with some changes: maps (configuration, devices) are merged, the rest is replaced.

    Args:
        what: What is changed, for messages.
        known: Fields that can be changed.
        current: The definition as the server sent it.
        changes: What to change in it.
        rename: Whether there is another verb for the name.

    Raises:
        IncusArgumentError: There is no such field, a field is None, or a device would be removed.
        TypeError: The changes are no mapping.
    """
    if not isinstance(changes, Mapping):
        raise TypeError(f"an update must be a mapping, not {type(changes).__name__}")
    check_known(what, changes, known, rename)
    check_changes(changes)
    _check_items(what, known, changes, current)
    result = dict(current)
    for key, value in body_values(changes).items():
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


def check_draft(
    what: str,
    known: Iterable[str],
    current: Mapping[str, Any],
    draft: Mapping[str, Any],
    sent: Iterable[str] = (),
    rename: bool = False,
) -> None:
    """Refuse what was changed in a definition, or added to it, and is no field of it.

    The server would leave it as it is without a word. What came from a newer one may be anything, and may be changed.

    Args:
        what: What is edited, for messages.
        known: Fields that can be changed.
        current: The definition as the server sent it.
        draft: What has become of it.
        sent: What servers are known to send: of that, only the fields can be changed.
        rename: Whether there is another verb for the name.

    Raises:
        IncusArgumentError: There is no such field, or it cannot be changed.
    """
    check_known(what, (key for key in draft if key not in current), known)
    fixed = set(sent).difference(known)
    for key in draft:
        if key in fixed and key in current and draft[key] != current[key]:
            hint = renaming(key) if rename else ""
            raise IncusArgumentError(f"an edit cannot change {key!r} of {what}{hint}")
    _check_items(what, known, draft, current)


def check_changes(changes: Mapping[str, Any]) -> None:
    """Refuse an update that would not do what it says."""
    for key, value in changes.items():
        if value is None:
            raise IncusArgumentError(
                f"{key!r} cannot be None: a field is never unset, unlike a configuration key. Leave it out to keep it, "
                'or give the empty value ("" for a text, [] for a list)'
            )
    devices = changes.get("devices")
    for device, options in cast("Mapping[str, object]", devices).items() if isinstance(devices, Mapping) else ():
        if not options:  # the server would keep the device, or say something that does not help
            raise IncusArgumentError(
                f"an update cannot remove device {device!r:.80}; edit() can: del draft['devices'][{device!r:.80}]"
            )


def check_known(what: str, keys: Iterable[str], known: Iterable[str], rename: bool = False) -> None:
    """Refuse a key that is none of the fields, and name the nearest one, or the verb that there is for a name."""
    names = tuple(known)
    for key in keys:
        if check_key(key, what) in names:
            continue
        if rename and renaming(key):
            raise IncusArgumentError(f"an update cannot change {key!r} of {what}{renaming(key)}")
        dotted = "." in key and "config" in names
        hint = "; a configuration key goes into its config" if dotted else nearest(key, names)
        raise IncusArgumentError(f"{what} has no field {key!r:.80}{hint}")


def check_source(source: object, known: Iterable[str], example: str = "") -> None:
    """Refuse what something cannot be made from: no mapping, or one with a key that is none of the fields."""
    if not isinstance(source, Mapping):
        raise TypeError(f"source must be a mapping{example}, not {type(source).__name__}")
    check_known("the source", cast("Mapping[str, object]", source), known)


def renaming(key: str) -> str:
    """Return a hint how a name is changed, if the key is that of one."""
    return "; rename() can" if key in {"name", "server_name"} else ""


def check_upload(source: object, name: str = "source", hint: str = "") -> None:
    """Refuse what would not be sent as a file.

    Args:
        source: What is to be sent.
        name: Name of the parameter, for messages.
        hint: What else to say about a mapping.
    """
    if source is None or isinstance(source, Mapping | str):
        advice = "; write Path(...) around the name of a file" if isinstance(source, str) else hint
        kind = type(cast("object", source)).__name__
        raise TypeError(f"{name} must be bytes, the Path of a file or an iterator of bytes, not {kind}{advice}")


def nearest(key: str, known: Sequence[str]) -> str:
    """Return a hint which name was meant."""
    import difflib

    near = difflib.get_close_matches(key, known, 1)
    return f" (did you mean {near[0]!r}?)" if near else f" (there are {', '.join(known)})"


def _check_items(
    what: str, known: Iterable[str], fields: Mapping[str, Any], current: Mapping[str, Any] | None = None
) -> None:
    """Refuse what is no field of what is in a list (or a map), unless the server has sent such a key in that list."""
    kinds: Mapping[str, object] = cast("Mapping[str, object]", known) if isinstance(known, Mapping) else {}
    for field, kind in kinds.items():
        names = [name for item in get_args(kind) if is_typeddict(item) for name in item.__annotations__]
        if names and fields.get(field):
            sent = {key for _, item in _items((current or {}).get(field)) for key in item}
            for position, item in _items(fields[field]):
                check_known(f"{field}[{position!r}] of {what}", (key for key in item if key not in sent), names)


def _items(values: object) -> list[tuple[object, Mapping[str, Any]]]:
    """Return what is in a list or a map, with where; what is no mapping is left to others."""
    pairs: Iterable[tuple[object, object]] = ()
    if isinstance(values, Mapping):
        pairs = cast("Mapping[object, object]", values).items()
    elif isinstance(values, Sequence):
        pairs = enumerate(cast("Sequence[object]", values))
    return [(position, cast("Mapping[str, Any]", item)) for position, item in pairs if isinstance(item, Mapping)]
