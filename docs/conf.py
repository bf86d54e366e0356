"""How the documentation is built: `./dev docs`, or `python -m sphinx -n -W docs docs/_build/html`."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parent.parent))

from incus_sdk import __version__

if TYPE_CHECKING:
    from sphinx.application import Sphinx

project = "incus_sdk"
author = "the incus_sdk developers"
copyright = author
release = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = f"incus_sdk {release}"

myst_enable_extensions = ["deflist"]
myst_heading_anchors = 3

# Docstrings write code between single backticks, as Markdown has it.
default_role = "literal"
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_class_signature = "separated"
autodoc_default_options = {"members": True}
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 100

# Builtins such as `type` are found in the fields of that name, too.
suppress_warnings = ["ref.python"]
nitpick_ignore_regex = [
    # Other projects' names: nothing is fetched from the internet to build this.
    (r"py:.*", r"(asyncio|builtins|collections|contextlib|datetime|msgspec|os|pathlib|types|typing)\..*"),
    # Type variables, the mixins that classes are put together from, and the streams of the transport.
    (r"py:.*", r"incus_sdk\.(api_client\.T|api\._.*|models\._generated\..*Data|_transport\..*)"),
]

_FENCE = re.compile(r"\s*```(\w*)")


def _prepare(app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]) -> None:
    """Turn the fenced code of docstrings into what autodoc understands."""
    # Napoleon takes what comes before a colon in an attribute's first line for its type; so that is an empty comment.
    result: list[str] = ["..", ""] if what in {"attribute", "property"} else []
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


def setup(app: Sphinx) -> None:
    """Hook the above in, before napoleon reads the sections."""
    app.connect("autodoc-process-docstring", _prepare, priority=400)
