"""Bring arrays of whole numbers to the form that a classifier takes: uint8 (28, 28) or (N, 28, 28)."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import InputError
from .model_file.contract import IMAGE_SHAPE

__all__ = ["as_picture", "check_range", "to_images"]

_PIXELS = prod(IMAGE_SHAPE)
_MASK = "the pixels are 0 and 1 alone, nearly black; of a mask, with 1 for ink, multiply by 255"
_EXPECTED = f"expected uint8 {IMAGE_SHAPE} or (N, {str(IMAGE_SHAPE)[1:]}, or other whole numbers 0 to 255"


def to_images(value: Any) -> NDArray[np.uint8]:
    """Return images in MNIST's form, uint8: (28, 28) for one image, (N, 28, 28) for many.

    Args:
        value: an array, or what numpy makes an array of: whole numbers 0 to 255 of any width, of the shape (28, 28),
            (784,), (N, 28, 28) or (N, 784), with axes of length 1 anywhere.

    Raises:
        InputError: another shape or type, or numbers that are no pixels, such as 0 and 1 alone.
    """
    try:
        array = np.asarray(value)
    except Exception as error:  # lists of different lengths; tensors of other libraries fail in ways of their own
        raise InputError(f"got {type(value).__name__}, which is no array ({error}), {_EXPECTED}") from None
    shape = _image_shape(array.shape)
    if shape is None:
        raise InputError(
            f"got {_kind(value, array)} {array.shape}, {_EXPECTED}; "
            "mnist_edge_runtime.to_mnist brings any picture to that form"
        )
    return _to_uint8(value, array).reshape(shape)


def as_picture(array: NDArray[Any]) -> NDArray[Any]:
    """Return an array that was stored as a picture, of any size, as (H, W), (H, W, 3) or (H, W, 4), where it is one.

    Whole numbers 0 to 255 of any width become uint8; an image in MNIST's form may have each shape that `to_images`
    takes.

    Raises:
        InputError: whole numbers that are no pixels, as `to_images`.
    """
    if array.size == _PIXELS and _image_shape(array.shape):
        array = array.reshape(IMAGE_SHAPE)
    while array.ndim > 2 and 1 in array.shape and not (array.ndim == 3 and array.shape[2] in (3, 4)):
        axis = max(place for place, length in enumerate(array.shape) if length == 1)
        array = array.reshape(array.shape[:axis] + array.shape[axis + 1 :])
    has_depth = array.dtype.kind == "u" and array.dtype.itemsize == 2 and array.max(initial=0) > 255
    return _to_uint8(array, array) if array.dtype.kind in "ui" and not has_depth else array


def _image_shape(shape: tuple[int, ...]) -> tuple[int, ...] | None:
    """Return the shape of one or many images that an array has, apart from axes of length 1; None where it has none."""
    if shape in (IMAGE_SHAPE, (_PIXELS,)):
        return IMAGE_SHAPE
    if shape[1:] in (IMAGE_SHAPE, (_PIXELS,)):
        return (shape[0], *IMAGE_SHAPE)
    # The last ones first, so that an axis for the number of images stays.
    for axis in reversed(range(len(shape))):
        if shape[axis] == 1:
            return _image_shape(shape[:axis] + shape[axis + 1 :])
    return None


def _to_uint8(value: Any, array: NDArray[Any]) -> NDArray[np.uint8]:
    if array.dtype.kind not in "ui":
        hint = "multiply by 255" if array.dtype.kind == "b" else "if they are 0 to 1, multiply by 255 and round"
        hint = f"; {hint}, then .astype(numpy.uint8)" if array.dtype.kind in "bf" else ""
        raise InputError(f"got {_kind(value, array)} {array.shape}, {_EXPECTED}{hint}")
    if array.dtype != np.uint8 and array.size and not 0 <= array.min() <= array.max() <= 255:
        raise InputError(f"got {_kind(value, array)} from {array.min()} to {array.max()}, {_EXPECTED}")
    images = array.astype(np.uint8, copy=False)
    if images.max(initial=0) == 1:
        raise InputError(_MASK)
    return images


def check_range(image: NDArray[np.uint8]) -> None:
    """Refuse a mask, whose 1 stands for white, as an image: it would be read as one that is nearly black.

    Raises:
        InputError: its pixels are 0 and 1 alone; black alone is an image.
    """
    if not image.tobytes().lstrip(b"\0\1") and image.any():  # stops at the first other one, unlike image.max()
        raise InputError(_MASK)


def _kind(value: Any, array: NDArray[Any]) -> str:
    kind = "numbers of different kinds, or no numbers" if array.dtype.kind == "O" else str(array.dtype)
    return kind if isinstance(value, np.ndarray) else f"{type(value).__name__} of {kind}"
