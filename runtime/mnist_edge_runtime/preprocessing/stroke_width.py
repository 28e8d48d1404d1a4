"""The width of a digit's strokes: hair-thin ones are made as wide as those of MNIST, or they would fade away."""

from __future__ import annotations

from itertools import product

import numpy as np
from numpy.typing import NDArray

from .filters import resampled

__all__ = ["thickened"]

Plane = NDArray[np.float32]

_FINE = 80  # pixels of the box in which strokes are thickened
_THIN = 1.5 / 20  # of the box: narrower strokes are thickened
_WIDTH = 2.2 / 20  # of the box: to this width


def thickened(digit: Plane) -> Plane:
    """Return a digit's strength, (H, W), with strokes that would fade in a box of 20 pixels made wider."""
    longest = max(digit.shape)
    if _width(digit) >= _THIN * longest:
        return digit
    pooled = _pooled(digit, max(1, longest // _FINE))
    scale = _FINE / max(pooled.shape)
    fine = resampled(pooled, max(1, round(pooled.shape[0] * scale)), max(1, round(pooled.shape[1] * scale)))
    fine = np.clip(fine / max(float(fine.max()), 1e-9), 0, 1)
    radius = (_WIDTH * _FINE - _width(fine)) / 2
    return _grown(np.pad(fine, int(np.ceil(radius))), radius) if radius >= 0.5 else fine


def _width(digit: Plane) -> float:
    """Return the mean width of the strokes, in pixels: twice their area by their outline.

    An outline counted in steps along the axes is 4 / pi times too long, averaged over all directions.
    """
    mask = np.pad(digit >= 0.5 * digit.max(), 1)
    outline = np.count_nonzero(mask[1:] != mask[:-1]) + np.count_nonzero(mask[:, 1:] != mask[:, :-1])
    return float(2 * mask.sum() / max(outline, 1) * (4 / np.pi))


def _pooled(digit: Plane, side: int) -> Plane:
    """Return the maximum of each block of side x side."""
    height, width = (-(-length // side) for length in digit.shape)
    padded = np.pad(digit, ((0, height * side - digit.shape[0]), (0, width * side - digit.shape[1])))
    return padded.reshape(height, side, width, side).max(axis=(1, 3))


def _grown(plane: Plane, radius: float) -> Plane:
    """Return the maximum within a disc around each pixel."""
    reach = int(np.ceil(radius))
    height, width = plane.shape
    page, grown = np.pad(plane, reach), plane.copy()
    for y, x in product(range(-reach, reach + 1), repeat=2):
        # The rim of the disc weighs as much as lies within it, so that the width grows in fractions of a pixel.
        if (weight := min(radius + 0.5 - float(np.hypot(y, x)), 1.0)) > 0:
            moved = page[reach + y : reach + y + height, reach + x : reach + x + width]
            np.maximum(grown, moved * np.float32(weight), out=grown)
    return grown
