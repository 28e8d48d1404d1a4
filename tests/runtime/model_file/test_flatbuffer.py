from __future__ import annotations

import struct

import pytest
from mnist_edge_runtime.model_file import flatbuffer

# A root table with a field of two bytes, a left out one, and a vector of one table that has no fields.
ROOT = struct.pack("<I", 16)
VTABLE = struct.pack("<5H2x", 10, 12, 4, 0, 8)  # its size, the table's size, the places of three fields
TABLE = struct.pack("<ih2xI", 12, -7, 4)
VECTOR = struct.pack("<II", 1, 8)
INNER = struct.pack("<2Hi", 4, 4, 4)
DATA = ROOT + VTABLE + TABLE + VECTOR + INNER


def test_fields_of_a_table() -> None:
    table = flatbuffer.root(DATA)

    assert table == flatbuffer.Table(DATA, 16)
    assert table.integer(0, 2) == -7
    assert (table.place(1), table.integer(1, 4), list(table.tables(1))) == (None, 0, [])
    assert table.place(9) is None


def test_tables_of_a_vector() -> None:
    (inner,) = flatbuffer.root(DATA).tables(2)

    assert inner.place(0) is None


@pytest.mark.parametrize("data", [b"", b"\1", b"\xff" * 8, b"\4\0\0\0\xff\xff\xff\x7f", DATA[:17]], ids=repr)
def test_offsets_out_of_the_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"an offset leads to byte -?\d+ of \d+"):
        flatbuffer.root(data).place(0)
