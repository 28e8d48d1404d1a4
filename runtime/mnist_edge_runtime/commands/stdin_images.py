"""Read pictures from stdin: one picture, a stream of JPEGs, or JSON lines."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from ..preprocessing.image_io import load_picture
from . import jpeg_stream

__all__ = ["pictures"]

_MAX_BYTES = 64 * 1024 * 1024  # of one picture, or of one line
_PADDING = b" \t\r\n\0"  # some cameras fill up their files with zeros
_SIGNATURES = (b"\x89PNG", b"BM", b"P5", b"P2")
_PNG_END = b"IEND\xaeB\x60\x82"
_PGM_HEADER = re.compile(rb"P5(?:\s|#[^\n]*\n)+(\d{1,9})(?:\s|#[^\n]*\n)+(\d{1,9})(?:\s|#[^\n]*\n)+(\d{1,5})\s")
_EXPECTED = (
    "expected one PNG, JPEG, BMP or PGM, a stream of JPEGs, or lines such as "
    '{"file": "a.png"} or {"pixels": [[0, 255], [255, 0]]}'
)

Load = Callable[[], NDArray[np.uint8]]  # decodes a picture to grey (H, W), or raises InputError


def pictures(stream: io.BufferedIOBase) -> Iterator[tuple[str, Load]]:
    """Yield the name and the loader of each picture on `stream`.

    Pictures are named -:1, -:2 and so on; JSON lines by the number of their line, unless they name a file. After bytes
    that are no picture nothing tells where the next begins: the last loader raises the error.
    """
    while (start := stream.read(1)) and start in _PADDING:
        pass
    if start == b"{":
        yield from _json_lines(start, stream)
        return
    head = start + stream.read(1)
    if head == jpeg_stream.START:
        yield from _jpegs(head, stream)
    else:
        yield "-:1", partial(_load_one, head + stream.read(_MAX_BYTES))


def _load_one(data: bytes) -> NDArray[np.uint8]:
    """Decode the only picture on stdin."""
    if not data:
        raise InputError(f"stdin is empty; {_EXPECTED}")
    if not data.startswith(_SIGNATURES):
        raise InputError(f"stdin holds no picture; {_EXPECTED}")
    if len(data) > _MAX_BYTES:
        raise InputError(f"the picture has more than {_MAX_BYTES >> 20} MiB")
    length = _length(data)
    if length > len(data):
        raise InputError("the picture is cut short")
    if data[length:].lstrip(_PADDING).startswith((*_SIGNATURES, jpeg_stream.START)):
        raise InputError(
            "another picture follows this one, and only JPEGs may follow each other; name the files instead, or send "
            'a line such as {"file": "a.png"} for each'
        )
    return load_picture(io.BytesIO(data))


def _length(data: bytes) -> int:
    """Return the length in bytes that the picture at the start of `data` should have, as far as its format tells."""
    if data.startswith(b"\x89PNG"):
        end = data.find(_PNG_END)
        if end < 0:
            raise InputError("the picture is cut short")
        return end + len(_PNG_END)
    if data.startswith(b"BM"):
        return int.from_bytes(data[2:6], "little") or len(data)
    if header := _PGM_HEADER.match(data):
        width, height, maximum = map(int, header.groups())
        return header.end() + width * height * (2 if maximum > 255 else 1)
    return len(data)


def _jpegs(head: bytes, stream: io.BufferedIOBase) -> Iterator[tuple[str, Load]]:
    number = 0
    try:
        for number, data in enumerate(jpeg_stream.split(head, stream, max_bytes=_MAX_BYTES, padding=_PADDING), 1):
            yield f"-:{number}", partial(load_picture, io.BytesIO(data))
    except InputError as error:
        yield f"-:{number + 1}", partial(_refuse, str(error))


def _refuse(message: str) -> NDArray[np.uint8]:
    raise InputError(message)


def _json_lines(start: bytes, stream: io.BufferedIOBase) -> Iterator[tuple[str, Load]]:
    number = 0
    while line := start + stream.readline(_MAX_BYTES):
        number, start = number + 1, b""
        name = f"-:{number}"
        if len(line) >= _MAX_BYTES:
            yield name, partial(_refuse, f"a line of more than {_MAX_BYTES >> 20} MiB")
            return
        if line.strip():
            yield _json_line(name, line)


def _json_line(name: str, line: bytes) -> tuple[str, Load]:
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError) as error:
        return name, partial(_refuse, f'no JSON ({error}); expected {{"file": "a.png"}} or {{"pixels": [[0, 255]]}}')
    if not isinstance(entry, dict) or len({"file", "pixels"} & entry.keys()) != 1:
        return name, partial(_refuse, "expected an object with either file or pixels")
    if "pixels" in entry:
        return name, partial(_load_pixels, entry["pixels"])
    file = entry["file"]
    if not isinstance(file, str) or "\0" in file:
        return name, partial(_refuse, "file is no name of a file")
    return file, partial(load_picture, file)


def _load_pixels(pixels: Any) -> NDArray[np.uint8]:
    """Return rows of whole numbers 0 to 255 as a picture."""
    try:
        if not all(type(value) is int and 0 <= value <= 255 for row in pixels for value in row):
            raise ValueError
        array = np.array(pixels, np.uint8)
        if array.ndim != 2:
            raise ValueError
    except (TypeError, ValueError):
        raise InputError("pixels are no rows of equal length of whole numbers 0 to 255") from None
    return array
