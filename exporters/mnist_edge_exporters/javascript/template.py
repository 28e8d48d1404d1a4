"""Fill the templates: files of JavaScript, HTML and text in which @name@ stands for a value."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec

from mnist_edge_runtime.errors import InputError
from mnist_edge_runtime.host import install_extra

from ..templates import Templates

__all__ = ["check_minifier", "fill", "minified", "read"]


_TEMPLATES = Templates(__package__)
read, fill = _TEMPLATES.read, _TEMPLATES.fill


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
