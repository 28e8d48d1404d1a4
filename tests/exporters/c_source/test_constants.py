from __future__ import annotations

import numpy as np
from mnist_edge_exporters.c_source.constants import table, zero
from mnist_edge_exporters.integer.network import Tensor


def test_a_table_is_wrapped_and_counted() -> None:
    text = table("int8_t", "weights", np.arange(100, dtype=np.int8))
    first, *rows, last = text.splitlines()
    assert (first, last) == ("static const int8_t weights[100] = {", "};")
    assert max(map(len, rows)) <= 116
    assert [int(number) for number in " ".join(rows).split(",")] == list(range(100))


def test_int8_is_kept_as_uint8() -> None:
    assert zero(Tensor("a", (1,), "int8", 1.0, -128)) == 0
    assert zero(Tensor("a", (1,), "uint8", 1.0, 7)) == 7
