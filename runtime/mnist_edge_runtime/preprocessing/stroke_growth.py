"""Grow strokes into their fainter parts: a pen that is lifted, a pencil, a broken stroke."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .binarization import InkMap
from .connected_components import Components
from .edge_sharpness import edge_sharpness

__all__ = ["grow"]

Plane = NDArray[np.uint8]
Mask = NDArray[np.bool_]

_FAINTEST = 4  # parts of the strokes' ink, one of which a fainter part has at least
_ABOVE_NOISE = (5, 4)  # of the level that noise hardly reaches
_GROWTH = (5, 2)  # area after by area before, at most; more is paper, not a stroke
_GROWTH_WITHOUT_NOISE = (10, 2)
_QUIET = 100  # parts of full ink, one of which is the most that noise reaches in a picture without noise


def grow(found: InkMap, part: tuple[slice, slice], ink: Plane, mask: Mask, level: int) -> tuple[Plane, Mask]:
    """Return ink and mask of strokes grown into all fainter ink that hangs together with them and ends as sharply.

    Args:
        found: the ink of the whole picture.
        part: of the picture, rows and columns, that strokes may grow in.
        ink: the ink near the strokes, in that part.
        mask: the strokes.
        level: the median ink of the strokes.
    """
    low = max(level // _FAINTEST, found.noise * _ABOVE_NOISE[0] // _ABOVE_NOISE[1])
    whole = np.ascontiguousarray(found.ink[part])
    parts = Components(whole > low)
    if not len(parts):
        return ink, mask
    within = parts.at(mask)
    seeds = parts.sums(within)
    most, of = _GROWTH if found.noise > found.full // _QUIET else _GROWTH_WITHOUT_NOISE
    grown = (seeds > 0) & (parts.areas * of <= seeds * most)
    if not (grown & (parts.areas > seeds)).any():
        return ink, mask
    # Strokes that end before its border do not grow into what runs out of the part: a line of the paper, a shadow.
    if parts.touch_border:
        height, width = mask.shape
        leaves = (parts.top == 0) | (parts.left == 0) | (parts.bottom == height) | (parts.right == width)
        on_border = mask.copy()
        on_border[1:-1, 1:-1] = False
        grown &= ~leaves | (parts.sums(parts.at(on_border)) > 0)
    grown &= edge_sharpness(parts, whole, low, found.noise)[0] > 0
    mask = parts.mask(grown) | mask
    return np.maximum(ink, whole * mask), mask
