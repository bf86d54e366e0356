"""The pages for those who come from elsewhere name what exists, and leave no call of the older client unanswered."""

from __future__ import annotations

import inspect
import re
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

import incus_sdk
from incus_sdk import Client

from .blocks import ROOT

FOLDER = ROOT / "docs/migrating"
OLDER = FOLDER / "older-client.md"
PAGES = sorted(FOLDER.glob("*.md"))

_CALLS = re.compile(r"`[^`]*?\bclient((?:\.\w+(?:\([^()`]*\))?)+)")
_STEPS = re.compile(r"\.(\w+)(\([^()]*\))?")

DOCUMENTED: dict[str, list[tuple[str, tuple[Any, ...], dict[str, Any]]]] = {
    "Client": [
        ("connect", (), {}),
        ("disconnect", (), {}),
        ("get_server_info", (), {}),
        ("get_resources", (), {}),
        ("wait_for_operation", ("id",), {"timeout": 60}),
    ],
    "InstancesAPI": [
        ("list", (), {"recursion": 1}),
        ("get", ("c1",), {}),
        ("create", (), {"name": "c1", "source": {}, "instance_type": "virtual-machine", "wait": True}),
        ("update", (), {"name": "c1", "config": {}, "wait": True}),
        ("delete", ("c1",), {"wait": True}),
        ("start", ("c1",), {"stateful": True, "wait": True}),
        ("stop", ("c1",), {"force": True, "stateful": True, "timeout": 30, "wait": True}),
        ("restart", ("c1",), {"force": True, "timeout": 30, "wait": True}),
        ("freeze", ("c1",), {"wait": True}),
        ("unfreeze", ("c1",), {"wait": True}),
        ("execute", (), {"name": "c1", "command": ["true"], "record_output": True, "wait": True}),
        ("get_state", ("c1",), {}),
        ("get_logs", ("c1",), {}),
        ("get_files", ("c1", "/a"), {}),
        ("put_files", ("c1", "/a", b""), {}),
    ],
    "Instance": [
        ("start", (), {"wait": True}),
        ("update", (), {"description": "…", "config": {}}),
        ("execute", (), {"command": ["true"], "wait_for_websocket": False, "record_output": True, "wait": True}),
        ("get_state", (), {}),
        ("get_logs", (), {}),
        ("get_files", ("/a",), {}),
        ("put_files", ("/a", b""), {}),
        ("freeze", (), {}),
    ],
    "ImagesAPI": [
        ("list", (), {"recursion": 1}),
        ("get", ("abcdef",), {}),
        ("create", (), {"image_data": b"", "filename": "i", "properties": {}, "public": True, "wait": True}),
        ("create_from_url", (), {"url": "https://…", "alias": "a", "wait": True}),
        ("get_by_alias", ("a",), {}),
        ("delete", ("abcdef",), {"wait": True}),
        ("update", ("abcdef", {}), {"wait": True}),
        ("export", ("abcdef", "i.tar.gz"), {}),
        ("create_alias", (), {"name": "a", "target": "abcdef", "description": "…"}),
        ("get_alias", ("a",), {}),
        ("update_alias", ("a", "abcdef"), {"description": "…"}),
        ("delete_alias", ("a",), {}),
    ],
    "Image": [
        ("update", (), {"properties": {}}),
        ("delete", (), {}),
        ("export", ("i.tar.gz",), {}),
        ("add_alias", ("a", "…"), {}),
        ("remove_alias", ("a",), {}),
    ],
    "NetworksAPI": [
        ("list", (), {"recursion": 1}),
        ("create", (), {"name": "br1", "config": {}, "description": "…", "type": "bridge"}),
        ("update", (), {"name": "br1", "config": {}}),
        ("replace", (), {"name": "br1", "config": {}}),
        ("delete", ("br1",), {}),
        ("rename", ("br1", "br2"), {}),
        ("state", ("br1",), {}),
    ],
    "Network": [("get_state", (), {}), ("get_leases", (), {}), ("delete", (), {}), ("rename", ("br2",), {})],
    "ProfilesAPI": [
        ("create", (), {"name": "p", "config": {}, "devices": {}, "description": "…"}),
        ("update", (), {"name": "p", "config": {}}),
        ("replace", (), {"name": "p", "config": {}}),
        ("delete", ("p",), {}),
        ("rename", ("p", "q"), {}),
    ],
    "ProjectsAPI": [
        ("create", (), {"name": "p", "config": {}, "description": "…"}),
        ("update", ("p", {}), {}),
        ("replace", ("p", {}), {}),
        ("delete", ("p",), {}),
        ("rename", ("p", "q"), {}),
        ("state", ("p",), {}),
    ],
    "StoragePoolsAPI": [
        ("create", (), {"name": "p", "driver": "dir", "config": {}, "description": "…"}),
        ("update", (), {"name": "p", "config": {}}),
        ("delete", ("p",), {}),
        ("list_volumes", ("p", "custom"), {"recursion": 1}),
        ("get_volume", ("p", "v", "custom"), {}),
        ("create_volume", (), {"pool_name": "p", "volume_name": "v", "volume_type": "custom", "config": {}}),
        ("update_volume", ("p", "v", "custom", {}), {}),
        ("replace_volume", ("p", "v", "custom", {}), {}),
        ("delete_volume", ("p", "v", "custom"), {}),
        ("rename_volume", ("p", "v", "custom", "w"), {}),
    ],
    "StoragePool": [("list_volumes", (), {}), ("delete", (), {})],
    "StorageVolume": [
        ("resize", ("2GiB",), {}),
        ("snapshot", ("s",), {}),
        ("restore", ("s",), {}),
        ("delete_snapshot", ("s",), {}),
        ("rename", ("w",), {}),
        ("delete", (), {}),
    ],
    "CertificatesAPI": [
        ("create", (), {"certificate": "…", "name": "n", "type": "client", "restricted": True, "projects": ["p"]}),
        ("update", ("abcdef", {}), {}),
        ("delete", ("abcdef",), {}),
    ],
    "ClusterAPI": [
        ("get", (), {}),
        ("update", ({},), {}),
        ("list_members", (), {"recursion": 1}),
        ("get_member", ("node1",), {}),
        ("add_member", (), {"name": "node2", "url": "…", "config": {}}),
        ("update_member", ("node2", {}), {}),
        ("delete_member", ("node2",), {}),
        ("remove_member", ("node2",), {}),
        ("rename_member", ("node2", "node3"), {}),
    ],
    "OperationsAPI": [
        ("list", (), {"recursion": 1}),
        ("get", ("id",), {}),
        ("wait", ("id",), {"timeout": 30}),
        ("cancel", ("id",), {}),
        ("delete", ("id",), {}),
    ],
}
"""The older client's documented calls, with the kinds of arguments that its documentation gives them."""

