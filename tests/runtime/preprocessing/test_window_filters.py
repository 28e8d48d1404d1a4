from __future__ import annotations

import numpy as np
import pytest
from mnist_edge_runtime.preprocessing import window_filters
from scipy import ndimage


@pytest.mark.parametrize("shape", [(40, 31), (3, 60), (5, 5)])
@pytest.mark.parametrize("reach", [1, 2, 3, 7, 12])
def test_they_are_those_of_scipy(reach: int, shape: tuple[int, int]) -> None:
    plane = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    side = 2 * reach + 1

    highest = ndimage.maximum_filter(plane, side, mode="constant", cval=0)
    np.testing.assert_array_equal(window_filters.maximum(plane, reach), highest)
    lowest = ndimage.minimum_filter(plane, side, mode="constant", cval=255)
    np.testing.assert_array_equal(window_filters.minimum(plane, reach), lowest)


@pytest.mark.parametrize("shape", [(40, 31), (3, 60), (5, 5)])
@pytest.mark.parametrize("reach", [1, 3, 12])
def test_a_closing_continues_the_border_outwards(reach: int, shape: tuple[int, int]) -> None:
    plane = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    side = 2 * reach + 1
    around = np.pad(plane, 2 * reach, mode="edge")
    expected = ndimage.minimum_filter(ndimage.maximum_filter(around, side), side)

    inner = slice(2 * reach, -2 * reach)
    np.testing.assert_array_equal(window_filters.closing(plane, reach), expected[inner, inner])


def test_a_closing_fills_what_is_narrower_than_its_window() -> None:
    plane = np.full((20, 30), 200, np.uint8)
    plane[8:12, 5:9] = 40  # 4 wide
    plane[:, 20:29] = 60  # 9 wide

    closed = window_filters.closing(plane, 3)

    assert closed[:, :17].min() == 200
    assert closed[:, 20:29].max() == 60
