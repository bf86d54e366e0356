"""Which API extensions a request needs: looked up in generated tables, which are loaded with this module.

An extension is a name in `api_extensions` of `/1.0`, and the only way to tell what a server can do: version numbers
lie, since older series get new extensions, too. Servers never lose one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast

from ._extension_data import BODIES, CALLS, FIELDS, NEWER, RECURSION

__all__ = ["NEWER", "required", "template"]


def required(method: str, path: str, depth: int = 0, body: object = None) -> Iterator[str]:
    """Yield the extensions that a request needs, that of the call itself first.

    Args:
        method: The HTTP method.
        path: Path on the server, with the names in it.
        depth: The `recursion` of a GET.
        body: The JSON body; fields that it holds may need an extension of their own.
    """
    known = template(path)
    if extension := CALLS.get(known, {}).get(method):
        yield extension
    if method == "GET" and (extension := RECURSION.get(known, {}).get(depth)):
        yield extension
    if isinstance(body, Mapping) and (definition := BODIES.get(known, {}).get(method)):
        for key, extension in FIELDS[definition].items():
            if _holds(cast("object", body), key.split(".")):
                yield extension


def template(path: str) -> str:
    """Return the path of the API with placeholders in place of names, or an empty text for one that there is not."""
    branch: dict[str, Any] = _tree
    for segment in path.strip("/").split("/"):
        branch = branch.get(segment) or branch.get("", {})
    return cast("str", branch.get("/", ""))


def _holds(value: object, keys: list[str]) -> bool:
    """Whether a value was given under these keys, in an object or in any of several."""
    if isinstance(value, Mapping):
        found = cast("Mapping[str, object]", value).get(keys[0])
        return bool(found) if len(keys) == 1 else _holds(found, keys[1:])
    if isinstance(value, Iterable) and not isinstance(value, str | bytes):
        return any(_holds(item, keys) for item in cast("Iterable[object]", value))
    return False


def _grow(paths: Iterable[str]) -> dict[str, Any]:
    """Return the paths as a tree of their segments; an empty text stands for any name, a slash for the end."""
    tree: dict[str, Any] = {}
    for path in paths:
        branch = tree
        for segment in path.strip("/").split("/"):
            branch = branch.setdefault("" if segment.startswith("{") else segment, {})
        branch["/"] = path
    return tree


_tree = _grow([*CALLS, *RECURSION, *BODIES])
