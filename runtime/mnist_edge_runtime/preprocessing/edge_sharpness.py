"""Measure the edge sharpness of components: strokes of a pen end within few pixels, light and shadows do not."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from . import window_filters
from .connected_components import Components

__all__ = ["FULL", "edge_sharpness", "rim_width"]

Plane = NDArray[np.uint8]
Integers = NDArray[np.int64]

FULL = 256  # sharpness of an edge at which all of the ink falls off
_SHARP = 90  # of FULL; minimum of a stroke
_HARD = 179  # of FULL; minimum of a component that contains a solid square
_SOLID = 30  # % of the longer side of the picture: side of a square that no stroke contains and a shadow does
_FILLED = (19, 20)  # share of that square that is ink
_INNER = 10  # parts of the longer side, one of which is the extent below which a component may be dust
_RIM = 2  # % of the longer side: distance from a stroke within which the ink falls to the background


def rim_width(shape: tuple[int, ...]) -> int:
    """Return the distance from a stroke, in pixels, within which its ink falls to the background."""
    return max(2, (_RIM * max(shape) + 50) // 100)


def edge_sharpness(
    parts: Components, mask: NDArray[np.bool_], ink: Plane, noise: int, rim: int | None = None
) -> Integers:
    """Return the edge sharpness of each component, 0 to `FULL`, and 0 for those that cannot be strokes.

    Light and shadows have soft edges and contain large squares; the edge of a page or a table runs along the border.

    Args:
        parts: the components of `mask`.
        mask: bool (H, W).
        ink: uint8 (H, W).
        noise: level of ink that noise hardly reaches.
        rim: the distance within which ink falls off; by default that of a picture of one digit.
    """
    rim = rim_width(parts.shape) if rim is None else rim
    inks = parts.at(ink)
    is_rim = parts.at(window_filters.minimum(mask.view(np.uint8), 2)) == 0
    drop = np.subtract(inks, parts.at(window_filters.minimum(ink, rim)), dtype=np.int16)
    drop -= np.int16(noise)
    drop *= is_rim
    mean_drop = (parts.sums(drop) * parts.areas * FULL, np.maximum(parts.sums(is_rim) * parts.sums(inks), 1))
    sharpness = np.clip(mean_drop[0] // mean_drop[1], 0, FULL)
    solid, on_border = _are_solid(parts, mask), parts.border_pixels()
    inner = 2 * on_border < parts.extents
    sharpness[_are_edges(parts, on_border)] = 0
    sharpness[(sharpness < np.where(solid, _HARD, _SHARP)) | (solid & ~inner)] = 0
    # A closely cropped digit runs along the border as well, but then there is nothing else.
    if ((sharpness > 0) & inner & (_INNER * parts.extents >= max(parts.shape))).any():
        sharpness[~inner] = 0
    return sharpness


def _are_solid(parts: Components, mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which components contain a square that no stroke contains."""
    height, width = parts.shape
    side = max(3, (_SOLID * max(parts.shape) + 50) // 100) | 1
    some, of = _FILLED
    shorter = np.minimum(parts.bottom - parts.top, parts.right - parts.left)
    if not ((of * parts.areas >= some * side * side) & (of * shorter >= some * side)).any():
        return np.zeros(len(parts), np.bool_)
    reach = side // 2
    table = np.zeros((height + 2 * reach + 1, width + 2 * reach + 1), np.int32)
    table[1 + reach : 1 + reach + height, 1 + reach : 1 + reach + width] = mask
    np.cumsum(table, axis=0, out=table)
    np.cumsum(table, axis=1, out=table)
    filled = table[side:, side:] - table[:-side, side:] - table[side:, :-side] + table[:-side, :-side]
    return parts.sums(parts.at(of * filled >= some * side * side)) > 0


def _are_edges(parts: Components, on_border: Integers) -> NDArray[np.bool_]:
    """Return which components are a slim strip along the whole border, a filled corner, or a frame."""
    height, width = parts.shape
    high, wide = parts.bottom - parts.top, parts.right - parts.left
    flat = (4 * high < height) & (10 * wide >= 9 * width) & (10 * on_border >= 9 * wide)
    slim = (4 * wide < width) & (10 * high >= 9 * height) & (10 * on_border >= 9 * high)
    corner = (10 * on_border >= 9 * (high + wide)) & (4 * parts.areas >= high * wide)
    return flat | slim | corner | (10 * on_border >= 9 * (height + width))
