"""Convert any picture of a digit to MNIST's form, the 28 x 28 image that the networks were trained on.

MNIST's own recipe (http://yann.lecun.com/exdb/mnist): white ink on black, the digit scaled into a 20 x 20 box with
its aspect ratio kept, and that box placed in 28 x 28 by the digit's centre of mass. Training on other data and
classifying on the device both use this module, so that they cannot differ.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import BlankError, InputError, UsageError
from ..model_file.contract import IMAGE_SHAPE
from .filters import block_means, reduction_factor, resample
from .grayscale import MIN_CONTRAST, to_grayscale
from .segmentation import segment_digit
from .stroke_width import normalize_stroke_width

__all__ = ["PREPROCESSING", "normalize_size", "to_mnist", "to_picture"]

PREPROCESSING = ("auto", "mnist", "none")
_SIZE = IMAGE_SHAPE[0]  # pixels
_BOX = 20  # pixels of the digit's longer side
_CENTRE = 14  # pixels from the first: the centre of mass of MNIST's images
_INK = 0.2  # share of the strongest ink; what is fainter is background, dust or compression
_PIXELS = 500_000  # of the picture in which a digit is first looked for
_FINEST = 100  # pixels of a digit's longer side; more add nothing
_ENLARGED = 5  # times 28 pixels: the side of a digit drawn as a picture
_MARGIN = 20  # pixels around it


def to_mnist(picture: NDArray[Any], preprocess: str = "auto") -> NDArray[np.uint8]:
    """Return a picture in MNIST's form, uint8 (28, 28).

    Args:
        picture: grey (H, W) of at least 3 x 3 pixels, or in colour, as `grayscale.to_grayscale` takes it.
        preprocess: "mnist" converts any picture: illumination corrected, ink white on black whatever the polarity,
            specks dropped, cropped, hairlines widened, scaled, centred. "none" takes 28 x 28 pixels as they are.
            "auto" is "none" for 28 x 28 pixels that are light on a dark border, and "mnist" for all others.

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
    if min(pixels.shape) < 3:
        raise InputError(f"got {_size(pixels)} pixels, expected a picture of at least 3 x 3")
    if preprocess == "auto" and _is_mnist(pixels):
        return pixels.copy()
    return normalize_size(_locate(pixels))


def normalize_size(ink: NDArray[np.floating[Any]]) -> NDArray[np.uint8]:
    """Return ink scaled into a 20 x 20 box and centred by its mass in 28 x 28, as MNIST's digits are, uint8.

    Args:
        ink: floats (H, W), 0 or less where there is no ink.

    Raises:
        BlankError: there is no ink.
    """
    strength = np.clip(ink / max(float(ink.max()), 1e-9), 0, 1)
    strength[strength < _INK] = 0
    if not strength.any():
        raise BlankError("the picture is blank: there is no ink in it")
    digit = normalize_stroke_width(strength[_bounds(strength > 0)])
    height, width = digit.shape
    longest = max(height, width)
    box_height, box_width = max(1, round(_BOX * height / longest)), max(1, round(_BOX * width / longest))
    digit = resample(digit, box_height, box_width)
    # A thin stroke fades when it is averaged into fewer pixels; MNIST's strokes reach full white.
    digit = digit / digit.max()
    image = np.zeros(IMAGE_SHAPE)
    top, left = _offset(digit.sum(axis=1)), _offset(digit.sum(axis=0))
    image[top : top + box_height, left : left + box_width] = digit
    return np.rint(image * 255).astype(np.uint8)


def to_picture(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return an image in MNIST's form, uint8 (28, 28), as a drawing on paper: larger, dark on light, with a margin."""
    enlarged = np.kron(255 - image, np.ones((_ENLARGED, _ENLARGED), np.uint8))
    return np.pad(enlarged, _MARGIN, constant_values=255)


def _size(pixels: NDArray[np.uint8]) -> str:
    return f"{pixels.shape[1]} x {pixels.shape[0]}"


def _is_mnist(pixels: NDArray[np.uint8]) -> bool:
    """Return whether the picture is in MNIST's form: 28 x 28, light on a dark border."""
    if pixels.shape != IMAGE_SHAPE:
        return False
    background = np.median(np.concatenate([pixels[0], pixels[-1], pixels[1:-1, 0], pixels[1:-1, -1]]))
    lighter, darker = pixels.max() - background, background - pixels.min()
    return bool(lighter >= max(darker, MIN_CONTRAST))


def _locate(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the digit's ink strength: located in a reduced picture, again at a finer scale if it is small."""
    side = reduction_factor(pixels.shape, _PIXELS)
    strength = segment_digit(block_means(pixels, side))
    rows, columns = _bounds(strength > 0)
    extent = max(rows.stop - rows.start, columns.stop - columns.start)
    if side == 1 or extent >= _FINEST:
        return strength
    margin = extent // 2
    top, left = (max(0, part.start - margin) * side for part in (rows, columns))
    return _locate(pixels[top : (rows.stop + margin) * side, left : (columns.stop + margin) * side])


def _bounds(mask: NDArray[np.bool_]) -> tuple[slice, slice]:
    """Return the bounding box of a mask: its rows and columns from the first to the last that are set."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)


def _offset(mass: NDArray[np.floating[Any]]) -> int:
    """Return the first row (or column) of a digit with this mass per row that puts its centre of mass at the centre."""
    centre = float(mass @ np.arange(len(mass)) / mass.sum())
    return int(np.clip(round(_CENTRE - centre), 0, _SIZE - len(mass)))
