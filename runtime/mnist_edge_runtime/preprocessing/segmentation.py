"""The ink that is strokes of a pen, among dust, lines, shadows and the edges of the page."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ..errors import BlankError
from . import connected_components
from .binarization import noise, readings, threshold
from .connected_components import Components
from .windows import extremes, sums, within

__all__ = ["find_digit", "find_strokes", "strength"]

Plane = NDArray[np.float32]
Choose = Callable[[Components, NDArray[np.float64]], NDArray[np.bool_]]

_SURE = 0.8  # of all that is dark, weighed by how sharply it ends: more of it in what is looked for, and it is found
_SOLID = 0.3  # of the longer side: no stroke holds a square of that size, a shadow does
_RIM = 0.02  # of the longer side: so far from a stroke there is paper
_SHARP = 0.35  # by how much of itself the ink of a stroke falls within that
_HARD = 0.7  # and that of a bold one, which holds such a square, too
_INNER = 0.1  # of the longer side: what is smaller may be dust
_LEVEL = 0.6  # of the threshold: the fainter parts of a stroke belong to it
_SPECK = 0.12  # of the digit's extent: smaller parts are dust, unless they lie at the digit
_NEAR = 0.05  # of the digit's extent
_FAR = 0.4  # of the digit's extent: beyond it begins another thing


def find_digit(picture: NDArray[np.uint8]) -> Plane:
    """Return the strength of the one digit in a grey picture (H, W): 1 in its strokes, 0 elsewhere.

    Raises:
        BlankError: nothing stands out but specks.
    """
    ink, parts = find_strokes(picture, _heaviest)
    return strength(ink, parts.mask(_heaviest(parts, parts.sums(ink))))


def find_strokes(picture: NDArray[np.uint8], choose: Choose) -> tuple[Plane, Components]:
    """Return the ink of a grey picture (H, W) and its components, by that idea of the paper that shows strokes best.

    Args:
        picture: uint8 (H, W).
        choose: tells which components, of these masses, are what is looked for.

    Raises:
        BlankError: nothing stands out but specks.
    """
    best, most = None, -1.0
    for ink in readings(picture):
        parts = connected_components.find(ink > threshold(ink))
        if not len(parts):
            continue
        masses, sharpness = parts.sums(ink), _sharpness(parts, ink)
        weights = masses * sharpness
        chosen = choose(parts, weights) & (sharpness > 0)
        large = parts.extents >= _SPECK * parts.extents[weights.argmax()]
        score = float(weights[chosen].sum() / masses[large].sum())
        if score > most:
            mask = parts.mask(chosen if chosen.any() else ~chosen)
            best, most = np.where(within(mask, _rim(mask)), ink, 0), score
        if score >= _SURE:
            break
    if best is None:
        raise BlankError("the picture is blank: nothing stands out from its background")
    parts = connected_components.find(best > _LEVEL * threshold(best))
    if parts.sums(best).max(initial=0) < 3:
        raise BlankError("the picture is blank: there is nothing but specks in it")
    return best, parts


def strength(ink: Plane, mask: NDArray[np.bool_]) -> Plane:
    """Return ink, (H, W), as strength: 1 in the strokes of the mask, less at their edges, 0 elsewhere."""
    full = np.median(ink[mask])
    return np.where(within(mask, 1), np.clip(ink / full, 0, 1), 0).astype(np.float32)


def _heaviest(parts: Components, masses: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which components make up one digit: the heaviest, what is large and near it, and what lies at it."""
    top, left, bottom, right = parts.boxes.T
    box, extent = parts.boxes[masses.argmax()], parts.extents[masses.argmax()]
    gaps = np.maximum(np.maximum(box[0] - bottom, top - box[2]), np.maximum(box[1] - right, left - box[3]))
    large = parts.extents >= _SPECK * extent
    return (large & (gaps <= _FAR * extent)) | (gaps <= _NEAR * extent)


def _sharpness(parts: Components, ink: Plane) -> NDArray[np.float64]:
    """Return how sharply each component ends, 0 to 1, and 0 for those that cannot be strokes.

    Light and shadows end softly and hold large squares; the edge of the page or a table runs along the border.
    """
    mask, longest = parts.mask(np.ones(len(parts), bool)), max(parts.shape)
    border = np.ones(parts.shape, np.float32)
    border[1:-1, 1:-1] = 0
    side = max(3, round(_SOLID * longest)) | 1
    solid = parts.sums((sums(np.pad(mask, side // 2), side) >= 0.95 * side * side).astype(np.float32)) > 0
    rim = (mask & within(~mask, 2)).astype(np.float32)
    lowest = extremes(np.pad(ink, _rim(mask), mode="edge"), _rim(mask), np.minimum)
    drop = ink - np.maximum(lowest, 0) - 4 * noise(ink)
    full = parts.sums(ink) / parts.sums(mask.astype(np.float32))
    sharpness = np.clip(parts.sums(drop * rim) / np.maximum(parts.sums(rim) * full, 1e-9), 0, 1)
    inner = parts.sums(border) < 0.5 * parts.extents
    sharpness[(sharpness < np.where(solid, _HARD, _SHARP)) | (solid & ~inner)] = 0
    # A digit that is cut close lines the border too, but then there is nothing else.
    if ((sharpness > 0) & inner & (parts.extents >= _INNER * longest)).any():
        sharpness[~inner] = 0
    return sharpness


def _rim(mask: NDArray[np.bool_]) -> int:
    return max(2, round(_RIM * max(mask.shape)))
