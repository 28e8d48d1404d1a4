from __future__ import annotations

import numpy as np
import pytest
from mnist_edge_runtime.preprocessing.reduction import block_means, block_sides


@pytest.mark.parametrize(
    ("shape", "blocks"),
    [((6, 8), (2, 2)), ((7, 9), (3, 1)), ((50, 61), (7, 10)), ((3000, 2000), (2, 9)), ((3, 9000), (1, 40)),
     ((700, 3), (300, 1)), ((40, 1300), (13, 301))],
)  # fmt: skip
@pytest.mark.parametrize("turned", [False, True])
def test_means_are_rounded_halves_up(shape: tuple[int, int], blocks: tuple[int, int], turned: bool) -> None:
    picture = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    down, across = blocks
    height, width, count = shape[0] // down, shape[1] // across, down * across
    sums = picture[: height * down, : width * across].reshape(height, down, width, across).sum(axis=(1, 3), dtype=int)
    picture = np.asfortranarray(picture) if turned else picture

    np.testing.assert_array_equal(block_means(picture, down, across), (2 * sums + count) // (2 * count))


def test_the_means_of_a_few_pixels() -> None:
    picture = np.array([[1, 2, 10, 10, 9], [2, 1, 11, 11, 9], [7, 7, 7, 7, 7]], np.uint8)

    assert block_means(picture, 2, 2).tolist() == [[2, 11]]
    assert block_means(picture[::-1, ::-1], 1, 2).tolist() == [[7, 7], [10, 6], [10, 6]]
    assert block_means(np.full((2000, 2000), 255, np.uint8), 2000, 2000).tolist() == [[255]]


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((100, 320), (1, 1)),
        ((480, 640), (2, 2)),
        ((3000, 4000), (13, 13)),
        ((321, 321), (2, 2)),
        ((3, 30_000), (1, 94)),
        ((20_000, 8), (63, 2)),
    ],
)
def test_a_block_is_a_square_where_three_lie_on_each_side(shape: tuple[int, int], expected: tuple[int, int]) -> None:
    assert block_sides(shape, 320) == expected
