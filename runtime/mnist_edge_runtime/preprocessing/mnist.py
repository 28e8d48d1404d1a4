"""From any picture of a digit to the 28 x 28 image that the networks know.

MNIST's own recipe (http://yann.lecun.com/exdb/mnist): white ink on black, the digit scaled with its aspect kept
into a 20 x 20 box, and that box placed in 28 x 28 by the digit's centre of mass. Training on other data and
classifying on the device both come through here, so the two cannot drift apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import BlankError, InputError, UsageError
from .binarization import CONTRAST
from .filters import block_means, reduction, resampled
from .grayscale import grey
from .image_io import load_picture, save_picture
from .segmentation import find_digit
from .stroke_width import thickened

__all__ = ["PREPROCESSING", "normalise", "read", "save", "to_mnist"]

PREPROCESSING = ("auto", "mnist", "none")
SIZE = 28
BOX = 20
_CENTRE = 14  # where the centre of mass of MNIST's images lies, in pixels from the first
_INK = 0.2  # what is fainter than this share of the strongest ink is paper, dust or compression
_PIXELS = 500_000  # at which a digit is looked for
_FINEST = 100  # pixels of a digit's longer side that lose nothing


def read(path: str | Path, preprocess: str = "auto") -> NDArray[np.uint8]:
    """Return the picture file as the networks see it, uint8 (28, 28).

    PNG, JPEG and BMP need Pillow (the extra `image`); PGM and .npy need numpy alone.

    Args:
        path: PNG, JPEG, BMP, PGM or .npy.
        preprocess: as in `to_mnist`.

    Raises:
        InputError: missing, not a picture of these kinds, or too large; BlankError where it is blank.
        UsageError: `preprocess` is none of the three.
    """
    try:
        return to_mnist(load_picture(path), preprocess)
    except InputError as error:
        raise error.at(path) from None


def to_mnist(picture: NDArray[Any], preprocess: str = "auto") -> NDArray[np.uint8]:
    """Return a picture in MNIST's form, uint8 (28, 28).

    Args:
        picture: what `grayscale.grey` takes: grey (H, W), of at least 3 x 3, or in colour.
        preprocess: "mnist" brings any picture to MNIST's form: even light, ink white on black whichever way it was,
            specks dropped, cropped, scaled, hair-thin strokes thickened, centred. "none" takes 28 x 28 as they are.
            "auto" does so where they are light on a dark border, bit for bit, and "mnist" with all others.

    Raises:
        InputError: another dtype, shape or range; BlankError for a blank picture.
        UsageError: `preprocess` is none of the three.
    """
    if preprocess not in PREPROCESSING:
        raise UsageError(f"there is no preprocessing {preprocess!r}; choose one of {', '.join(PREPROCESSING)}")
    pixels = grey(picture)
    if preprocess == "none":
        if pixels.shape != (SIZE, SIZE):
            raise InputError(f"got {_size(pixels)} pixels, expected 28 x 28, which --preprocess none takes as they are")
        return pixels.copy()
    if min(pixels.shape) < 3:
        raise InputError(f"got {_size(pixels)} pixels, expected a picture of at least 3 x 3")
    if preprocess == "auto" and _is_mnist(pixels):
        return pixels.copy()
    return normalise(_strength(pixels))


def save(seen: Sequence[NDArray[np.uint8]], path: str | Path) -> None:
    """Write images (28, 28) side by side as a PNG, pixel for pixel; Pillow is needed.

    Raises:
        InputError: the name does not end in .png, or there is no Pillow.
    """
    save_picture(np.hstack(seen), Path(path))


def normalise(ink: NDArray[np.floating[Any]]) -> NDArray[np.uint8]:
    """Return ink, floats (H, W) with 0 or less where there is none, in MNIST's form, uint8 (28, 28).

    Raises:
        BlankError: there is no ink.
    """
    strength = np.clip(ink / max(float(ink.max()), 1e-9), 0, 1)
    strength[strength < _INK] = 0
    if not strength.any():
        raise BlankError("the picture is blank: there is no ink in it")
    digit = thickened(strength[_bounds(strength > 0)])
    height, width = digit.shape
    longest = max(height, width)
    box_height, box_width = max(1, round(BOX * height / longest)), max(1, round(BOX * width / longest))
    digit = resampled(digit, box_height, box_width)
    # A thin stroke fades when it is averaged into fewer pixels; MNIST's strokes reach full white.
    digit = digit / digit.max()
    image = np.zeros((SIZE, SIZE))
    top, left = _offset(digit.sum(axis=1)), _offset(digit.sum(axis=0))
    image[top : top + box_height, left : left + box_width] = digit
    return np.rint(image * 255).astype(np.uint8)


def _size(pixels: NDArray[np.uint8]) -> str:
    return f"{pixels.shape[1]} x {pixels.shape[0]}"


def _is_mnist(pixels: NDArray[np.uint8]) -> bool:
    """Return whether the picture is in MNIST's form: 28 x 28, light on a dark border."""
    if pixels.shape != (SIZE, SIZE):
        return False
    paper = np.median(np.concatenate([pixels[0], pixels[-1], pixels[1:-1, 0], pixels[1:-1, -1]]))
    lighter, darker = pixels.max() - paper, paper - pixels.min()
    return bool(lighter >= max(darker, CONTRAST))


def _strength(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the digit's strength: looked for in a picture of few pixels, and seen again if it is small in that."""
    side = reduction(pixels.shape, _PIXELS)
    strength = find_digit(block_means(pixels, side))
    rows, columns = _bounds(strength > 0)
    extent = max(rows.stop - rows.start, columns.stop - columns.start)
    if side == 1 or extent >= _FINEST:
        return strength
    margin = extent // 2
    top, left = (max(0, part.start - margin) * side for part in (rows, columns))
    return _strength(pixels[top : (rows.stop + margin) * side, left : (columns.stop + margin) * side])


def _bounds(mask: NDArray[np.bool_]) -> tuple[slice, slice]:
    """Return the rows and columns from the first to the last that hold anything."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)


def _offset(mass: NDArray[np.floating[Any]]) -> int:
    """Return where a digit with this mass per row (or column) begins, for its centre of mass to be central."""
    centre = float(mass @ np.arange(len(mass)) / mass.sum())
    return int(np.clip(round(_CENTRE - centre), 0, SIZE - len(mass)))
