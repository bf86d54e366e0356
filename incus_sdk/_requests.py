"""Requests: what goes out with them, and the scope that they are made in."""

from __future__ import annotations

from collections.abc import AsyncIterable, Mapping

from ._encoding import encode
from ._paths import add_query
from ._transport import Body as RawBody
from ._values import plain

__all__ = ["Body", "Headers", "Params", "label", "scoped_target", "wire"]

Params = Mapping[str, object]
Headers = Mapping[str, str]
LABEL = 200
"""Characters that a request's name has at most: names of files, and what is taken for a name, can be long."""

Body = Mapping[str, object] | bytes | bytearray | memoryview | AsyncIterable[bytes] | None


def label(method: str, path: str) -> str:
    """Name a request in messages and logs: without its query, where secrets can be; only the path of a file is none."""
    target, _, query = path.partition("?")
    file = next((pair for pair in query.split("&") if pair.startswith("path=")), "")
    text = f"{method} {target}{'?' if file else ''}{file}"
    if len(text) <= LABEL:
        return text
    return f"{text[: LABEL // 2]}…{text[-LABEL // 2 + 1 :]}"  # the end tells most about what was asked


def wire(data: Body, headers: Headers | None) -> tuple[RawBody, Headers | None]:
    """Return a body as it is sent, and the headers with its type.

    Bytes go as octet-stream by default: with a form's type the server would parse a file's content and lose it.

    Raises:
        IncusArgumentError: JSON cannot carry a value in it.
        TypeError: It cannot be sent.
    """
    if data is None:
        return None, headers
    json = isinstance(data, Mapping)
    body, kind = (encode(plain(data)), "application/json") if json else (data, "application/octet-stream")
    if not isinstance(body, bytes | bytearray | memoryview | AsyncIterable):
        raise TypeError(f"a body must be a mapping, bytes or an async iterator of bytes, not {type(data).__name__}")
    given = headers or {}
    return body, given if any(name.lower() == "content-type" for name in given) else {"Content-Type": kind, **given}


def scoped_target(path: str, params: Params | None, project: str | None, target: str | None) -> str:
    """Return the path with its query, in a project and directed to a cluster member unless it says so itself."""
    query = dict(params or {})
    given = {*query, *(pair.partition("=")[0] for pair in path.partition("?")[2].split("&"))}
    if "project" not in given and not query.get("all-projects", "all-projects" in given):
        query["project"] = project
    if "target" not in given:
        query["target"] = target
    return add_query(path, query)
