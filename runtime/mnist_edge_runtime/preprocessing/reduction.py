"""Reduce a picture to the size in which a digit is looked for, by the means of its blocks."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["block_means", "block_sides"]

_STRIP = 1 << 16  # sums that are held at a time; the whole in wider integers would fill a small board
_FEW = 8  # pixels of a block's side up to which its columns are added one after the other


def block_sides(shape: tuple[int, ...], longest: int) -> tuple[int, int]:
    """Return height and width of the blocks that leave at most `longest` on the longer side, and three on each."""
    side = -(-max(shape) // longest)
    return min(side, max(1, shape[0] // 3)), min(side, max(1, shape[1] // 3))


def block_means(picture: NDArray[np.uint8], down: int, across: int) -> NDArray[np.uint8]:
    """Return the mean of each block of down x across pixels, halves rounded up; a rest at the far edges is left out.

    Args:
        picture: uint8 (H, W).
        down: height of a block, in pixels.
        across: width of a block, in pixels.
    """
    if down == across == 1:
        return np.ascontiguousarray(picture)
    if abs(picture.strides[0]) < abs(picture.strides[1]):  # a photo that EXIF turns: along its rows in memory
        return np.ascontiguousarray(block_means(picture.T, across, down).T)
    height, width, count = picture.shape[0] // down, picture.shape[1] // across, down * across
    means = np.empty((height, width), np.uint8)
    rows = max(1, _STRIP // (width * across))
    for top in range(0, height, rows):
        strip = picture[top * down : min(top + rows, height) * down, : width * across]
        sums = _sums_of_columns(_sums_of_rows(strip, down), across, np.uint16 if count <= 257 else np.uint32)
        if count > 128:
            sums = sums.astype(np.uint32)  # in 16 bits, half of a block more would not fit
        sums += count >> 1
        sums //= count
        means[top : top + rows] = sums
    return means


def _sums_of_rows(strip: NDArray[np.uint8], down: int) -> NDArray[Any]:
    if down == 1:
        return strip
    blocks = strip.reshape(len(strip) // down, down, strip.shape[1])
    return np.add.reduce(blocks, axis=1, dtype=np.uint16 if down <= 257 else np.uint32)


def _sums_of_columns(strip: NDArray[Any], across: int, wide: type[np.unsignedinteger[Any]]) -> NDArray[Any]:
    if across > _FEW:
        return np.asarray(np.einsum("ijk->ij", strip.reshape(len(strip), -1, across), dtype=wide))
    sums = strip[:, ::across].astype(wide)
    for column in range(1, across):
        sums += strip[:, column::across]
    return sums
