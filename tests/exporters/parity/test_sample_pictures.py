from __future__ import annotations

import numpy as np
from mnist_edge_exporters.parity.sample_pictures import sample_pictures
from mnist_edge_runtime import models
from mnist_edge_runtime.model_file import sealed_model


def test_pictures_are_of_many_kinds_and_the_same_each_time() -> None:
    images = sealed_model.read(models.bundled_models("litert")[0]).golden.images
    pictures = list(sample_pictures(images, 60))
    assert len(pictures) == 60
    assert all(np.array_equal(one, other) for one, other in zip(pictures, sample_pictures(images, 60), strict=True))
    assert {picture.shape[2:] for picture in pictures} == {(), (3,), (4,)}
    assert all(picture.dtype == np.uint8 and min(picture.shape[:2]) >= 3 for picture in pictures)
    assert max(max(picture.shape) for picture in pictures) > 320
    assert all(picture.ndim == 2 for picture in sample_pictures(images, 60, coloured=False))
