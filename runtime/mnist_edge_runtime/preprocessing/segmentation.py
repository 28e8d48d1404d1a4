"""Segment pen strokes: separate them from dust, ruled lines, shadows and the edges of the page."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ..errors import BlankError
from . import connected_components
from .binarization import ink_density_maps, noise, threshold
from .connected_components import Components
from .filters import box_sum, clipped, dilate, min_max_filter

__all__ = ["ink_strength", "segment_digit", "segment_strokes"]

Plane = NDArray[np.float32]
Choose = Callable[[Components, NDArray[np.float64]], NDArray[np.bool_]]

# Shares of the longer side of the picture.
_SOLID = 0.3  # side of a square that no stroke contains and a shadow does
_RIM = 0.02  # distance from a stroke within which the ink falls to the background
_INNER = 0.1  # extent below which a component may be dust
# Shares of the digit's extent.
_SPECK = 0.12  # extent below which a component is dust, unless it touches the digit
_NEAR = 0.05  # gap to the digit up to which any component belongs to it
_FAR = 0.4  # gap to the digit beyond which a large component is another object

_SURE = 0.8  # share of the sharpness-weighted ink: accept a hypothesis early when its chosen components have more
_SHARP = 0.35  # minimum edge sharpness of a stroke: the share of its ink that falls off within _RIM
_HARD = 0.7  # minimum edge sharpness of components that contain a solid square
_LEVEL = 0.6  # share of the threshold: fainter parts of a stroke belong to it


def segment_digit(picture: NDArray[np.uint8]) -> Plane:
    """Return the ink strength of the one digit in a grey picture (H, W): 1 in its strokes, 0 elsewhere.

    Raises:
        BlankError: there is no ink, or nothing but specks.
    """
    ink, parts = segment_strokes(picture, _heaviest)
    return ink_strength(ink, parts.mask(_heaviest(parts, parts.sums(ink))))


def segment_strokes(picture: NDArray[np.uint8], choose: Choose) -> tuple[Plane, Components]:
    """Return the ink density of a grey picture, (H, W), and its components, under the best background hypothesis.

    Args:
        picture: uint8 (H, W).
        choose: selects the wanted components, given all of them and their masses.

    Raises:
        BlankError: there is no ink, or nothing but specks.
    """
    best, most = None, -1.0
    for ink in ink_density_maps(picture):
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
            best, most = np.where(dilate(mask, _rim(mask)), ink, 0), score
        if score >= _SURE:
            break
    if best is None:
        raise BlankError("the picture is blank: no ink was found")
    parts = connected_components.find(best > _LEVEL * threshold(best))
    if parts.sums(best).max(initial=0) < 3:
        raise BlankError("the picture is blank: there is nothing but specks in it")
    return best, parts


def ink_strength(ink: Plane, mask: NDArray[np.bool_]) -> Plane:
    """Return ink density, (H, W), relative to the strokes of the mask: 1 in them, less at their edges, 0 elsewhere."""
    full = np.median(ink[mask])
    return np.where(dilate(mask, 1), np.clip(ink / full, 0, 1), 0).astype(np.float32)


def _heaviest(parts: Components, masses: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return the components of one digit: the heaviest, the large ones near it, and any that touch it."""
    top, left, bottom, right = parts.boxes.T
    box, extent = parts.boxes[masses.argmax()], parts.extents[masses.argmax()]
    gaps = np.maximum(np.maximum(box[0] - bottom, top - box[2]), np.maximum(box[1] - right, left - box[3]))
    large = parts.extents >= _SPECK * extent
    return (large & (gaps <= _FAR * extent)) | (gaps <= _NEAR * extent)


def _sharpness(parts: Components, ink: Plane) -> NDArray[np.float64]:
    """Return the edge sharpness of each component, 0 to 1, and 0 for those that cannot be strokes.

    Light and shadows have soft edges and contain large squares; the edge of a page or a table runs along the border.
    """
    mask, longest = parts.mask(np.ones(len(parts), bool)), max(parts.shape)
    border = np.ones(parts.shape, np.float32)
    border[1:-1, 1:-1] = 0
    side = max(3, round(_SOLID * longest)) | 1
    if min(parts.shape) < 0.95 * side:
        solid = np.zeros(len(parts), bool)  # such a square does not fit in the picture
    else:
        windows = box_sum(mask, (side // 2, side // 2))
        solid = parts.sums((windows >= 0.95 * side * side).astype(np.float32)) > 0
    rim = (mask & dilate(~mask, 2)).astype(np.float32)
    down, across = reach = clipped(_rim(mask), parts.shape)
    lowest = min_max_filter(np.pad(ink, ((down, down), (across, across)), mode="edge"), reach, np.minimum)
    drop = ink - np.maximum(lowest, 0) - 4 * noise(ink)
    full = parts.sums(ink) / parts.sums(mask.astype(np.float32))
    sharpness = np.clip(parts.sums(drop * rim) / np.maximum(parts.sums(rim) * full, 1e-9), 0, 1)
    inner = parts.sums(border) < 0.5 * parts.extents
    sharpness[(sharpness < np.where(solid, _HARD, _SHARP)) | (solid & ~inner)] = 0
    # A closely cropped digit runs along the border as well, but then there is nothing else.
    if ((sharpness > 0) & inner & (parts.extents >= _INNER * longest)).any():
        sharpness[~inner] = 0
    return sharpness


def _rim(mask: NDArray[np.bool_]) -> int:
    return max(2, round(_RIM * max(mask.shape)))
