"""Filter a plane by square windows: minimum, maximum, closing."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["closing", "maximum", "minimum"]

Plane = NDArray[np.uint8]


def minimum(plane: Plane, reach: int) -> Plane:
    """Return the minimum of the square that reaches `reach` pixels to each side of each pixel, within the plane."""
    return _windows(_surrounded(plane, reach, 255), plane.shape, reach, np.minimum)


def maximum(plane: Plane, reach: int) -> Plane:
    """Return the maximum of the square that reaches `reach` pixels to each side of each pixel, within the plane."""
    return _windows(_surrounded(plane, reach, 0), plane.shape, reach, np.maximum)


def closing(plane: Plane, reach: int) -> Plane:
    """Return the grey closing by a square window: the minimum of the maxima; the border is continued outwards."""
    height, width = plane.shape
    page = _surrounded(plane, 2 * reach, 0)
    top, left = 2 * reach, 2 * reach
    bottom, right = top + height, left + width
    page[:top, left:right] = plane[0]
    page[bottom:, left:right] = plane[-1]
    page[:, :left] = page[:, left : left + 1]
    page[:, right:] = page[:, right - 1 : right]
    highest = _windows(page, (height + 2 * reach, width + 2 * reach), reach, np.maximum)
    return np.ascontiguousarray(_windows(np.ascontiguousarray(highest), (height, width), reach, np.minimum))


def _surrounded(plane: Plane, reach: int, value: int) -> Plane:
    height, width = plane.shape
    page = np.empty((height + 2 * reach, width + 2 * reach), np.uint8)
    page.fill(value)
    page[reach : reach + height, reach : reach + width] = plane
    return page


def _windows(page: Plane, shape: tuple[int, ...], reach: int, pick: np.ufunc) -> Plane:
    """Return the extremes of the windows that lie within a page, (H + 2 reach, W + 2 reach); a view of shape (H, W).

    The cost grows with the logarithm of the window: each step compares twice as many pixels as the one before. All
    steps are on the flat page; what wraps around from one row to the next ends up in columns that are left out.
    """
    stride, size = page.shape[1], 2 * reach + 1
    flat = page.ravel()
    for step in (1, stride):
        covered = 1
        while 2 * covered <= size:
            flat = pick(flat[: -covered * step], flat[covered * step :])
            covered *= 2
        if covered < size:
            rest = (size - covered) * step
            flat = pick(flat[:-rest], flat[rest:])
    return np.ndarray(shape, np.uint8, flat, 0, (stride, 1))
