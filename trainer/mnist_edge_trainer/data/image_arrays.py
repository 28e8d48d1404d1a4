"""Bring arrays of images and labels, as people save them, into one form: uint8 (N, 28, 28), and labels (N,).

Pixels may be 0 to 1 or 0 to 255, in any type, of floats a little beyond as resampling makes them; images
(N, 28, 28), (N, 28, 28, 1), (N, 1, 28, 28) or (N, 784); labels numbers, text, or one-hot. Anything that leaves a doubt
is refused.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from mnist_edge_runtime.errors import InputError
from mnist_edge_runtime.model_file.contract import IMAGE_SHAPE
from numpy.typing import NDArray

__all__ = ["PIXELS", "labels", "pixels"]

PIXELS = math.prod(IMAGE_SHAPE)  # of an image
_CHUNK = 4096  # images converted together, so that a large array is never there twice
# Share of the scale by which floats may pass its limits: resampling overshoots them, arithmetic in float16 rounds.
_OVERSHOOT = 0.05
# Of floats that none passes, one cannot tell whether they are 0 to 255 and dark, or of another scale.
_LEAST_OF_255 = 16
_SHAPES = "(N, 28, 28), (N, 28, 28, 1) or (N, 784)"


def pixels(images: Mapping[str, NDArray[Any]], where: str) -> dict[str, NDArray[np.uint8]]:
    """Return the images of each part as uint8 (N, 28, 28); the scale of their pixels must be the same in all parts.

    Raises:
        InputError: of another shape, without images, NaN, or neither 0 to 1 nor 0 to 255.
    """
    shaped = {part: _shaped(array, f"{where}: the {part} images") for part, array in images.items()}
    highest = {part: _highest(array, f"{where}: the {part} images") for part, array in shaped.items()}
    unit = {part: high <= 1 + _OVERSHOOT for part, high in highest.items()}
    if len(set(unit.values())) > 1:
        ranges = ", ".join(f"{high:g} in the {part} images" for part, high in highest.items())
        raise InputError(f"{where}: the highest pixel is {ranges}; give all the same scale, 0 to 1 or 0 to 255")
    return {part: _scaled(array, 255 if unit[part] else 1) for part, array in shaped.items()}


def labels(array: NDArray[Any], count: int, where: str) -> NDArray[Any]:
    """Return labels as integers or text (N,).

    Raises:
        InputError: neither a label an image nor one-hot; the message begins with `where`.
    """
    given = f"{array.dtype} {array.shape}"
    if array.ndim == 2 and array.shape[1] > 1:
        array = _from_one_hot(array, where)
    elif array.ndim > 1 and array.size == len(array):
        array = array.reshape(-1)
    if array.ndim != 1 or len(array) != count or array.dtype.kind not in "buifUS":
        raise InputError(
            f"{where} are {given}, expected integers or text ({count},), or one-hot ({count}, number of classes)"
        )
    if array.dtype.kind == "S":
        try:
            return np.char.decode(array, "utf-8")
        except UnicodeDecodeError:
            raise InputError(f"{where} are bytes that are no UTF-8 text; save them as text or numbers") from None
    if array.dtype.kind == "f":
        if not (np.isfinite(array) & (array == np.rint(array)) & (np.abs(array) < 2**53)).all():
            raise InputError(f"{where} are {given} with fractions, NaN or infinity; a label is a whole number or text")
        return array.astype(np.int64)
    return array.astype(np.int64) if array.dtype.kind == "b" else array


def _from_one_hot(array: NDArray[Any], where: str) -> NDArray[np.int64]:
    if array.dtype.kind not in "buif" or not ((array == 0) | (array == 1)).all() or not (array.sum(axis=1) == 1).all():
        raise InputError(
            f"{where} are {array.dtype} {array.shape}, but not one-hot: a row needs a single 1 among zeros"
        )
    return array.argmax(axis=1)


def _shaped(array: NDArray[Any], what: str) -> NDArray[Any]:
    """Return a view of shape (N, 28, 28) of the images."""
    wanted = tuple(length for length in array.shape[1:] if length != 1)
    if array.dtype.kind not in "buif" or not len(array) or wanted not in (IMAGE_SHAPE, (PIXELS,)):
        colours = "; make colours grey first" if array.ndim == 4 and 3 in array.shape[1:] else ""
        raise InputError(f"{what} are {array.dtype} {array.shape}, expected numbers {_SHAPES}{colours}")
    return array.reshape(-1, *IMAGE_SHAPE)


def _chunks(array: NDArray[Any]) -> Iterator[slice]:
    return (slice(start, start + _CHUNK) for start in range(0, len(array), _CHUNK))


def _highest(array: NDArray[Any], what: str) -> float:
    """Return the highest pixel, of which none may be NaN, infinite, below 0 or above 255."""
    low, high = math.inf, -math.inf
    for chunk in _chunks(array):
        if array.dtype.kind == "f" and not np.isfinite(array[chunk]).all():
            raise InputError(f"{what} have pixels that are NaN or infinite; find where they come from")
        low, high = min(low, float(array[chunk].min())), max(high, float(array[chunk].max()))
    is_float = array.dtype.kind == "f"
    slack = _OVERSHOOT * is_float * (1 if high <= 1 + _OVERSHOOT else 255)
    if low < -slack or high > 255 + slack or (is_float and 1 + _OVERSHOOT < high < _LEAST_OF_255):
        raise InputError(
            f"{what} have pixels from {low:g} to {high:g}, expected 0 to 1 or 0 to 255; give them as they were before "
            "they were standardised, or clip them"
        )
    return high


def _scaled(array: NDArray[Any], factor: int) -> NDArray[np.uint8]:
    if array.dtype == np.uint8 and factor == 1:
        return np.ascontiguousarray(array)
    scaled = np.empty(array.shape, np.uint8)
    for chunk in _chunks(array):
        scaled[chunk] = np.clip(np.rint(array[chunk] * np.float32(factor)), 0, 255)
    return scaled
