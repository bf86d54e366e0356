"""Tables of objects, with the columns that the `incus` command has."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from html import escape
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from .models._base import Model, open_fields

if TYPE_CHECKING:
    from .models import ImageData, InstanceData, NetworkData

__all__ = ["html_table", "text_table"]

ROWS = 100
"""So many are shown; a page with thousands would be of no use."""

WIDTH = 60
"""Characters of a cell."""

LEFT = ' style="text-align: left; white-space: nowrap"'
"""Of each cell, since notebooks have them all at the right, as if they were numbers."""


class Column(NamedTuple):
    """A column of a table.

    Attributes:
        title: What stands above it.
        cell: Returns what an object has there.
        usual: A text that says nothing: if all cells have it, or none, the column is left out.
    """

    title: str
    cell: Callable[[Any], object]
    usual: str = ""


def html_table(items: Sequence[Any]) -> str:
    """Return a table as HTML; nothing that came from a server is taken for HTML."""
    titles, rows = _table(items)
    head = "".join(f"<th{LEFT}>{escape(title)}</th>" for title in titles)
    body = "\n".join("<tr>" + "".join(f"<td{LEFT}>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    table = f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>"
    more = _more(items)
    return f"{table}\n<p>{more}</p>" if more else table


def text_table(items: Sequence[Any]) -> str:
    """Return a table as text, for terminals."""
    titles, rows = _table(items)
    lines = [titles, *rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    padded = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines]
    ruled = [padded[0], "  ".join("-" * width for width in widths), *padded[1:], _more(items)]
    return "\n".join(line.rstrip() for line in ruled).rstrip()


def _table(items: Sequence[Any]) -> tuple[list[str], list[list[str]]]:
    shown = items[:ROWS]
    columns = _columns(items[0].__class__)
    cells = [[_text(column.cell(item)) for item in shown] for column in columns]
    kept = [
        (column.title, texts)
        for column, texts in zip(columns, cells, strict=True)
        if column is columns[0] or not {*texts} <= {"", column.usual}
    ]
    return [title for title, _ in kept], [list(row) for row in zip(*(texts for _, texts in kept), strict=True)]


def _more(items: Sequence[Any]) -> str:
    return f"… and {len(items) - ROWS} more" if len(items) > ROWS else ""


def _columns(kind: type[object]) -> tuple[Column, ...]:
    """Columns of objects of a class: those made for it, or else its fields that are no secrets."""
    if kind.__name__ in COLUMNS:
        return COLUMNS[kind.__name__]
    if not issubclass(kind, Model):
        return (Column(kind.__name__, str),)
    return tuple(_field(name) for name in sorted(open_fields(kind), key="name".__ne__))


def _field(name: str, title: str = "", usual: str = "") -> Column:
    """Return the column of a field, named as that is."""
    return Column(title or name.rstrip("_"), attrgetter(name), usual)


def _count(name: str) -> Column:
    """Return a column with the number of what is in a field."""

    def cell(item: Any) -> int | None:
        return len(getattr(item, name) or ()) or None

    return Column(name.replace("_", " "), cell)


def _short(name: str, title: str = "") -> Column:
    """Return a column with the beginning of an identifier that is long."""

    def cell(item: Any) -> str:
        return f"{getattr(item, name):.12}"

    return Column(title or name, cell)


def _config(key: str, title: str) -> Column:
    """Return a column with the value of a configuration key that everybody may see."""

    def cell(network: NetworkData) -> object:
        return network.config.get(key)

    return Column(title, cell)


def _addresses(family: str, title: str) -> Column:
    """Return a column with the addresses of instances, each with its interface."""

    def cell(instance: InstanceData) -> list[str]:
        return [
            f"{each.address} ({nic})"
            for nic, network in (instance.state.network if instance.state else {}).items()
            for each in network.addresses
            if each.family == family and each.scope == "global"
        ]

    return Column(title, cell)


def _aliases(image: ImageData) -> list[str]:
    return [alias.name for alias in image.aliases]


def _described(image: ImageData) -> object:
    return image.properties.get("description")


def _size(image: ImageData) -> str:
    return f"{image.size / 2**20:.2f} MiB"


def _text(value: object) -> str:
    """Return a cell: short, in one line, and without anything that a terminal would obey."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if value.year > 1 and value.timestamp() else ""
    if isinstance(value, list):
        value = ", ".join(map(str, value))  # pyright: ignore[reportUnknownArgumentType] - of any items
    elif isinstance(value, dict):
        value = f"{len(value)}" if value else ""  # pyright: ignore[reportUnknownArgumentType] - of any items
    text = str(value)
    line = "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text[: WIDTH + 1])
    return line if len(line) <= WIDTH else f"{line[: WIDTH - 1]}…"


