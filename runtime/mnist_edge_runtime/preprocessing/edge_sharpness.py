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
_OUTSIDE = 2  # pixels to each side of a pixel of the rim, one of which is outside of the component
_RIM = 2  # % of the longer side: distance from a stroke within which the ink falls to the background


def rim_width(shape: tuple[int, ...]) -> int:
    """Return the distance from a stroke, in pixels, within which its ink falls to the background."""
    return max(_OUTSIDE, (_RIM * max(shape) + 50) // 100)


def edge_sharpness(
    parts: Components, ink: Plane, threshold: int, noise: int, rim: int | None = None
) -> tuple[Integers, Integers]:
    """Return the edge sharpness of each component, 0 to `FULL`, and 0 for those that cannot be strokes; and its mass.

    Light and shadows have soft edges and contain large squares; the edge of a page or a table runs along the border.

    Args:
        parts: the components of the ink above the threshold.
        ink: uint8 (H, W).
        threshold: level of ink.
        noise: level of ink that noise hardly reaches.
        rim: the distance within which ink falls off; by default that of a picture of one digit.
    """
    rim = rim_width(parts.shape) if rim is None else rim
    values = np.empty((3, parts.pixels), np.int16)
    inks, drop, is_rim = values
    inks[:] = parts.at(ink)
    nearest = window_filters.minimum(ink, _OUTSIDE)
    np.less_equal(parts.at(nearest), threshold, out=is_rim, casting="unsafe")
    # Squares around the pixels of a square make a larger square.
    lowest = window_filters.minimum(nearest, rim - _OUTSIDE) if rim > _OUTSIDE else nearest
    np.subtract(inks, parts.at(lowest), out=drop)
    drop -= np.int16(noise)
    drop *= is_rim
    masses, drops, rims = parts.sums(values)
    sharpness = np.minimum(np.maximum(drops * parts.areas * FULL // np.maximum(rims * masses, 1), 0), FULL)
    if not parts.touch_border:
        sharpness[sharpness < _SHARP] = 0
        sharpness[_are_solid(parts, ink, threshold, (sharpness > 0) & (sharpness < _HARD))] = 0
        return sharpness, masses
    on_border = parts.border_pixels()
    inner = 2 * on_border < parts.extents
    sharpness[_are_edges(parts, on_border) | (sharpness < _SHARP)] = 0
    sharpness[_are_solid(parts, ink, threshold, (sharpness > 0) & ~(inner & (sharpness >= _HARD)))] = 0
    # A closely cropped digit runs along the border as well, but then there is nothing else.
    if ((sharpness > 0) & inner & (_INNER * parts.extents >= max(parts.shape))).any():
        sharpness[~inner] = 0
    return sharpness, masses


def _are_solid(parts: Components, ink: Plane, threshold: int, asked: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which of the components that are asked for contain a square that no stroke contains."""
    side = max(3, (_SOLID * max(parts.shape) + 50) // 100) | 1
    some, of = _FILLED
    shorter = np.minimum(parts.bottom - parts.top, parts.right - parts.left)
    if not ((of * parts.areas >= some * side * side) & (of * shorter >= some * side)).any() or not asked.any():
        return np.zeros(len(parts), np.bool_)
    # Their box, and what squares around its pixels reach.
    reach = side // 2
    top, left, bottom, right = parts.box(asked)
    around = ink[max(0, top - reach) : bottom + reach, max(0, left - reach) : right + reach] > threshold
    table = np.zeros((bottom - top + 2 * reach + 1, right - left + 2 * reach + 1), np.int32)
    first = 1 + max(0, reach - top), 1 + max(0, reach - left)
    table[first[0] : first[0] + around.shape[0], first[1] : first[1] + around.shape[1]] = around
    np.cumsum(table, axis=0, out=table)
    np.cumsum(table, axis=1, out=table)
    filled = table[side:, side:] - table[:-side, side:] - table[side:, :-side] + table[:-side, :-side]
    solid = np.zeros(parts.shape, np.bool_)
    solid[top:bottom, left:right] = of * filled >= some * side * side
    return asked & (parts.sums(parts.at(solid)) > 0)


def _are_edges(parts: Components, on_border: Integers) -> NDArray[np.bool_]:
    """Return which components are a slim strip along the whole border, a filled corner, or a frame."""
    height, width = parts.shape
    high, wide = parts.bottom - parts.top, parts.right - parts.left
    flat = (4 * high < height) & (10 * wide >= 9 * width) & (10 * on_border >= 9 * wide)
    slim = (4 * wide < width) & (10 * high >= 9 * height) & (10 * on_border >= 9 * high)
    corner = (10 * on_border >= 9 * (high + wide)) & (4 * parts.areas >= high * wide)
    return flat | slim | corner | (10 * on_border >= 9 * (height + width))
