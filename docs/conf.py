"""Build these pages into a site: `make docs`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

project = "mnist-edge"
html_title = "mnist-edge"
project_copyright = "the authors of mnist-edge, MIT"
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
source_suffix = {".md": "myst-nb", ".ipynb": "myst-nb"}
html_theme = "furo"
html_copy_source = False
html_show_sourcelink = False
html_static_path = ["_static"]
html_css_files = ["wide.css"]

# The notebook is executed when it has changed, or when there are no outputs of it yet.
nb_execution_mode = "cache"
nb_execution_cache_path = str(Path(__file__).resolve().parents[1] / "build" / "notebook-cache")
nb_execution_timeout = 300  # seconds of a cell
nb_execution_raise_on_error = True
nb_merge_streams = True

# Links such as service.md#the-inbox lead to the heading, as they do on GitHub.
myst_heading_anchors = 3
nitpicky = True
nitpick_ignore_regex = [
    ("py:.*", r"(?!mnist_edge_runtime\.\w+$).*")
]  # types of others, and of modules that have no page
default_role = "code"  # of single backticks in docstrings
napoleon_use_ivar = True
autodoc_member_order = "groupwise"
autodoc_typehints_format = "short"
add_module_names = False
smartquotes = False  # which would make one dash of the two of an option


def without_links_out(app: Any, page: str, source: list[str]) -> None:
    """Name what lies outside of these pages by its path: only a checkout, or a page on GitHub, has it to link to."""
    source[0] = re.sub(r"\[([^\]]*)\]\(\.\./([^)]*)\)", r"\1, `\2`", source[0])


def without_fields(app: Any, kind: str, name: str, value: Any, skip: bool, options: Any) -> bool | None:
    """Leave out the fields of a named tuple, which its docstring has described already."""
    return True if str(getattr(value, "__doc__", "")).startswith("Alias for field number") else None


def setup(app: Any) -> None:
    app.connect("source-read", without_links_out)
    app.connect("autodoc-skip-member", without_fields)
