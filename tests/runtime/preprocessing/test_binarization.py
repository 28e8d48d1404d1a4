from __future__ import annotations

import numpy as np
import pytest
from mnist_edge_runtime.preprocessing import binarization

PAGE = np.full((100, 120), 200, np.uint8)


def test_an_even_page_has_the_share_that_the_ink_absorbs() -> None:
    page = PAGE.copy()
    page[40:44, 20:60] = 50

    ink = next(binarization.ink_density_maps(page))

    np.testing.assert_allclose(ink[41, 30], 0.75)
    assert np.abs(ink[:30]).max() == 0


def test_a_slope_of_light_is_no_ink_to_the_wide_closing() -> None:
    page = PAGE.copy()
    page[40:44, 20:100] //= 4

    even, _, wide, *_ = binarization.ink_density_maps((page * np.linspace(1, 0.4, 120)).astype(np.uint8))

    assert even[:36, 110:].max() > 0.2
    assert wide[:36, 110:].max() < 0.1
    assert wide[41:43, 22:98].min() > 0.6


def test_without_contrast_there_is_no_ink() -> None:
    page = PAGE.copy()
    page[40:44, 20:60] = 190

    assert all(not ink.any() for ink in binarization.ink_density_maps(page))


@pytest.mark.parametrize("lines", [0.1, 0.2, 0.3])
def test_the_threshold_lies_between_faint_lines_and_strokes(lines: float) -> None:
    ink = np.random.default_rng(0).normal(0, 0.01, (100, 100)).astype(np.float32)
    ink[::20] += lines
    ink[30:60, 40:44] = 0.8

    assert lines < binarization.threshold(ink) < 0.8


def test_noise() -> None:
    plane = np.random.default_rng(0).normal(0, 0.05, (300, 300)).astype(np.float32)
    plane[100:120] = 1

    assert binarization.noise(plane) == pytest.approx(0.05, rel=0.1)
