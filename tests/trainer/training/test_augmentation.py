from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from mnist_edge_trainer.data.datasets import Dataset
from mnist_edge_trainer.networks.recipe import Recipe
from mnist_edge_trainer.training.augmentation import apply_affine, augment_photometric, sample_affine
from numpy.typing import NDArray

SEED = (3, 5)
MANY = 2000


def recipe(**parts: Any) -> Recipe:
    return Recipe(epochs=1, batch_size=1, learning_rate=1e-3, **parts)


def spot(row: int, column: int) -> NDArray[np.float32]:
    """A blurred dot: (28, 28, 1)."""
    rows, columns = np.mgrid[:28, :28]
    return np.exp(-((rows - row) ** 2 + (columns - column) ** 2) / 4).astype(np.float32)[..., np.newaxis]


def centres(images: Any) -> NDArray[np.float64]:
    """Return the centre of mass of each image from the middle of the picture: (N, 2), right and down."""
    mass = np.asarray(images)[..., 0].astype(float)
    middle = np.arange(28) - 13.5
    total = mass.sum(axis=(1, 2))
    return np.stack([mass.sum(axis=1) @ middle / total, mass.sum(axis=2) @ middle / total], axis=1)


def moved(image: NDArray[np.float32], **parts: Any) -> NDArray[np.float32]:
    transforms = sample_affine(recipe(**parts), MANY, SEED)
    return np.asarray(apply_affine(tf.constant(np.repeat(image[np.newaxis], MANY, axis=0)), transforms))


def test_nothing_drawn_changes_nothing() -> None:
    image = np.random.default_rng(0).random((28, 28, 1)).astype(np.float32)
    np.testing.assert_allclose(moved(image), np.repeat(image[np.newaxis], MANY, axis=0), atol=1e-5)


def test_shift_is_in_pixels_either_way() -> None:
    way = centres(moved(spot(13, 14), shift=3.0)) - centres(spot(13, 14)[np.newaxis])
    np.testing.assert_allclose(way.min(axis=0), -3, atol=0.02)
    np.testing.assert_allclose(way.max(axis=0), 3, atol=0.02)
    np.testing.assert_allclose(way.mean(axis=0), 0, atol=0.15)


def test_rotation_is_in_degrees_about_the_centre() -> None:
    right = centres(moved(spot(13, 22), rotation=30.0))
    angles = np.degrees(np.arctan2(right[:, 1], right[:, 0]))
    assert angles.min() == pytest.approx(-30, abs=4)
    assert angles.max() == pytest.approx(30, abs=4)
    np.testing.assert_allclose(np.hypot(*right.T), np.hypot(8.5, 0.5), atol=0.1)


def test_zoom_is_a_share_of_each_axis() -> None:
    ways = np.abs(centres(moved(spot(7, 20), zoom=0.25))) / 6.5
    np.testing.assert_allclose(ways.min(axis=0), 1 / 1.25, atol=0.01)
    np.testing.assert_allclose(ways.max(axis=0), 1.25, atol=0.01)
    assert abs(np.corrcoef(ways.T)[0, 1]) < 0.1


def test_shear_is_in_degrees_and_keeps_rows_in_place() -> None:
    upper = centres(moved(spot(7, 14), shear=30.0))
    np.testing.assert_allclose(upper[:, 1], -6.5, atol=0.02)
    slants = np.degrees(np.arctan((upper[:, 0] - 0.5) / 6.5))
    assert slants.min() == pytest.approx(-30, abs=0.5)
    assert slants.max() == pytest.approx(30, abs=0.5)


def test_the_same_seed_gives_the_same_transforms_and_another_gives_others() -> None:
    parts = recipe(rotation=9.0, shear=9.0, zoom=0.1, shift=1.0)
    one, same, other = (np.asarray(sample_affine(parts, 50, seed)) for seed in (SEED, SEED, (3, 6)))
    np.testing.assert_array_equal(one, same)
    assert (one[:, :6] != other[:, :6]).all()
    assert len(np.unique(one, axis=0)) == 50


@pytest.fixture(scope="module")
def pixels(digits: Dataset) -> NDArray[np.float32]:
    """600 digits, float32 (600, 28, 28, 1)."""
    return digits.train_images[:600, ..., np.newaxis] / np.float32(255)


@pytest.fixture(scope="module")
def augmented(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(augment_photometric(pixels, 1.0, SEED))


def changed(before: Any, after: Any) -> NDArray[np.bool_]:
    return (np.asarray(before) != np.asarray(after)).any(axis=(1, 2, 3))


def test_what_comes_out_is_an_image(pixels: NDArray[np.float32], augmented: NDArray[np.float32]) -> None:
    assert augmented.shape == pixels.shape
    assert augmented.dtype == np.float32
    assert augmented.min() >= 0
    assert augmented.max() <= 1


@pytest.mark.parametrize(("share", "count"), [(0.0, 0), (0.25, 150), (1.0, 600)])
def test_a_share_of_the_images_is_changed(pixels: NDArray[np.float32], share: float, count: int) -> None:
    found = changed(pixels, augment_photometric(pixels, share, SEED))
    assert not found[count:].any()
    assert found[:count].sum() >= 0.8 * count


def test_the_same_seed_changes_alike_and_another_otherwise(
    pixels: NDArray[np.float32], augmented: NDArray[np.float32]
) -> None:
    np.testing.assert_array_equal(augmented, augment_photometric(pixels, 1.0, SEED))
    assert changed(augmented, augment_photometric(pixels, 1.0, (3, 6))).mean() > 0.9


def test_it_can_be_traced_for_batches_of_any_size(pixels: NDArray[np.float32]) -> None:
    traced = tf.function(
        lambda batch: augment_photometric(batch, 0.5, SEED), input_signature=[tf.TensorSpec((None, 28, 28, 1))]
    )
    for count in (1, 7):
        batch = traced(pixels[:count])
        assert batch.shape == (count, 28, 28, 1)
        np.testing.assert_allclose(batch, augment_photometric(pixels[:count], 0.5, SEED), atol=1e-6)


def test_paper_is_of_any_grey_and_ink_lighter_or_darker(augmented: NDArray[np.float32]) -> None:
    corners = augmented[:, [0, 0, -1, -1], [0, -1, 0, -1], 0]
    paper = np.median(corners, axis=1)
    centre = augmented[:, 7:21, 7:21, 0].mean(axis=(1, 2))
    assert 0.2 < (paper == 0).mean() < 0.6
    assert (paper > 0.6).mean() > 0.05
    assert (centre < paper).mean() > 0.1


def test_light_noise_and_strokes_reach_the_border(pixels: NDArray[np.float32], augmented: NDArray[np.float32]) -> None:
    """Where MNIST is always black."""
    assert (pixels[:, :2] == 0).all()
    border = augmented[:, :2, :, 0].reshape(600, -1)
    assert 0.6 < (border.max(axis=1) > 0).mean() < 0.99
    assert (border.std(axis=1) > 0.05).mean() > 0.25


def test_most_stay_readable(pixels: NDArray[np.float32], augmented: NDArray[np.float32]) -> None:
    """The picture, or its negative, still goes with what was there."""
    pairs = zip(pixels.reshape(600, -1), augmented.reshape(600, -1), strict=True)
    likeness = np.abs([np.corrcoef(before, after)[0, 1] for before, after in pairs])
    assert (likeness > 0.3).mean() > 0.85
