"""Print what a command found: one JSON document, or text for a person."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from .text_output import printable

__all__ = ["HELP", "print_json", "print_result"]

HELP = "Print one JSON document on stdout and nothing else."


def print_json(document: Mapping[str, Any]) -> None:
    """Print `document` on stdout as one line of JSON.

    Raises:
        ValueError: it holds NaN or infinity, which JSON does not have.
    """
    print(json.dumps(document, allow_nan=False))


def print_result(as_json: bool, document: Mapping[str, Any], text: str) -> None:
    """Print `document` as JSON, or else `text`, which may have several lines."""
    if as_json:
        print_json(document)
    else:
        print(printable(text, keep="\n"))
