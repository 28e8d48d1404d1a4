"""Segment the pen strokes of a page: their faint parts too, but no ruled lines, smudges and edges of the paper."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..errors import BlankError
from .connected_components import Components
from .edge_sharpness import edge_sharpness
from .histogram import median
from .ruled_lines import without_ruled_lines
from .segmentation import WHOLE, Strokes, faintest, find_strokes, strokes_above, with_fainter_ends
from .stroke_growth import grow

__all__ = ["digit_height", "segment_page"]

Plane = NDArray[np.uint8]
Mask = NDArray[np.bool_]
Integers = NDArray[np.int64]

_FOCUS = 16  # parts of a digit's height, one of which is the distance within which the ink of its strokes falls off
_SMUDGED = (3, 5)  # share of the strokes' sharpness; what is softer is a smudge
_WIDE = (6, 5)  # digit heights: what has grown together from several parts and is wider is several digits
_TALL = 2  # digit heights: what is as tall and touches the border is an edge of the paper


def segment_page(picture: Plane) -> tuple[Plane, Components, int]:
    """Return the ink of a page, uint8 (H, W), its strokes, and the height of the digits in pixels.

    Raises:
        BlankError: there is no ink, or nothing but specks.
    """
    strokes = find_strokes(picture, _all)
    erased = without_ruled_lines(strokes.map.ink, strokes.map.ink > faintest(strokes))
    if erased is not None:
        again = strokes_above(strokes.map._replace(ink=erased), strokes.threshold, _all)
        if again is None:
            raise BlankError("the picture is blank: there are lines on it, and no ink")
        strokes = again
    strokes = strokes._replace(chosen=_without_smudges(strokes))
    ink, parts = with_fainter_ends(strokes)
    mask = parts.mask(np.ones(len(parts), np.bool_))
    ink, grown = grow(strokes.map, WHOLE, ink, mask, median(ink[mask]))
    height = digit_height(parts, parts.sums(parts.at(ink)))
    mask |= _without_bridges(parts, grown, height)
    ink, parts = ink * mask, Components(mask)
    kept = ~_are_edges(parts, height)
    if kept.any() and not kept.all():
        mask = parts.mask(kept)
        ink, parts = ink * mask, Components(mask)
    return ink, parts, height


def digit_height(parts: Components, masses: Integers) -> int:
    """Return the height of the digits: half of all ink is in components of at most this extent."""
    extents = np.minimum(parts.extents, 3 * (parts.bottom - parts.top))  # a ruled line is almost flat
    order = np.argsort(extents, kind="stable")
    share = np.cumsum(masses[order])
    return int(extents[order][np.searchsorted(share, (share[-1] + 1) // 2)])


def _all(parts: Components, weights: Integers) -> Mask:
    return weights > 0


def _without_smudges(strokes: Strokes) -> Mask:
    """Return the chosen components without those of much softer edges than most of the ink has."""
    parts, ink, chosen = strokes.parts, strokes.map.ink, strokes.chosen
    masses = parts.sums(parts.at(ink))
    rim = max(2, digit_height(parts, np.where(chosen, masses, 0)) // _FOCUS)
    sharpness, _ = edge_sharpness(parts, ink, strokes.threshold, strokes.map.noise, rim)
    order = np.argsort(sharpness, kind="stable")
    # Weighted by the runs of pixels, of which a stroke has many and a smudge few.
    lengths = np.cumsum(np.where(chosen, parts.per_run(np.ones(len(parts.rows), np.int64)), 0)[order])
    usual = int(sharpness[order][np.searchsorted(lengths, (lengths[-1] + 1) // 2)])
    share, of = _SMUDGED
    sharp = chosen & (of * sharpness >= share * usual)
    return sharp if sharp.any() else chosen


def _without_bridges(parts: Components, grown: Mask, height: int) -> Mask:
    """Return the strokes that have grown, without those that have grown into their neighbours."""
    after = Components(grown)
    large = 2 * parts.extents >= height
    joined = np.bincount(parts.within(after)[large], minlength=len(after))
    share, of = _WIDE
    return after.mask((joined < 2) | (of * (after.right - after.left) <= share * height))


def _are_edges(parts: Components, height: int) -> Mask:
    """Return which components run along the border, or touch it and are as tall as no digit is."""
    rows, columns = parts.shape
    touches = (parts.top == 0) | (parts.left == 0) | (parts.bottom == rows) | (parts.right == columns)
    return touches & ((parts.extents >= _TALL * height) | (2 * parts.border_pixels() >= parts.extents))
