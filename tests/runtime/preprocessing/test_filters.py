from __future__ import annotations

import numpy as np
import pytest
from mnist_edge_runtime.preprocessing.filters import block_means, reduction, resampled


@pytest.mark.parametrize(("shape", "side"), [((6, 8), 2), ((7, 9), 3), ((50, 61), 7), ((3000, 2000), 2)])
def test_block_means(shape: tuple[int, int], side: int) -> None:
    picture = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    height, width = shape[0] // side, shape[1] // side
    blocks = picture[: height * side, : width * side].reshape(height, side, width, side).astype(float)

    assert np.abs(block_means(picture, side) - blocks.mean(axis=(1, 3))).max() <= 0.5


@pytest.mark.parametrize("shape", [(10, 10), (700, 700), (701, 900), (4000, 5000), (20, 900_000)])
def test_a_reduced_picture_has_about_as_many_pixels_as_asked_for(shape: tuple[int, int]) -> None:
    side = reduction(shape, 500_000)

    assert shape[0] * shape[1] / side**2 <= 550_000
    assert side == 1 or shape[0] * shape[1] / (side - 1) ** 2 > 500_000


def test_resampling_keeps_what_is_even_and_where_the_ink_lies() -> None:
    ramp = np.tile(np.arange(64, dtype=np.float32), (48, 1))

    np.testing.assert_allclose(resampled(np.full((9, 13), 0.3, np.float32), 5, 31), 0.3, rtol=1e-5)
    np.testing.assert_allclose(
        resampled(ramp, 12, 16)[:, 2:-2], np.tile(np.arange(64).reshape(16, 4).mean(1), (12, 1))[:, 2:-2], atol=1e-3
    )
    np.testing.assert_array_equal(resampled(ramp, 48, 64), ramp)
