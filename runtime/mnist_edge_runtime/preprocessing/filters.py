"""Arrays of other sizes: smoothly resampled, or averaged over blocks."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["block_means", "reduction", "resampled"]

_BLOCK_ROWS = 1 << 22  # bytes that block_means widens at a time


def resampled(plane: NDArray[np.floating[Any]], height: int, width: int) -> NDArray[np.float32]:
    """Return a plane of so many rows and columns, float32; a triangle filter smooths what shrinks."""
    return _weights(plane.shape[0], height) @ plane.astype(np.float32) @ _weights(plane.shape[1], width).T


def reduction(shape: tuple[int, ...], pixels: int) -> int:
    """Return the side of the blocks by whose means a picture of this shape comes to at most about `pixels`."""
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


def _weights(source: int, target: int) -> NDArray[np.float32]:
    """Return the matrix (target, source) that resamples with a triangle filter, widened when it shrinks."""
    step = source / target
    reach = max(step, 1.0)
    centres = (np.arange(target) + 0.5) * step - 0.5
    weights = np.maximum(0, 1 - np.abs(np.arange(source) - centres[:, np.newaxis]) / reach)
    return (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
