from __future__ import annotations

import numpy as np
import pytest
from mnist_edge_runtime import InputError
from mnist_edge_runtime.preprocessing import filters
from mnist_edge_runtime.preprocessing.filters import (
    block_means,
    box_sum,
    clipped,
    dilate,
    min_max_filter,
    reduction_factor,
    resample,
)
from scipy import ndimage


@pytest.mark.parametrize(("shape", "side"), [((6, 8), 2), ((7, 9), 3), ((50, 61), 7), ((3000, 2000), 2)])
def test_block_means(shape: tuple[int, int], side: int) -> None:
    picture = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    height, width = shape[0] // side, shape[1] // side
    blocks = picture[: height * side, : width * side].reshape(height, side, width, side).astype(float)

    assert np.abs(block_means(picture, side) - blocks.mean(axis=(1, 3))).max() <= 0.5


@pytest.mark.parametrize("shape", [(10, 10), (700, 700), (701, 900), (4000, 5000), (20, 900_000)])
def test_a_reduced_picture_has_about_as_many_pixels_as_asked_for(shape: tuple[int, int]) -> None:
    side = reduction_factor(shape, 500_000)

    assert shape[0] * shape[1] / side**2 <= 550_000
    assert side == 1 or shape[0] * shape[1] / (side - 1) ** 2 > 500_000


def test_resampling_keeps_what_is_even_and_where_the_ink_lies() -> None:
    ramp = np.tile(np.arange(64, dtype=np.float32), (48, 1))

    np.testing.assert_allclose(resample(np.full((9, 13), 0.3, np.float32), 5, 31), 0.3, rtol=1e-5)
    np.testing.assert_allclose(
        resample(ramp, 12, 16)[:, 2:-2], np.tile(np.arange(64).reshape(16, 4).mean(1), (12, 1))[:, 2:-2], atol=1e-3
    )
    np.testing.assert_array_equal(resample(ramp, 48, 64), ramp)


@pytest.mark.parametrize("reach", [0, 1, 2, 3, 7, 12])
def test_minimum_maximum_and_dilation_are_those_of_scipy(reach: int) -> None:
    plane = np.random.default_rng(0).random((40, 31), np.float32)
    side = 2 * reach + 1
    inner = (slice(reach, 40 - reach), slice(reach, 31 - reach))

    window = (reach, reach)
    highest, lowest = min_max_filter(plane, window, np.maximum), min_max_filter(plane, window, np.minimum)
    near = dilate(plane > 0.98, reach)

    np.testing.assert_array_equal(highest, ndimage.maximum_filter(plane, side)[inner])
    np.testing.assert_array_equal(lowest, ndimage.minimum_filter(plane, side)[inner])
    np.testing.assert_array_equal(near, ndimage.binary_dilation(plane > 0.98, np.ones((side, side))))


def test_box_sum() -> None:
    mask = np.random.default_rng(0).random((9, 12)) > 0.5
    found = box_sum(mask, (1, 3))

    assert found.shape == (9, 12)
    assert found[2, 5] == mask[1:4, 2:9].sum()
    assert found[0, 0] == mask[:2, :4].sum()


def test_a_window_wider_than_the_plane_costs_no_more_than_the_plane() -> None:
    mask = np.zeros((3, 40), bool)
    mask[0, 20] = True

    assert clipped(1000, mask.shape) == (2, 39)
    np.testing.assert_array_equal(dilate(mask, 5), ndimage.binary_dilation(mask, np.ones((11, 11))))


def test_the_weights_of_a_long_strip_are_those_of_the_whole_matrix(monkeypatch: pytest.MonkeyPatch) -> None:
    plane = np.random.default_rng(0).random((3, 5000), np.float32)
    expected = resample(plane, 7, 128), resample(plane[:, :128], 2, 4000)
    monkeypatch.setattr(filters, "_WEIGHTS", 1 << 14)

    np.testing.assert_allclose(resample(plane, 7, 128), expected[0], rtol=1e-5)
    np.testing.assert_allclose(resample(plane[:, :128], 2, 4000), expected[1], rtol=1e-5)


@pytest.mark.parametrize("shape", [(3, 6_000_000), (6_000_000, 3), (4, 4_000_000)])
def test_a_strip_of_which_no_blocks_are_left_is_refused(shape: tuple[int, int]) -> None:
    with pytest.raises(InputError, match="too long a strip"):
        reduction_factor(shape, 500_000)
