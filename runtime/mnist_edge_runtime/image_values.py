"""Bring the values that programs have for images to the form that a classifier takes: uint8 (28, 28) or (N, 28, 28)."""

from __future__ import annotations

import io
import os
import sys
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import InputError
from .model_file.contract import IMAGE_SHAPE

__all__ = ["check_range", "to_image", "to_images"]

_PIXELS = prod(IMAGE_SHAPE)
_LARGEST_FILE = 64 * 1024 * 1024  # bytes of a picture
_MASK = "the pixels are 0 and 1 alone, nearly black; of a mask, with 1 for ink, multiply by 255"
_EXPECTED = f"expected uint8 {IMAGE_SHAPE} or (N, {str(IMAGE_SHAPE)[1:]}, or other whole numbers 0 to 255"


def to_image(value: Any) -> NDArray[np.uint8]:
    """Return one image in MNIST's form, uint8 (28, 28).

    Args:
        value: the image as an array or nested lists, as `to_images` takes it; or a picture: a PIL image, a file's name,
            its bytes, or an open file, which `preprocessing.mnist.to_mnist` brings to MNIST's form.

    Raises:
        InputError: it is neither.
    """
    if isinstance(value, (bytes, bytearray, memoryview)):
        return _from_picture(io.BytesIO(value))
    if isinstance(value, (str, os.PathLike)):
        return _from_picture(os.fspath(value))
    if callable(getattr(value, "read", None)):
        return _from_picture(_content(value))
    pillow = sys.modules.get("PIL.Image")  # a PIL image is never there before its library
    if pillow and isinstance(value, pillow.Image):
        return _from_pillow(value)
    images = to_images(value)
    if images.ndim == 3 and len(images) != 1:
        raise InputError(f"got {len(images)} images, expected one; logits and probabilities take many")
    return images.reshape(IMAGE_SHAPE)


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


def _content(file: Any) -> io.BytesIO:
    try:
        content = file.read(_LARGEST_FILE + 1)
    except OSError as error:
        raise InputError(f"the open file cannot be read: {error}") from None
    if not isinstance(content, bytes):
        raise InputError(f"the open file gives {type(content).__name__}, expected bytes; open it with the mode 'rb'")
    if len(content) > _LARGEST_FILE:
        raise InputError(f"the picture has more than {_LARGEST_FILE >> 20} MiB")
    return io.BytesIO(content)


def _from_pillow(picture: Any) -> NDArray[np.uint8]:
    """Read a PIL image as the file that it would be, so that there is one way to decode a picture."""
    file = io.BytesIO()
    try:
        picture.save(file, "PNG", exif=picture.getexif(), compress_level=0)
    except (OSError, ValueError) as error:
        raise InputError(f"a PIL image of the mode {picture.mode} ({error}); convert it to RGB or L") from None
    file.seek(0)
    return _from_picture(file)


def _from_picture(source: str | io.BytesIO) -> NDArray[np.uint8]:
    from .preprocessing.image_io import load_picture  # few programs need it, and its import takes time
    from .preprocessing.mnist import to_mnist

    return to_mnist(load_picture(source))
