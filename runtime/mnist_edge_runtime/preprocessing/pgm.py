"""Read PGM, plain and raw, with numpy alone."""

from __future__ import annotations

import re
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from .grayscale import check_size, tiles, to_8_bits

__all__ = ["load_pgm"]

_WHOLE_ENOUGH = 0.9  # share of the pixels that a file cut short must have; the others become white
_BLOCK = 1 << 20  # bytes read at a time


def load_pgm(file: BinaryIO) -> NDArray[np.uint8]:
    """Read PGM, plain (P2) or raw (P5), after https://netpbm.sourceforge.net/doc/pgm.html ."""
    number = rb"(?:\s|#[^\n]*\n)+(\d{1,9})"
    header = re.match(rb"P([25])" + number * 3 + rb"(?=\s)", file.read(_BLOCK))
    if header is None:
        raise InputError("the PGM header cannot be read")
    kind, width, height, maximum = (int(group) for group in header.groups())
    check_size(width, height)
    if not 0 < maximum < 65536:
        raise InputError(f"the PGM's maximum is {maximum}, expected 1 to 65535")
    file.seek(header.end() + (kind == 5))
    if kind == 2:
        values = _plain(file, width * height)
    else:
        dtype = np.dtype(">u2" if maximum > 255 else "u1")
        content = file.read(width * height * dtype.itemsize)
        values = np.frombuffer(content[: len(content) // dtype.itemsize * dtype.itemsize], dtype)
    if (there := len(values) / (width * height)) < _WHOLE_ENOUGH:
        raise InputError(f"the PGM is cut short: {1 - there:.0%} of its pixels are missing")
    if values.max() > maximum:
        raise InputError("the PGM is damaged: a pixel is above its maximum")
    if there < 1:
        values = np.append(values, np.full(width * height - len(values), maximum, values.dtype))
    pixels = np.empty((height, width), np.uint8)
    values = values.reshape(height, width)
    for part in tiles(values.shape):
        pixels[part] = to_8_bits(values[part].astype(np.uint32), maximum)
    return pixels


def _plain(file: BinaryIO, count: int) -> NDArray[np.uint16]:
    """Return at most `count` numbers in decimal digits; comments go from # to the end of the line."""
    values, found, rest = np.empty(count, np.uint16), 0, b""
    while found < count and (block := file.read(_BLOCK)):
        text = rest + block
        commented = b"#" in text[text.rfind(b"\n") + 1 :]
        text = re.sub(rb"#[^\n]*", b" ", text)
        # What may continue in the next block is kept for it: a comment, of which # is enough, or else a number.
        whole = text.rstrip(b"0123456789") if len(block) == _BLOCK else text
        rest = b"#" if commented else text[len(whole) :]
        numbers = np.array(whole.split()[: count - found], np.uint32)
        if numbers.max(initial=0) > 65535 or len(rest) > 9:
            raise InputError("the PGM is damaged")
        values[found : found + len(numbers)] = numbers
        found += len(numbers)
    return values[:found]
