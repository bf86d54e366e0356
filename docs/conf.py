"""How the documentation is built: `./dev docs`, or `python -m sphinx -n -W docs docs/_build/html`."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from incus_sdk import __version__, types

project = "incus_sdk"
author = "the incus_sdk developers"
copyright = author
release = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_design", "docs.extension"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = f"incus_sdk {release}"
html_static_path = ["_static"]
html_css_files = ["custom.css"]
html_show_sourcelink = False

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
autodoc_type_aliases = {name: f"incus_sdk.types.{name}" for name in types.__all__}
autodoc_default_options = {"members": True}
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 100

# Builtins such as `type` are found in the fields of that name, too.
suppress_warnings = ["ref.python"]
nitpick_ignore_regex = [
    # Other projects' names: nothing is fetched from the internet to build this.
    (r"py:.*", r"(asyncio|builtins|collections|contextlib|datetime|msgspec|os|pathlib|types|typing)\..*"),
    (r"py:class", r"Pure(Posix)?Path"),
    # Type variables, the mixins that classes are put together from, and the streams of the transport.
    (r"py:.*", r"incus_sdk\.(api_client\.T|api\._.*|models\._generated\..*Data|_transport\..*)"),
    (r"py:class", r"Body|Params|Target|TypeAliasForwardRef|WebSocket|datetime|incus_sdk\._sink\.Writable"),
    (r"py:class", r"Arguments|Buffer|CommandOptions|Environment|Portal|Terminal|execution\.(In|Out)putStream"),
    (r"py:class", r"incus_sdk\._exec_process\.Execution"),
    (r"py:class", r"(incus_sdk\.)?consoles\._(Session|Stream)|_Session|Console|GraphicalC(hannel|onsole)"),
]
