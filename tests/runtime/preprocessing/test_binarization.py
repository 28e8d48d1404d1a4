from __future__ import annotations

import numpy as np
import pytest
from mnist_edge_runtime.preprocessing import binarization
from mnist_edge_runtime.preprocessing.histogram import histogram, otsu_threshold

PAGE = np.full((100, 120), 200, np.uint8)


def test_on_an_even_page_ink_is_the_difference_from_it() -> None:
    page = PAGE.copy()
    page[40:44, 20:60] = 50

    found = next(binarization.ink_maps(page))

    assert (found.full, found.threshold) == (200, 149)
    np.testing.assert_array_equal(found.ink, 200 - page)


def test_light_ink_is_measured_by_the_darkness_of_its_ground() -> None:
    page = np.invert(PAGE)
    page[40:44, 20:60] = 205

    found = next(binarization.ink_maps(page))

    assert found.full == 200
    np.testing.assert_array_equal(found.ink, page - 55)


def test_a_slope_of_light_is_no_ink_to_the_wide_closing() -> None:
    page = PAGE.copy()
    page[40:44, 20:100] //= 4

    even, *_, wide, _, _ = binarization.ink_maps((page * np.linspace(1, 0.4, 120)).astype(np.uint8))

    assert even.ink[:36, 110:].max() > 0.2 * even.full
    assert wide.full == 255
    assert wide.ink[:36, 110:].max() < 0.1 * 255
    assert wide.ink[41:43, 22:98].min() > 0.6 * 255


def test_the_threshold_is_that_of_the_ink_above_its_floor() -> None:
    page = np.random.default_rng(0).integers(0, 256, (60, 90), np.uint8)

    found = list(binarization.ink_maps(page))

    assert [one.even for one in found] == [True, True, False, False, False]
    for one in found:
        assert one.threshold == otsu_threshold(histogram(one.ink), one.floor)
    alone = list(binarization.ink_maps(page, even=False))
    assert [(one.threshold, one.noise) for one in alone] == [(one.threshold, one.noise) for one in found[2:]]


def test_without_contrast_there_is_no_hypothesis() -> None:
    page = PAGE.copy()
    page[40:44, 20:60] = 190

    assert list(binarization.ink_maps(page)) == []


@pytest.mark.parametrize("lines", [25, 50, 75])
def test_the_threshold_lies_between_faint_lines_and_strokes(lines: int) -> None:
    page = np.random.default_rng(0).normal(240, 2.5, (100, 100))
    page[::20] -= lines
    page[30:60, 40:44] = 40

    found = next(binarization.ink_maps(page.astype(np.uint8)))

    assert found.ink[::20, :40].max() <= found.threshold < found.ink[31:59, 40:44].min()
    assert found.threshold > lines
    assert 5 < found.noise < 25


def test_noise_is_at_most_two_fifths_of_full_ink() -> None:
    page = np.random.default_rng(0).integers(0, 256, (100, 100), np.uint8)

    assert all(found.noise == found.full * 2 // 5 for found in binarization.ink_maps(page))
