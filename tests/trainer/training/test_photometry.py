from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from mnist_edge_trainer.data.datasets import Dataset
from mnist_edge_trainer.training.photometry import soil
from numpy.typing import NDArray

SEED = (3, 5)


@pytest.fixture(scope="module")
def pixels(digits: Dataset) -> NDArray[np.float32]:
    """600 digits, float32 (600, 28, 28, 1)."""
    return digits.train_images[:600, ..., np.newaxis] / np.float32(255)


@pytest.fixture(scope="module")
def soiled(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(soil(pixels, 1.0, SEED))


def changed(before: Any, after: Any) -> NDArray[np.bool_]:
    return (np.asarray(before) != np.asarray(after)).any(axis=(1, 2, 3))


def test_what_comes_out_is_an_image(pixels: NDArray[np.float32], soiled: NDArray[np.float32]) -> None:
    assert soiled.shape == pixels.shape
    assert soiled.dtype == np.float32
    assert soiled.min() >= 0
    assert soiled.max() <= 1


@pytest.mark.parametrize(("share", "count"), [(0.0, 0), (0.25, 150), (1.0, 600)])
def test_a_share_of_the_images_is_soiled(pixels: NDArray[np.float32], share: float, count: int) -> None:
    found = changed(pixels, soil(pixels, share, SEED))
    assert not found[count:].any()
    assert found[:count].sum() >= 0.8 * count


def test_the_same_seed_soils_alike_and_another_otherwise(
    pixels: NDArray[np.float32], soiled: NDArray[np.float32]
) -> None:
    np.testing.assert_array_equal(soiled, soil(pixels, 1.0, SEED))
    assert changed(soiled, soil(pixels, 1.0, (3, 6))).mean() > 0.9


def test_it_can_be_traced_for_batches_of_any_size(pixels: NDArray[np.float32]) -> None:
    traced = tf.function(lambda batch: soil(batch, 0.5, SEED), input_signature=[tf.TensorSpec((None, 28, 28, 1))])
    for count in (1, 7):
        np.testing.assert_allclose(traced(pixels[:count]), soil(pixels[:count], 0.5, SEED), atol=1e-6)


def test_paper_is_of_any_grey_and_ink_lighter_or_darker(soiled: NDArray[np.float32]) -> None:
    corners = soiled[:, [0, 0, -1, -1], [0, -1, 0, -1], 0]
    paper = np.median(corners, axis=1)
    centre = soiled[:, 7:21, 7:21, 0].mean(axis=(1, 2))
    assert 0.2 < (paper == 0).mean() < 0.6
    assert (paper > 0.6).mean() > 0.05
    assert (centre < paper).mean() > 0.1


def test_light_noise_and_strokes_reach_the_border(pixels: NDArray[np.float32], soiled: NDArray[np.float32]) -> None:
    """Where MNIST is black for ever."""
    assert (pixels[:, :2] == 0).all()
    border = soiled[:, :2, :, 0].reshape(600, -1)
    assert 0.6 < (border.max(axis=1) > 0).mean() < 0.99
    assert (border.std(axis=1) > 0.05).mean() > 0.25


def test_most_stay_readable(pixels: NDArray[np.float32], soiled: NDArray[np.float32]) -> None:
    """The picture, or its negative, still goes with what was there."""
    pairs = zip(pixels.reshape(600, -1), soiled.reshape(600, -1), strict=True)
    likeness = np.abs([np.corrcoef(before, after)[0, 1] for before, after in pairs])
    assert (likeness > 0.3).mean() > 0.85
