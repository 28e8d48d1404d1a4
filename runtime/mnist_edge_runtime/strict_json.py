"""Parse JSON in one way only.

Readers of JSON differ where a key stands twice, in byte order marks, and in numbers such as NaN or 1e400. What `parse`
and `check_leaves` let pass has none of these, so that every reader takes it for the same document.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["check_leaves", "parse"]

_LARGEST_INTEGER = 2**63 - 1
_MOST_DIGITS = 1000  # of a whole number, which takes the time of their square to read
_LONGEST = 80  # characters of a key or of a path that a message shows; a path in full could fill the memory


def parse(text: str | bytes) -> Any:
    """Return the document in a JSON text, in UTF-8 where it is bytes.

    Raises:
        ValueError: no JSON, with a byte order mark, in another encoding, with a key that stands twice, nested too
            deeply, or with a whole number of thousands of digits.
    """
    try:
        text = text if isinstance(text, str) else text.decode()
    except UnicodeDecodeError as error:
        raise ValueError(f"it is not in UTF-8, byte {error.start + 1:,} is none of it") from None
    if text.startswith("\ufeff"):
        raise ValueError("it begins with a byte order mark (BOM)")
    try:
        return json.loads(text, object_pairs_hook=_object, parse_int=_integer)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _integer(digits: str) -> int:
    if len(digits) > _MOST_DIGITS:
        raise ValueError(f"it has a whole number of {len(digits):,} digits")
    return int(digits)


def check_leaves(document: Any) -> None:
    """Check every number and every string of a document, also those that no rule names.

    Raises:
        ValueError: a number is not finite or beyond 64 bits, or UTF-8 cannot hold a string.
    """
    for place, value in _leaves(document):
        if isinstance(value, str):
            try:
                value.encode()
            except UnicodeEncodeError:
                raise ValueError(f"{place} holds a character that UTF-8 cannot hold") from None
        elif isinstance(value, float) and not math.isfinite(value):
            raise ValueError(f"{place} is {value!r}, expected a finite number")
        elif type(value) is int and abs(value) > _LARGEST_INTEGER:
            raise ValueError(f"{place} is a whole number beyond 64 bits")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) < len(pairs):
        seen: set[str] = set()
        twice = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise ValueError(f"the key {twice[:_LONGEST]!a} stands twice")
    return document


def _leaves(document: Any) -> Iterator[tuple[str, Any]]:
    """Yield every key, and every value that holds no others, with its dotted path; without recursion."""
    waiting: list[tuple[str, Any]] = [("", document)]
    while waiting:
        place, value = waiting.pop()
        if isinstance(value, Mapping):
            yield from ((place, key) for key in value)
            waiting.extend((f"{place}.{_shown(key)}".lstrip(".")[-_LONGEST:], each) for key, each in value.items())
        elif isinstance(value, (list, tuple)):
            waiting.extend((place, each) for each in value)
        else:
            yield place, value


def _shown(key: str) -> str:
    """Return a key as it stands in a message: on one line and short."""
    return ascii(key[:_LONGEST])[1:-1]
