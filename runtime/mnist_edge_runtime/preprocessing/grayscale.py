"""Convert an array of any kind that holds a picture to grayscale, uint8 (H, W)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError

__all__ = ["MAX_PIXELS", "check_size", "strips", "to_grayscale"]

MAX_PIXELS = 20_000_000  # of a picture
_STRIP = 1 << 20  # values converted at a time


def to_grayscale(array: Any) -> NDArray[np.uint8]:
    """Return an array as grayscale, uint8 (H, W).

    Args:
        array: (H, W), or (H, W, 3) and (H, W, 4) in RGB and RGBA, which is composited on white. The values are bool,
            uint8, uint16 (0..65535), or floats: 0..1 if none is above 1, else 0..255.

    Raises:
        InputError: no array; another dtype, shape or range; NaN or infinity.
    """
    if not isinstance(array, np.ndarray):
        raise InputError(f"got {type(array).__name__}, expected a numpy array (height, width)")
    if array.ndim != 2 and (array.ndim != 3 or array.shape[2] not in (3, 4)):
        raise InputError(f"got shape {array.shape}, expected (height, width), (height, width, 3) or (height, width, 4)")
    check_size(array.shape[1], array.shape[0])
    if array.dtype == np.uint8 and array.ndim == 2:
        return np.asarray(array, np.uint8)
    scale = _scale(array)
    pixels = np.empty(array.shape[:2], np.uint8)
    for rows in strips(array.shape):
        pixels[rows] = np.rint(_luma(array[rows].astype(np.float32) * np.float32(scale)))
    return pixels


def _scale(array: NDArray[Any]) -> float:
    """Return the factor that scales the array's values to 0..255."""
    kind, bits = array.dtype.kind, 8 * array.dtype.itemsize
    if kind == "b":
        return 255
    if kind == "u" and bits in (8, 16):
        return 1 if bits == 8 else 1 / 257
    if kind != "f":
        raise InputError(f"got {array.dtype}, expected uint8, uint16, bool or float")
    least, most = np.inf, -np.inf
    for rows in strips(array.shape):
        # NaN stays NaN in both, and fails the comparison.
        least, most = np.minimum(least, array[rows].min()), np.maximum(most, array[rows].max())
    if not 0 <= least <= most <= 255:
        raise InputError(f"got floats from {least:.6g} to {most:.6g}, expected 0..1 or 0..255, no NaN and no infinity")
    return 255 if most <= 1 else 1


def _luma(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the luma of ITU-R BT.601, (h, w); transparent pixels show a white background."""
    if values.ndim == 2:
        return values
    luma = values[..., :3] @ np.array([0.299, 0.587, 0.114], np.float32)
    if values.shape[2] == 3:
        return luma
    alpha = values[..., 3] / 255
    return luma * alpha + 255 * (1 - alpha)


def strips(shape: tuple[int, ...]) -> Iterator[slice]:
    """Yield slices of rows; the whole array as floats would fill a small board's memory."""
    rows = max(1, _STRIP // int(np.prod(shape[1:])))
    return (slice(top, min(top + rows, shape[0])) for top in range(0, shape[0], rows))


def check_size(width: int, height: int) -> None:
    """Raise InputError for a picture of more than 20 megapixels or of none."""
    if width * height > MAX_PIXELS:
        raise InputError(f"{width} x {height} pixels are more than {MAX_PIXELS // 10**6} megapixels; scale it down")
    if width * height == 0:
        raise InputError("the picture has no pixels")
