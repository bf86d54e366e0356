"""What the documentation needs of Sphinx beyond settings: tabs, pictures, generated pages, Markdown in docstrings."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from docutils import nodes
from sphinx.util.nodes import make_refnode

from . import data, tables
from .snippets import with_tabs

if TYPE_CHECKING:
    from sphinx.addnodes import pending_xref
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

_FENCE = re.compile(r"\s*```(\w*)")


def _add_tabs(app: Sphinx, name: str, source: list[str]) -> None:
    """Show the code of pages on both faces."""
    source[0] = with_tabs(source[0])


def _put_pictures_inline(app: Sphinx, doctree: nodes.document, name: str) -> None:
    """Make the project's own pictures a part of the page, so that they follow its colours, light or dark."""
    for image in list(doctree.findall(nodes.image)):
        path = Path(app.srcdir) / image["uri"]
        text = path.read_text("utf-8") if path.suffix == ".svg" and path.is_file() else ""
        if 'class="picture"' in text:
            html = f'<div class="picture">{text}</div>'
            place = image.parent if len(image.parent) == 1 else image  # a paragraph of HTML cannot hold a box
            place.parent.replace(place, nodes.raw("", html, format="html"))


def _prepare(app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]) -> None:
    """Turn the fenced code of docstrings into what autodoc understands."""
    # Napoleon takes what comes before a colon in an attribute's first line for its type; so that is an empty comment.
    result: list[str] = ["..", ""] if what in {"attribute", "data", "property"} else []
    indent = ""
    for line in lines:
        fence = _FENCE.match(line)
        if fence is None:
            result.append(indent + line if line else line)
        elif indent:
            indent = ""
            result.append("")
        else:
            start = line[: len(line) - len(line.lstrip())]
            indent = "    "
            result += [f"{start}.. code-block:: {fence[1] or 'text'}", ""]
    lines[:] = result


def _find_by_last_name(
    app: Sphinx, env: BuildEnvironment, node: pending_xref, shown: nodes.TextElement
) -> nodes.Element | None:
    """Lead to the class that an annotation names alone, as its module imports it only for type checkers."""
    if node.get("refdomain") != "py" or "." in node["reftarget"]:
        return None
    objects = env.domains.python_domain.objects.items()
    own = [(name, entry) for name, entry in objects if name.endswith("." + node["reftarget"]) and ".sync." not in name]
    if len(own) != 1:
        return None
    name, entry = own[0]
    return make_refnode(app.builder, node["refdoc"], entry.docname, entry.node_id, shown, name)


def setup(app: Sphinx) -> dict[str, Any]:
    """Hook it all in."""
    data.write()
    tables.write()
    app.connect("source-read", _add_tabs)
    app.connect("missing-reference", _find_by_last_name)
    app.connect("doctree-resolved", _put_pictures_inline)
    app.connect("autodoc-process-docstring", _prepare, priority=400)  # before napoleon reads the sections
    return {"parallel_read_safe": True, "parallel_write_safe": True}
