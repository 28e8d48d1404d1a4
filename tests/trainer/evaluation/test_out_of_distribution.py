from __future__ import annotations

from itertools import islice

import numpy as np
import pytest
from mnist_edge_trainer.evaluation.out_of_distribution import NON_DIGITS, load


@pytest.mark.parametrize("kind", NON_DIGITS)
def test_pictures_in_the_networks_form(kind: str) -> None:
    images, count = load(kind)
    assert (images.dtype, images.shape[1:]) == (np.uint8, (28, 28))
    assert count >= 100
    assert 0.9 * count <= len(images) <= count
    assert len({image.tobytes() for image in images}) > 0.8 * count


@pytest.mark.parametrize("kind", NON_DIGITS)
def test_the_same_each_time(kind: str) -> None:
    once, again = (islice(NON_DIGITS[kind](np.random.default_rng(0)), 5) for _ in range(2))
    for picture, same in zip(once, again, strict=True):
        np.testing.assert_array_equal(picture, same)
