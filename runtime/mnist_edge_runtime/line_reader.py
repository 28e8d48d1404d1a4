"""Read handwritten lines of digits: segment a page into digits and classify them in reading order."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .classifier import Classifier
from .prediction import Prediction
from .preprocessing.connected_components import Components
from .preprocessing.grayscale import check_sides, to_grayscale
from .preprocessing.histogram import median
from .preprocessing.mnist import normalized
from .preprocessing.page_segmentation import segment_page
from .preprocessing.reduction import block_means, block_sides
from .preprocessing.segmentation import strength
from .preprocessing.text_lines import Members, text_lines

__all__ = ["Digit", "enlarged", "read_lines"]

Plane = NDArray[np.uint8]

_LONGEST = (1_000, 2_000)  # pixels of the longer side of the picture in which lines are looked for, and looked at again
_LOW = 60  # pixels; height of digits below which a page is looked at again
_NARROWEST = 3  # pixels of a piece that a digit is cut into
_MAX_TOUCHING = 5  # digits that touch
# In digit heights.
_WIDE = 0.9  # width from which a shape may be several digits
# Ratios of widths and heights.
_BROAD = 1.1  # width by height above which a shape is unlikely to be one digit
_SLIM = 0.4  # width by height below which a slice is unlikely to be one digit
_CROSSING = 0.6  # of the confidence, for each stroke too many that a cut crosses
_PART = 0.6  # height below which a digit may be a part of a broken one
_GAP = 0.3  # gap between parts of a broken digit
_WIDEST = 1.2  # width by height of a broken digit
_REACH = 0.4  # share of a piece's width by which a cut may move from equal widths


@dataclass(frozen=True)
class Digit:
    """A digit: its bounding box, which is left, top, width and height in pixels of the picture, and what it is.

    `image` is what the network saw, uint8 (28, 28).
    """

    box: tuple[int, int, int, int]
    prediction: Prediction
    image: Plane | None = field(default=None, compare=False, repr=False)


def enlarged(lines: list[list[Digit]], by: int) -> list[list[Digit]]:
    """Return the digits with boxes in pixels of the file, whose picture was decoded at 1 / `by` of its sides."""

    def box(digit: Digit) -> tuple[int, int, int, int]:
        left, top, width, height = digit.box
        return by * left, by * top, by * width, by * height

    return [[replace(digit, box=box(digit)) for digit in line] for line in lines]


def read_lines(picture: NDArray[Any], classifier: Classifier) -> list[list[Digit]]:
    """Return the digits of each handwritten line, lines from the top, digits from the left.

    Lines may be tilted by up to 15 degrees. Parts of a digit one above the other are joined, and other parts of a
    broken one, and digits that touch are cut apart, where the classifier is more confident about the outcome.

    Args:
        picture: grey (H, W) of at least 3 x 3 pixels, or in colour, as `preprocessing.grayscale.to_grayscale` takes it.
        classifier: classifies each digit.

    Raises:
        InputError: another dtype, shape or range; BlankError where no ink is found.
    """
    pixels = to_grayscale(picture)
    check_sides(pixels)
    for longest in _LONGEST:
        down, across = block_sides(pixels.shape, longest)
        ink, parts, height = segment_page(block_means(pixels, down, across))
        if height >= _LOW or max(down, across) == 1:
            break
    page = _Page(ink, parts, height, (down, across), classifier)
    return [page.read_line(digits) for digits in text_lines(parts, height)]


@dataclass(frozen=True)
class _Page:
    """The ink of a page, one pixel for each block of the picture, and the classifier."""

    ink: Plane
    parts: Components
    height: int  # of its digits, in pixels
    block: tuple[int, int]
    classifier: Classifier

    def read_line(self, digits: list[Members]) -> list[Digit]:
        """Return the digits of a line, given the components that each seems to consist of."""
        found = [self._read(members) for members in digits]
        for count in (3, 2):
            first = 0
            while first + count <= len(digits):
                if joined := self._joined(digits[first : first + count], found[first : first + count]):
                    digits = [*digits[:first], np.concatenate(digits[first : first + count]), *digits[first + count :]]
                    found[first : first + count] = [joined]
                first += 1
        return [digit for each in found for digit in each]

    def _joined(self, digits: list[Members], found: list[list[Digit]]) -> list[Digit] | None:
        """Return the one digit that these are the parts of, a broken one; None where they are digits."""
        top, left, bottom, right = (
            np.array([pick(side[members]) for members in digits])
            for side, pick in (
                (self.parts.top, np.min),
                (self.parts.left, np.min),
                (self.parts.bottom, np.max),
                (self.parts.right, np.max),
            )
        )
        heights = bottom - top
        is_broken = (heights < _PART * self.height).any() and (left[1:] - right[:-1] <= _GAP * self.height).all()
        if not is_broken or right.max() - left.min() > _WIDEST * max(bottom.max() - top.min(), self.height):
            return None
        joined = self._read(np.concatenate(digits))
        apart = min(_confidence(each) for each in found)
        return joined if len(joined) == 1 and _confidence(joined) > apart else None

    def _read(self, members: Members) -> list[Digit]:
        """Return the digit of these components, or the several that touch."""
        height = self.height
        parts = self.parts
        top, left = int(parts.top[members].min()), int(parts.left[members].min())
        bottom, right = int(parts.bottom[members].max()), int(parts.right[members].max())
        around = slice(max(0, top - 1), bottom + 1), slice(max(0, left - 1), right + 1)
        mask = parts.mask_within(members, *around)
        whole = strength(self.ink[around], mask, median(self.ink[around][mask]))
        best = [self._digit(whole, around[0].start, around[1].start)]
        if right - left < _WIDE * min(height, bottom - top):
            return best
        certainty = _confidence(best)
        for count in range(2, min(_MAX_TOUCHING, int((right - left) / max(0.25 * height, _NARROWEST))) + 1):
            crossings, cut = _cut(whole, count)
            pieces = [self._digit(piece, around[0].start, around[1].start + start) for start, piece in cut]
            if _confidence(pieces) * _CROSSING**crossings > certainty:
                best, certainty = pieces, _confidence(pieces) * _CROSSING**crossings
        return best

    def _digit(self, whole: Plane, top: int, left: int) -> Digit:
        rows, columns = np.flatnonzero(whole.any(axis=1)), np.flatnonzero(whole.any(axis=0))
        box = (left + columns[0], top + rows[0], columns[-1] - columns[0] + 1, rows[-1] - rows[0] + 1)
        x, y, width, height = (int(value) * side for value, side in zip(box, self.block[::-1] * 2, strict=True))
        image = normalized(whole)
        return Digit((x, y, width, height), self.classifier.classify(image), image)


def _confidence(digits: list[Digit]) -> float:
    """Return the least confidence of the digits, lowered for unlikely shapes: wider than high, or a narrow slice."""
    return min(digit.prediction.confidence * _likelihood(digit.box, len(digits) > 1) for digit in digits)


def _likelihood(box: tuple[int, int, int, int], cut: bool) -> float:
    aspect = box[2] / box[3]
    return min(1.0, _BROAD / aspect, aspect / _SLIM if cut else 1.0)


def _cut(whole: Plane, count: int) -> tuple[int, list[tuple[int, Plane]]]:
    """Return `count` pieces, each with its first column, and how many strokes too many the cuts cross.

    They are cut near equal widths, at the columns with the fewest strokes, and of these with the least ink. A cut that
    crosses two strokes goes through a loop, or through a digit that is wide.
    """
    ink, width = whole.sum(axis=0, dtype=np.int64), whole.shape[1]
    strong = whole > 127
    strokes = strong[0].astype(np.int64) + (strong[1:] & ~strong[:-1]).sum(axis=0)
    cuts, crossings = [0], 0
    for number in range(1, count):
        middle, reach = number * width / count, _REACH * width / count
        columns = np.arange(max(cuts[-1] + 1, int(middle - reach)), max(cuts[-1] + 2, int(middle + reach) + 1))
        columns = columns[columns < width]
        # Among columns with equally little ink, the one nearest to the middle.
        order = np.lexsort((np.abs(columns - middle), ink[columns], np.maximum(strokes[columns], 1)))
        cuts.append(int(columns[order[0]]))
        crossings += max(int(strokes[cuts[-1]]) - 1, 0)
    pieces = [(start, whole[:, start:end]) for start, end in zip(cuts, [*cuts[1:], width], strict=True)]
    return crossings, [(start, piece) for start, piece in pieces if piece.any()]
