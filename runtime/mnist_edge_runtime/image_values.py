"""Bring what programs have for one image, an array or a picture, to the form of a classifier: uint8 (28, 28)."""

from __future__ import annotations

import io
import os
import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import InputError
from .image_arrays import to_images
from .model_file.contract import IMAGE_SHAPE

__all__ = ["to_image"]

_LARGEST_FILE = 64 * 1024 * 1024  # bytes of a picture


def to_image(value: Any) -> NDArray[np.uint8]:
    """Return one image in MNIST's form, uint8 (28, 28).

    Args:
        value: the image as an array or nested lists, as `image_arrays.to_images` takes it; or a picture: a PIL image, a
            file's name, its bytes, or an open file, which `preprocessing.mnist.to_mnist` brings to MNIST's form.

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


def _content(file: Any) -> io.BytesIO:
    content = bytearray()
    part = None
    while part != b"" and len(content) <= _LARGEST_FILE:  # pipes and sockets give what has come
        try:
            part = file.read(_LARGEST_FILE + 1 - len(content))
        except OSError as error:
            raise InputError(f"the open file cannot be read: {error}") from None
        if part is None:
            raise InputError(
                "the open file has nothing to read yet; set it to wait (os.set_blocking), or read it first"
            )
        if not isinstance(part, bytes):
            raise InputError(f"the open file gives {type(part).__name__}, expected bytes; open it with the mode 'rb'")
        content += part
    if len(content) > _LARGEST_FILE:
        raise InputError(f"the picture has more than {_LARGEST_FILE >> 20} MiB")
    return io.BytesIO(content)


def _from_pillow(picture: Any) -> NDArray[np.uint8]:
    """Read a PIL image as the file that it would be, so that there is one way to decode a picture."""
    file = io.BytesIO()
    try:
        picture.load()
    except (OSError, SyntaxError, ValueError) as error:
        raise InputError(f"a PIL image that cannot be decoded ({error}); its file is damaged or cut short") from None
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
