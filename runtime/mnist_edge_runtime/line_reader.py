"""Numbers on paper: the digits of handwritten lines, found and read in the order of reading."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .classifier import Classifier, Prediction
from .preprocessing.connected_components import Components
from .preprocessing.filters import block_means, reduction
from .preprocessing.grayscale import grey
from .preprocessing.mnist import normalise
from .preprocessing.segmentation import find_strokes, strength

__all__ = ["Digit", "read_lines"]

Plane = NDArray[np.float32]
Members = NDArray[np.int64]  # indices of the components that make up a digit

_PIXELS = 2_000_000  # at which lines are looked for
_SMALL = 0.3  # of a digit's height: smaller parts are dust
_FLAT = 0.2  # of its own length, at which a part longer than two digits is a ruled line
_APART = 0.4  # of a digit's height between the middle of a line's lowest digit and that of the next line's highest
_OVERLAP = 0.5  # of the narrower part's width: two parts one above the other are one digit
_WHOLE = 0.75  # of a digit's height: a part that has it is a digit
_BROAD = 1.1  # width by height: a broader shape is hardly one digit
_SLIM = 0.4  # width by height: a slimmer slice of a whole is hardly one
_REACH = 0.4  # of a piece's width around its even place, where the cut may lie
_TILTS = np.radians(np.arange(-15, 15.5, 0.5))
_MOST = 5  # digits that touch
_WIDE = 0.9  # of a digit's height: what is wider may be several


@dataclass(frozen=True)
class Digit:
    """A digit and where it stands: left, top, width and height in pixels of the picture."""

    box: tuple[int, int, int, int]
    prediction: Prediction


def read_lines(picture: NDArray[Any], classifier: Classifier) -> list[list[Digit]]:
    """Return the digits of each handwritten line, from the top and from the left.

    Lines may be tilted by up to 15 degrees. Parts of a digit one above the other are put together, digits that touch
    are cut apart where the classifier is surer of the pieces than of the whole.

    Args:
        picture: what `mnist_edge_runtime.preprocessing.grayscale.grey` takes.
        classifier: reads each digit.

    Raises:
        InputError: another dtype, shape or range; BlankError where nothing stands out from the background.
    """
    pixels = grey(picture)
    side = reduction(pixels.shape, _PIXELS)
    ink, parts = find_strokes(block_means(pixels, side), lambda parts, masses: masses > 0)
    height = _height(parts, parts.sums(ink))
    parts_of_digits = _without_dust(parts, height)
    page = _Page(ink, parts, side, classifier)
    return [
        [digit for members in _digits(parts, line, height) for digit in page.read(members, height)]
        for line in _lines(parts, parts_of_digits, height)
    ]


def _height(parts: Components, masses: NDArray[np.float64]) -> float:
    """Return the height of the digits: half of all ink is in parts of at most this extent."""
    extents = np.minimum(parts.extents, 3 * (parts.boxes[:, 2] - parts.boxes[:, 0]))  # a ruled line has next to none
    order = np.argsort(extents)
    share = np.cumsum(masses[order])
    return float(extents[order][np.searchsorted(share, share[-1] / 2)])


def _without_dust(parts: Components, height: float) -> Members:
    rows, columns = parts.boxes[:, 2] - parts.boxes[:, 0], parts.boxes[:, 3] - parts.boxes[:, 1]
    ruled = (columns > 2 * height) & (rows < _FLAT * columns) & (rows < height / 2)
    return np.flatnonzero((parts.extents >= _SMALL * height) & ~ruled)


def _lines(parts: Components, members: Members, height: float) -> list[Members]:
    """Return the components of each line, lines from the top."""
    boxes = parts.boxes[members]
    y, x = (boxes[:, 0] + boxes[:, 2]) / 2, (boxes[:, 1] + boxes[:, 3]) / 2
    weights = np.minimum(parts.extents[members] / height, 1) ** 2  # a dash says less of where its line runs

    def crowding(tilt: float) -> float:
        """Return how few rows of a third of a digit's height hold the digits, turned upright by the tilt."""
        upright = (y - x * np.tan(tilt)) / (height / 3)
        offsets = [np.bincount((upright - upright.min() + shift).astype(int), weights) for shift in (0, 1 / 3, 2 / 3)]
        return max(float((rows**2).sum()) for rows in offsets)

    tilt = max(_TILTS, key=lambda tilt: (round(crowding(tilt), 6), -abs(tilt)))
    upright = y - x * np.tan(tilt)
    high = boxes[:, 2] - boxes[:, 0] >= height / 2
    order = np.argsort(upright)
    # A dot or a bar, as over a 5, begins no line: it joins the nearest.
    steps = order[high[order]] if high.any() else order
    starts = np.flatnonzero(np.diff(upright[steps]) > _APART * height) + 1
    middles = np.array([upright[line].mean() for line in np.split(steps, starts)])
    nearest = np.abs(upright[:, np.newaxis] - middles).argmin(axis=1)
    return [members[nearest == number] for number in range(len(middles))]


