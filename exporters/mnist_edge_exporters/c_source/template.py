"""Fill the templates: files of plain C and text in which @name@ stands for a value."""

from __future__ import annotations

from ..templates import Templates

__all__ = ["fill", "read"]

_TEMPLATES = Templates(__package__)
read, fill = _TEMPLATES.read, _TEMPLATES.fill
