"""What lies in the square window around each pixel, at a cost that hardly grows with the window."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["extremes", "sums", "within"]

Plane = NDArray[np.float32]


def extremes(plane: Plane, reach: int, pick: Callable[[Plane, Plane], Plane]) -> Plane:
    """Return the maximum (`pick` np.maximum) or minimum within `reach` on each side, where all of the window is there.

    Twice as many pixels are compared in each step.
    """
    window = 2 * reach + 1
    for _ in range(2):
        size = 1
        while 2 * size <= window:
            plane, size = pick(plane[:-size], plane[size:]), 2 * size
        if size < window:
            plane = pick(plane[: size - window], plane[window - size :])
        plane = plane.T
    return plane


def sums(mask: NDArray[np.bool_], side: int) -> NDArray[Any]:
    """Return how much of the mask each square of side x side holds; the first begins in the corner."""
    whole = np.pad(np.cumsum(np.cumsum(mask, axis=0, dtype=np.int32), axis=1, dtype=np.int32), ((1, 0), (1, 0)))
    return whole[side:, side:] - whole[:-side, side:] - whole[side:, :-side] + whole[:-side, :-side]


def within(mask: NDArray[np.bool_], reach: int) -> NDArray[np.bool_]:
    """Return where any of the mask lies within `reach` on each side."""
    return sums(np.pad(mask, reach), 2 * reach + 1) > 0
