"""Normalize stroke width: hairlines become as wide as MNIST's strokes, or they would fade when scaled down."""

from __future__ import annotations

from itertools import product

import numpy as np
from numpy.typing import NDArray

from .filters import resample

__all__ = ["normalize_stroke_width"]

Plane = NDArray[np.float32]

_BOX = 80  # pixels of the box in which strokes are widened
_THIN = 1.5 / 20  # share of the box: narrower strokes are widened
_WIDTH = 2.2 / 20  # share of the box: to this width


def normalize_stroke_width(digit: Plane) -> Plane:
    """Return a digit's ink strength, (H, W), with strokes widened that would fade in a box of 20 pixels."""
    longest = max(digit.shape)
    if _mean_width(digit) >= _THIN * longest:
        return digit
    pooled = _max_pool(digit, max(1, longest // _BOX))
    scale = _BOX / max(pooled.shape)
    fine = resample(pooled, max(1, round(pooled.shape[0] * scale)), max(1, round(pooled.shape[1] * scale)))
    fine = np.clip(fine / max(float(fine.max()), 1e-9), 0, 1)
    radius = (_WIDTH * _BOX - _mean_width(fine)) / 2
    return _dilate_by_disc(np.pad(fine, int(np.ceil(radius))), radius) if radius >= 0.5 else fine


def _mean_width(digit: Plane) -> float:
    """Return the mean width of the strokes, in pixels: twice their area divided by the length of their outline.

    An outline counted in steps along the axes is 4 / pi times too long, averaged over all directions.
    """
    mask = np.pad(digit >= 0.5 * digit.max(), 1)
    outline = np.count_nonzero(mask[1:] != mask[:-1]) + np.count_nonzero(mask[:, 1:] != mask[:, :-1])
    return float(2 * mask.sum() / max(outline, 1) * (4 / np.pi))


def _max_pool(digit: Plane, side: int) -> Plane:
    """Return the maximum of each block of side x side; those at the far edges may be smaller."""
    rows = np.maximum.reduceat(digit, np.arange(0, digit.shape[0], side), axis=0)
    return np.maximum.reduceat(rows, np.arange(0, digit.shape[1], side), axis=1)


def _dilate_by_disc(plane: Plane, radius: float) -> Plane:
    """Return the grey dilation by a disc: the maximum within it around each pixel."""
    reach = int(np.ceil(radius))
    height, width = plane.shape
    page, dilated = np.pad(plane, reach), plane.copy()
    for y, x in product(range(-reach, reach + 1), repeat=2):
        # A pixel on the rim of the disc weighs as much as lies within it: the width grows in fractions of a pixel.
        if (weight := min(radius + 0.5 - float(np.hypot(y, x)), 1.0)) > 0:
            moved = page[reach + y : reach + y + height, reach + x : reach + x + width]
            np.maximum(dilated, moved * np.float32(weight), out=dilated)
    return dilated
