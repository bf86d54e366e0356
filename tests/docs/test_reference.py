"""The reference has every public name, once."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from importlib import import_module

import pytest

from docs import data, tables

from .blocks import ROOT

PUBLIC = ["incus_sdk", "incus_sdk.models", "incus_sdk.sync", "incus_sdk.testing", "incus_sdk.types"]

_ENTRY = re.compile(r"^\.\. (auto\w+|py:type):: ([\w.]+)$", re.MULTILINE)


def thing(name: str) -> object:
    """Return what has this name; an alias for a type is the same object wherever it is found."""
    module, _, attribute = name.rpartition(".")
    return getattr(import_module(module), attribute)


def entries(text: str) -> Iterator[str]:
    """Names that a page describes."""
    for directive, name in _ENTRY.findall(text):
        if directive == "automodule":
            yield from (f"{name}.{each}" for each in import_module(name).__all__)
        else:
            yield name if directive.startswith("auto") else f"incus_sdk.models.{name}"


@pytest.fixture(scope="module")
def described() -> Counter[int]:
    by_hand = [path.read_text() for path in (ROOT / "docs/reference").glob("*.md")]
    names = [name for text in [*by_hand, *data.pages().values(), tables.other_face()] for name in entries(text)]
    assert len(names) > 100
    return Counter(id(thing(name)) for name in names)


@pytest.mark.parametrize("module", PUBLIC)
def test_every_public_name_is_there_once(module: str, described: Counter[int]) -> None:
    names = [name for name in import_module(module).__all__ if not name.startswith("__")]
    missing = {name: times for name in names if (times := described[id(thing(f"{module}.{name}"))]) != 1}
    assert missing == {}, "add those with 0 to a page in docs/reference/, and remove what is there twice"


def test_every_group_is_there_with_its_table() -> None:
    pages = "\n".join(path.read_text() for path in (ROOT / "docs/reference").glob("*.md"))
    described = {name.rpartition(".")[2] for name in entries(pages)}
    groups = set(tables.tables())
    assert len(groups) > 20
    assert groups - described == set(), "these classes have no entry on a page in docs/reference/"
    missing = {group for group in groups if f"```{{include}} calls/{group}.inc\n```" not in pages}
    assert missing == set(), "a page in docs/reference/ describes these without their tables"
