"""Check stable readings by what is known of the number: how many digits it has, and that it never falls."""

from __future__ import annotations

from dataclasses import dataclass, replace

from .number_reading import Reading

__all__ = ["ReadingRules"]

_ROLL_OVER = 10  # one in so many of all numbers is the most that a counter may have gone on over 0


@dataclass
class ReadingRules:
    """Rules for the readings of one camera, with the last number that kept them.

    Attributes:
        expect: number of digits; None where any number will do.
        rising: whether the number is a counter, which does not fall but rolls over from 99...9 to 0.
    """

    expect: int | None = None
    rising: bool = False
    last: str | None = None

    def judge(self, reading: Reading) -> tuple[Reading, str | None]:
        """Return a reading, not accepted where it breaks a rule, and a remark on one that is: it rolled over."""
        if not reading.accepted:
            return reading, None
        text = reading.text
        if self.expect is not None and len(text) != self.expect:
            return _refused(reading, f"{_count(text)}, expected {self.expect}"), None
        if not self.rising:
            return reading, None
        if not (text.isascii() and text.isdecimal()):
            return _refused(reading, "no number, so nothing tells whether it rises"), None
        last, remark = self.last, None
        if last is not None and int(text) < int(last):
            period = 10 ** len(last)
            if len(text) != len(last) or (int(text) - int(last)) % period > period // _ROLL_OVER:
                return _refused(reading, f"it falls: the last accepted reading is {last}"), None
            remark = f"rolled over after {last}"
        self.last = text
        return reading, remark


def _refused(reading: Reading, reason: str) -> Reading:
    return replace(reading, reason=reason)


def _count(text: str) -> str:
    return "1 digit" if len(text) == 1 else f"{len(text)} digits"
