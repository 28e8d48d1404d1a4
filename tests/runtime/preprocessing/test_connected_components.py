from __future__ import annotations

import numpy as np
import pytest
from mnist_edge_runtime.preprocessing import connected_components
from scipy import ndimage


@pytest.mark.parametrize("density", [0, 0.1, 0.3, 0.5, 0.7, 0.9, 1])
def test_the_components_are_those_of_scipy(density: float) -> None:
    random = np.random.default_rng(0)
    for _ in range(20):
        mask = random.random(random.integers(1, 40, 2)) < density
        values = random.random(mask.shape, np.float32)
        labels, count = ndimage.label(mask, np.ones((3, 3)))
        boxes = [(y.start, x.start, y.stop, x.stop) for y, x in ndimage.find_objects(labels)]

        found = connected_components.find(mask)

        assert len(found) == count
        assert sorted(map(tuple, found.boxes.tolist())) == sorted(boxes)
        expected = ndimage.sum(values, labels, range(1, count + 1))
        np.testing.assert_allclose(sorted(found.sums(values)), sorted(expected), rtol=1e-5)
        np.testing.assert_array_equal(found.mask(np.ones(count, bool)), mask)
        for number in range(min(count, 3)):
            alone = found.mask(np.arange(count) == number)
            assert len(np.unique(labels[alone])) == 1
            assert alone.sum() == (labels == labels[alone][0]).sum()


def test_pixels_that_touch_at_a_corner_are_one() -> None:
    assert len(connected_components.find(np.eye(5, dtype=bool))) == 1
    assert len(connected_components.find(np.eye(5, dtype=bool)[::2, ::2] & False)) == 0


def test_a_spiral_is_one() -> None:
    """Its arms meet after many rows only."""
    y, x = np.mgrid[-60:61, -60:61]
    mask = np.abs((np.hypot(y, x) - np.arctan2(y, x) * 10 / (2 * np.pi)) % 10 - 5) < 1.5

    assert len(connected_components.find(mask)) == ndimage.label(mask, np.ones((3, 3)))[1]
    assert (connected_components.find(mask).extents.max()) > 100
