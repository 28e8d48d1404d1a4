from __future__ import annotations

import numpy as np
import pytest
from mnist_edge_runtime.preprocessing.connected_components import Components
from mnist_edge_runtime.preprocessing.edge_sharpness import FULL, edge_sharpness, rim_width
from numpy.typing import NDArray
from scipy import ndimage


def _sharpness(ink: NDArray[np.uint8], noise: int = 0) -> list[int]:
    sharpness, masses = edge_sharpness(Components(ink > 60), ink, 60, noise)
    assert masses.sum() == ink[ink > 60].sum(dtype=np.int64)
    return sharpness.tolist()


def _plane() -> NDArray[np.uint8]:
    return np.zeros((100, 120), np.uint8)


@pytest.mark.parametrize(("noise", "expected"), [(0, FULL), (50, FULL * 3 // 4)])
def test_a_stroke_falls_off_within_its_rim_all_but_the_noise(noise: int, expected: int) -> None:
    ink = _plane()
    ink[20:80, 50:56] = 200

    assert _sharpness(ink, noise) == [expected]


def test_a_shadow_has_soft_edges() -> None:
    ink = _plane()
    ink[20:80, 50:56] = 200
    shadow = ndimage.gaussian_filter(np.pad(np.full((40, 20), 180.0), ((30, 30), (10, 90))), 8)

    found = _sharpness(np.maximum(ink, shadow.astype(np.uint8)))

    assert sorted(value > 0 for value in found) == [False, True]


def test_what_contains_a_large_square_must_be_sharper() -> None:
    ink = _plane()
    ink[30:75, 30:75] = 200
    blurred = ndimage.uniform_filter(ink, 5)

    assert _sharpness(ink) == [FULL]
    assert _sharpness(ndimage.uniform_filter(ink[:, :60], 5))[0] > 90 or _sharpness(blurred) == [0]


@pytest.mark.parametrize("part", [np.s_[:, :10], np.s_[:12, :], np.s_[95:, 5:115]], ids=str)
def test_a_slim_strip_along_a_border_is_no_stroke(part: tuple[slice, slice]) -> None:
    ink = _plane()
    ink[part] = 200
    alone = _sharpness(ink)
    ink[30:70, 50:56] = 200

    assert alone == [0]
    assert sorted(_sharpness(ink)) == [0, FULL]


def test_a_frame_is_no_stroke() -> None:
    ink = np.full((100, 120), 200, np.uint8)
    ink[4:-4, 4:-4] = 0

    assert _sharpness(ink) == [0]


def test_a_digit_cropped_closely_is_one_where_nothing_else_is() -> None:
    ink = _plane()
    ink[:, 50:56] = ink[60:66] = 200
    assert _sharpness(ink) == [FULL]

    ink = _plane()
    ink[:8, :70] = 200
    ink[40:60, 50:56] = 200
    assert _sharpness(ink) == [0, FULL]


@pytest.mark.parametrize(("shape", "expected"), [((28, 28), 2), ((240, 320), 6), ((3, 175), 4)])
def test_the_rim_is_two_in_a_hundred_of_the_longer_side(shape: tuple[int, int], expected: int) -> None:
    assert rim_width(shape) == expected
