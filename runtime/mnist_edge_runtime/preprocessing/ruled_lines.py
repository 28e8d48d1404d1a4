"""Erase the lines of ruled and squared paper: long, thin, nearly straight, while strokes that cross them stay."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["without_ruled_lines"]

Plane = NDArray[np.uint8]
Mask = NDArray[np.bool_]
Integers = NDArray[np.int64]

_THIN = 120  # parts of the longer side, one of which is a line's width at most
_BEHIND_ONE = 40  # the same behind one digit
_THINNEST = 4  # pixels that a line's width may be in any case
_COVERED = (1, 2)  # share of the width that a line covers
_SLOPES = range(-20, 21)  # 200ths: rise by run of the lines
_OF = 200
_WINDOWS = 16  # parts of the width within which a line is straight


def without_ruled_lines(ink: Plane, mask: Mask, *, behind_one: bool = False) -> Plane | None:
    """Return the ink, uint8 (H, W), without ruled lines; None where there are none.

    Vertical lines are looked for on paper that has horizontal ones: alone, one may be a thin digit 1.

    Args:
        ink: uint8 (H, W).
        mask: bool (H, W), where there is enough of it.
        behind_one: behind one digit, of which a picture is nearer: lines are wider, and in a small one there are none.
    """
    longest = max(mask.shape)
    thickest = longest // _BEHIND_ONE if behind_one else max(_THINNEST, longest // _THIN)
    horizontal = _lines(mask, thickest)
    if not horizontal.any():
        return None
    vertical = _lines(np.ascontiguousarray(mask.T), thickest).T
    return np.where(horizontal | vertical, np.uint8(0), ink)


def _lines(mask: Mask, thickest: int) -> Mask:
    """Return the mask of the horizontal lines: thin vertical runs of pixels along one line over half of the width."""
    height, width = mask.shape
    columns, tops, bottoms = _vertical_runs(mask)
    thin = bottoms - tops <= thickest
    columns, tops, bottoms = columns[thin], tops[thin], bottoms[thin]
    share, of = _COVERED
    found = np.zeros((height + 1, width), np.int8)
    if of * len(columns) < share * width:
        return found[:-1].view(np.bool_)
    middles, thickness = (tops + bottoms) >> 1, bottoms - tops
    upright, size = _upright(columns, middles, thickest, width)
    counts = _counts(upright // size)
    for place in np.flatnonzero(2 * of * counts >= share * width):
        near = np.flatnonzero(abs(upright // size - place) <= 1)
        # Thicker than the line is on the whole is what a stroke adds to it, or a stroke alone.
        near = near[2 * thickness[near] <= _twice_median(thickness[near]) + 2]
        near = near[_follows(columns[near], middles[near], thickest, width)]
        if of * len(np.unique(columns[near])) < share * width:
            continue
        found[tops[near], columns[near]] = 1
        found[bottoms[near], columns[near]] = -1  # set, not subtracted: lines of neighbouring bins share runs
    return np.cumsum(found[:-1], axis=0, dtype=np.int8).view(np.bool_)


def _vertical_runs(mask: Mask) -> tuple[Integers, Integers, Integers]:
    """Return column, first row and row after the last of each vertical run of pixels."""
    height, width = mask.shape
    page = np.zeros((width, height + 1), np.bool_)
    page[:, :height] = mask.T
    flat = np.concatenate([[False], page.ravel()])
    edges = (flat[1:] != flat[:-1]).nonzero()[0].astype(np.int64, copy=False)
    first, last = edges[0::2], edges[1::2]
    columns = first // (height + 1)
    return columns, first - columns * (height + 1), last - columns * (height + 1)


def _upright(columns: Integers, middles: Integers, thickest: int, width: int) -> tuple[Integers, int]:
    """Return how high each run lies, under the slope that gathers the runs best, from 0; and the size of a bin."""
    best, most, size = middles, -1, 2 * thickest
    for slope in _SLOPES:
        upright = middles - slope * (columns - width // 2) // _OF
        upright = upright - upright.min()
        gathered = int((_counts(upright // size) ** 2).sum())
        if gathered > most:
            best, most = upright, gathered
    return best, size


def _counts(bins: Integers) -> Integers:
    """Return how many runs are in each bin; numpy takes and gives 32 bits on a system of 32."""
    return np.bincount(bins.astype(np.intp, copy=False)).astype(np.int64, copy=False)


def _follows(columns: Integers, middles: Integers, thickest: int, width: int) -> Mask:
    """Return which runs lie on the line, which may bend: by the median of those in the same part of the width."""
    part = columns * _WINDOWS // width
    follows = np.zeros(len(columns), np.bool_)
    for number in range(_WINDOWS):
        here = np.flatnonzero(part == number)
        around = np.flatnonzero(abs(part - number) <= 2)
        if len(here):
            # Two medians, of the left and the right half of what is around, give the slope in this part.
            around = around[np.argsort(columns[around], kind="stable")]
            left, right = around[: max(len(around) // 2, 1)], around[len(around) // 2 :]
            y1, y2 = _twice_median(middles[left]), _twice_median(middles[right])
            x1, x2 = _twice_median(columns[left]), _twice_median(columns[right])
            across = max(x2 - x1, 2)
            off = (2 * middles[here] - y1) * across - (y2 - y1) * (2 * columns[here] - x1)
            follows[here] = abs(off) <= 2 * thickest * across
    return follows


def _twice_median(values: Integers) -> int:
    """Return twice the median; of an even number of values the sum of the two in the middle."""
    middle = len(values) >> 1
    around = np.partition(values, (middle, max(middle - 1, 0)))
    return int(around[middle]) + int(around[middle if len(values) & 1 else middle - 1])
