"""Resample a plane, average it over blocks, and filter it by square windows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError

__all__ = ["block_means", "box_sum", "clipped", "dilate", "min_max_filter", "reduction_factor", "resample"]

Plane = NDArray[np.float32]

_BLOCK_ROWS = 1 << 22  # bytes that block_means widens at a time
_WEIGHTS = 1 << 20  # weights that are computed at a time


def resample(plane: NDArray[np.floating[Any]], height: int, width: int) -> Plane:
    """Return a plane at another size, float32 (height, width); a triangle filter smooths what shrinks."""
    pixels = plane.astype(np.float32)
    if max(plane.shape[0] * height, plane.shape[1] * width) <= _WEIGHTS:
        return _weights(plane.shape[0], height) @ pixels @ _weights(plane.shape[1], width).T
    return _resample_rows(_resample_rows(pixels, height).T, width).T


def _resample_rows(plane: Plane, target: int) -> Plane:
    """Return a plane with `target` rows; the weights, a matrix, would outgrow a plane that is a long strip."""
    source = len(plane)
    count = max(1, _WEIGHTS // source)
    parts = [(top, min(top + count, target)) for top in range(0, target, count)]
    return np.concatenate([_weights(source, target, *part) @ plane for part in parts])


def _weights(source: int, target: int, top: int = 0, bottom: int | None = None) -> Plane:
    """Return rows of the matrix (target, source) that resamples with a triangle filter, widened when it shrinks."""
    step, bottom = source / target, target if bottom is None else bottom
    reach = max(step, 1.0)
    centres = (np.arange(top, bottom) + 0.5) * step - 0.5
    weights = np.maximum(0, 1 - np.abs(np.arange(source) - centres[:, np.newaxis]) / reach)
    return (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)


def reduction_factor(shape: tuple[int, ...], pixels: int) -> int:
    """Return the side of the blocks whose means reduce a picture of this shape to about `pixels` pixels at most.

    Raises:
        InputError: the picture is so narrow for its length that fewer than three blocks lie side by side.
    """
    side = max(1, int(np.ceil(np.sqrt(shape[0] * shape[1] / pixels) - 0.05)))
    if min(shape[:2]) < 3 * side > 3:
        raise InputError(f"{shape[1]} x {shape[0]} pixels are too long a strip to look for digits in; cut them out")
    return side


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


def clipped(reach: int, shape: tuple[int, ...]) -> tuple[int, int]:
    """Return how far a window reaches down and across in a plane of this shape, beyond whose far side is nothing.

    What is padded for the window then grows with the plane, not with the square of its longer side.
    """
    return min(reach, shape[0] - 1), min(reach, shape[1] - 1)


def min_max_filter(plane: Plane, reach: tuple[int, int], pick: Callable[[Plane, Plane], Plane]) -> Plane:
    """Return the maximum or minimum of the window around each pixel whose whole window lies in the plane.

    The cost grows with the logarithm of the window: each step compares twice as many pixels as the one before.

    Args:
        plane: (H, W).
        reach: pixels from the centre of the window to its edge, down and across; the result has twice as many fewer
            rows and columns.
        pick: np.maximum or np.minimum.
    """
    for far in reach:
        window, size = 2 * far + 1, 1
        while 2 * size <= window:
            plane, size = pick(plane[:-size], plane[size:]), 2 * size
        if size < window:
            plane = pick(plane[: size - window], plane[window - size :])
        plane = plane.T
    return plane


def box_sum(mask: NDArray[np.bool_], reach: tuple[int, int]) -> NDArray[Any]:
    """Return the number of set pixels in the window around each pixel, from a summed-area table.

    Args:
        mask: (H, W); outside of it nothing is set.
        reach: pixels from the centre of the window to its edge, down and across.
    """
    down, across = reach
    padded = np.pad(mask, ((down, down), (across, across)))
    table = np.pad(np.cumsum(np.cumsum(padded, axis=0, dtype=np.int32), axis=1, dtype=np.int32), ((1, 0), (1, 0)))
    high, wide = 2 * down + 1, 2 * across + 1
    return table[high:, wide:] - table[:-high, wide:] - table[high:, :-wide] + table[:-high, :-wide]


def dilate(mask: NDArray[np.bool_], reach: int) -> NDArray[np.bool_]:
    """Return the mask dilated by a square that reaches `reach` pixels to each side."""
    return box_sum(mask, clipped(reach, mask.shape)) > 0
