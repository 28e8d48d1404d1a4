from __future__ import annotations

import numpy as np
import pytest
from mnist_edge_runtime.preprocessing.resampling import resample


def test_shrinking_takes_the_mean_of_the_area() -> None:
    plane = np.array([[0, 60, 120], [60, 120, 180], [120, 180, 240]], np.uint8)

    assert resample(plane, 1, 1).tolist() == [[491272]]  # 119.94: three weights of 1365, rounded down
    # Each of two columns covers one and a half: weights 2730 and 1366 of 4096.
    np.testing.assert_allclose(resample(plane, 2, 2) / 4096, [[40, 120], [120, 200]], atol=0.1)
    assert resample(plane, 3, 3).tolist() == (plane.astype(int) * 4096).tolist()


def test_growing_lies_on_the_line_between() -> None:
    plane = np.array([[0, 100]], np.uint8)

    assert (resample(plane, 1, 4) / 4096).tolist() == [[0, 25, 75, 100]]


@pytest.mark.parametrize(("source", "target"), [(320, 20), (33, 7), (21, 20), (7, 20), (1, 20), (19, 20)])
def test_what_is_even_stays_even(source: int, target: int) -> None:
    found = resample(np.full((source, source), 200, np.uint8), target, target)

    np.testing.assert_allclose(found / 4096, 200, rtol=2e-3)


def test_it_is_the_arithmetic_of_integers() -> None:
    plane = np.random.default_rng(0).integers(0, 256, (317, 211), np.uint8)
    rows = np.array([[max(0, min((t + 1) * 317, (p + 1) * 20) - max(t * 317, p * 20)) for p in range(317)]
                     for t in range(20)])  # fmt: skip
    weights = (rows * 8192 // rows.sum(axis=1, keepdims=True) + 1) // 2
    across = np.array([[max(0, min((t + 1) * 211, (p + 1) * 13) - max(t * 211, p * 13)) for p in range(211)]
                       for t in range(13)])  # fmt: skip
    other = (across * 8192 // across.sum(axis=1, keepdims=True) + 1) // 2

    expected = (((weights @ plane.astype(np.int64)) >> 6) @ other.T) >> 6
    np.testing.assert_array_equal(resample(plane, 20, 13), expected)
