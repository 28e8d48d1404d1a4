"""Arrange the strokes of a page into lines of text and into digits."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from ..errors import BlankError
from .connected_components import Components

__all__ = ["Members", "text_lines"]

Members = NDArray[np.int64]  # indices of the components that make up a digit or a line

_MOST = 1000  # parts of digits on a page; reading more would take long
_TILTS = np.radians(np.arange(-15, 15.5, 0.5))
_SMALL = 0.3  # extent below which a component is dust
_FAR = 0.8  # vertical distance from its line beyond which a small component is dust
_LINE_GAP = 0.4  # minimum vertical gap between the digits of two lines
_APART = 0.35  # vertical gap up to which two components, one above the other, are one digit
_BESIDE = 0.25  # share of its height that a digit beside a line shares with it, if it belongs to it
_WHOLE = 0.75  # height from which a component is a digit of its own
_FLAT = 0.2  # height by length below which a component longer than two digits is a ruled line
_OVERLAP = 0.5  # share of the narrower component's width from which two, one above the other, are one digit


def _without_dust(parts: Components, height: float) -> Members:
    rows, columns = parts.bottom - parts.top, parts.right - parts.left
    ruled = (columns > 2 * height) & (rows < _FLAT * columns) & (rows < height / 2)
    return np.flatnonzero((parts.extents >= _SMALL * height) & ~ruled)


def text_lines(parts: Components, height: float) -> list[list[Members]]:
    """Return the components of each digit of each line of text, lines from the top, digits from the left.

    Args:
        parts: the strokes of a page.
        height: of the digits, in pixels.

    Raises:
        BlankError: there is nothing but specks, or a texture.
    """
    members = _without_dust(parts, height)
    if not 0 < len(members) <= _MOST:
        what = "nothing but specks" if len(members) == 0 else f"a texture of more than {_MOST} shapes"
        raise BlankError(f"the picture is blank: there is {what} in it")
    top, bottom = parts.top[members], parts.bottom[members]
    y, x = (top + bottom) / 2, (parts.left[members] + parts.right[members]) / 2
    weights = np.minimum(parts.extents[members] / height, 1) ** 2  # a dash tells less about its line's position

    def concentration(tilt: float) -> float:
        """Return the concentration of the digits in rows of a third of their height, after removing the tilt."""
        upright = (y - x * np.tan(tilt)) / (height / 3)
        offsets = [np.bincount((upright - upright.min() + shift).astype(int), weights) for shift in (0, 1 / 3, 2 / 3)]
        return max(float((rows**2).sum()) for rows in offsets)

    tilt = max(_TILTS, key=lambda tilt: (round(concentration(tilt), 6), -abs(tilt)))
    upright = y - x * np.tan(tilt)
    high = bottom - top >= height / 2
    order = np.argsort(upright)
    # A dot or a bar, such as the top of a 5, starts no line: it joins the nearest.
    steps = order[high[order]] if high.any() else order
    starts = np.flatnonzero(np.diff(upright[steps]) > _LINE_GAP * height) + 1
    middles = np.array([upright[line].mean() for line in np.split(steps, starts)])
    nearest = np.searchsorted((middles[:-1] + middles[1:]) / 2, upright)
    near = high | (abs(upright - middles[nearest]) <= _FAR * height)
    lines = [np.flatnonzero(near & (nearest == number)) for number in range(len(middles))]
    joined = _joined(lines, parts, members, upright)
    return [_digits(parts, members[line], height) for line in joined if len(line)]


def _joined(
    lines: list[Members], parts: Components, members: Members, upright: NDArray[np.float64]
) -> Iterator[Members]:
    """Yield the lines; two are one where they lie beside each other, at nearly the same height."""
    left, right = parts.left[members], parts.right[members]
    half = (parts.bottom[members] - parts.top[members]) / 2
    previous = lines[0]
    for line in lines[1:]:
        overlap = (upright + half)[previous].max() - (upright - half)[line].min()
        beside = not (
            (left[previous][:, np.newaxis] < right[line]) & (left[line] < right[previous][:, np.newaxis])
        ).any()
        if beside and overlap >= _BESIDE * 2 * min(half[previous].mean(), half[line].mean()):
            previous = np.concatenate([previous, line])
        else:
            yield previous
            previous = line
    yield previous


def _digits(parts: Components, line: Members, height: float) -> list[Members]:
    """Return the components of each digit of a line, from the left: a component above another belongs to it."""
    digits: list[list[int]] = []
    left = right = upper = lower = tallest = 0
    for index in line[np.argsort(parts.left[line], kind="stable")]:
        top, start, bottom, end = (int(side[index]) for side in (parts.top, parts.left, parts.bottom, parts.right))
        shared = min(right, end) - max(left, start)
        # Two components as high as a digit are two digits that lean on each other.
        whole = min(tallest, bottom - top) >= _WHOLE * height
        near = max(top - lower, upper - bottom) <= _APART * height
        if digits and near and shared >= _OVERLAP * min(end - start, right - left) and not whole:
            digits[-1].append(int(index))
            right, tallest = max(right, end), max(tallest, bottom - top)
            upper, lower = min(upper, top), max(lower, bottom)
        else:
            digits.append([int(index)])
            left, right, upper, lower, tallest = start, end, top, bottom, bottom - top
    return [np.array(digit) for digit in digits]
