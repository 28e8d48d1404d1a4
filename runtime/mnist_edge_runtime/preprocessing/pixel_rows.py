"""Take a picture that is written as rows of numbers, as JSON holds it."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from ..model_file.contract import IMAGE_SHAPE

__all__ = ["from_numbers"]

_PIXELS = "rows of equal length, or 784 in all, of whole numbers 0 to 255 or of numbers 0.0 to 1.0"


def from_numbers(pixels: Any) -> NDArray[np.uint8]:
    """Return rows of numbers, or the numbers of a 28 x 28 image row by row, as a picture.

    Whole numbers are 0 to 255. With a point in one of them they are 0 to 1, also where others are written without.

    Raises:
        InputError: they are neither.
    """
    try:
        rows = pixels if isinstance(pixels[0], list) else [pixels]
        kinds = {type(value) for row in rows for value in row}
        array = np.array(rows)
        if kinds not in ({int}, {float}, {int, float}) or array.ndim != 2:
            raise ValueError
    except (IndexError, KeyError, TypeError, ValueError):
        raise InputError(f"pixels are no {_PIXELS}") from None
    largest = 1 if float in kinds else 255
    if not 0 <= array.min() <= array.max() <= largest:  # NaN fails the comparison
        raise InputError(f"pixels are from {array.min()} to {array.max()}, expected {_PIXELS}")
    if rows is not pixels:
        if array.size != prod(IMAGE_SHAPE):
            raise InputError(f"got {array.size} pixels in one list, expected {_PIXELS}")
        array = array.reshape(IMAGE_SHAPE)
    if largest == 255 and array.max() == 1:
        raise InputError("pixels are 0 and 1 alone, so nothing says what is white; send 0 and 255, or 0.0 and 1.0")
    return (np.rint(array * 255) if largest == 1 else array).astype(np.uint8)
