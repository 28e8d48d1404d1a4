"""Count grey levels, and tell from the counts: median, noise, the Otsu threshold."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["LEVELS", "NONE", "histogram", "median", "noise", "otsu_threshold"]

Counts = NDArray[np.int64]  # (256,)

LEVELS = np.arange(256, dtype=np.int64)
NONE = 255  # a threshold that nothing exceeds
_CHUNK = 1 << 14  # pixels counted at a time; bincount widens them to 64 bits
_SAMPLE = 10_000  # pixels that the noise is estimated from, twice as many at most
_DEVIATION = (1048, 1000)  # sixteenths of a level: deviation by median difference of neighbours, 1 / (0.6745 sqrt(2))
_MANY = 4096  # pixels above which the products of Otsu's method are shifted, so that they stay below 2^53
_SOME = 2048  # pixels up to which partitioning is faster than counting


def histogram(plane: NDArray[np.uint8]) -> Counts:
    """Return how many pixels have each of the 256 levels."""
    flat = plane.ravel()
    counts = np.bincount(flat[:_CHUNK], minlength=256).astype(np.int64, copy=False)  # of 32 bits on a system of 32
    for start in range(_CHUNK, len(flat), _CHUNK):
        counts += np.bincount(flat[start : start + _CHUNK], minlength=256)
    return counts


def median(values: NDArray[np.uint8]) -> int:
    """Return the median; of an even number of values the higher one of the two in the middle."""
    middle = len(values) >> 1
    if len(values) > _SOME:
        return int(histogram(values).cumsum().searchsorted(middle, side="right"))
    return int(np.partition(values, middle)[middle])


def noise(picture: NDArray[np.uint8]) -> int:
    """Return the standard deviation of the noise, in sixteenths of a grey level.

    From the median difference between neighbours in a row, interpolated within its level.
    """
    if picture.size > 2 * _SAMPLE:
        picture = picture[:: picture.size // _SAMPLE]
    right, left = picture[:, 1:], picture[:, :-1]
    counts = histogram(np.maximum(right, left) - np.minimum(right, left))
    below = counts.cumsum()
    total = int(below[-1])
    level = int(below.searchsorted((total + 1) >> 1))
    # Differences of one level are taken to lie evenly within half a level on each side of it.
    before, start, width = (int(below[level - 1]), 16 * level - 8, 16) if level else (0, 0, 8)
    middle = start + width * ((total >> 1) - before) // int(counts[level])
    return middle * _DEVIATION[0] // _DEVIATION[1]


def otsu_threshold(counts: Counts, floor: int) -> int:
    """Return the level that separates best, by Otsu's method, the levels above `floor`; `NONE` where there is none.

    The higher class lies above it. The variance between the classes is compared by means in sixteenths.
    """
    # Of levels that separate the same pixels the lowest counts: it has pixels itself.
    levels = counts[floor + 1 :].nonzero()[0].astype(np.int64, copy=False)
    levels += floor + 1
    if len(levels) < 2:
        return int(levels[0]) - 1 if len(levels) else NONE
    counts = counts[levels]
    below, masses = counts.cumsum(), (counts * levels).cumsum()
    total = int(below[-1])
    lower, mass = below[:-1], masses[:-1]
    upper = total - lower
    apart = (masses[-1] - mass) * 16 // upper - mass * 16 // lower
    products = lower * upper
    if total > _MANY:
        products >>= 6
    return int(levels[(apart * apart * products).argmax()])