def _digits(parts: Components, line: Members, height: float) -> list[Members]:
    """Return the components of each digit of a line, from the left: what lies above another part belongs to it."""
    digits: list[list[int]] = []
    left = right = tallest = 0
    for index in line[np.argsort(parts.boxes[line, 1])]:
        top, start, bottom, end = parts.boxes[index]
        shared = min(right, end) - max(left, start)
        # Two parts as high as a digit are two that lean on each other.
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
    """The ink of a page, whose pixels are blocks of the picture's, and what reads it."""

    ink: Plane
    parts: Components
    side: int
    classifier: Classifier

    def read(self, members: Members, height: float) -> list[Digit]:
        """Return the digit, or the several that touch."""
        boxes = self.parts.boxes[members]
        top, left = boxes[:, :2].min(axis=0)
        bottom, right = boxes[:, 2:].max(axis=0)
        chosen = np.zeros(len(self.parts), bool)
        chosen[members] = True
        around = slice(max(0, top - 1), bottom + 1), slice(max(0, left - 1), right + 1)
        whole = strength(self.ink[around], self.parts.mask(chosen)[around])
        best = [self._digit(whole, around[0].start, around[1].start)]
        if right - left < _WIDE * min(height, bottom - top):
            return best
        for count in range(2, min(_MOST, int((right - left) / (0.25 * height))) + 1):
            pieces = [
                self._digit(piece, around[0].start, around[1].start + start) for start, piece in _cut(whole, count)
            ]
            if _surety(pieces) > _surety(best):
                best = pieces
        return best

    def _digit(self, whole: Plane, top: int, left: int) -> Digit:
        rows, columns = np.flatnonzero(whole.any(axis=1)), np.flatnonzero(whole.any(axis=0))
        box = (left + columns[0], top + rows[0], columns[-1] - columns[0] + 1, rows[-1] - rows[0] + 1)
        x, y, width, height = (int(value) * self.side for value in box)
        return Digit((x, y, width, height), self.classifier.classify(normalise(whole)))


def _surety(digits: list[Digit]) -> float:
    """Return how sure the worst answer is; what is wider than high, or a narrow slice of a whole, is marked down."""
    return min(digit.prediction.confidence * _likelihood(digit.box, len(digits) > 1) for digit in digits)


def _likelihood(box: tuple[int, int, int, int], cut: bool) -> float:
    aspect = box[2] / box[3]
    return min(1.0, _BROAD / aspect, aspect / _SLIM if cut else 1.0)


def _cut(whole: Plane, count: int) -> Iterator[tuple[int, Plane]]:
    """Yield where each of `count` pieces begins and the piece, cut in the columns of least ink near equal widths."""
    ink, width = whole.sum(axis=0), whole.shape[1]
    cuts = [0]
    for number in range(1, count):
        middle, reach = number * width / count, _REACH * width / count
        columns = np.arange(max(cuts[-1] + 1, int(middle - reach)), max(cuts[-1] + 2, int(middle + reach) + 1))
        columns = columns[columns < width]
        # Of columns with as little ink the one nearest to the middle.
        cuts.append(int(columns[np.lexsort((np.abs(columns - middle), ink[columns]))[0]]))
    for start, end in zip(cuts, [*cuts[1:], width], strict=True):
        if whole[:, start:end].any():
            yield start, whole[:, start:end]
