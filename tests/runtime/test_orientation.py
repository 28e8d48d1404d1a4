from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from mnist_edge_runtime.orientation import ORIENTATIONS, turned
from numpy.typing import NDArray

IMAGES = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
EXPECTED: dict[str, Callable[[NDArray[np.uint8]], NDArray[np.uint8]]] = {
    "upright": lambda image: image,
    "transposed": lambda image: image.T,
    "mirrored-left-right": np.fliplr,
    "mirrored-top-bottom": np.flipud,
    "turned-left": np.rot90,
    "turned-right": lambda image: np.rot90(image, -1),
    "turned-180": lambda image: np.rot90(image, 2),
    "anti-transposed": lambda image: np.rot90(image, 2).T,
}


@pytest.mark.parametrize("name", ORIENTATIONS)
def test_images_are_turned_as_the_name_says(name: str) -> None:
    found = turned(IMAGES, name)
    assert len(found) == len(IMAGES)
    for image, expected in zip(found, map(EXPECTED[name], IMAGES), strict=True):
        np.testing.assert_array_equal(image, expected)


def test_further_axes_stay() -> None:
    for name in ORIENTATIONS:
        np.testing.assert_array_equal(turned(IMAGES[..., np.newaxis], name)[..., 0], turned(IMAGES, name))
