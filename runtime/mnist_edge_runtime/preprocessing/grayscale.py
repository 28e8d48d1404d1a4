"""Convert an array of any kind that holds a picture to grayscale, uint8 (H, W)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import isqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError

__all__ = [
    "MAX_PIXELS",
    "MIN_CONTRAST",
    "best_way",
    "check_sides",
    "check_size",
    "depth",
    "grey",
    "tiles",
    "to_8_bits",
    "to_grayscale",
]

MAX_PIXELS = 20_000_000  # of a picture
MIN_CONTRAST = 16  # grey levels of 255 between background and ink; a picture with less is blank
_STRIP = 1 << 20  # values converted at a time
_LARGEST_SHARE = 1.001  # of floats 0..1: what is above 1 by rounding is still white
_DEPTHS = (255, 1023, 4095)  # greatest values of 8, 10 and 12 bits, which cameras and scanners store in 16
# 65,536ths: the shares of red, green and blue in luma, ITU-R BT.601's 0.299, 0.587 and 0.114, as Pillow has them.
_LUMA = np.array([19595, 38470, 7471], np.float32)
_SAMPLE = 10_000  # pixels that the variance is taken from, up to about twice as many
_LITTLE = 256  # variance of luma below which the channels are looked at: ink of another colour may be as light
_MORE = (5, 2)  # times the variance of luma that a channel has which is taken in its place

# How colours become grey: luma on a white page; where that shows nothing, the first that shows something: luma on a
# black page, for white ink on transparency; one of the channels, for ink as light as its ground in another colour.
WAYS = ("white", "black", "red", "green", "blue")


def to_grayscale(array: Any) -> NDArray[np.uint8]:
    """Return an array as grayscale, uint8 (H, W).

    Args:
        array: (H, W), or (H, W, 3) and (H, W, 4) in RGB and RGBA, which is composited on white, or on black where the
            ink is white; a transparency that is the same everywhere is left aside. Colours of equal luma are told
            apart by the channel in which they differ most. The values are bool, uint8, uint16 (0..65535, or 0..1023
            and 0..4095 if none is above), or floats: 0..1 if none is above 1.001, as after rounding, else 0..255.

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
    most = _greatest(array)
    if array.ndim == 3 and array.shape[2] == 4 and array[..., 3].min() == array[..., 3].max():
        array = array[..., :3]

    def convert(way: str) -> NDArray[np.uint8]:
        pixels = np.empty(array.shape[:2], np.uint8)
        for part in tiles(array.shape):
            pixels[part] = grey(to_8_bits(array[part], most), way)
        return pixels

    return best_way(convert, array.shape[2] if array.ndim == 3 else 1)


def best_way(convert: Callable[[str], NDArray[np.uint8]], channels: int) -> NDArray[np.uint8]:
    """Return a picture in grey, the first of `WAYS` that shows something, else the first.

    Args:
        convert: converts the picture in one way.
        channels: of the picture: 1, 3, or 4 where its transparency tells something.
    """
    pixels = convert("white")
    if channels == 1:
        return pixels
    if _contrast(pixels) >= MIN_CONTRAST:
        spread = _spread(pixels)
        if spread >= _LITTLE:
            return pixels
        # One at a time: several of a large picture would fill a small board's memory.
        spreads = {way: _spread(convert(way)) for way in WAYS[2:]}
        widest = max(spreads, key=spreads.__getitem__)
        more, than = _MORE
        return convert(widest if than * spreads[widest] >= more * max(spread, 1) else "white")
    if channels == 4 and _contrast(inverse := convert("black")) >= MIN_CONTRAST:
        return inverse
    best = max((convert(channel) for channel in WAYS[2:]), key=_contrast)
    return best if _contrast(best) >= MIN_CONTRAST else pixels


