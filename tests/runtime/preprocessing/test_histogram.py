from __future__ import annotations

import numpy as np
import pytest
from mnist_edge_runtime.preprocessing.histogram import NONE, histogram, median, noise, otsu_threshold


def _counts(**levels: int) -> np.ndarray:
    counts = np.zeros(256, np.int64)
    for name, count in levels.items():
        counts[int(name[1:])] = count
    return counts


def test_every_level_is_counted() -> None:
    plane = np.random.default_rng(0).integers(0, 256, (300, 200), np.uint8)

    np.testing.assert_array_equal(histogram(plane[:, ::2]), np.bincount(plane[:, ::2].ravel(), minlength=256))
    assert histogram(np.full((3, 3), 255, np.uint8))[255] == 9


@pytest.mark.parametrize(("values", "expected"), [([5], 5), ([1, 9], 9), ([9, 1, 4], 4), ([7, 1, 3, 5], 5)])
def test_the_median_of_an_even_number_is_the_higher_one(values: list[int], expected: int) -> None:
    assert median(np.array(values, np.uint8)) == expected


@pytest.mark.parametrize("deviation", [2, 5, 12])
def test_noise_is_in_sixteenths_of_a_level(deviation: int) -> None:
    plane = np.clip(np.random.default_rng(0).normal(120, deviation, (300, 300)), 0, 255).astype(np.uint8)
    plane[100:120] = 250

    assert noise(plane) / 16 == pytest.approx(deviation, rel=0.1)


def test_noise_is_interpolated_within_its_level() -> None:
    assert noise(np.zeros((5, 5), np.uint8)) == 4  # as if half of the differences were below a quarter
    ramp = np.arange(8, dtype=np.uint8) * 3
    assert noise(np.tile(ramp, (4, 1))) == (40 + 8) * 1048 // 1000


def test_the_otsu_threshold() -> None:
    assert otsu_threshold(_counts(_0=900, _10=50, _12=50, _200=40, _210=60), floor=5) == 12
    # Between two levels the means decide; what is not above the floor does not count.
    assert otsu_threshold(_counts(_20=1000, _100=10, _250=10), floor=20) == 100
    assert otsu_threshold(_counts(_20=1000, _200=10, _250=10), floor=19) == 20


def test_without_two_levels_there_is_one_class_or_none() -> None:
    assert otsu_threshold(_counts(_3=50), floor=3) == NONE
    assert otsu_threshold(_counts(_3=50, _80=7), floor=3) == 79


def test_many_pixels_stay_below_the_integers_that_floats_hold() -> None:
    """As JavaScript has them: 20 megapixels of two levels."""
    counts = _counts(_1=10_000_000, _255=10_000_000)
    assert otsu_threshold(counts, floor=0) == 1
    assert (254 * 16) ** 2 * ((320 * 320 // 2) ** 2 >> 6) < 2**53
