"""Parse a contract's JSON strictly, and check the kind and the range of each of its values.

Readers of JSON differ where a key stands twice, in byte order marks, and in numbers such as NaN or 1e400. A contract
has none of these, so that every reader takes it for the same contract.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

__all__ = ["Number", "OneOf", "Rule", "Text", "check", "check_leaves", "parse"]

_LARGEST_INTEGER = 2**63 - 1


class OneOf(NamedTuple):
    """A rule: one of these values, of the same type."""

    values: tuple[Any, ...]

    def objection(self, value: Any) -> str | None:
        """Return what was expected in place of `value`; None where it is right."""
        # By their text: Python takes True, 1 and 1.0 for equal.
        if repr(value) in map(repr, self.values):
            return None
        return " or ".join(map(repr, self.values))


class Text(NamedTuple):
    """A rule: a string that matches the regular expression, which `meaning` says in words, or none where it says so."""

    pattern: str
    meaning: str
    optional: bool = False

    def objection(self, value: Any) -> str | None:
        """Return what was expected in place of `value`; None where it is right."""
        if value is None and self.optional:
            return None
        return None if isinstance(value, str) and re.fullmatch(self.pattern, value) else self.meaning


class Number(NamedTuple):
    """A rule: a number from `low` to `high`, both included, and whole or missing only where it says so."""

    low: float
    high: float
    whole: bool = False
    optional: bool = False

    def objection(self, value: Any) -> str | None:
        """Return what was expected in place of `value`; None where it is right."""
        kinds = (int,) if self.whole else (int, float)
        # Python counts booleans as integers, JSON does not.
        if (value is None and self.optional) or (type(value) in kinds and self.low <= value <= self.high):
            return None
        low, high = (f"{limit:,.0f}" if self.whole else f"{limit:g}" for limit in (self.low, self.high))
        return f"a {'whole ' if self.whole else ''}number from {low} to {high}"


Rule = OneOf | Text | Number


def check(values: Mapping[str, Any], rules: Mapping[str, Rule]) -> None:
    """Compare each value with the rule of its name.

    Raises:
        ValueError: a value breaks its rule.
    """
    for name, rule in rules.items():
        if expected := rule.objection(values[name]):
            raise ValueError(f"{name} is {_shown(values[name])}, expected {expected}")


def parse(text: str | bytes) -> Any:
    """Return the document in a JSON text, in UTF-8 where it is bytes.

    Raises:
        ValueError: no JSON, with a byte order mark, in another encoding, or with a key that stands twice.
        RecursionError: nested too deeply.
    """
    return json.loads(text if isinstance(text, str) else text.decode(), object_pairs_hook=_object)


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
        names = [name for name, _ in pairs]
        raise ValueError(f"the key {next(name for name in names if names.count(name) > 1)!r} stands twice")
    return document


def _leaves(document: Any) -> Iterator[tuple[str, Any]]:
    """Yield every key, and every value that holds no others, with its dotted path; without recursion."""
    waiting: list[tuple[str, Any]] = [("", document)]
    while waiting:
        place, value = waiting.pop()
        if isinstance(value, Mapping):
            yield from ((place, key) for key in value)
            waiting.extend((f"{place}.{key}".lstrip("."), each) for key, each in value.items())
        elif isinstance(value, (list, tuple)):
            waiting.extend((place, each) for each in value)
        else:
            yield place, value


def _shown(value: Any) -> str:
    """Return a value out of a file as it stands in a message: on one line and short."""
    shown = ascii(value)
    return shown if len(shown) <= 80 else f"{shown[:77]}..."
