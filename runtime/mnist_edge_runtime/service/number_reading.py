"""Read the digit or number in one view of a camera, and say why it is not to be relied on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..classifier import Classifier
from ..errors import BlankError
from ..line_reader import Digit, read_lines
from ..preprocessing.reduction import block_means

__all__ = ["BLANK", "Reading", "View", "read_number"]

Plane = NDArray[np.uint8]  # (H, W), grey

BLANK = "no digit is in view"
_EDGE = 3  # pixels of the view's edge; ink that reaches it may go on outside
# Ratio of heights: a line of digits as high as this share of the highest is a number of its own, and no smudge.
_COMPARABLE = 0.5
# Grey levels by which a stroke differs from the paper beside it; of 562 drawn numbers all had 40 or more, and what was
# read into the uneven light of 154 blank papers at most 11.
_STEEP = 20
# Digit heights between two digits that were cut apart; slanted ones that overlap in width were not.
_TOUCHING = 0.02
_BESIDE = 10  # parts of a digit's height, one of which is the distance over which that is measured
_STEEPEST = 95  # percentile of the differences, of which most are between paper and paper


@dataclass(frozen=True)
class Reading:
    """The number in view.

    Attributes:
        text: its digits; empty where there are none.
        digits: each with its box in pixels of the frame.
        reason: why it is not accepted, else None.
    """

    text: str
    digits: tuple[Digit, ...] = ()
    reason: str | None = None

    @property
    def accepted(self) -> bool:
        return self.reason is None


class View(NamedTuple):
    """The part of a frame that is read: grey pixels (H, W), its place in the frame, frame pixels for one of its own."""

    pixels: Plane
    left: int = 0
    top: int = 0
    scale: float = 1


def read_number(view: View, classifier: Classifier) -> Reading:
    """Return the number in view: its line of the highest digits.

    It is accepted where each digit is, none is cut off by the view's edge, and no second number is in view.
    """
    try:
        lines = read_lines(view.pixels, classifier)
    except BlankError:
        lines = []
    if not lines:
        return Reading("", reason=BLANK)
    heights = [float(np.median([digit.box[3] for digit in line])) for line in lines]
    number = lines[int(np.argmax(heights))]
    if np.median([_steepness(view.pixels, digit) for digit in number]) < _STEEP:
        return Reading("", reason=BLANK)
    rivals = sum(height >= _COMPARABLE * max(heights) for height in heights)
    unsure = [str(place) for place, digit in enumerate(number, 1) if not digit.prediction.accepted]
    touching = _first_touching(number)
    reason = None
    if _is_cut_off(view.pixels, number):
        reason = "the number is cut off by the edge of the view"
    elif rivals > 1:
        reason = f"{rivals} lines of digits are in view, expected one number"
    elif touching:
        reason = f"digits {touching} and {touching + 1} touch"
    elif unsure:
        reason = f"unsure of digit {', '.join(unsure)}"
    text = "".join(digit.prediction.label for digit in number)
    return Reading(text, tuple(_in_frame(digit, view) for digit in number), reason)


def _steepness(pixels: Plane, digit: Digit) -> float:
    """Return by how much the grey levels around a digit's strokes differ; light and shadows change over longer ways."""
    left, top, width, height = digit.box
    margin, block = height // 6 + 2, max(1, height // (2 * _BESIDE))
    around = pixels[max(0, top - margin) : top + height + margin, max(0, left - margin) : left + width + margin]
    means = block_means(np.ascontiguousarray(around), block, block).astype(np.int64)
    down, across = np.abs(means[2:] - means[:-2]), np.abs(means[:, 2:] - means[:, :-2])
    differences = np.concatenate([down.ravel(), across.ravel()])
    return float(np.percentile(differences, _STEEPEST)) if differences.size else 0.0


def _is_cut_off(pixels: Plane, number: list[Digit]) -> bool:
    """Return whether a digit reaches the view's edge, or so does ink beside the number, where one more digit may be."""
    rows, columns = pixels.shape
    for left, top, width, height in (digit.box for digit in number):
        right, bottom = left + width, top + height
        if min(left, top) < _EDGE or right > columns - _EDGE or bottom > rows - _EDGE:
            return True
    first, last = number[0].box, number[-1].box
    beside = []
    if first[0] < first[3]:
        beside.append((first, pixels[:, :_EDGE]))
    if columns - last[0] - last[2] < last[3]:
        beside.append((last, pixels[:, -_EDGE:]))
    for (_, top, _, height), edge in beside:
        band = np.ascontiguousarray(edge[max(0, top - height // 3) : top + height + height // 3])
        means = block_means(band, max(1, height // (2 * _BESIDE)), _EDGE).astype(np.int64)
        if len(means) > 2 and np.abs(means[2:] - means[:-2]).max() >= _STEEP:
            return True
    return False


def _first_touching(number: list[Digit]) -> int | None:
    """Return the place of the first digit that touches the next: a wide digit may have been cut in two there."""
    for place, (one, other) in enumerate(pairwise(number), 1):
        left, _, width, height = one.box
        if 0 <= other.box[0] - left - width <= _TOUCHING * height:
            return place
    return None


def _in_frame(digit: Digit, view: View) -> Digit:
    left, top, width, height = (round(value * view.scale) for value in digit.box)
    return replace(digit, box=(left + view.left, top + view.top, width, height))
