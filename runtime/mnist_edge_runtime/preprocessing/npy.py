"""Read a file of numpy's format .npy, of which nothing is copied before its header is checked."""

from __future__ import annotations

import io
import math
import mmap
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError

__all__ = ["Header", "load_npy", "read_header"]


class Header(NamedTuple):
    """What the header tells, and where the values stand, in bytes from the start of the file."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    is_column_major: bool
    start: int
    end: int


def read_header(file: BinaryIO) -> Header:
    """Return the header of a file that is open at its start.

    Raises:
        InputError: it cannot be read, or there are Python objects in the file.
    """
    try:
        npy: Any = np.lib.format  # which has no types
        is_first = npy.read_magic(file) == (1, 0)
        shape, is_column_major, dtype = (npy.read_array_header_1_0 if is_first else npy.read_array_header_2_0)(file)
    except Exception as error:  # it is parsed as Python, and fails in as many ways
        raise InputError("the header of the .npy file is damaged or cut short; save the array again") from error
    if dtype.hasobject:
        raise InputError("the .npy file holds Python objects, which are not run; save an array of numbers")
    start = file.tell()
    return Header(shape, dtype, is_column_major, start, start + math.prod(shape) * dtype.itemsize)


def load_npy(file: BinaryIO) -> NDArray[Any]:
    """Return the array in a file, or in its bytes, without copying it.

    Raises:
        InputError: as `read_header`, or the file is cut short.
    """
    header = read_header(file)
    size = file.seek(0, io.SEEK_END)
    if not 0 <= header.end <= size or min(header.shape, default=0) < 0:
        raise InputError(
            f"the .npy file is cut short: its array {header.shape} of {header.dtype} needs {header.end:,} bytes, "
            f"and it has {size:,}"
        )
    if isinstance(file, io.BytesIO):
        buffer: Any = file.getbuffer()
    else:
        buffer = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    order: Any = "F" if header.is_column_major else "C"
    return np.ndarray(header.shape, header.dtype, buffer, header.start, order=order)
