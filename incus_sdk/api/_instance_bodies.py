"""Instances: what people write, as the bodies that the server takes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from .._values import body_values, config_value
from ..exceptions import IncusArgumentError
from ..models import InstancePut

IMAGES_URL = "https://images.linuxcontainers.org"
"""The public image server that the `incus` command calls `images:`."""

FIELDS = tuple(InstancePut.__annotations__)
"""What an update can hold beside configuration keys."""


def create_body(
    name: str | None,
    source: Mapping[str, Any],
    *,
    instance_type: str,
    profiles: Sequence[str] | None,
    flavor: str | None,
    **fields: Any,
) -> dict[str, Any]:
    """Return the body of a creation; what is not given is left to the server.

    Profiles left out are those of the image, or `default`; an empty list is none at all.
    """
    if not isinstance(source, Mapping):
        raise TypeError(
            f'source must be a mapping such as {{"type": "image", "alias": "debian/13"}}, not {source!r:.80}; '
            "launch() takes the short form of an image's name"
        )
    if isinstance(profiles, str):
        raise TypeError(f"profiles must be a list of names, as in [{profiles!r}], not a text")
    body = {"name": name, "source": dict(source), "type": instance_type, "instance_type": flavor, **fields}
    body["profiles"] = None if profiles is None else list(profiles)
    return body_values({key: value for key, value in body.items() if value is not None})


def update_body(changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the body of an update: a key with a dot is a configuration key, any other a field of the instance."""
    if not isinstance(changes, Mapping):
        raise TypeError(f"an update must be a mapping, not {type(changes).__name__}: {changes!r:.80}")
    devices = changes.get("devices")
    for device, options in cast("Mapping[str, object]", devices).items() if isinstance(devices, Mapping) else ():
        if not options:  # the server would keep the device, or say something that does not help
            raise IncusArgumentError(
                f"an update cannot remove device {device!r}; edit() can: del draft['devices'][{device!r}]"
            )
    body = body_values({key: value for key, value in changes.items() if "." not in key})
    for key in body:
        if key not in FIELDS:
            raise IncusArgumentError(
                f"an instance has no field {key!r}{_nearest(key)}; a configuration key has a dot in it"
            )
    dotted = {key: config_value(key, value) for key, value in changes.items() if "." in key}
    if dotted:
        body["config"] = {**(body.get("config") or {}), **dotted}
    return body


def image_source(image: str) -> dict[str, Any]:
    """Return the source for an image in the command's notation: `images:debian/13`, or an alias on the server."""
    if not isinstance(image, str):
        raise TypeError(f"image must be a str, not {type(image).__name__}: {image!r:.80}")
    remote, colon, alias = image.rpartition(":")
    if not alias:
        raise IncusArgumentError(f"{image!r} names no image; write images:debian/13, or an alias on this server")
    if not colon or remote == "local":
        return {"type": "image", "alias": alias}
    if remote == "images":
        return {"type": "image", "mode": "pull", "protocol": "simplestreams", "server": IMAGES_URL, "alias": alias}
    raise IncusArgumentError(
        f"{image!r}: no image server is called {remote!r}; there is images: (the public one) and local aliases. "
        "Any other is given to create() as a source with its server, protocol and alias"
    )


def fingerprint(image: str) -> str | None:
    """Return the image's name if it may be a fingerprint, or the start of one; aliases can look like that, too."""
    return image if len(image) >= 12 and _is_hex(image) else None


def _is_hex(text: Iterable[str]) -> bool:
    return all(character in "0123456789abcdef" for character in text)


def _nearest(key: str) -> str:
    import difflib

    near = difflib.get_close_matches(key, FIELDS, 1)
    return f" (did you mean {near[0]!r}?)" if near else f" (there are {', '.join(FIELDS)})"
