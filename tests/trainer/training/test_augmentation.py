from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from mnist_edge_trainer.networks.recipe import Recipe
from mnist_edge_trainer.training.augmentation import draw_maps, move
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
    maps = draw_maps(recipe(**parts), MANY, SEED)
    return np.asarray(move(tf.constant(np.repeat(image[np.newaxis], MANY, axis=0)), maps))


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


def test_the_same_seed_draws_the_same_maps_and_another_draws_others() -> None:
    parts = recipe(rotation=9.0, shear=9.0, zoom=0.1, shift=1.0)
    one, same, other = (np.asarray(draw_maps(parts, 50, seed)) for seed in (SEED, SEED, (3, 6)))
    np.testing.assert_array_equal(one, same)
    assert (one[:, :6] != other[:, :6]).all()
    assert len(np.unique(one, axis=0)) == 50
