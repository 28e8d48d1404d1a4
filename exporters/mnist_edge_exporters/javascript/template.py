"""Fill the templates: files of JavaScript, HTML and text in which @name@ stands for a value."""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib.resources import files
from importlib.util import find_spec

from mnist_edge_runtime.errors import InputError
from mnist_edge_runtime.host import install_extra

__all__ = ["check_minifier", "fill", "minified", "read"]


def read(name: str) -> str:
    """Return the text of a template."""
    return files(__package__).joinpath("templates", *name.split("/")).read_text(encoding="utf-8")


def fill(file: str, /, **values: object) -> str:
    """Return a template with each @key@ replaced; a key without a value raises KeyError."""
    return re.sub(r"@([a-z_0-9]+)@", lambda found: str(values[found[1]]), read(file))


def check_minifier() -> None:
    """Check that there is a minifier.

    Raises:
        InputError: there is none.
    """
    if find_spec("minify") is None:
        raise InputError(f"--format web makes its code small by tdewolff-minify; install it {install_extra('web')}")


def minified(names: Sequence[str], shared: Sequence[str]) -> str:
    """Return templates of JavaScript as one short statement that declares the names that others use.

    The minifier joins declarations, and puts a second destructuring of them in front of what it needs: the templates
    have one in a row at most.

    Args:
        names: the templates, in the order in which they need each other.
        shared: the names that others use.
    """
    import minify

    text, found = "\n".join(read(name) for name in names), ", ".join(shared)
    return str(
        minify.string(
            "application/javascript", f"const {{ {found} }} = (() => {{\n{text}\nreturn {{ {found} }};\n}})();"
        )
    )
