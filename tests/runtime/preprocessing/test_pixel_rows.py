from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from mnist_edge_runtime import InputError
from mnist_edge_runtime.preprocessing.pixel_rows import from_numbers


@pytest.mark.parametrize(
    ("pixels", "expected"),
    [
        ([[0, 255], [7, 0]], [[0, 255], [7, 0]]),
        ([[0.0, 1.0, 0.5]], [[0, 255, 128]]),
        ([[0, 1, 0.5]], [[0, 255, 128]]),
    ],
)
def test_rows_of_numbers_are_a_picture(pixels: list[list[float]], expected: list[list[int]]) -> None:
    found = from_numbers(pixels)
    assert (found.dtype, found.tolist()) == (np.uint8, expected)


def test_a_whole_image_may_be_one_list() -> None:
    image = (np.arange(784) % 256).reshape(28, 28)
    np.testing.assert_array_equal(from_numbers(image.ravel().tolist()), image)


@pytest.mark.parametrize(
    ("pixels", "told"),
    [
        ([], "pixels are no rows of equal length"),
        ("none", "pixels are no rows"),
        ({"0": 1}, "pixels are no rows"),
        ([[0, 255], [0]], "pixels are no rows"),
        ([[0, True]], "pixels are no rows"),
        ([[0, None]], "pixels are no rows"),
        ([[0, 256]], "pixels are from 0 to 256"),
        ([[-1, 255]], "pixels are from -1 to 255"),
        ([0, 255], "got 2 pixels in one list"),
        ([[0, 1]], "nothing says what is white"),
        ([[0.0, float("nan"), 1.0]], "pixels are from nan to nan"),
        ([[0.0, float("inf")]], "pixels are from 0.0 to inf"),
    ],
)
def test_what_is_none_is_refused(pixels: Any, told: str) -> None:
    with pytest.raises(InputError, match=told):
        from_numbers(pixels)
