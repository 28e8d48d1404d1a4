"""Arrange the strokes of a page into lines of text and into digits."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from ..errors import BlankError
from .connected_components import Components

__all__ = ["Members", "text_lines"]

Members = NDArray[np.int64]  # indices of the components that make up a digit or a line
Positions = NDArray[np.int64]

_MOST = 1000  # parts of digits on a page; reading more would take long
_ONE = 115  # a slope is a number of these parts: half a degree
_SLOPES = range(-31, 32)  # up to 15 degrees
_ROWS = 3  # rows in a digit's height in which a line's digits are concentrated
# Shares of a digit's height.
_SMALL = (3, 10)  # extent below which a component is dust
_FAR = (4, 5)  # vertical distance from its line beyond which a small component is dust
_LINE_GAP = (2, 5)  # minimum vertical gap between the digits of two lines
_APART = (7, 20)  # vertical gap up to which two components, one above the other, are one digit
_WHOLE = (3, 4)  # height from which a component is a digit of its own
# Shares of something else.
_BESIDE = (1, 4)  # of its height that a digit beside a line shares with it, if it belongs to it
_FLAT = (1, 5)  # height by length below which a component longer than two digits is a ruled line
_OVERLAP = (1, 2)  # of the narrower component's width from which two, one above the other, are one digit


def _without_dust(parts: Components, height: int) -> Members:
    rows, columns = parts.bottom - parts.top, parts.right - parts.left
    ruled = (columns > 2 * height) & (rows * _FLAT[1] < columns * _FLAT[0]) & (2 * rows < height)
    return np.flatnonzero((parts.extents * _SMALL[1] >= height * _SMALL[0]) & ~ruled)


def text_lines(parts: Components, height: int) -> list[list[Members]]:
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
    rows = parts.bottom[members] - parts.top[members]
    upright, unit = _upright(parts, members, height), 2 * _ONE * height
    high = 2 * rows >= height
    order = np.argsort(upright, kind="stable")
    # A dot or a bar, such as the top of a 5, starts no line: it joins the nearest.
    steps = order[high[order]] if high.any() else order
    starts = np.flatnonzero(np.diff(upright[steps]) * _LINE_GAP[1] > _LINE_GAP[0] * unit) + 1
    middles = np.array([upright[line].sum() // len(line) for line in np.split(steps, starts)])
    nearest = np.searchsorted((middles[:-1] + middles[1:]) // 2, upright)
    near = high | (abs(upright - middles[nearest]) * _FAR[1] <= _FAR[0] * unit)
    lines = [np.flatnonzero(near & (nearest == number)) for number in range(len(middles))]
    joined = _joined(lines, parts, members, upright)
    return [_digits(parts, members[line], height) for line in joined if len(line)]


def _upright(parts: Components, members: Members, height: int) -> Positions:
    """Return the vertical positions of the components' middles without the tilt of the lines, in 1 / (2 * _ONE) pixel.

    The tilt is that which concentrates the digits most in rows of a part of their height.
    """
    y, x = parts.top[members] + parts.bottom[members], parts.left[members] + parts.right[members]
    sizes = np.minimum(256 * parts.extents[members] // height, 256)
    weights = sizes * sizes >> 8  # a dash tells less about its line's position
    unit = 2 * _ONE * height  # _ROWS times as high as a row, and positions are multiplied by as much

    def upright(slope: int) -> Positions:
        return y * _ONE - x * slope

    def concentration(slope: int) -> int:
        from_top = upright(slope)
        from_top = (from_top - from_top.min()) * _ROWS * _ROWS
        rows = [(from_top + unit * part) // (unit * _ROWS) for part in range(_ROWS)]
        shifted = [np.bincount(each.astype(np.intp), weights) for each in rows]  # systems of 32 bits want their own
        return max(int((sums.astype(np.int64) ** 2).sum()) for sums in shifted)

    return upright(max(_SLOPES, key=lambda slope: (concentration(slope), -abs(slope))))


def _joined(lines: list[Members], parts: Components, members: Members, upright: Positions) -> Iterator[Members]:
    """Yield the lines; two are one where they lie beside each other, at nearly the same height."""
    left, right = parts.left[members], parts.right[members]
    half = (parts.bottom[members] - parts.top[members]) * _ONE
    previous = lines[0]
    for line in lines[1:]:
        overlap = (upright + half)[previous].max() - (upright - half)[line].min()
        beside = not (
            (left[previous][:, np.newaxis] < right[line]) & (left[line] < right[previous][:, np.newaxis])
        ).any()
        lower = min(2 * half[each].sum() // len(each) for each in (previous, line))
        if beside and overlap * _BESIDE[1] >= lower * _BESIDE[0]:
            previous = np.concatenate([previous, line])
        else:
            yield previous
            previous = line
    yield previous


def _digits(parts: Components, line: Members, height: int) -> list[Members]:
    """Return the components of each digit of a line, from the left: a component above another belongs to it."""
    digits: list[list[int]] = []
    left = right = upper = lower = tallest = 0
    for index in line[np.argsort(parts.left[line], kind="stable")]:
        top, start, bottom, end = (int(side[index]) for side in (parts.top, parts.left, parts.bottom, parts.right))
        shared = min(right, end) - max(left, start)
        # Two components as high as a digit are two digits that lean on each other.
        whole = min(tallest, bottom - top) * _WHOLE[1] >= height * _WHOLE[0]
        near = max(top - lower, upper - bottom) * _APART[1] <= height * _APART[0]
        over = shared * _OVERLAP[1] >= min(end - start, right - left) * _OVERLAP[0]
        if digits and near and over and not whole:
            digits[-1].append(int(index))
            right, tallest = max(right, end), max(tallest, bottom - top)
            upper, lower = min(upper, top), max(lower, bottom)
        else:
            digits.append([int(index)])
            left, right, upper, lower, tallest = start, end, top, bottom, bottom - top
    return [np.array(digit) for digit in digits]
