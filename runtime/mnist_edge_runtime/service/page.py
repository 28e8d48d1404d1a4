"""Join the page: its sources and the module of a network, in one HTML file that needs nothing else."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from functools import lru_cache
from importlib.resources import files
from typing import Any

from ..models import bundled_module

__all__ = ["finished", "labelling", "policy"]

# In the order in which they need each other.
_SCRIPTS = (
    "elements",
    "strokes",
    "paper",
    "pictures",
    "answer",
    "device",
    "numbers",
    "archive",
    "class_names",
    "keep",
    "look_inside",
    "camera",
    "start",
)
_FEW = 20  # labels that are all named
_CONTRACT = re.compile(r"^export const contract = (.*);$", re.MULTILINE)


@lru_cache(maxsize=2)
def finished(module: str | None = None, *, is_served: bool = True) -> str:
    """Return the page as HTML.

    Args:
        module: the text of the network's module, which becomes a part of it; by default that of the network `small`.
        is_served: whether a device gives it out, which it may then ask; otherwise it may connect to nothing.

    Raises:
        ValueError: the text is no module that an export made.
    """
    text = bundled_module() if module is None else module
    if (found := _CONTRACT.search(text)) is None:
        raise ValueError("a module has a line that begins with 'export const contract = '")
    contract: dict[str, Any] = json.loads(found[1])
    labels = [str(label) for label in contract["labels"]]
    script = "\n".join(_read(f"{name}.js").rstrip() for name in _SCRIPTS)
    script = f"\n{text.rstrip()}\n\n{{\n{script}\n}}\n"
    style = f"\n{_read('page.css').rstrip()}\n"
    values = {
        "served": "true" if is_served else "false",
        "policy": _policy(script, style, is_served),
        "heading": "Draw a digit" if "".join(labels).isdigit() else "Draw, and the network reads",
        "name": html.escape(str(contract["web"]["name"])),
        "labels": html.escape(_spoken(labels)),
        "style": style,
        "script": script,
    }
    return re.sub(r"@([a-z]+)@", lambda key: values[key[1]], _read("page.html"))


@lru_cache(maxsize=1)
def labelling() -> str:
    """Return the page on which pictures are sorted, as HTML; it may ask who served it, and nobody else."""
    script, style = (
        "\n" + "\n".join(_read(name).rstrip() for name in names) + "\n"
        for names in (("elements.js", "label.js"), ("page.css", "label.css"))
    )
    values = {"policy": _policy(script, style, True), "style": style, "script": script}
    return re.sub(r"@([a-z]+)@", lambda key: values[key[1]], _read("label.html"))


def _spoken(labels: list[str]) -> str:
    if labels == list("0123456789"):
        return "digits"
    return ", ".join(labels) if len(labels) <= _FEW else f"{len(labels)} classes"


def policy(page: str) -> str:
    """Return the Content-Security-Policy that a finished page has, as a header, with what only a header can say."""
    found = re.search(r'Content-Security-Policy" content="([^"]*)"', page)
    assert found
    return f"{found[1]}; frame-ancestors 'none'"


def _policy(script: str, style: str, is_served: bool) -> str:
    """Return what the page may do: run this script, show this style and pictures, and ask nobody but who served it."""
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src '{_hash(script)}'",
            f"style-src '{_hash(style)}'",
            "img-src blob: data:",
            "connect-src 'self'" if is_served else "connect-src 'none'",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _read(name: str) -> str:
    return files(__package__).joinpath("page", name).read_text(encoding="utf-8")
