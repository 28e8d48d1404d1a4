"""Check the names of classes: each must stand on a line, in a table and in a file name list as it is."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from mnist_edge_runtime.errors import InputError

__all__ = ["check"]

_JOINERS = "\u200c\u200d"  # invisible, but some languages and emoji are not written without them
_REFUSED = {"Cc": "a control character", "Cf": "an invisible character", "Cs": "a byte that is no UTF-8"}
_REFUSED |= {"Zl": "a line break", "Zp": "a line break"}


def check(names: Sequence[str], where: str) -> None:
    """Check that each name is visible text on one line, and that no two are the same text.

    Raises:
        InputError: one is not; the message begins with `where`.
    """
    normalized: dict[str, str] = {}
    for name in names:
        if fault := _fault(name):
            raise InputError(f"{where}: the class name {name!a} {fault}; rename it")
        other = normalized.setdefault(unicodedata.normalize("NFC", name), name)
        if other != name:
            raise InputError(
                f"{where}: the class names {other!a} and {name!a} are the same text in two encodings; "
                "rename one, or put their images together"
            )


def _fault(name: str) -> str | None:
    """Return what is wrong with a name, or None."""
    if not name.strip():
        return "is empty" if not name else "is blank"
    if "\n" in name or "\r" in name:
        return "has a line break"
    for character in name:
        if character not in _JOINERS and (reason := _REFUSED.get(unicodedata.category(character))):
            return f"has {reason}"
    return "begins or ends with a blank" if name != name.strip() else None
