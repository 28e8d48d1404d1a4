"""Compare the names of classes as people write them, so that no class is there twice under two names."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

__all__ = ["DISCARDED", "LEAST_OF_NEW", "UNSURE", "nearly", "plain"]

UNSURE = "unsure"  # the folder of pictures that nobody has labelled yet
DISCARDED = "discarded"  # and of those that show none of the classes
LEAST_OF_NEW = 5  # pictures of a class that the network does not know, which a training needs
_WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def plain(name: str) -> str:
    """Return a name without what people write in different ways; of single letters, A and a stay apart."""
    found = re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", name)) or name
    found = found if len(found) == 1 else found.casefold()
    if found.isdecimal():
        return "".join(str(unicodedata.decimal(digit)) for digit in found).lstrip("0") or "0"
    return str(_WORDS.index(found)) if found in _WORDS else found


def nearly(name: str, others: Iterable[str]) -> str | None:
    """Return the first of `others` that is another name and yet, to a person, the same; None where there is none."""
    own = plain(name)
    return next((other for other in others if other != name and plain(other) == own), None)
