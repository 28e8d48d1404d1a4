from __future__ import annotations

from mnist_edge_exporters.integer.network import Tensor


def test_a_tensor_counts_its_elements() -> None:
    assert Tensor("image", (1, 28, 28, 3), "int8", 0.5, -128).size == 2352


def test_a_tensor_of_fewer_axes_is_an_image_of_one_place() -> None:
    assert Tensor("logits", (1, 10), "int8", 0.5, 0).image_shape == (1, 1, 10)
    assert Tensor("image", (1, 7, 6, 5), "int8", 0.5, 0).image_shape == (7, 6, 5)
