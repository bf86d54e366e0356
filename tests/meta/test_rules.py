"""Rules of the architecture that are about single functions: where they may be used, and how they may look."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator

import pytest

from .source import ROOT, Module, modules

Function = ast.FunctionDef | ast.AsyncFunctionDef

TESTING = "testing/"
"""Starts daemons, for tests of all kinds; it is no layer of the client."""


def callers(*names: str) -> set[str]:
    """Modules that call a function or method of one of these names, tests' helpers aside."""
    return {
        module.path
        for module in modules()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in names
        if not module.under(TESTING)
    }


def test_one_file_opens_connections() -> None:
    """The two that help it with TCP and TLS are used by nobody else."""
    assert callers("create_connection", "create_unix_connection", "open_connection") == {"_transport/dial.py"}
    assert callers("sock_connect", "start_tls") <= {"_transport/tcp.py", "_transport/tls.py"}
    for helper in ("_transport/tcp", "_transport/proxy"):
        users = {module.path for module in modules() if any(path.startswith(helper) for path in module.own())}
        assert users == {"_transport/dial.py"}
    assert callers("dial") == {"_transport/pool.py"}


def test_one_file_decides_what_an_answer_means() -> None:
    assert callers("answer_error") == {"_answers.py"}
    decoding = re.compile(r"^from \._encoding import .*\bdecode\b", re.MULTILINE)
    assert {path for path in callers("decode") if decoding.search(source(path))} == {"_answers.py"}


def source(path: str) -> str:
    return next(module.text for module in modules() if module.path == path)


def attributes(module: Module) -> Iterator[Function]:
    """What runs when an attribute is read."""
    for node in module.functions():
        decorators = {ast.unparse(decorator).rpartition(".")[2] for decorator in node.decorator_list}
        if decorators & {"property", "cached_property"} or node.name in {"__getattr__", "__getattribute__", "__repr__"}:
            yield node


@pytest.mark.parametrize("path", ["client.py", "operations.py", "api/", "api_client.py", "models/"])
def test_no_attribute_access_does_io(path: str) -> None:
    """Neither on this face, nor on the other, where the same code would block."""
    for module in (module for module in modules() if module.under(path, f"sync/{path}")):
        for function in attributes(module):
            called = {ast.unparse(node.func) for node in ast.walk(function) if isinstance(node, ast.Call)}
            requests = {name for name in called if ".api." in f".{name}" or "._api." in name or "_bound()." in name}
            assert isinstance(function, ast.FunctionDef), f"{module.path}: {function.name}"
            assert not requests, f"{module.path}: {function.name}"


def test_methods_below_the_groups_return_one_type_each() -> None:
    tree = next(module.tree for module in modules() if module.path == "api_client.py")
    methods = [node for node in ast.walk(tree) if isinstance(node, Function) and not node.name.startswith("_")]
    assert len(methods) > 10
    returned = {node.name: ast.unparse(node.returns) for node in methods if node.returns is not None}
    assert len(returned) == len(methods)
    several = {name for name, kind in returned.items() if "|" in kind or "Union" in kind}
    assert several <= {"project"}  # which may be None


def test_three_packages_are_needed() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    declared = {requirement.partition(">")[0] for requirement in project["dependencies"]}
    used = {name for module in modules() for name in module.packages() if not module.under(TESTING)}
    assert used - sys.stdlib_module_names == declared == {"httptools", "msgspec", "websockets"}
