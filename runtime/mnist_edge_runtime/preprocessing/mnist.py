"""Convert any picture of a digit to MNIST's form, the 28 x 28 image that the networks were trained on: `mnist/1`.

MNIST's own recipe (http://yann.lecun.com/exdb/mnist): white ink on black, the digit scaled into a 20 x 20 box with
its aspect ratio kept, and that box placed in 28 x 28 by the digit's centre of mass. Every step is integer arithmetic,
so that every machine gives the same image. Training on other data and classifying on the device both use this module,
so that they cannot differ. docs/preprocessing.md specifies it.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import BlankError, InputError, UsageError
from ..model_file.contract import IMAGE_SHAPE
from .binarization import border
from .edge_sharpness import rim_width
from .grayscale import MIN_CONTRAST, check_sides, to_grayscale
from .histogram import LEVELS, median
from .reduction import block_means, block_sides
from .resampling import resample
from .segmentation import (
    SURE,
    Strokes,
    cleared,
    extent_of,
    find_strokes,
    one_digit,
    part_around,
    strength,
    touches_border,
    with_fainter_ends,
    without_lines,
)
from .stroke_growth import grow
from .stroke_width import normalize_stroke_width

__all__ = ["PREPROCESSING", "normalize_size", "normalized", "to_mnist", "to_picture"]

PREPROCESSING = ("auto", "mnist", "none")
_SIZE = IMAGE_SHAPE[0]  # pixels
_BOX = 20  # pixels of the digit's longer side
_CENTRE = 14  # pixels from the first: the centre of mass of MNIST's images
_LONGEST = 320  # pixels of the longer side of the picture in which a digit is looked for
_SCATTERED = 160  # of `segmentation.FULL`: score below which strokes may be dots
_SPECKS = 64  # of the same: score below which they are no part of it
_COARSER = (2, 3, 4)  # times, for another look at them
_COARSEST = 60  # pixels of the longer side of such a picture
_FINEST = 100  # pixels of a digit's longer side; more add nothing
_UNSURE = 100  # of `segmentation.FULL`; a second look need not be surer than the first, but as sure as this
_DIGIT_SIDES = (17, 22)  # pixels of the longer side of the digits in MNIST's own images
_OFF_CENTRE = 3  # half pixels from the middle, which their centres of mass do not reach
_INK = 10  # parts of the strongest ink, one of which ink has at least
_ENLARGED = 5  # times 28 pixels: the side of a digit drawn as a picture
_MARGIN = 20  # pixels around it


def to_mnist(picture: NDArray[Any], preprocess: str = "auto") -> NDArray[np.uint8]:
    """Return a picture in MNIST's form, uint8 (28, 28).

    Args:
        picture: grey (H, W) of at least 3 x 3 pixels, or in colour, as `grayscale.to_grayscale` takes it.
        preprocess: "mnist" converts any picture: illumination corrected, ink white on black whatever the polarity,
            specks dropped, cropped, hairlines widened, scaled, centred. "none" takes 28 x 28 pixels as they are.
            "auto" is "none" for 28 x 28 pixels that are light on dark, as large as MNIST's digits and centred like
            them, and "mnist" for all others.

    Raises:
        InputError: another dtype, shape or range; BlankError for a blank picture.
        UsageError: `preprocess` is none of the three.
    """
    if preprocess not in PREPROCESSING:
        raise UsageError(f"there is no preprocessing {preprocess!r}; choose one of {', '.join(PREPROCESSING)}")
    pixels = to_grayscale(picture)
    if preprocess == "none":
        if pixels.shape != IMAGE_SHAPE:
            raise InputError(f"got {_size(pixels)} pixels, expected 28 x 28, which --preprocess none takes as they are")
        return pixels.copy()
    check_sides(pixels)
    if preprocess == "auto" and _is_mnist(pixels):
        return pixels.copy()
    return normalized(_digit_strength(pixels))


def normalize_size(ink: NDArray[np.floating[Any]]) -> NDArray[np.uint8]:
    """Return ink scaled into a 20 x 20 box and centred by its mass in 28 x 28, as MNIST's digits are, uint8.

    Args:
        ink: floats (H, W), 0 or less where there is no ink.

    Raises:
        BlankError: there is no ink.
    """
    share = np.clip(ink / max(float(ink.max()), 1e-9), 0, 1)
    return normalized(cleared(np.rint(share * 255).astype(np.uint8)))


def normalized(strength: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the strength of a digit's ink, uint8 (H, W), in MNIST's form, uint8 (28, 28).

    Raises:
        BlankError: there is no ink.
    """
    rows, columns = np.flatnonzero(strength.max(axis=1)), np.flatnonzero(strength.max(axis=0))
    if not len(rows):
        raise BlankError("the picture is blank: there is no ink in it")
    digit = normalize_stroke_width(strength[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])
    longest = max(digit.shape)
    height, width = (max(1, (2 * _BOX * side + longest - 1) // (2 * longest)) for side in digit.shape)
    small = resample(digit, height, width)
    # A thin stroke fades when it is averaged into fewer pixels; MNIST's strokes reach full white.
    most = int(small.max())
    small = (small * 510 + most) // (2 * most)
    image = np.zeros(IMAGE_SHAPE, np.uint8)
    top, left = _offset(small.sum(axis=1)), _offset(small.sum(axis=0))
    image[top : top + height, left : left + width] = small
    return image


def to_picture(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return an image in MNIST's form, uint8 (28, 28), as a drawing on paper: larger, dark on light, with a margin."""
    enlarged = np.kron(255 - image, np.ones((_ENLARGED, _ENLARGED), np.uint8))
    return np.pad(enlarged, _MARGIN, constant_values=255)


def _size(pixels: NDArray[np.uint8]) -> str:
    return f"{pixels.shape[1]} x {pixels.shape[0]}"


def _is_mnist(pixels: NDArray[np.uint8]) -> bool:
    """Return whether the picture is in MNIST's form: light on dark, as large as its digits, and centred like them."""
    if pixels.shape != IMAGE_SHAPE:
        return False
    background = median(border(pixels))
    lighter, darker = int(pixels.max()) - background, background - int(pixels.min())
    if lighter < max(darker, MIN_CONTRAST):
        return False
    ink = np.maximum(pixels, background).astype(np.int64) - background
    ink[_INK * ink < lighter] = 0
    total = int(ink.sum())
    for mass in (ink.sum(axis=1), ink.sum(axis=0)):
        if abs(2 * int(mass @ LEVELS[:_SIZE]) - (_SIZE - 1) * total) >= _OFF_CENTRE * total:
            return False
    sides = (np.flatnonzero(ink.any(axis=axis)) for axis in (0, 1))
    return _DIGIT_SIDES[0] <= max(int(side[-1] - side[0]) + 1 for side in sides) <= _DIGIT_SIDES[1]


def _digit_strength(pixels: NDArray[np.uint8], sure: int = SURE, *, even: bool = True) -> NDArray[np.uint8]:
    """Return the strength of the digit's ink: found in a reduced picture, again at a finer scale if it is small."""
    down, across = blocks = block_sides(pixels.shape, _LONGEST)
    strokes, times = _digit_strokes(block_means(pixels, down, across), sure, even)
    strokes = without_lines(strokes)
    down, across = down * times, across * times
    extent = extent_of(strokes)
    rim = rim_width(strokes.mask.shape)
    if extent * times < _FINEST and max(blocks) > 1:
        rows, columns = part_around(strokes, max(rim, extent // 2))
        closer = pixels[rows.start * down : rows.stop * down, columns.start * across : columns.stop * across]
        if max(block_sides(closer.shape, _LONGEST)) < max(blocks):
            return _digit_strength(closer, min(SURE, max(strokes.score, _UNSURE)), even=strokes.map.even)
    part = part_around(strokes, max(rim, extent))
    ink, parts = with_fainter_ends(strokes, part)
    mask = parts.mask(one_digit(parts, parts.sums(parts.at(ink))))
    full = median(ink[mask])
    return strength(*grow(strokes.map, part, ink, mask, full), full)


def _digit_strokes(reduced: NDArray[np.uint8], sure: int, even: bool) -> tuple[Strokes, int]:
    """Return the strokes of the digit, and how many times coarser their picture is than the reduced one.

    The dots of a printer's screen, or of a dotted line, hang together in a coarser picture.
    """
    best: Strokes | None = None
    with suppress(BlankError):
        best = find_strokes(reduced, one_digit, sure, even=even)
    dots, blurred = best, 1
    for times in _COARSER:
        if (best and best.score >= (_SCATTERED if best is dots else SURE)) or max(reduced.shape) < times * _COARSEST:
            break
        with suppress(BlankError):
            coarse = block_means(reduced, *(min(times, max(1, side // 3)) for side in reduced.shape))
            strokes = find_strokes(coarse, one_digit, even=even)
            if touches_border(strokes) or (dots and not _are_dots(dots, strokes, times)):
                continue
            if best is None or strokes.score > best.score:
                best, blurred = strokes, times
    if best is None:
        raise BlankError("the picture is blank: no ink was found")
    return best, blurred


def _are_dots(dots: Strokes, strokes: Strokes, times: int) -> bool:
    """Return whether strokes, in a picture so many times coarser, may be what the dots are a part of."""
    inner = part_around(dots, 0)
    return dots.score < _SPECKS or all(
        2 * times * outer.start <= dot.start + dot.stop <= 2 * times * outer.stop
        for outer, dot in zip(part_around(strokes, 0), inner, strict=True)
    )


def _offset(mass: NDArray[np.int64]) -> int:
    """Return the first row (or column) of a digit with this mass per row that puts its centre of mass at the centre."""
    total, moment = int(mass.sum()), int(mass @ LEVELS[: len(mass)])
    return min(max(((2 * _CENTRE + 1) * total - 2 * moment) // (2 * total), 0), _SIZE - len(mass))
