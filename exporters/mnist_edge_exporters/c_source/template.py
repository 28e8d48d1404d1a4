"""Fill the templates: files of plain C and text in which @name@ stands for a value."""

from __future__ import annotations

import re
from importlib.resources import files

__all__ = ["fill", "read"]


def read(name: str) -> str:
    """Return the text of a template."""
    return files(__package__).joinpath("templates", name).read_text(encoding="utf-8")


def fill(file: str, /, **values: object) -> str:
    """Return a template with each @key@ replaced; a key without a value raises KeyError."""
    return re.sub(r"@([a-z_0-9]+)@", lambda found: str(values[found[1]]), read(file))
