"""The reference pages of the data classes: one for each generated module, written anew whenever the pages are built."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from textwrap import indent
from types import ModuleType

from incus_sdk import models

FOLDER = Path(__file__).parent / "reference" / "models"
GENERATED = Path(models.__file__).parent / "_generated"
ABBREVIATIONS = {"acls": "ACLs", "nbd": "NBD", "nvram": "NVRAM"}


def pages() -> dict[str, str]:
    """Return the pages by the name of their module."""
    names = sorted(path.stem for path in GENERATED.glob("*.py") if path.stem != "__init__")
    return {name: _page(import_module(f"{models.__name__}._generated.{name}")) for name in names}


def write() -> None:
    """Write what has changed, and remove what is left over."""
    FOLDER.mkdir(exist_ok=True)
    wanted = pages()
    for path in FOLDER.glob("*.md"):
        if path.stem not in wanted:
            path.unlink()
    for name, text in wanted.items():
        path = FOLDER / f"{name}.md"
        if not path.exists() or path.read_text("utf-8") != text:
            path.write_text(text, "utf-8")


def _page(module: ModuleType) -> str:
    first, *rest = module.__name__.rpartition(".")[2].split("_")
    title = " ".join([first.capitalize(), *(ABBREVIATIONS.get(word, word) for word in rest)])
    entries = "\n".join(_entries(module))
    return f"# {title}\n\n```{{eval-rst}}\n.. currentmodule:: {models.__name__}\n\n{entries}```\n"


def _entries(module: ModuleType) -> Iterator[str]:
    aliases = _aliases(module)
    for name in module.__all__:
        if name not in models.__all__:
            continue
        if name in aliases:
            value, about = aliases[name]
            yield f".. py:type:: {name}\n   :canonical: {value}\n\n{indent(about, '   ')}\n"
        else:
            yield f".. autoclass:: {models.__name__}.{name}\n   :undoc-members:\n{_without(getattr(module, name))}"


def _without(kind: type) -> str:
    """Keys that are no Python names, such as `base-image`, are beyond autodoc."""
    odd = [key for key in kind.__annotations__ if not key.isidentifier()]
    return f"   :exclude-members: {', '.join(odd)}\n" if odd else ""


def _aliases(module: ModuleType) -> dict[str, tuple[str, str]]:
    """Names for types, with the type and the text below it, which only the source has."""
    body = ast.parse(Path(str(module.__file__)).read_text("utf-8")).body
    found: dict[str, tuple[str, str]] = {}
    for node, below in pairwise(body):
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
            text = ast.literal_eval(below.value) if isinstance(below, ast.Expr) else ""
            found[node.target.id] = (ast.unparse(node.value), text)
    return found
