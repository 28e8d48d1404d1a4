"""Read the tables of a flatbuffer: as much of the encoding as a TFLite file needs.

Source: https://flatbuffers.dev/internals
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

__all__ = ["EndError", "Table", "root"]


class EndError(ValueError):
    """An offset leads behind the last byte."""


class Table(NamedTuple):
    """A table: the bytes of the whole flatbuffer, and where in them the table begins.

    Fields are named by their slot, their place in the schema counted from 0. All methods raise ValueError where an
    offset leads out of the bytes.
    """

    data: bytes
    start: int

    def place(self, slot: int) -> int | None:
        """Return where a field lies, None where the table leaves it out."""
        vtable = self.start - _integer(self.data, self.start, 4, signed=True)
        entry = 4 + 2 * slot
        offset = _integer(self.data, vtable + entry, 2) if entry < _integer(self.data, vtable, 2) else 0
        return self.start + offset if offset else None

    def integer(self, slot: int, size: int) -> int:
        """Return a signed integer of `size` bytes, 0 where the table leaves it out."""
        place = self.place(slot)
        return 0 if place is None else _integer(self.data, place, size, signed=True)

    def integers(self, slot: int, size: int) -> list[int]:
        """Return a vector of signed integers of `size` bytes, empty where the table leaves it out."""
        place = self.place(slot)
        if place is None:
            return []
        vector = _follow(self.data, place)
        count = _integer(self.data, vector, 4)
        _integer(self.data, vector + 4 + size * count, 0)  # before a damaged count fills the memory
        return [_integer(self.data, vector + 4 + size * index, size, signed=True) for index in range(count)]

    def table(self, slot: int) -> Table | None:
        """Return a table inside this one, None where it is left out."""
        place = self.place(slot)
        return None if place is None else Table(self.data, _follow(self.data, place))

    def end(self, slot: int) -> int:
        """Return where a vector of bytes ends, 0 where the table leaves it out."""
        place = self.place(slot)
        if place is None:
            return 0
        vector = _follow(self.data, place)
        return vector + 4 + _integer(self.data, vector, 4)

    def tables(self, slot: int) -> Iterator[Table]:
        """Yield the tables of a vector."""
        place = self.place(slot)
        if place is None:
            return
        vector = _follow(self.data, place)
        for index in range(_integer(self.data, vector, 4)):
            yield Table(self.data, _follow(self.data, vector + 4 + 4 * index))


def root(data: bytes) -> Table:
    """Return the outermost table of a flatbuffer.

    Raises:
        ValueError: an offset leads out of the bytes.
    """
    return Table(data, _follow(data, 0))


def _follow(data: bytes, place: int) -> int:
    return place + _integer(data, place, 4)


def _integer(data: bytes, place: int, size: int, *, signed: bool = False) -> int:
    if not 0 <= place <= len(data) - size:
        raise (ValueError if place < 0 else EndError)(f"an offset leads to byte {place} of {len(data)}")
    return int.from_bytes(data[place : place + size], "little", signed=signed)
