"""Place a label beside each point without overlaps."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Box", "Place", "place"]

_LETTER, _LINE = 6.8, 12.0  # units: width and height of a label's letter at 11 units
_DOT = 6.0  # units: radius
_DISTANCES = (10.0, 18.0, 28.0, 40.0, 54.0)
_DIRECTIONS = ((1, 0), (-1, 0), (0, -1), (0, 1), (1, -1), (1, 1), (-1, -1), (-1, 1))


@dataclass(frozen=True)
class Box:
    """A rectangle, in the units of the drawing."""

    left: float
    top: float
    right: float
    bottom: float

    def overlap(self, other: Box) -> float:
        """Return the area of the intersection."""
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.bottom, other.bottom) - max(self.top, other.top)
        return width * height if width > 0 and height > 0 else 0.0

    def outside(self, frame: Box) -> float:
        """Return the area outside of `frame`."""
        return (self.right - self.left) * (self.bottom - self.top) - self.overlap(frame)


@dataclass(frozen=True)
class Place:
    """The place of a label: the middle of its box, and whether it needs a line to its point."""

    x: float
    y: float
    is_far: bool


def place(
    points: Sequence[tuple[float, float]], texts: Sequence[str], frame: Box, taken: Sequence[Box] = ()
) -> list[Place]:
    """Return a place for each label: the nearest free one, else the one that covers least.

    Args:
        points: the dots.
        texts: the label of each.
        frame: the area that the labels stay in.
        taken: further areas that they do not cover.
    """
    occupied = [*taken, *(Box(x - _DOT, y - _DOT, x + _DOT, y + _DOT) for x, y in points)]
    places = []
    for (x, y), text in zip(points, texts, strict=True):
        width = len(text) * _LETTER
        best: tuple[float, Box, bool] | None = None
        for distance, (right, down) in itertools.product(_DISTANCES, _DIRECTIONS):
            middle_x, middle_y = x + right * (distance + width / 2), y + down * (distance + _LINE / 4)
            box = Box(middle_x - width / 2, middle_y - _LINE / 2, middle_x + width / 2, middle_y + _LINE / 2)
            cost = sum(box.overlap(other) for other in occupied) + 10 * box.outside(frame)
            if best is None or cost < best[0]:
                best = cost, box, distance > _DISTANCES[0]
        assert best
        _, box, is_far = best
        occupied.append(box)
        places.append(Place((box.left + box.right) / 2, (box.top + box.bottom) / 2, is_far))
    return places
