"""Find the reading on which consecutive frames agree."""

from __future__ import annotations

from typing import NamedTuple

from .number_reading import Reading

__all__ = ["STABLE", "UNSTEADY", "Stability", "Stable"]

STABLE = 4  # consecutive frames with the same accepted reading; docs/camera.md has what fewer and more would give
_DOUBTFUL = 2 * STABLE  # consecutive frames with the same reading, or none, until it is told as not accepted
_LOST = 5 * STABLE  # frames without any of these until that is told
UNSTEADY = "the frames do not agree"


class Stable(NamedTuple):
    """A reading, and the number of consecutive frames that agree on it; their number so far where none do."""

    reading: Reading
    frames: int


class Stability:
    """The readings of consecutive frames, of which only a few numbers are kept."""

    def __init__(self, frames: int = STABLE) -> None:
        self._needed = frames
        self._text: str | None = None
        self._same = self._accepted = self._unsteady = 0
        self._is_accepted = False

    def add(self, reading: Reading) -> Stable | None:
        """Add the reading of the next frame, and return what the last frames agree on, if they do.

        A reading is accepted once enough consecutive frames accept it, and then for as long as they agree on it.
        """
        if reading.text == self._text:
            self._same += 1
        else:
            self._text, self._same, self._accepted, self._is_accepted = reading.text, 1, 0, False
        self._accepted = self._accepted + 1 if reading.accepted else 0
        self._is_accepted |= self._accepted >= self._needed
        self._unsteady += 1
        if self._is_accepted:
            self._unsteady = 0
            return Stable(Reading(reading.text, reading.digits), self._same)
        if self._same >= _DOUBTFUL * self._needed // STABLE and not reading.accepted:
            self._unsteady = 0
            return Stable(reading, self._same)
        if self._unsteady >= _LOST * self._needed // STABLE:
            return Stable(Reading("", reason=UNSTEADY), self._unsteady)
        return None
