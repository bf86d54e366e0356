"""The layers are kept apart, and their parts are of a size that reads well."""

from __future__ import annotations

import ast
import statistics
from collections.abc import Callable

import pytest

from .source import Module, by_hand, modules

ABOVE = ("client.py", "operations.py", "api/")
"""Straight-line code, from which the sync face is made word by word."""

TESTING = "testing/"
"""Starts daemons, for tests of all kinds; it is no layer of the client."""


def all_of(*prefixes: str) -> list[Module]:
    found = [module for module in modules() if module.under(*prefixes)]
    assert found, f"nothing is called {prefixes}"
    return found


def named(found: list[Module]) -> list[str]:
    return [module.path for module in found]


@pytest.mark.parametrize("module", all_of(*ABOVE), ids=lambda module: module.path)
def test_above_the_seam_there_is_no_concurrency(module: Module) -> None:
    assert not module.packages() & {"asyncio", "anyio", "concurrent", "sched", "selectors", "threading", "time"}
    assert not module.own() & {"_transport", "sync"}
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            assert node.func.attr not in {"create_task", "gather", "run_in_executor", "sleep", "to_thread"}


@pytest.mark.parametrize("module", all_of(*ABOVE), ids=lambda module: module.path)
def test_above_the_seam_each_call_below_is_awaited(module: Module) -> None:
    """`self._api.…(…)` and the like: a coroutine that is kept for later would be nothing in the sync face."""
    awaited = {id(node.value) for node in ast.walk(module.tree) if isinstance(node, ast.Await)}
    entered = [node.items for node in ast.walk(module.tree) if isinstance(node, ast.AsyncWith)]
    awaited |= {id(item.context_expr) for items in entered for item in items}
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func).startswith(("self._api.", "self._bound().")):
            assert id(node) in awaited or ast.unparse(node.func).endswith(".scoped"), ast.unparse(node)


@pytest.mark.parametrize("name", ["httptools", "select", "socket", "ssl", "uvloop", "websockets"])
def test_only_the_transport_knows_what_connections_are_made_of(name: str) -> None:
    users = [module for module in modules() if name in module.packages() and not module.under(TESTING)]
    assert [path for path in named(users) if not path.startswith("_transport/")] == []


def test_only_the_transport_uses_the_event_loop_s_connections() -> None:
    forbidden = {
        "BufferedProtocol",
        "Protocol",
        "create_connection",
        "create_unix_connection",
        "open_connection",
        "open_unix_connection",
        "sock_connect",
        "start_server",
        "start_unix_server",
    }
    for module in modules():
        if module.under("_transport/", TESTING):
            continue
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Attribute) and ast.unparse(node.value) in {"asyncio", "loop", "self._loop"}:
                assert node.attr not in forbidden, f"{module.path}:{node.lineno}"


def test_the_transport_knows_nothing_of_incus() -> None:
    below = {"_discovery", "_pem", "_proxies", "config", "exceptions"}
    for module in all_of("_transport/"):
        outside = {path.partition("/")[0] for path in module.own() if not path.startswith("_transport")}
        assert outside <= below, module.path


def test_only_the_client_below_the_groups_makes_requests() -> None:
    users = [module.path for module in modules() if any(path.startswith("_transport") for path in module.own())]
    above = {
        "_answers.py",
        "_exec_streams.py",
        "_link.py",
        "_requests.py",
        "_waiting.py",
        "api_client.py",
        "consoles.py",
        "execution.py",
        "events.py",
        "files.py",
        "sftp.py",
    }
    assert {path for path in users if not path.startswith(("_transport/", "sync/_", TESTING))} <= above


def test_only_one_file_decodes() -> None:
    users = [module for module in modules() if "msgspec" in module.packages()]
    assert {path for path in named(users) if not path.startswith("models/")} == {"_encoding.py"}
    for module in all_of("models/"):
        coders = [
            node for node in ast.walk(module.tree) if isinstance(node, ast.Attribute) and ast.unparse(node) in CODERS
        ]
        assert not coders, module.path


CODERS = {f"msgspec.{name}" for name in ("json", "msgpack", "toml", "yaml")}


def test_data_knows_nothing_but_data() -> None:
    for module in all_of("models/"):
        assert {path.partition("/")[0] for path in module.own()} <= {"models", "types"}, module.path
    for module in all_of("exceptions.py", "types.py"):
        assert not module.own()


def test_nothing_is_cleaned_up_by_the_garbage_collector() -> None:
    assert [module.path for module in modules() if "def __del__" in module.text] == []


def test_the_package_imports_itself_relatively() -> None:
    assert [module.path for module in modules() if "incus_sdk" in module.packages()] == []


def test_nothing_is_printed() -> None:
    for module in modules():
        for node in ast.walk(module.tree):
            called = node.func if isinstance(node, ast.Call) else None
            assert not (isinstance(called, ast.Name) and called.id in {"breakpoint", "input", "print"}), module.path


# -- sizes ------------------------------------------------------------------------------------------------------------


def body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines from the first statement behind the docstring to the last."""
    first = function.body[0]
    documented = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    body = function.body[1:] if documented else function.body
    return (function.end_lineno or 0) - body[0].lineno + 1 if body else 0


def test_files_are_not_long() -> None:
    sizes = {module.path: module.lines for module in by_hand()}
    assert {path: size for path, size in sizes.items() if size > 400} == {}
    assert statistics.median(sizes.values()) <= 150


def test_functions_are_short(record_property: Callable[[str, object], None]) -> None:
    sizes = {
        f"{module.path}:{function.lineno} {function.name}": body_lines(function)
        for module in by_hand()
        for function in module.functions()
    }
    assert {name: size for name, size in sizes.items() if size > 50} == {}
    median, high = statistics.median(sizes.values()), statistics.quantiles(sizes.values(), n=20)[-1]
    record_property("median lines of a function", median)
    record_property("95th percentile", high)
    assert (median <= 8, high <= 30) == (True, True), f"median {median}, 95th percentile {high}"
