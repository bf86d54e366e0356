"""The page about the architecture says where things are."""

from __future__ import annotations

import re

from .blocks import ROOT

PAGE = ROOT / "docs/explanation/architecture.md"
FOLDERS = (ROOT / "incus_sdk/api", ROOT / "incus_sdk")


def rows() -> list[tuple[list[str], list[str]]]:
    """The tables' files, and the names of functions and classes that are said to be in them."""
    text = PAGE.read_text("utf-8").partition("\n## Where things are\n")[2].partition("\n## ")[0]
    cells = re.findall(r"^\| (`[^|]*`) \| ([^|]*) \|$", text, re.MULTILINE)
    return [(re.findall(r"`([\w/]+\.py)`", files), re.findall(r"`(\w+)`", names)) for files, names in cells]


def source(name: str) -> str:
    return next((folder / name).read_text("utf-8") for folder in FOLDERS if (folder / name).exists())


def test_what_is_said_to_be_in_a_file_is_there() -> None:
    told = [(files, name) for files, names in rows() for name in names]
    assert len(told) > 40
    defined = {files[0]: "\n".join(map(source, files)) for files, _ in rows() if files}
    missing = [
        f"{name} in {files}" for files, name in told if not re.search(rf"\b(def|class) {name}\b", defined[files[0]])
    ]
    assert missing == []


def test_no_shared_module_of_the_groups_is_left_out() -> None:
    named = {file for files, _ in rows() for file in files}
    shared = {path.name for path in FOLDERS[0].glob("_*.py")} - {"__init__.py"}
    assert shared - named == set()
