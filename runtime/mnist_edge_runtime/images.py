"""From any picture of a digit to the 28 x 28 image that the networks know.

MNIST's own recipe (http://yann.lecun.com/exdb/mnist): white ink on black, the digit scaled with its aspect kept
into a 20 x 20 box, and that box placed in 28 x 28 by the digit's centre of mass. Training on other data and
classifying on the device both come through here, so the two cannot drift apart.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import InputError
from .pictures import load_picture

__all__ = ["normalise", "read", "to_mnist"]

SIZE = 28
BOX = 20
_CENTRE = 14  # where the centre of mass of MNIST's images lies, in pixels from the first
_INK = 0.2  # what is fainter than this share of the strongest ink is paper, dust or compression
_CONTRAST = 16.0  # grey levels of 255 between paper and ink; less is a blank


def read(path: str | Path) -> NDArray[np.uint8]:
    """Return the picture file as the networks see it, uint8 (28, 28).

    PNG, JPEG and BMP need Pillow (the extra `image`); PGM and .npy need numpy alone.

    Raises:
        InputError: missing, not a picture of these kinds, too large, or blank.
    """
    try:
        return to_mnist(load_picture(path))
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def to_mnist(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a grey picture, uint8 (H, W), in MNIST's form, uint8 (28, 28).

    Ink may be dark on light or light on dark: the border tells which. A picture of 28 x 28 with a dark border
    is taken to be in MNIST's form already and is returned bit for bit.

    Raises:
        InputError: another dtype or shape, or a blank picture.
    """
    if not isinstance(picture, np.ndarray) or picture.dtype != np.uint8 or picture.ndim != 2 or min(picture.shape) < 3:
        got = f"{picture.dtype} {picture.shape}" if isinstance(picture, np.ndarray) else type(picture).__name__
        raise InputError(f"got {got}, expected a grey picture, uint8 (height, width), of at least 3 x 3")
    border = np.concatenate([picture[0], picture[-1], picture[1:-1, 0], picture[1:-1, -1]])
    paper = float(np.median(border))
    darkest, lightest = float(picture.min()), float(picture.max())
    light_on_dark = lightest - paper >= paper - darkest
    if picture.shape == (SIZE, SIZE) and light_on_dark and lightest - paper >= _CONTRAST:
        return picture.copy()
    strongest = max(lightest - paper, paper - darkest)
    if strongest < _CONTRAST:
        raise InputError("the picture is blank: nothing stands out from its background")
    # Cropped before it becomes floats: a photo of 20 megapixels must fit beside everything else on a small board.
    faintest = _INK * strongest
    rows, columns = _bounds(picture >= paper + faintest if light_on_dark else picture <= paper - faintest)
    crop = picture[rows, columns].astype(np.float32)
    return normalise(crop - np.float32(paper) if light_on_dark else np.float32(paper) - crop)


def normalise(ink: NDArray[np.floating[Any]]) -> NDArray[np.uint8]:
    """Return ink, floats (H, W) with 0 or less where there is none, in MNIST's form, uint8 (28, 28).

    Raises:
        InputError: there is no ink.
    """
    strength = np.clip(ink / max(float(ink.max()), 1e-9), 0, 1)
    strength[strength < _INK] = 0
    if not strength.any():
        raise InputError("the picture is blank: there is no ink in it")
    digit = strength[_bounds(strength > 0)]
    height, width = digit.shape
    longest = max(height, width)
    box_height, box_width = max(1, round(BOX * height / longest)), max(1, round(BOX * width / longest))
    digit = _resampling(height, box_height) @ digit @ _resampling(width, box_width).T
    # A thin stroke fades when it is averaged into fewer pixels; MNIST's strokes reach full white.
    digit = digit / digit.max()
    image = np.zeros((SIZE, SIZE))
    top, left = _offset(digit.sum(axis=1)), _offset(digit.sum(axis=0))
    image[top : top + box_height, left : left + box_width] = digit
    return np.rint(image * 255).astype(np.uint8)


def _bounds(mask: NDArray[np.bool_]) -> tuple[slice, slice]:
    """Return the rows and columns from the first to the last that hold anything."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)


def _offset(mass: NDArray[np.floating[Any]]) -> int:
    """Return where a digit with this mass per row (or column) begins, for its centre of mass to be central."""
    centre = float(mass @ np.arange(len(mass)) / mass.sum())
    return int(np.clip(round(_CENTRE - centre), 0, SIZE - len(mass)))


def _resampling(source: int, target: int) -> NDArray[np.float32]:
    """Return the matrix (target, source) that resamples with a triangle filter, widened when it shrinks."""
    step = source / target
    reach = max(step, 1.0)
    centres = (np.arange(target) + 0.5) * step - 0.5
    weights = np.maximum(0, 1 - np.abs(np.arange(source) - centres[:, np.newaxis]) / reach)
    return (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
