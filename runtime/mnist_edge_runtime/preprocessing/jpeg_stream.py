"""Split a stream of JPEGs that follow each other, as `rpicam-vid --codec mjpeg -o -` or `cat *.jpg` writes them."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Literal

from ..errors import InputError

__all__ = ["START", "split"]

START = b"\xff\xd8"
_CHUNK = 1 << 16  # bytes asked for at a time; a pipe gives what it has
_DAMAGED = "the JPEG is damaged"


def split(head: bytes, stream: io.BufferedIOBase, *, max_bytes: int, padding: bytes) -> Iterator[bytes]:
    """Yield each JPEG as soon as it is complete, and at the end of the stream one that is not.

    Args:
        head: the first bytes of the stream, already read.
        stream: the rest of it.
        max_bytes: of one JPEG.
        padding: bytes that may stand between two JPEGs.

    Raises:
        InputError: a JPEG is damaged or too large, or something other than a JPEG follows.
    """
    reader = _Reader(head, stream, max_bytes)
    while True:
        try:
            _read_file(reader)
        except _EndError:
            yield reader.rest()  # whose decoder tells whether no more than its end is missing
            return
        yield reader.detach()
        reader.skip(padding)
        if reader.is_at_end():
            return


class _EndError(Exception):
    """The stream ends inside a JPEG."""


class _Reader:
    """A buffer that grows from the stream, with a position up to which the current JPEG has been read."""

    def __init__(self, head: bytes, stream: io.BufferedIOBase, max_bytes: int) -> None:
        self._stream, self._max_bytes = stream, max_bytes
        self._data, self.position = bytearray(head), 0

    def take(self, count: int) -> bytes:
        """Return the next `count` bytes."""
        if self.position + count > self._max_bytes:
            raise InputError(f"the picture has more than {self._max_bytes >> 20} MiB")
        while len(self._data) < self.position + count:
            if not self._fill():
                raise _EndError
        self.position += count
        return bytes(self._data[self.position - count : self.position])

    def take_through(self, byte: bytes) -> None:
        """Read up to the next such byte and through it."""
        while (found := self._data.find(byte, self.position)) < 0:
            self.take(len(self._data) - self.position + 1)
            self.position -= 1
        self.take(found + 1 - self.position)

    def skip(self, padding: bytes) -> None:
        """Drop padding, which may be of any length."""
        while not self.is_at_end() and self._data[0] in padding:
            self._data = self._data.lstrip(padding)

    def is_at_end(self) -> bool:
        """Return whether nothing follows, waiting for the next byte of the stream where none is there."""
        return self.position == len(self._data) and not self._fill()

    def detach(self) -> bytes:
        """Return what has been read, and begin again behind it."""
        data = bytes(self._data[: self.position])
        del self._data[: self.position]
        self.position = 0
        return data

    def rest(self) -> bytes:
        """Return all that has come and was not detached."""
        return bytes(self._data)

    def _fill(self) -> bool:
        chunk = self._stream.read1(_CHUNK)
        self._data += chunk
        return bool(chunk)


def _read_file(reader: _Reader) -> None:
    """Read an image, and the smaller ones that phones append to it and list in it."""
    if reader.take(2) != START:
        raise InputError("something other than a JPEG follows the JPEGs; only JPEGs may follow each other")
    for offset in sorted(_read_image(reader)):
        if offset >= reader.position and not reader.is_at_end():  # programs may have cut the appended images off
            reader.take(offset - reader.position)
            if reader.take(2) != START:
                raise InputError(_DAMAGED)
            _read_image(reader)


def _read_image(reader: _Reader) -> list[int]:
    """Read segments to the end of the image (ITU-T T.81, annex B); return the offsets of appended images it lists."""
    others: list[int] = []
    if reader.take(1) != b"\xff":
        raise InputError(_DAMAGED)
    marker = reader.take(1)[0]
    while marker != 0xD9:
        if marker != 0x01 and not 0xD0 <= marker <= 0xD7:
            segment = reader.take(max(0, int.from_bytes(reader.take(2), "big") - 2))
            if marker == 0xE2 and segment.startswith(b"MPF\0"):
                start = reader.position - len(segment) + 4
                others = [start + offset for offset in _listed(segment[4:])]
        if marker == 0xDA:
            marker = _read_scan(reader)
            continue
        if reader.take(1) != b"\xff":
            raise InputError(_DAMAGED)
        while (marker := reader.take(1)[0]) == 0xFF:
            pass
    return others


def _read_scan(reader: _Reader) -> int:
    """Read compressed data, in which only 00 and restart markers follow FF, and return the marker at its end."""
    while True:
        reader.take_through(b"\xff")
        while (marker := reader.take(1)[0]) == 0xFF:
            pass
        if marker and not 0xD0 <= marker <= 0xD7:
            return marker


def _listed(index: bytes) -> list[int]:
    """Return the offsets of the images that a multi-picture index lists, from its own start (CIPA DC-007, 5.2)."""
    order: Literal["little", "big"] = "little" if index.startswith(b"II") else "big"

    def number(place: int, size: int = 4) -> int:
        return int.from_bytes(index[place : place + size], order)

    directory = number(4)
    for entry in range(directory + 2, directory + 2 + 12 * number(directory, 2), 12):
        if number(entry, 2) == 0xB002:  # 16 bytes an image: kind, size, offset, which is 0 for the first, two links
            first, length = number(entry + 8), number(entry + 4)
            rows = range(first, min(first + length, len(index)), 16)
            return [number(row + 8) for row in rows if number(row + 8)]
    return []
