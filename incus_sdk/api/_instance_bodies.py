"""Instances: what people write, as the bodies that the server takes.

The server ignores fields that it does not know, so a misspelled one would be lost without a word: here it is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .._values import body_values, check_key, config_value
from ..exceptions import IncusArgumentError
from ..models import InstanceCreateFields, InstancePut, InstanceSource
from ._bodies import check_changes, check_source, nearest, renaming

IMAGES_URL = "https://images.linuxcontainers.org"
"""The public image server that the `incus` command calls `images:`."""

FIELDS = tuple(InstancePut.__annotations__)
"""What an update can hold beside configuration keys."""

CREATE_FIELDS = (*InstanceCreateFields.__annotations__, "config", "devices", "profiles", "ephemeral", "flavor")
"""What the keywords of a creation can be."""

ELSEWHERE = {
    "project": "a project is chosen with client.use_project(…)",
    "target": "a cluster member is chosen with client.use_target(…)",
    "type": "the type is the parameter instance_type",
}
"""Fields of the request that have another place here."""


def create_body(
    name: str | None,
    source: Mapping[str, Any],
    *,
    instance_type: str,
    profiles: Sequence[str] | None,
    flavor: str | None,
    config: Mapping[str, object] | None = None,
    devices: Mapping[str, Any] | None = None,
    ephemeral: bool = False,
    **fields: Any,
) -> dict[str, Any]:
    """Return the body of a creation; what is not given is left to the server.

    Profiles left out are those of the image, or `default`; an empty list is none at all.
    """
    example = ' such as {"type": "image", "alias": "debian/13"} (launch() takes the short form of an image\'s name)'
    check_source(source, InstanceSource.__annotations__, example)
    for key in fields:
        if key not in CREATE_FIELDS:
            hint = f": {ELSEWHERE[key]}" if key in ELSEWHERE else nearest(key, CREATE_FIELDS)
            raise IncusArgumentError(f"a creation has no field {key!r:.80}{hint}")
    body: dict[str, Any] = {"name": name, "source": dict(source), "type": instance_type, "instance_type": flavor}
    body |= {"profiles": profiles, "config": config, "devices": devices, "ephemeral": ephemeral, **fields}
    return body_values({key: value for key, value in body.items() if value is not None})


def update_body(changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the body of an update: a key with a dot is a configuration key, any other a field of the instance."""
    if not isinstance(changes, Mapping):
        raise TypeError(f"an update must be a mapping, not {type(changes).__name__}")
    keys = [check_key(key, "an update") for key in changes]
    fields = {key: changes[key] for key in keys if "." not in key}
    for key in fields:
        if key in FIELDS:
            continue
        if renaming(key):
            raise IncusArgumentError(f"an update cannot change {key!r} of an instance{renaming(key)}")
        hint = nearest(key, FIELDS)
        raise IncusArgumentError(f"an instance has no field {key!r:.80}{hint}; a configuration key has a dot in it")
    check_changes(fields)
    body = body_values(fields)
    dotted = {key: config_value(key, changes[key]) for key in keys if "." in key}
    if dotted:
        body["config"] = {**body.get("config", {}), **dotted}
    return body


def image_source(image: str) -> dict[str, Any]:
    """Return the source for an image in the command's notation: `images:debian/13`, or an alias on the server."""
    if not isinstance(image, str):
        raise TypeError(f"image must be a str, not {type(image).__name__}: {image!r:.80}")
    remote, colon, alias = image.rpartition(":")
    if not alias:
        raise IncusArgumentError(f"{image!r:.80} names no image; write images:debian/13, or an alias on this server")
    if not colon or remote == "local":
        return {"type": "image", "alias": alias}
    if remote == "images":
        return {"type": "image", "mode": "pull", "protocol": "simplestreams", "server": IMAGES_URL, "alias": alias}
    raise IncusArgumentError(
        f"{image!r:.80}: no image server is called {remote!r:.80}; there is images: (the public one) and local "
        "aliases. Any other is given to create() as a source with its server, protocol and alias"
    )


def fingerprint(image: str) -> str | None:
    """Return the image's name if it may be a fingerprint, or the start of one; aliases can look like that, too."""
    name = image.removeprefix("local:")
    return name if len(name) >= 12 and _is_hex(name) else None


def _is_hex(text: Iterable[str]) -> bool:
    return all(character in "0123456789abcdef" for character in text)
