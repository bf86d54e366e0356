"""What CONTRIBUTING.md says of the code is so: tests that guard rules exist, and the example is the real thing."""

from __future__ import annotations

import ast
import re
from textwrap import dedent, indent

import pytest

from .blocks import ROOT

TEXT = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
TESTS = sorted(set(re.findall(r"`(tests/[\w/]+\.py(?:::\w+)*)`", TEXT)))


@pytest.mark.parametrize("reference", TESTS)
def test_a_test_that_is_named_exists(reference: str) -> None:
    path, *names = reference.split("::")
    tree: ast.AST = ast.parse((ROOT / path).read_text("utf-8"))
    for name in names:
        kinds = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
        found = [node for node in ast.iter_child_nodes(tree) if isinstance(node, kinds) and node.name == name]
        assert found, f"{path} has no {name}"
        tree = found[0]


def test_many_rules_are_guarded() -> None:
    assert len(TESTS) > 20


def test_files_that_are_named_exist() -> None:
    named = set(re.findall(r"`((?:docs|incus_sdk|schema|tests|codegen|examples|changes)/[\w./]*\w)`", TEXT))
    assert len(named) > 15
    assert {path for path in named if not (ROOT / path).exists()} <= {
        "changes/exec-timeout.added.md",
        "docs/_build/html",
    }


def test_the_example_is_the_code() -> None:
    example = re.search(r"   ```python\n(.*?)   ```", TEXT, re.DOTALL)
    assert example
    code = indent(dedent(example[1]), "    ")
    assert code in (ROOT / "incus_sdk/api/instances.py").read_text("utf-8")
