from __future__ import annotations

import numpy as np
from mnist_edge_exporters.javascript.pictures import pictures
from numpy.typing import NDArray


def test_pictures_are_of_all_kinds_and_the_same_each_time(images: NDArray[np.uint8]) -> None:
    drawn = list(pictures(images, 60))
    assert len(drawn) == 60
    assert all(np.array_equal(one, other) for one, other in zip(drawn, pictures(images, 60), strict=True))
    assert {picture.shape[2:] for picture in drawn} == {(), (3,), (4,)}
    assert all(picture.dtype == np.uint8 and min(picture.shape[:2]) >= 3 for picture in drawn)
    assert max(max(picture.shape) for picture in drawn) > 320
