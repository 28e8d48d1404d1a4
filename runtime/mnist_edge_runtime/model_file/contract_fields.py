"""Check the kind and the range of each value of a contract."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from ..text_output import short

__all__ = ["Number", "OneOf", "Rule", "Text", "as_list", "as_object", "check"]


class OneOf(NamedTuple):
    """A rule: one of these values, of the same type."""

    values: Collection[Any]  # a table, too, whose rows may be added later

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
            raise ValueError(f"{name} is {short(values[name])}, expected {expected}")


def as_object(value: Any, name: str) -> Mapping[str, Any]:
    """Return a value of JSON that must be an object.

    Raises:
        ValueError: it is none; `name` says where it stands.
    """
    if not isinstance(value, Mapping):
        raise ValueError(f"{name} is {short(value)}, expected an object")
    return value


def as_list(value: Any, name: str) -> list[Any]:
    """Return a value of JSON that must be a list.

    Raises:
        ValueError: it is none; `name` says where it stands.
    """
    if not isinstance(value, list):
        raise ValueError(f"{name} is {short(value)}, expected a list")
    return value
