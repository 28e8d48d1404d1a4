from __future__ import annotations

import numpy as np
from mnist_edge_exporters.c_source.pictures import draw
from mnist_edge_runtime import BlankError, to_mnist
from numpy.typing import NDArray


def test_pictures_are_within_the_limits_and_the_same_every_time(images: NDArray[np.uint8]) -> None:
    drawn = [draw(seed, images) for seed in range(200)]
    shapes = np.array([picture.shape for picture in drawn])
    assert {picture.dtype for picture in drawn} == {np.dtype(np.uint8)}
    assert shapes.min() == 3
    assert 300 < shapes.max() <= 320
    assert shapes.min(axis=1).max() == 240
    assert 5 < np.count_nonzero((shapes == 28).all(axis=1)) < 100
    for seed in (0, 50):
        np.testing.assert_array_equal(draw(seed, images), drawn[seed])


def test_some_are_blank_and_most_are_not(images: NDArray[np.uint8]) -> None:
    blank = 0
    for seed in range(150):
        try:
            to_mnist(draw(seed, images))
        except BlankError:
            blank += 1
    assert 20 < blank < 75
