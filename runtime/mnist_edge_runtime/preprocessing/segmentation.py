"""Segment pen strokes: separate them from dust, ruled lines, shadows and the edges of the page."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import BlankError
from . import window_filters
from .binarization import InkMap, ink_maps
from .connected_components import Components
from .edge_sharpness import edge_sharpness, rim_width
from .histogram import LEVELS, NONE, histogram, otsu_threshold
from .ruled_lines import without_ruled_lines

__all__ = [
    "SURE",
    "WHOLE",
    "Strokes",
    "cleared",
    "extent_of",
    "faintest",
    "find_strokes",
    "one_digit",
    "part_around",
    "strength",
    "strokes_above",
    "touches_border",
    "with_fainter_ends",
    "without_lines",
]

Plane = NDArray[np.uint8]
Mask = NDArray[np.bool_]
Integers = NDArray[np.int64]
Part = tuple[slice, slice]  # rows and columns
Choose = Callable[[Components, Integers], Mask]

SURE = 205  # of `edge_sharpness.FULL`: score at which a hypothesis is taken without looking at the next
FAIR = 128  # the same in a picture too small for more than one light
WHOLE: Part = (slice(None), slice(None))
_SMALL = 40  # pixels of the longer side of such a picture
# % of the digit's extent.
_SPECK = 12  # extent below which a component is dust, unless it touches the digit
_NEAR = 5  # gap to the digit up to which any component belongs to it
_FAR = 40  # gap to the digit beyond which a large component is another object
_FAINT_END = (3, 5)  # share of the threshold: fainter parts of a stroke belong to it
_INK = 51  # of 255, strength: what is fainter is background, dust or compression
_PIECES = 180  # score below which strokes may be the pieces of a hairline
_REMAINS = (3, 5)  # share of the ink of good strokes, of a score of FAIR, that better ones keep at least
_FREE = 24  # parts of a side, one of which is free at both ends of a digit that lines are behind
# Runs of pixels in a row, in all, and pixels for each; more are grain, which would take long to label.
_MOST_RUNS = (1500, 40)
_LEAST_MASS = 3  # pixels of full ink; less is a speck


class Strokes(NamedTuple):
    """Pen strokes under the best background hypothesis.

    Attributes:
        map: the ink.
        threshold: level of ink that they exceed.
        mask: bool (H, W), all components of the ink.
        parts: these components.
        chosen: bool (components,), which of them are wanted.
        score: 0 to `edge_sharpness.FULL`, the share of the ink that is sharp and wanted.
        mass: of the wanted ink, in parts of 255 of a pixel of full ink.
    """

    map: InkMap
    threshold: int
    mask: Mask
    parts: Components
    chosen: Mask
    score: int
    mass: int


def find_strokes(picture: Plane, choose: Choose, sure: int = SURE, *, even: bool = True) -> Strokes:
    """Return the strokes in a grey picture, (H, W), under the hypothesis about its background that shows them best.

    Args:
        picture: uint8 (H, W).
        choose: selects the wanted components, given all of them and their weights, the ink times its sharpness.
        sure: score at which a hypothesis is taken without looking at the next.
        even: also take the background for uniform.

    Raises:
        BlankError: nothing stands out.
    """
    sure = sure if max(picture.shape) >= _SMALL else FAIR
    best: Strokes | None = None
    hypotheses: list[InkMap] = []
    for found in ink_maps(picture, even=even):
        if found.threshold != NONE:
            hypotheses.append(found)
            best = _better(best, strokes_above(found, found.threshold, choose))
            if best and best.score >= sure:
                return best
    # A hairline falls to pieces at the whole threshold.
    for found in hypotheses if best is None or best.score < _PIECES else ():
        if found.threshold >> 1 >= found.floor:
            best = _better(best, strokes_above(found, found.threshold >> 1, choose))
            if best and best.score >= sure:
                return best
    if best is None:
        raise BlankError("the picture is blank: no ink was found")
    return best


def _better(best: Strokes | None, strokes: Strokes | None) -> Strokes | None:
    """Return the sharper strokes of two, the earlier ones where the later are mere remains of them, out of focus."""
    if best is None or strokes is None:
        return strokes or best
    if strokes.score <= best.score:
        return best
    share, of = _REMAINS
    if strokes.score >= SURE or best.score < FAIR or strokes.mass * of >= best.mass * share:
        return strokes
    # What touches the border may be a shadow, from which strokes are told apart.
    return strokes if touches_border(best) else best


def strokes_above(found: InkMap, threshold: int, choose: Choose) -> Strokes | None:
    """Return the strokes above a threshold; None where there is nothing, or more runs of pixels than strokes have."""
    mask = found.ink > threshold
    most, per_pixels = _MOST_RUNS
    if np.count_nonzero(mask[:, 1:] != mask[:, :-1]) > 2 * max(most, mask.size // per_pixels) or not mask.any():
        return None
    parts = Components(mask)
    sharpness, masses = edge_sharpness(parts, found.ink, threshold, found.noise)
    weights = masses * sharpness
    chosen = choose(parts, weights) & (sharpness > 0)
    large = 100 * parts.extents >= _SPECK * parts.extents[weights.argmax()]
    score = int(weights[chosen].sum()) // max(1, int(masses[large].sum()))
    mass = int(masses[chosen].sum()) * 255 // found.full
    return Strokes(found, threshold, mask, parts, chosen if chosen.any() else ~chosen, score, mass)


def one_digit(parts: Components, masses: Integers) -> Mask:
    """Return the components of one digit: the heaviest, the large ones near it, and any that touch it."""
    if len(parts) == 1:
        return np.ones(1, np.bool_)
    heaviest = int(masses.argmax())
    extent = int(parts.extents[heaviest])
    vertical = np.maximum(parts.top[heaviest] - parts.bottom, parts.top - parts.bottom[heaviest])
    horizontal = np.maximum(parts.left[heaviest] - parts.right, parts.left - parts.right[heaviest])
    gaps = 100 * np.maximum(vertical, horizontal)
    return ((100 * parts.extents >= _SPECK * extent) & (gaps <= _FAR * extent)) | (gaps <= _NEAR * extent)


def without_lines(strokes: Strokes) -> Strokes:
    """Return the strokes of one digit without the ruled lines behind it that it hangs together with.

    Looked for where what was chosen runs from border to border. A closely cropped digit does as well: then what is left
    of it still reaches a border.
    """
    height, width = strokes.mask.shape
    rows, columns = part_around(strokes, 0)
    if columns != slice(0, width) and rows != slice(0, height):
        return strokes
    found, threshold = strokes.map, strokes.threshold
    erased = without_ruled_lines(found.ink, found.ink > faintest(strokes), behind_one=True)
    if erased is None:
        return strokes
    left = strokes_above(found._replace(ink=erased), threshold, one_digit)
    if left is None or left.score < strokes.score or 100 * extent_of(left) < _SPECK * extent_of(strokes):
        return strokes
    free = all(
        part.start >= side // _FREE and part.stop <= side - side // _FREE
        for part, side in zip(part_around(left, 0), (height, width), strict=True)
    )
    return left if free else strokes


def faintest(strokes: Strokes) -> int:
    """Return the level of ink that strokes may be grown into."""
    return max(strokes.threshold // 4, strokes.map.noise * 5 // 4)


def extent_of(strokes: Strokes) -> int:
    """Return the longer side of the box around all chosen strokes."""
    top, left, bottom, right = strokes.parts.box(strokes.chosen)
    return max(bottom - top, right - left)


def touches_border(strokes: Strokes) -> bool:
    """Return whether a chosen stroke touches the border of the picture."""
    return any(
        part.start == 0 or part.stop == side
        for part, side in zip(part_around(strokes, 0), strokes.mask.shape, strict=True)
    )


def part_around(strokes: Strokes, margin: int) -> Part:
    """Return the rows and columns around all chosen strokes, with a margin."""
    top, left, bottom, right = strokes.parts.box(strokes.chosen)
    return slice(max(0, top - margin), bottom + margin), slice(max(0, left - margin), right + margin)


def with_fainter_ends(strokes: Strokes, part: Part = WHOLE) -> tuple[Plane, Components]:
    """Return the ink near the chosen strokes, uint8 (H, W), and the strokes in it, by a lower threshold.

    Args:
        strokes: as `find_strokes` returns them.
        part: of the picture, rows and columns; nothing chosen lies outside of it.

    Raises:
        BlankError: there is nothing but specks.
    """
    chosen = strokes.parts.mask(strokes.chosen)[part]
    ink = strokes.map.ink[part] * window_filters.maximum(chosen.view(np.uint8), rim_width(strokes.mask.shape))
    share, of = _FAINT_END
    threshold = otsu_threshold(histogram(ink), strokes.map.floor) * share // of
    parts = Components(ink > min(threshold, strokes.threshold))
    if int(parts.sums(parts.at(ink)).max(initial=0)) < _LEAST_MASS * strokes.map.full:
        raise BlankError("the picture is blank: there is nothing but specks in it")
    return ink, parts


def strength(ink: Plane, mask: Mask, full: int) -> Plane:
    """Return the ink's strength, uint8 (H, W): 255 from `full` on, less at the edges of the mask, 0 elsewhere."""
    levels = cleared(np.minimum(LEVELS * 255 // full, 255).astype(np.uint8))
    return np.take(levels, ink * window_filters.maximum(mask.view(np.uint8), 1))


def cleared(strength: Plane) -> Plane:
    """Return strength without what is too faint for ink."""
    return np.where(strength < _INK, np.uint8(0), strength)
