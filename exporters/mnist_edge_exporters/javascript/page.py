"""Make the page: one HTML file that reads digits in any browser, from disk, without a server or a network."""

from __future__ import annotations

import html

from . import template

__all__ = ["make"]


def make(module: str, *, name: str, labels: str, **values: object) -> str:
    """Return the page.

    Args:
        module: the text of the network's module, which becomes a part of it.
        name: the network's.
        labels: its classes, as a person reads them.
        values: other values that its template may name.
    """
    return template.fill(
        "page/page.html",
        name=html.escape(name),
        labels=html.escape(labels),
        heading="Draw a digit" if labels.replace(" ", "").isdigit() else "Draw, and the network reads",
        style=template.read("page/page.css").rstrip(),
        module=module.rstrip(),
        script=template.read("page/page.js").rstrip(),
    )
