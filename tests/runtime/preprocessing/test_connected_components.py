from __future__ import annotations

import numpy as np
import pytest
from mnist_edge_runtime.preprocessing.connected_components import Components
from scipy import ndimage


@pytest.mark.parametrize("density", [0, 0.1, 0.3, 0.5, 0.7, 0.9, 1])
def test_the_components_are_those_of_scipy(density: float) -> None:
    random = np.random.default_rng(0)
    for _ in range(20):
        mask = random.random(random.integers(1, 40, 2)) < density
        values = random.integers(0, 256, mask.shape, np.uint8)
        labels, count = ndimage.label(mask, np.ones((3, 3)))
        boxes = [(y.start, x.start, y.stop, x.stop) for y, x in ndimage.find_objects(labels)]

        found = Components(mask)

        assert len(found) == count
        # Both count components in the order of their first pixels.
        assert list(zip(found.top, found.left, found.bottom, found.right, strict=True)) == boxes
        numbers = range(1, count + 1)
        np.testing.assert_array_equal(found.areas, ndimage.sum(mask, labels, numbers))
        np.testing.assert_array_equal(found.sums(found.at(values)), ndimage.sum(values, labels, numbers))
        np.testing.assert_array_equal(found.mask(np.ones(count, bool)), mask)
        for number in range(min(count, 3)):
            np.testing.assert_array_equal(found.mask(np.arange(count) == number), labels == number + 1)
        for members in (np.arange(min(count, 3)), np.arange(count)[::2]) if count else ():
            rows = slice(int(found.top[members].min()), int(found.bottom[members].max()) + 2)
            columns = slice(max(0, int(found.left[members].min()) - 1), int(found.right[members].max()))
            np.testing.assert_array_equal(
                found.mask_within(members, rows, columns), np.isin(labels, members + 1)[rows, columns]
            )


def test_pixels_that_touch_at_a_corner_are_one() -> None:
    assert len(Components(np.eye(5, dtype=bool))) == 1
    assert len(Components(np.eye(5, dtype=bool)[::2, ::2] & False)) == 0


def test_rows_do_not_run_into_each_other() -> None:
    mask = np.zeros((3, 6), bool)
    mask[0, 4:] = mask[1, :2] = True

    found = Components(mask)

    assert (found.rows.tolist(), found.starts.tolist(), found.ends.tolist()) == ([0, 1], [4, 0], [6, 2])
    assert found.extents.tolist() == [2, 2]


def test_a_spiral_is_one() -> None:
    """Its arms meet after many rows only."""
    y, x = np.mgrid[-60:61, -60:61]
    mask = np.abs((np.hypot(y, x) - np.arctan2(y, x) * 10 / (2 * np.pi)) % 10 - 5) < 1.5

    assert len(Components(mask)) == ndimage.label(mask, np.ones((3, 3)))[1]
    assert Components(mask).extents.max() > 100
