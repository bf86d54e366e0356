"""Requests: what goes out with them, and the scope that they are made in."""

from __future__ import annotations

from collections.abc import AsyncIterable, Mapping
from functools import lru_cache
from os import PathLike

from ._encoding import encode
from ._paths import add_query, quote_name
from ._transport import Body as RawBody
from ._values import plain

__all__ = ["LATER", "Body", "Headers", "Params", "label", "may_be_later", "scope_name", "scoped_target", "wire"]

Params = Mapping[str, object]
Headers = Mapping[str, str]
LABEL = 200
"""Characters that a request's name has at most: names of files, and what is taken for a name, can be long."""

LATER = frozenset(
    {"bitmaps", "files", "nbd", "network-address-sets", "nvram", "port-forward", "rebuild", "repair", "sftp"}
)
"""What is in the paths of calls that Incus 6.0 does not have; some of these words are in paths of others as well."""

Body = Mapping[str, object] | bytes | bytearray | memoryview | PathLike[str] | AsyncIterable[bytes] | None


def label(method: str, path: str) -> str:
    """Name a request in messages and logs: without its query, where secrets can be; only the path of a file is none."""
    if "?" not in path and len(path) < LABEL - 10:
        return f"{method} {path}"
    target, _, query = path.partition("?")
    file = next((pair for pair in query.split("&") if pair.startswith("path=")), "")
    text = f"{method} {target}{'?' if file else ''}{file}"
    if len(text) <= LABEL:
        return text
    return f"{text[: LABEL // 2]}…{text[-LABEL // 2 + 1 :]}"  # the end tells most about what was asked


def may_be_later(path: str, params: Params | None, data: Body) -> bool:
    """Whether a request may need something that Incus 6.0 does not have; a quick look, which spares most a long one."""
    if data is not None and isinstance(data, Mapping):
        return True
    if params and params.get("recursion") and path.startswith("/1.0/storage-pools/"):
        return True
    return _has_later_word(path.partition("?")[0])  # without the query: secrets are not to be kept in a cache


@lru_cache(maxsize=256)
def _has_later_word(path: str) -> bool:
    return not LATER.isdisjoint(path.split("/"))


def wire(data: Body, headers: Headers | None) -> tuple[RawBody, Headers | None]:
    """Return a body as it is sent, and the headers with its type.

    Bytes go as octet-stream by default: with a form's type the server would parse a file's content and lose it.

    Raises:
        IncusArgumentError: JSON cannot carry a value in it.
        TypeError: It cannot be sent.
        OSError: It is a file that cannot be read.
    """
    if data is None:
        return None, headers
    if isinstance(data, PathLike):
        return _file(data, headers)
    json = isinstance(data, Mapping)
    body, kind = (encode(plain(data)), "application/json") if json else (data, "application/octet-stream")
    if not isinstance(body, bytes | bytearray | memoryview | AsyncIterable):
        raise TypeError(
            "a body must be a mapping, bytes, the Path of a file or an async iterator of bytes, "
            f"not {type(data).__name__}"
        )
    return body, _typed(headers, kind)


def _file(path: PathLike[str], headers: Headers | None) -> tuple[RawBody, Headers]:
    from ._disk import FileBody

    body = FileBody(path)
    return body, {**_typed(headers, "application/octet-stream"), "Content-Length": str(body.size)}


def _typed(headers: Headers | None, kind: str) -> Headers:
    given = headers or {}
    return given if any(name.lower() == "content-type" for name in given) else {"Content-Type": kind, **given}


def scope_name(name: str | None) -> str | None:
    """Return the name of a project or of a cluster member; `None` is none.

    Raises:
        IncusArgumentError: It cannot be one: of an empty text servers would think that there is none.
        TypeError: It is no text.
    """
    if name is not None:
        quote_name(name)
    return name


def scoped_target(path: str, params: Params | None, project: str | None, target: str | None) -> str:
    """Return the path with its query, in a project and directed to a cluster member unless it says so itself."""
    if not params and project is None and target is None:
        return path
    query = dict(params or {})
    given = {*query, *(pair.partition("=")[0] for pair in path.partition("?")[2].split("&"))}
    if "project" not in given and not query.get("all-projects", "all-projects" in given):
        query["project"] = project
    if "target" not in given:
        query["target"] = target
    return add_query(path, query)
