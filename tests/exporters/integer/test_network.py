from __future__ import annotations

from mnist_edge_exporters.integer.network import Tensor


def test_a_tensor_counts_its_elements() -> None:
    assert Tensor("image", (1, 28, 28, 3), "int8", 0.5, -128).size == 2352
