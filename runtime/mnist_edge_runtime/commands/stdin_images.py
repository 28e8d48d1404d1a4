"""Pictures that come through a pipe: files one after the other, or JSON lines."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, BinaryIO, Literal

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from ..preprocessing import mnist
from ..preprocessing.image_io import load_picture

__all__ = ["pictures"]

_MAX_BYTES = 64 * 1024 * 1024  # of one picture, or of one line
_SPACE = b" \t\r\n\0"  # some cameras fill up their files with zeros
_EXPECTED = 'PNG, JPEG, BMP or PGM, or lines such as {"file": "a.png"} or {"pixels": [[0, 255], [255, 0]]}'

Read = Callable[..., NDArray[np.uint8]]  # takes one of `images.PREPROCESSING`


def pictures(stream: BinaryIO) -> Iterator[tuple[str, Read]]:
    """Yield name and reader of each picture on `stream`, whose readers return uint8 (28, 28) or raise InputError.

    Pictures are named -:1, -:2 and so on, JSON lines by the number of their line unless they name a file. After
    bytes that are no picture nothing tells where the next begins: the reader of the last one says so.
    """
    start = _beyond_space(stream)
    if start == b"{":
        yield from _lines(start, stream)
        return
    number = 0
    while start or not number:
        number += 1
        name = f"-:{number}"
        try:
            data = _picture(start, stream)
        except InputError as error:
            yield name, partial(_refuse, f"{name}: {error}")
            return
        yield name, partial(_read, name, data)
        start = _beyond_space(stream)


def _beyond_space(stream: BinaryIO) -> bytes:
    """Return the first byte that is no white space or filling, nothing at the end."""
    while (start := stream.read(1)) and start in _SPACE:
        pass
    return start


def _refuse(message: str, preprocess: str = "auto") -> NDArray[np.uint8]:
    raise InputError(message)


def _read(name: str, data: bytes, preprocess: str = "auto") -> NDArray[np.uint8]:
    try:
        return mnist.to_mnist(load_picture(io.BytesIO(data)), preprocess)
    except InputError as error:
        raise error.at(name) from None


def _lines(start: bytes, stream: BinaryIO) -> Iterator[tuple[str, Read]]:
    number = 0
    while line := start + stream.readline(_MAX_BYTES):
        number, start = number + 1, b""
        name = f"-:{number}"
        if len(line) >= _MAX_BYTES:
            yield name, partial(_refuse, f"{name}: a line of more than {_MAX_BYTES >> 20} MiB")
            return
        if line.strip():
            yield _line(name, line)


def _line(name: str, line: bytes) -> tuple[str, Read]:
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError) as error:
        return name, partial(_refuse, f"{name}: no JSON ({error}); expected {_EXPECTED}")
    if not isinstance(entry, dict) or len({"file", "pixels"} & entry.keys()) != 1:
        return name, partial(_refuse, f"{name}: expected an object with either file or pixels")
    if "pixels" in entry:
        return name, partial(_read_pixels, name, entry["pixels"])
    file = entry["file"]
    if not isinstance(file, str) or "\0" in file:
        return name, partial(_refuse, f"{name}: file is no name")
    return file, partial(mnist.read, file)


def _read_pixels(name: str, pixels: Any, preprocess: str = "auto") -> NDArray[np.uint8]:
    """Return rows of whole numbers 0..255, white on black or black on white, as the networks see them."""
    try:
        if not all(type(value) is int and 0 <= value <= 255 for row in pixels for value in row):
            raise ValueError
        array = np.array(pixels, np.uint8)
        if array.ndim != 2:
            raise ValueError
    except (TypeError, ValueError):
        raise InputError(f"{name}: pixels are no rows of equal length of whole numbers 0 to 255") from None
    try:
        return mnist.to_mnist(array, preprocess)
    except InputError as error:
        raise error.at(name) from None


def _picture(start: bytes, stream: BinaryIO) -> bytes:
    """Return the bytes of the next picture, which begins with `start`, and nothing beyond it."""
    if not start:
        raise InputError(f"stdin is empty; expected {_EXPECTED}")
    head = start + stream.read(1)
    for signature, rest in _KINDS.items():
        if head == signature[:2]:
            whole = _Whole(stream, head)
            rest(whole)
            return bytes(whole.data)
    raise InputError(f"what stands on stdin here is no picture; expected {_EXPECTED}")


class _Whole:
    """The bytes of one picture, as they are taken from the stream."""

    def __init__(self, stream: BinaryIO, head: bytes) -> None:
        self._stream = stream
        self.data = bytearray(head)

    def take(self, count: int) -> bytes:
        if len(self.data) + count > _MAX_BYTES:
            raise InputError(f"the picture has more than {_MAX_BYTES >> 20} MiB")
        taken = self._stream.read(count)
        if len(taken) < count:
            raise InputError("the picture is cut short")
        self.data += taken
        return taken

    def take_one(self) -> bool:
        """Take a byte, if there is another."""
        taken = self._stream.read(1)
        self.data += taken
        return bool(taken)

    def take_all(self) -> None:
        self.data += self._stream.read(_MAX_BYTES)
        if len(self.data) > _MAX_BYTES:
            raise InputError(f"the picture has more than {_MAX_BYTES >> 20} MiB")


def _png(whole: _Whole) -> None:
    """Take chunks up to IEND (https://www.w3.org/TR/png-3/)."""
    whole.take(6)
    kind = b""
    while kind != b"IEND":
        header = whole.take(8)
        kind = header[4:]
        whole.take(int.from_bytes(header[:4], "big") + 4)


def _jpeg(whole: _Whole) -> None:
    """Take an image, and the smaller ones that phones put behind it and list in it."""
    for place in sorted(_jpeg_image(whole)):
        if place >= len(whole.data) and whole.take_one():  # where programs cut the others off, nothing is missing
            whole.take(place + 2 - len(whole.data))
            if whole.data[-2:] != b"\xff\xd8":
                raise InputError("the JPEG is damaged")
            _jpeg_image(whole)


def _jpeg_image(whole: _Whole) -> list[int]:
    """Take segments up to the end of the image (ITU-T T.81, annex B); return where others begin as it says itself."""
    others: list[int] = []
    marker = whole.take(2)[1]
    while marker != 0xD9:
        if marker != 0x01 and not 0xD0 <= marker <= 0xD7:
            segment = whole.take(max(0, int.from_bytes(whole.take(2), "big") - 2))
            if marker == 0xE2 and segment.startswith(b"MPF\0"):
                start = len(whole.data) - len(segment) + 4
                others = [start + place for place in _listed(segment[4:])]
        if marker == 0xDA:
            marker = _after_scan(whole)
            continue
        if whole.take(1) != b"\xff":
            raise InputError("the JPEG is damaged")
        while (marker := whole.take(1)[0]) == 0xFF:
            pass
    return others


def _listed(index: bytes) -> list[int]:
    """Return where the images begin that a multi-picture index lists, from its own start (CIPA DC-007, 5.2)."""
    order: Literal["little", "big"] = "little" if index.startswith(b"II") else "big"

    def number(place: int, size: int = 4) -> int:
        return int.from_bytes(index[place : place + size], order)

    directory = number(4)
    for entry in range(directory + 2, directory + 2 + 12 * number(directory, 2), 12):
        if number(entry, 2) == 0xB002:  # 16 bytes an image: kind, size, place, which is 0 for the first, and two links
            first, length = number(entry + 8), number(entry + 4)
            return [
                number(place + 8) for place in range(first, min(first + length, len(index)), 16) if number(place + 8)
            ]
    return []


def _after_scan(whole: _Whole) -> int:
    """Take compressed data, in which FF stands before 00 and restart markers only, and return the marker behind it."""
    while True:
        if whole.take(1) == b"\xff":
            while (marker := whole.take(1)[0]) == 0xFF:
                pass
            if marker and not 0xD0 <= marker <= 0xD7:
                return marker


def _bmp(whole: _Whole) -> None:
    size = int.from_bytes(whole.take(4), "little")
    if size < 26:
        raise InputError("the BMP does not tell its size")
    whole.take(size - 6)


def _raw_pgm(whole: _Whole) -> None:
    """Take the header byte by byte, since only its end tells how much follows."""
    header = rb"P5(?:\s|#[^\n]*\n)+(\d{1,9})(?:\s|#[^\n]*\n)+(\d{1,9})(?:\s|#[^\n]*\n)+(\d{1,5})\s"
    while not (found := re.fullmatch(header, whole.data)):
        if len(whole.data) > 4096:
            raise InputError("the PGM header cannot be read")
        whole.take(1)
    width, height, maximum = (int(group) for group in found.groups())
    whole.take(width * height * (2 if maximum > 255 else 1))


_KINDS: dict[bytes, Callable[[_Whole], None]] = {
    b"\x89PNG": _png,
    b"\xff\xd8": _jpeg,
    b"BM": _bmp,
    b"P5": _raw_pgm,
    b"P2": _Whole.take_all,  # as text it has no end but the stream's
}