CASES = [(owner, *call) for owner, calls in DOCUMENTED.items() for call in calls]


def accepts(owner: str, name: str, args: tuple[Any, ...], keywords: dict[str, Any]) -> bool:
    """Whether a method of that name takes those arguments."""
    method = getattr(getattr(incus_sdk, owner), name, None)
    if method is None:
        return False
    signature = inspect.signature(inspect.unwrap(method))
    try:
        bound = signature.bind(None, *args, **keywords)
    except TypeError:
        return False
    # Keywords that stand for the fields of a body are typed: those it does not have are refused.
    rest = [each.name for each in signature.parameters.values() if each.kind is each.VAR_KEYWORD]
    return not (rest and name == "list" and bound.arguments.get(rest[0]))


def answers(text: str, name: str) -> bool:
    """Whether a row of a page's tables says what became of a method."""
    rows = [line.split("|")[1:-1] for line in text.splitlines() if line.startswith("|")]
    said = [cell for row in rows for cell in row[:-1] if re.search(rf"`[^`]*\b{name}\b[^`]*`", cell)]
    return bool(said)


@pytest.mark.parametrize(("owner", "name", "args", "keywords"), CASES, ids=lambda value: str(value)[:24])
def test_each_documented_call_works_or_has_a_row(
    owner: str, name: str, args: tuple[Any, ...], keywords: dict[str, Any]
) -> None:
    if not accepts(owner, name, args, keywords):
        assert answers(OLDER.read_text("utf-8"), name), f"{owner}.{name} is answered nowhere in {OLDER.name}"


def test_most_documented_calls_work_as_they_are() -> None:
    """The comparison must not let everything through as "answered"."""
    refused = {f"{owner}.{name}" for owner, name, args, keywords in CASES if not accepts(owner, name, args, keywords)}
    assert {"StoragePoolsAPI.create_volume", "Instance.update", "OperationsAPI.list"} <= refused
    assert len(refused) < len(CASES) / 2, sorted(refused)
    assert not answers(OLDER.read_text("utf-8"), "no_such_method")


def resolve(chain: str) -> str | None:
    """Follow `.instances.snapshots("web").create` on the class of a client; return the step that does not exist."""
    owner: Any = Client
    for step, call in _STEPS.findall(chain):
        if step == "api":  # an attribute that each client has of its own
            return None
        found = inspect.getattr_static(owner, step, None)
        if found is None:
            return f"{owner.__name__}.{step}"
        owner = _type_of(found, called=bool(call))
        if owner is None:
            return None
    return None


def _type_of(found: Any, *, called: bool) -> Any:
    """The class of what an attribute is, or of what it returns; `None` where that is no class of ours."""
    function: Any = getattr(found, "func", None) or getattr(found, "fget", None) or (found if called else None)
    if function is None or inspect.iscoroutinefunction(function):
        return None
    returned = inspect.unwrap(function).__annotations__.get("return")
    return classes().get(str(returned))


@cache
def classes() -> dict[str, Any]:
    """All classes of the groups and of what they give, by name."""
    modules = [import_module(f"incus_sdk.api.{path.stem}") for path in (ROOT / "incus_sdk/api").glob("*.py")]
    return {name: value for module in modules for name, value in vars(module).items() if inspect.isclass(value)}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_what_the_pages_name_exists(page: Path) -> None:
    rows = [line.rsplit("|", 2)[1] for line in page.read_text("utf-8").splitlines() if line.startswith("|")]
    chains = [chain for row in rows for chain in _CALLS.findall(row)]
    assert len(chains) >= 4
    assert [missing for chain in chains if (missing := resolve(chain))] == []


def test_what_does_not_exist_is_seen() -> None:
    assert resolve(".instances.no_such_verb(1)") == "InstancesAPI.no_such_verb"
    assert resolve('.networks.forwards("br0").no_such_verb()') == "NetworkForwardsAPI.no_such_verb"