def _spread(pixels: NDArray[np.uint8]) -> int:
    """Return the variance of the grey levels, in a sample of the rows and columns."""
    step = max(1, isqrt(pixels.size // _SAMPLE))
    sample = pixels[::step, ::step].astype(np.int64)
    total = int(sample.sum())
    return (sample.size * int((sample * sample).sum()) - total * total) // (sample.size * sample.size)


def _contrast(pixels: NDArray[np.uint8]) -> int:
    return int(pixels.max()) - int(pixels.min())


def _greatest(array: NDArray[Any]) -> int:
    """Return the value of the array that stands for white."""
    kind, bits = array.dtype.kind, 8 * array.dtype.itemsize
    if kind == "b":
        return 1
    if kind == "u" and bits in (8, 16):
        return 255 if bits == 8 else depth(int(array[..., :3].max()) if array.ndim == 3 else int(array.max()))
    if kind != "f":
        raise InputError(f"got {array.dtype}, expected uint8, uint16, bool or float")
    least, most = np.inf, -np.inf
    for part in tiles(array.shape):
        # NaN stays NaN in both, and fails the comparison.
        least, most = np.minimum(least, array[part].min()), np.maximum(most, array[part].max())
    if not 0 <= least <= most <= 255:
        raise InputError(f"got floats from {least:.6g} to {most:.6g}, expected 0..1 or 0..255, no NaN and no infinity")
    if _LARGEST_SHARE < most < 2:
        raise InputError(f"got floats up to {most:.6g}, more than 1 and too few for 0..255; clip them to 0..1")
    return 1 if most <= _LARGEST_SHARE else 255


def depth(most: int) -> int:
    """Return the value that stands for white among values of 16 bits of which `most` is the greatest."""
    return next((depth for depth in _DEPTHS if most <= depth), 65535)


def to_8_bits(values: NDArray[Any], most: int) -> NDArray[np.uint8]:
    """Return values of which `most` stands for white as 0..255, rounded: halves of integers up, of floats to even."""
    if values.dtype == np.uint8:
        return np.asarray(values, np.uint8)
    if values.dtype.kind == "f":
        return np.rint(values.astype(np.float32) * np.float32(255 // most)).astype(np.uint8)
    return ((values.astype(np.uint32) * 255 + most // 2) // most).astype(np.uint8)


def grey(values: NDArray[np.uint8], way: str) -> NDArray[np.uint8]:
    """Return values, uint8 (h, w), (h, w, 3) or (h, w, 4), as grey levels, (h, w), in one of `WAYS`; halves go up."""
    if values.ndim == 2:
        return values
    if way in WAYS[2:]:
        plane = values[..., WAYS.index(way) - 2]
    else:
        luma = values[..., :3].astype(np.float32) @ _LUMA  # exact: all sums of these integers are below 2^24
        plane = ((luma.astype(np.uint32) + (1 << 15)) >> 16).astype(np.uint8)
    if values.shape[2] == 4:
        alpha = values[..., 3].astype(np.uint32)
        ground = 0 if way == "black" else 255
        plane = ((plane * alpha + ground * (255 - alpha) + 127) // 255).astype(np.uint8)
    return plane


def tiles(shape: tuple[int, ...]) -> Iterator[tuple[slice, slice]]:
    """Yield the parts, rows and columns, of an array; the whole as floats would fill a small board's memory."""
    depth = int(np.prod(shape[2:]))
    columns = max(1, min(shape[1], _STRIP // depth))
    rows = max(1, _STRIP // (columns * depth))
    for top in range(0, shape[0], rows):
        for left in range(0, shape[1], columns):
            yield slice(top, min(top + rows, shape[0])), slice(left, min(left + columns, shape[1]))


def check_size(width: int, height: int) -> None:
    """Raise InputError for a picture of more than 20 megapixels or of none."""
    if width * height > MAX_PIXELS:
        raise InputError(f"{width} x {height} pixels are more than {MAX_PIXELS // 10**6} megapixels; scale it down")
    if width * height == 0:
        raise InputError("the picture has no pixels")


def check_sides(pixels: NDArray[np.uint8]) -> None:
    """Raise InputError for a picture, (H, W), in which nothing can be read, since it has fewer than 3 x 3 pixels."""
    height, width = pixels.shape
    if min(height, width) < 3:
        raise InputError(f"got {width} x {height} pixels, expected a picture of at least 3 x 3")
