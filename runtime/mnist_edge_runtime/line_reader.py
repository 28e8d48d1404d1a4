"""Read handwritten lines of digits: segment a page into digits and classify them in reading order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .classifier import Classifier, Prediction
from .preprocessing.connected_components import Components
from .preprocessing.grayscale import to_grayscale
from .preprocessing.histogram import median
from .preprocessing.mnist import normalized
from .preprocessing.reduction import block_means, block_sides
from .preprocessing.segmentation import find_strokes, strength, with_fainter_ends

__all__ = ["Digit", "read_lines"]

Plane = NDArray[np.uint8]
Members = NDArray[np.int64]  # indices of the components that make up a digit

_LONGEST = 1_600  # pixels of the longer side of the picture in which lines are looked for
_TILTS = np.radians(np.arange(-15, 15.5, 0.5))
_MAX_TOUCHING = 5  # digits that touch
# In digit heights.
_SMALL = 0.3  # extent below which a component is dust
_LINE_GAP = 0.4  # minimum vertical gap between the digits of two lines
_WHOLE = 0.75  # height from which a component is a digit of its own
_WIDE = 0.9  # width from which a shape may be several digits
# Ratios of widths and heights.
_FLAT = 0.2  # height by length below which a component longer than two digits is a ruled line
_OVERLAP = 0.5  # share of the narrower component's width from which two, one above the other, are one digit
_BROAD = 1.1  # width by height above which a shape is unlikely to be one digit
_SLIM = 0.4  # width by height below which a slice is unlikely to be one digit
_REACH = 0.4  # share of a piece's width by which a cut may move from equal widths


@dataclass(frozen=True)
class Digit:
    """A digit and its bounding box: left, top, width and height in pixels of the picture."""

    box: tuple[int, int, int, int]
    prediction: Prediction


def read_lines(picture: NDArray[Any], classifier: Classifier) -> list[list[Digit]]:
    """Return the digits of each handwritten line, lines from the top, digits from the left.

    Lines may be tilted by up to 15 degrees. Parts of a digit one above the other are joined; digits that touch are cut
    apart where the classifier is more confident about the pieces than about the whole.

    Args:
        picture: grey (H, W), or in colour, as `preprocessing.grayscale.to_grayscale` takes it.
        classifier: classifies each digit.

    Raises:
        InputError: another dtype, shape or range; BlankError where no ink is found.
    """
    pixels = to_grayscale(picture)
    down, across = block_sides(pixels.shape, _LONGEST)
    strokes = find_strokes(block_means(pixels, down, across), lambda parts, weights: weights > 0)
    ink, parts = with_fainter_ends(strokes)
    height = _height(parts, parts.sums(parts.at(ink)))
    parts_of_digits = _without_dust(parts, height)
    page = _Page(ink, parts, (down, across), classifier)
    return [
        [digit for members in _digits(parts, line, height) for digit in page.read(members, height)]
        for line in _lines(parts, parts_of_digits, height)
    ]


def _height(parts: Components, masses: NDArray[np.int64]) -> float:
    """Return the height of the digits: half of all ink is in components of at most this extent."""
    extents = np.minimum(parts.extents, 3 * (parts.bottom - parts.top))  # a ruled line is almost flat
    order = np.argsort(extents)
    share = np.cumsum(masses[order])
    return float(extents[order][np.searchsorted(share, share[-1] / 2)])


def _without_dust(parts: Components, height: float) -> Members:
    rows, columns = parts.bottom - parts.top, parts.right - parts.left
    ruled = (columns > 2 * height) & (rows < _FLAT * columns) & (rows < height / 2)
    return np.flatnonzero((parts.extents >= _SMALL * height) & ~ruled)


def _lines(parts: Components, members: Members, height: float) -> list[Members]:
    """Return the components of each line of text, lines from the top."""
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
    return [members[nearest == number] for number in range(len(middles))]


def _digits(parts: Components, line: Members, height: float) -> list[Members]:
    """Return the components of each digit of a line, from the left: a component above another belongs to it."""
    digits: list[list[int]] = []
    left = right = tallest = 0
    for index in line[np.argsort(parts.left[line])]:
        top, start, bottom, end = (int(side[index]) for side in (parts.top, parts.left, parts.bottom, parts.right))
        shared = min(right, end) - max(left, start)
        # Two components as high as a digit are two digits that lean on each other.
        whole = min(tallest, bottom - top) >= _WHOLE * height
        if digits and shared >= _OVERLAP * min(end - start, right - left) and not whole:
            digits[-1].append(int(index))
            right, tallest = max(right, end), max(tallest, bottom - top)
        else:
            digits.append([int(index)])
            left, right, tallest = start, end, bottom - top
    return [np.array(digit) for digit in digits]


@dataclass(frozen=True)
class _Page:
    """The ink of a page, one pixel for each block of the picture, and the classifier."""

    ink: Plane
    parts: Components
    block: tuple[int, int]
    classifier: Classifier

    def read(self, members: Members, height: float) -> list[Digit]:
        """Return the digit of these components, or the several that touch."""
        parts = self.parts
        top, left = int(parts.top[members].min()), int(parts.left[members].min())
        bottom, right = int(parts.bottom[members].max()), int(parts.right[members].max())
        chosen = np.zeros(len(self.parts), bool)
        chosen[members] = True
        around = slice(max(0, top - 1), bottom + 1), slice(max(0, left - 1), right + 1)
        mask = parts.mask(chosen)[around]
        whole = strength(self.ink[around], mask, median(self.ink[around][mask]))
        best = [self._digit(whole, around[0].start, around[1].start)]
        if right - left < _WIDE * min(height, bottom - top):
            return best
        for count in range(2, min(_MAX_TOUCHING, int((right - left) / (0.25 * height))) + 1):
            pieces = [
                self._digit(piece, around[0].start, around[1].start + start) for start, piece in _cut(whole, count)
            ]
            if _confidence(pieces) > _confidence(best):
                best = pieces
        return best

    def _digit(self, whole: Plane, top: int, left: int) -> Digit:
        rows, columns = np.flatnonzero(whole.any(axis=1)), np.flatnonzero(whole.any(axis=0))
        box = (left + columns[0], top + rows[0], columns[-1] - columns[0] + 1, rows[-1] - rows[0] + 1)
        x, y, width, height = (int(value) * side for value, side in zip(box, self.block[::-1] * 2, strict=True))
        return Digit((x, y, width, height), self.classifier.classify(normalized(whole)))


def _confidence(digits: list[Digit]) -> float:
    """Return the least confidence of the digits, lowered for unlikely shapes: wider than high, or a narrow slice."""
    return min(digit.prediction.confidence * _likelihood(digit.box, len(digits) > 1) for digit in digits)


def _likelihood(box: tuple[int, int, int, int], cut: bool) -> float:
    aspect = box[2] / box[3]
    return min(1.0, _BROAD / aspect, aspect / _SLIM if cut else 1.0)


def _cut(whole: Plane, count: int) -> Iterator[tuple[int, Plane]]:
    """Yield each of `count` pieces with its first column, cut at the columns of least ink near equal widths."""
    ink, width = whole.sum(axis=0), whole.shape[1]
    cuts = [0]
    for number in range(1, count):
        middle, reach = number * width / count, _REACH * width / count
        columns = np.arange(max(cuts[-1] + 1, int(middle - reach)), max(cuts[-1] + 2, int(middle + reach) + 1))
        columns = columns[columns < width]
        # Among columns with equally little ink, the one nearest to the middle.
        cuts.append(int(columns[np.lexsort((np.abs(columns - middle), ink[columns]))[0]]))
    for start, end in zip(cuts, [*cuts[1:], width], strict=True):
        if whole[:, start:end].any():
            yield start, whole[:, start:end]
