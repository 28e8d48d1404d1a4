"""Resample a plane, average it over blocks, and filter it by square windows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["block_means", "box_sum", "dilate", "min_max_filter", "reduction_factor", "resample"]

Plane = NDArray[np.float32]

_BLOCK_ROWS = 1 << 22  # bytes that block_means widens at a time


def resample(plane: NDArray[np.floating[Any]], height: int, width: int) -> Plane:
    """Return a plane at another size, float32 (height, width); a triangle filter smooths what shrinks."""
    return _weights(plane.shape[0], height) @ plane.astype(np.float32) @ _weights(plane.shape[1], width).T


def _weights(source: int, target: int) -> Plane:
    """Return the matrix (target, source) that resamples with a triangle filter, widened when it shrinks."""
    step = source / target
    reach = max(step, 1.0)
    centres = (np.arange(target) + 0.5) * step - 0.5
    weights = np.maximum(0, 1 - np.abs(np.arange(source) - centres[:, np.newaxis]) / reach)
    return (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)


def reduction_factor(shape: tuple[int, ...], pixels: int) -> int:
    """Return the side of the blocks whose means reduce a picture of this shape to about `pixels` pixels at most."""
    return max(1, int(np.ceil(np.sqrt(shape[0] * shape[1] / pixels) - 0.05)))


def block_means(picture: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Return the mean of each block of side x side pixels; a remainder at the far edges is left out."""
    if side == 1:
        return picture
    height, width = picture.shape[0] // side, picture.shape[1] // side
    means = np.empty((height, width), np.uint8)
    rows = max(1, _BLOCK_ROWS // (width * side * 4))  # a strip at a time: the whole in floats would fill a small board
    for top in range(0, height, rows):
        strip = picture[top * side : (top + rows) * side, : width * side][: (height - top) * side]
        summed = np.add.reduceat(strip, np.arange(0, len(strip), side), axis=0, dtype=np.uint32)
        blocks = summed.reshape(len(summed), width, side).sum(axis=2)
        means[top : top + len(blocks)] = (blocks + side * side // 2) // (side * side)
    return means


def min_max_filter(plane: Plane, reach: int, pick: Callable[[Plane, Plane], Plane]) -> Plane:
    """Return the maximum or minimum of the square window around each pixel whose whole window lies in the plane.

    The cost grows with the logarithm of the window: each step compares twice as many pixels as the one before.

    Args:
        plane: (H, W).
        reach: pixels from the centre of the window to its edge; the result has 2 * reach fewer rows and columns.
        pick: np.maximum or np.minimum.
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


def box_sum(mask: NDArray[np.bool_], side: int) -> NDArray[Any]:
    """Return the number of set pixels in each window of side x side, from a summed-area table."""
    table = np.pad(np.cumsum(np.cumsum(mask, axis=0, dtype=np.int32), axis=1, dtype=np.int32), ((1, 0), (1, 0)))
    return table[side:, side:] - table[:-side, side:] - table[side:, :-side] + table[:-side, :-side]


def dilate(mask: NDArray[np.bool_], reach: int) -> NDArray[np.bool_]:
    """Return the mask dilated by a square that reaches `reach` pixels to each side."""
    return box_sum(np.pad(mask, reach), 2 * reach + 1) > 0
