"""How lists look where people look at them."""

from __future__ import annotations

import copy
import json
import pickle
from datetime import UTC, datetime
from html.parser import HTMLParser
from pprint import pformat
from typing import Any

import pytest

import incus_sdk
from incus_sdk import Instance, Network, Operation, OperationResponse, StorageBucketKey
from incus_sdk._display import COLUMNS, ROWS, html_table, text_table
from incus_sdk._listing import Listing
from incus_sdk.api.warnings import Warning as ServerWarning
from incus_sdk.models import AccessEntry, NetworkLease
from incus_sdk.models._base import Model

from .daemon import Daemon, sync

NASTY = '<script>alert("x")</script> & \x1b[31mred\x1b[0m\nnext\u202eline'


class Printer:
    """What IPython hands to objects, as far as they need it."""

    def __init__(self, indentation: int = 0) -> None:
        self.indentation = indentation
        self.printed = ""

    def text(self, text: str) -> None:
        self.printed += text


class Cells(HTMLParser):
    """The rows of a table, as a browser reads them."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.rows: list[list[str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag == "tr":
            self.rows.append([])
        elif tag in {"td", "th"}:
            self.rows[-1].append("")

    def handle_data(self, data: str) -> None:
        if self.rows and self.rows[-1] and data.strip():
            self.rows[-1][-1] += data


def cells(html: str) -> Cells:
    parser = Cells()
    parser.feed(html)
    parser.close()
    return parser


def pretty(items: list[Any], indentation: int = 0) -> str:
    printer = Printer(indentation)
    show = getattr(items, "_repr_pretty_")  # noqa: B009 - IPython looks for it, too
    show(printer, False)
    return printer.printed


def html_of(items: list[Any]) -> str | None:
    """What notebooks ask for."""
    shown: str | None = getattr(items, "_repr_html_")()  # noqa: B009 - they look for it, too
    return shown


def instance(name: str, **fields: Any) -> Instance:
    return Instance.from_dict({"name": name, "status": "Running", "type": "container", **fields})


STATE = {
    "network": {
        "eth0": {
            "addresses": [
                {"family": "inet", "address": "10.0.0.2", "scope": "global"},
                {"family": "inet6", "address": "fd42::2", "scope": "global"},
                {"family": "inet6", "address": "fe80::2", "scope": "link"},
            ]
        },
        "lo": {"addresses": [{"family": "inet", "address": "127.0.0.1", "scope": "local"}]},
    }
}


class TestList:
    def test_it_is_a_list_in_all_but_looks(self) -> None:
        items = Listing([instance("a"), instance("b")])
        assert isinstance(items, list)
        assert items == [*items]
        assert [*items] == items
        assert repr(items) == repr([*items])
        assert type(sorted(items, key=lambda each: each.name)) is list
        assert json.dumps(Listing([1, 2])) == "[1, 2]"

    def test_copies(self) -> None:
        items = Listing([instance("a"), instance("b")])
        for other in (copy.copy(items), copy.deepcopy(items), pickle.loads(pickle.dumps(items))):
            assert type(other) is Listing
            assert other == items

    async def test_groups_return_it(self, daemon: Daemon) -> None:
        daemon.will(sync({}), sync([{"name": "web", "status": "Stopped", "type": "container"}]))
        async with incus_sdk.Client(daemon.server.endpoint.url) as client:
            listed = await client.instances.list()
        assert isinstance(listed, Listing)
        assert pretty(listed).splitlines()[2].split() == ["web", "Stopped", "container"]


class TestTables:
    def test_of_instances(self) -> None:
        html = html_table([instance("web", state=STATE), instance("db", status="Stopped")])
        assert cells(html).rows == [
            ["name", "status", "IPv4", "IPv6", "type"],
            ["web", "Running", "10.0.0.2 (eth0)", "fd42::2 (eth0)", "container"],
            ["db", "Stopped", "", "", "container"],
        ]

    def test_columns_that_say_nothing_are_left_out(self) -> None:
        plain = instance("web", project="default", location="none")
        assert cells(html_table([plain])).rows[0] == ["name", "status", "type"]
        other = instance("db", project="blue", location="node1")
        assert cells(html_table([plain, other])).rows == [
            ["name", "status", "type", "project", "location"],
            ["web", "Running", "container", "default", "none"],
            ["db", "Running", "container", "blue", "node1"],
        ]

    def test_as_text(self) -> None:
        items = [instance("web", state=STATE), instance("database", status="Stopped")]
        assert text_table(items) == (
            "name      status   IPv4             IPv6            type\n"
            "--------  -------  ---------------  --------------  ---------\n"
            "web       Running  10.0.0.2 (eth0)  fd42::2 (eth0)  container\n"
            "database  Stopped                                   container"
        )

    def test_what_servers_send_is_no_html(self) -> None:
        html = html_table([Network.from_dict({"name": NASTY[:40], "description": NASTY, "type": "<b>"})])
        read = cells(html)
        assert read.tags == {"table", "thead", "tbody", "tr", "th", "td"}
        assert read.rows[1][1] == "<b>"
        assert read.rows[1][0].startswith('<script>alert("x")</script> & ')

    @pytest.mark.parametrize("render", [html_table, text_table])
    def test_nothing_is_left_that_a_terminal_would_obey(self, render: Any) -> None:
        shown = render([Network.from_dict({"name": "br0", "description": NASTY[30:]})])
        assert all(char.isprintable() for char in shown.replace("\n", ""))
        assert r"\x1b[31mred\x1b[0m\nnext\u202eline" in shown

    def test_long_cells_are_cut(self) -> None:
        cell = cells(html_table([Network.from_dict({"name": "br0", "description": "x" * 61})])).rows[1][-1]
        assert cell == "x" * 59 + "…"

    def test_long_lists_are_cut(self) -> None:
        items = Listing(instance(f"c{number}") for number in range(ROWS + 3))
        html = html_of(items)
        assert html is not None
        assert len(cells(html).rows) == ROWS + 1
        assert html.endswith("<p>… and 3 more</p>")
        assert pretty(items).endswith(f"c{ROWS - 1}   Running  container\n… and 3 more")

    def test_nothing_is_no_table(self) -> None:
        empty: list[Any] = Listing()
        assert html_of(empty) is None
        assert pretty(empty) == "[]"

    def test_inside_of_something_else_it_is_a_list(self) -> None:
        assert pretty(Listing([instance("a")]), indentation=1) == "[<Instance a Running>]"

    def test_secrets_have_no_column(self) -> None:
        keys = [StorageBucketKey.from_dict({"name": "k", "role": "admin", "access_key": "AK", "secret_key": "s3cret"})]
        tokens = [Operation.from_dict({"id": "1" * 36, "class": "token", "metadata": {"secret": "s3cret"}})]
        configured = [instance("web", config={"user.password": "s3cret"})]
        for items in (keys, tokens, configured):
            assert "s3cret" not in html_table(items) + text_table(items)

    def test_times(self) -> None:
        seen = datetime(2026, 2, 3, 4, 5, tzinfo=UTC)
        warning = ServerWarning.from_dict({"type": "T", "uuid": "u" * 36, "last_seen_at": seen.isoformat()})
        never = ServerWarning.from_dict({"type": "T", "last_seen_at": "0001-01-01T00:00:00Z"})
        titles, *rows = cells(html_table([warning, never])).rows
        assert [row[titles.index("last seen")] for row in rows] == ["2026-02-03 04:05 UTC", ""]

    def test_classes_without_columns_of_their_own(self) -> None:
        leases = [
            NetworkLease.from_dict({"hostname": "web", "address": "10.0.0.2", "hwaddr": "00:16", "type": "dynamic"})
        ]
        assert cells(html_table(leases)).rows[1] == ["10.0.0.2", "web", "00:16", "dynamic"]
        entries = [AccessEntry.from_dict({"identifier": "eve", "role": "admin"})]
        assert cells(html_table(entries)).rows == [["identifier", "role"], ["eve", "admin"]]

    @pytest.mark.parametrize("kind", COLUMNS)
    def test_columns_exist(self, kind: str) -> None:
        model = ServerWarning if kind == "Warning" else getattr(incus_sdk, kind)
        assert issubclass(model, Model)
        item = model.from_dict({})
        for column in COLUMNS[kind]:
            column.cell(item)


class TestReprs:
    def test_operations_show_no_secret_anywhere(self) -> None:
        secrets = {"id": "1" * 36, "description": "Executing command", "metadata": {"fds": {"0": "s3cret"}}}
        answer = OperationResponse({"metadata": secrets})
        assert "s3cret" not in f"{answer} {answer!r} {answer.__rich_repr__()} {pformat(answer)}"
        assert answer.__rich_repr__()[0] == "Executing command"

    def test_they_begin_with_what_tells_objects_apart(self) -> None:
        assert repr(Network.from_dict({"description": "d", "config": {"a": "b"}, "name": "br0"})) == (
            "Network(name='br0', config={1}, description='d')"
        )

    def test_long_ones_are_cut_between_fields(self) -> None:
        texts = {name: name[0] * 50 for name in ("type", "status", "severity", "last_message", "location")}
        shown = repr(ServerWarning.from_dict({"uuid": "u", **texts}))
        assert shown.startswith("Warning(uuid='u', ")
        assert shown.endswith(", ...)")
        assert len(shown) < 260
