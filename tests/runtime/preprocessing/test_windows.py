from __future__ import annotations

import numpy as np
import pytest
from mnist_edge_runtime.preprocessing import windows
from scipy import ndimage


@pytest.mark.parametrize("reach", [0, 1, 2, 3, 7, 12])
def test_extremes_and_what_lies_within(reach: int) -> None:
    plane = np.random.default_rng(0).random((40, 31), np.float32)
    side = 2 * reach + 1
    inner = (slice(reach, 40 - reach), slice(reach, 31 - reach))

    highest, lowest = windows.extremes(plane, reach, np.maximum), windows.extremes(plane, reach, np.minimum)
    near = windows.within(plane > 0.98, reach)

    np.testing.assert_array_equal(highest, ndimage.maximum_filter(plane, side)[inner])
    np.testing.assert_array_equal(lowest, ndimage.minimum_filter(plane, side)[inner])
    np.testing.assert_array_equal(near, ndimage.binary_dilation(plane > 0.98, np.ones((side, side))))


def test_sums() -> None:
    mask = np.random.default_rng(0).random((9, 12)) > 0.5
    found = windows.sums(mask, 4)

    assert found.shape == (6, 9)
    assert found[2, 5] == mask[2:6, 5:9].sum()