NAME, STATUS, TYPE, DESCRIPTION = map(_field, ("name", "status", "type", "description"))
PROJECT = _field("project", usual="default")
LOCATION = _field("location", usual="none")
CREATED, EXPIRES = _field("created_at", "created"), _field("expires_at", "expires")
USED = _count("used_by")

COLUMNS: dict[str, tuple[Column, ...]] = {
    "Certificate": (NAME, TYPE, DESCRIPTION, _short("fingerprint"), _field("restricted"), _field("projects")),
    "ClusterMember": (
        _field("server_name", "name"),
        _field("url"),
        _field("roles"),
        _field("architecture"),
        _field("failure_domain", "failure domain"),
        DESCRIPTION,
        STATUS,
        _field("message"),
    ),
    "Image": (
        Column("alias", _aliases),
        _short("fingerprint"),
        _field("public"),
        Column("description", _described),
        _field("architecture"),
        TYPE,
        Column("size", _size),
        _field("uploaded_at", "uploaded"),
        PROJECT,
    ),
    "ImageAliasesEntry": (NAME, _short("target", "fingerprint"), TYPE, DESCRIPTION),
    "Instance": (
        NAME,
        STATUS,
        _addresses("inet", "IPv4"),
        _addresses("inet6", "IPv6"),
        TYPE,
        _count("snapshots"),
        PROJECT,
        LOCATION,
        DESCRIPTION,
    ),
    "InstanceSnapshot": (NAME, CREATED, EXPIRES, _field("stateful"), DESCRIPTION),
    "Network": (
        NAME,
        TYPE,
        _field("managed"),
        _config("ipv4.address", "IPv4"),
        _config("ipv6.address", "IPv6"),
        DESCRIPTION,
        USED,
        STATUS,
        PROJECT,
    ),
    "NetworkACL": (NAME, DESCRIPTION, _count("ingress"), _count("egress"), USED, PROJECT),
    "NetworkForward": (_field("listen_address", "listen address"), DESCRIPTION, _count("ports"), LOCATION),
    "NetworkLoadBalancer": (
        _field("listen_address", "listen address"),
        DESCRIPTION,
        _count("backends"),
        _count("ports"),
        LOCATION,
    ),
    "NetworkZone": (NAME, DESCRIPTION, USED, PROJECT),
    "NetworkZoneRecord": (NAME, _count("entries"), DESCRIPTION),
    "Operation": (
        _short("id"),
        _field("class_", "type"),
        DESCRIPTION,
        STATUS,
        _field("may_cancel", "can be cancelled"),
        CREATED,
        LOCATION,
    ),
    "Profile": (NAME, DESCRIPTION, _count("devices"), USED, PROJECT),
    "Project": (NAME, DESCRIPTION, USED),
    "StorageBucket": (NAME, DESCRIPTION, _field("s3_url", "URL"), PROJECT, LOCATION),
    "StorageBucketKey": (NAME, _field("role"), DESCRIPTION),
    "StoragePool": (NAME, _field("driver"), DESCRIPTION, USED, STATUS),
    "StorageVolume": (NAME, TYPE, _field("content_type", "content"), DESCRIPTION, USED, PROJECT, LOCATION),
    "Warning": (
        TYPE,
        STATUS,
        _field("severity"),
        _field("count"),
        _field("last_seen_at", "last seen"),
        PROJECT,
        _field("last_message", "last message"),
        _short("uuid"),
        LOCATION,
    ),
}
"""By the name of the class, which both faces share."""
