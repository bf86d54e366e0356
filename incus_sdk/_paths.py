"""Paths of the REST API: templates filled with quoted names, and queries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from .exceptions import IncusArgumentError

if TYPE_CHECKING:
    from pathlib import PurePosixPath

# Loaded where they are used: the usual names need no quoting, and what a script does not need must not slow its start.

__all__ = ["add_query", "fill", "name_and_project", "quote_file", "quote_name", "raw_name"]


def quote_name(name: str) -> str:
    """Return a name as one path segment.

    Raises:
        IncusArgumentError: The name is empty, a dot segment (a server or proxy would resolve it to another path), has a
            NUL in it (servers look up what stands before it), or is no Unicode text.
        TypeError: The name is not a string.
    """
    if not isinstance(name, str):
        raise TypeError(f"a name must be a str, not {type(name).__name__}: {name!r:.80}")
    if _is_plain(name):
        return name
    if name in {"", ".", ".."} or "\0" in name:
        raise IncusArgumentError(f"{name!r:.80} cannot be a name: it would address something else")
    from urllib.parse import quote

    try:
        return quote(name, safe="")
    except UnicodeEncodeError as error:
        raise IncusArgumentError(f"{name!a:.80} cannot be a name: it is no Unicode text ({error.reason})") from None


def quote_file(path: str | bytes | PurePosixPath) -> str:
    """Return the path of a file in an instance as the value of a query; slashes stay, so that it can be read.

    File names are bytes, and need not be UTF-8: any is taken, as bytes or as `os.fsdecode` gives it.

    Raises:
        IncusArgumentError: The path is empty, has a NUL in it, or is no text.
        TypeError: It is no path.
    """
    from pathlib import PurePosixPath
    from urllib.parse import quote

    if not isinstance(path, str | bytes | PurePosixPath):
        raise TypeError(f"path must be a str, bytes or a PurePosixPath, not {type(path).__name__}: {path!r:.80}")
    file = path if isinstance(path, bytes) else _bytes(str(path), "path")
    if not file or b"\0" in file:
        raise IncusArgumentError(f"{path!r:.80} cannot be the path of a file: it is empty or has a NUL in it")
    return quote(file, safe="/")


def fill(template: str, names: Mapping[str, str]) -> str:
    """Return the template (`/1.0/instances/{name}/state`) with each name quoted."""
    return template.format_map({key: quote_name(name) for key, name in names.items()})


def add_query(path: str, query: Mapping[str, object]) -> str:
    """Return the path with a query appended; `None` values are left out, booleans are written as `true`, `false`."""
    pairs = [f"{_quoted(key, key)}={_quoted(_text(value), key)}" for key, value in query.items() if value is not None]
    if not pairs:
        return path
    return f"{path}{'&' if '?' in path else '?'}{'&'.join(pairs)}"


def name_and_project(url: str) -> tuple[str, str]:
    """Take apart a URL of a list with recursion 0: `/1.0/instances/web?project=shop` gives `("web", "shop")`."""
    from urllib.parse import parse_qsl, unquote

    path, _, query = url.partition("#")[0].partition("?")
    return unquote(path.rpartition("/")[2]), dict(parse_qsl(query)).get("project", "default")


def raw_name(url: str) -> str:
    """Return the name at the end of a URL that a server put together without quoting any: `…/a#b/snapshots/c%d?1`."""
    path, found, _ = url.rpartition("?project=")
    return (path if found else url).rpartition("/")[2]


def _is_plain(text: str) -> bool:
    """Whether a text is its own quoted form, as far as that can be told at a glance."""
    return text.isascii() and text.replace("-", "").isalnum()


def _quoted(text: str, what: str) -> str:
    if _is_plain(text):
        return text
    from urllib.parse import quote

    return quote(_bytes(text, what), safe="")


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _bytes(text: str, what: str) -> bytes:
    try:
        return text.encode(errors="surrogateescape")
    except UnicodeEncodeError:  # that error holds the value, a secret perhaps, so the next one is not chained to it
        pass
    raise IncusArgumentError(f"{what} is no Unicode text")
