"""Resample a plane to another size, in fixed point."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

__all__ = ["resample"]

_ONE = 1 << 12  # of a weight: the weights of a pixel add up to it, but for rounding
_SHIFT = 6  # bits that each direction leaves out, so that both give the values in 1 / _ONE


def resample(plane: NDArray[np.uint8], height: int, width: int) -> NDArray[np.int64]:
    """Return a plane at another size, (height, width), in units of 1 / 4096.

    Where it shrinks, a pixel is the mean of the area that it covers; where it grows, it lies on the line between two.
    """
    rows = (_weights(plane.shape[0], height) @ plane.astype(np.float64)).astype(np.int64) >> _SHIFT
    return (rows.astype(np.float64) @ _weights(plane.shape[1], width).T).astype(np.int64) >> _SHIFT


@lru_cache(400)
def _weights(source: int, target: int) -> NDArray[np.float64]:
    """Return the weights, (target, source), of each pixel of the source for each pixel of the target.

    They are integers, as floats: numpy multiplies matrices of these much faster, and exactly, since all sums are below
    2^53.
    """
    pixels, targets = np.arange(source, dtype=np.int64), np.arange(target, dtype=np.int64)[:, np.newaxis]
    if source >= target:
        shared = np.minimum((targets + 1) * source, (pixels + 1) * target) - np.maximum(
            targets * source, pixels * target
        )
    else:
        shared = 2 * target - abs(2 * target * pixels - ((2 * targets + 1) * source - target))
    shared = np.maximum(0, shared)
    return ((shared * (2 * _ONE) // shared.sum(axis=1, keepdims=True) + 1) >> 1).astype(np.float64)
