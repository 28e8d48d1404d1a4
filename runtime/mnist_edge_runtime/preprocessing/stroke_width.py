"""Normalize stroke width: hairlines become as wide as MNIST's strokes, or they would fade when scaled down."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from . import window_filters

__all__ = ["mean_width", "normalize_stroke_width"]

Plane = NDArray[np.uint8]

_BOX = 80  # pixels of the box in which strokes are widened, about
_THIN = (3, 40)  # share of the box: narrower strokes are widened
_WIDTH = (11, 100)  # share of the box: to this width
_LEAST = 8  # sixteenths of a pixel by which it pays to widen strokes to each side
_HALF_PI = (355, 226)  # half of pi: an outline along the axes is 4 / pi times too long, averaged over all directions


def normalize_stroke_width(digit: Plane) -> Plane:
    """Return a digit's ink strength, uint8 (H, W), with strokes widened that would fade in a box of 20 pixels."""
    longest = max(digit.shape)
    thin, of = _THIN
    if mean_width(digit) * of >= 16 * thin * longest:
        return digit
    times = max(1, (_BOX + longest // 2) // longest)
    if times > 1:
        digit = np.repeat(np.repeat(digit, times, axis=0), times, axis=1)
    width, of = _WIDTH
    radius = (16 * times * longest * width // of - mean_width(digit)) // 2
    return _dilate(digit, radius) if radius >= _LEAST else digit


def mean_width(digit: Plane) -> int:
    """Return the mean width of the strokes, in sixteenths of a pixel: twice the area by the length of the outline."""
    height, width = digit.shape
    page = np.zeros((height + 2, width + 2), np.bool_)
    page[1:-1, 1:-1] = digit >= (int(digit.max()) + 1) // 2
    steps = np.count_nonzero(page[1:] != page[:-1]) + np.count_nonzero(page[:, 1:] != page[:, :-1])
    over, under = _HALF_PI
    return 16 * 4 * int(np.count_nonzero(page)) * under // (over * max(int(steps), 1))


def _dilate(digit: Plane, radius: int) -> Plane:
    """Return the grey dilation, with so many sixteenths of a pixel, by crosses and squares in turn: about a disc.

    The last step weighs as much as it is a part of a pixel.
    """
    whole, part = divmod(radius, 16)
    page = np.pad(digit, whole + (part > 0))
    for number in range(whole):
        page = _step(page, number)
    if part:
        last = (_step(page, whole).astype(np.uint16) * np.uint16(part)) >> 4
        page = np.maximum(page, last.astype(np.uint8))
    return page


def _step(page: Plane, number: int) -> Plane:
    """Return the maximum of each pixel and its neighbours: four of them and eight in turn."""
    if number & 1:
        return window_filters.maximum(page, 1)
    widened = page.copy()
    for one, other in ((widened[1:], page[:-1]), (widened[:-1], page[1:])):
        np.maximum(one, other, out=one)
    for one, other in ((widened[:, 1:], page[:, :-1]), (widened[:, :-1], page[:, 1:])):
        np.maximum(one, other, out=one)
    return widened
