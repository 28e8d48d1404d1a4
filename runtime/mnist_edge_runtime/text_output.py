"""Make text from files, labels and contracts safe to print on a terminal, and to open as a table."""

from __future__ import annotations

import re

__all__ = ["cell", "percent", "printable", "short"]

_LONGEST = 80  # characters of a value in a message

# Controls (C0, DEL, C1), line and paragraph separators, marks that turn the direction of text, lone surrogates.
_HIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
_FROM_STDIN = re.compile(r"-:\d+")  # our own names of pictures
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def printable(text: str, *, keep: str = "") -> str:
    """Return text with everything that a terminal would obey, and not show, written as an escape.

    Args:
        text: any text, also a file's name that is no UTF-8.
        keep: characters that stay, such as line breaks of our own.
    """
    return _HIDDEN.sub(lambda found: found[0] if found[0] in keep else ascii(found[0])[1:-1], text)


def short(value: object) -> str:
    """Return a value out of a file as it stands in a message: as Python writes it, on one line and short."""
    shown = ascii(value)
    return shown if len(shown) <= _LONGEST else f"{shown[: _LONGEST - 3]}..."


def percent(probability: float, decimals: int = 1) -> str:
    """Return a probability as a person reads it, 99.9% at most: it is never rounded up to what no network is, sure."""
    return f"{min(probability, 1 - 10 ** -(2 + decimals)):.{decimals}%}"


def cell(text: str) -> str:
    """Return text for a cell of a table: what a spreadsheet would take for a formula begins with an apostrophe.

    Source: https://owasp.org/www-community/attacks/CSV_Injection
    """
    return f"'{text}" if text.startswith(_FORMULA) and not _FROM_STDIN.fullmatch(text) else text
