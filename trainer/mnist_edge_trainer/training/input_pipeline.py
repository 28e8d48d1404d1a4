"""Arrays -> batches for Keras, through tf.data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from ..networks.recipe import Recipe
from . import augmentation, photometry

__all__ = ["TAUGHT_SEED", "batches", "training_batches", "variant_maps"]

TAUGHT_SEED = 0  # of the variants that teachers answer, whatever the seed of the student

_SHUFFLE, _MOVE, _SOIL = range(3)  # what is drawn for an epoch, each from a seed of its own
_DRAWN = 3


def batches(images: NDArray[np.uint8], labels: NDArray[np.int64], classes: int, batch_size: int) -> Any:
    """Return a tf.data.Dataset of pairs, in order: float32 (B, 28, 28, 1) in 0..1 and one-hot float32 (B, classes).

    Args:
        images: uint8 (N, 28, 28).
        labels: the index of each image's class, (N,).
        classes: how many there are.
        batch_size: images in a batch; the last may be smaller.
    """

    def prepare(pixels: Any, label: Any) -> tuple[Any, Any]:
        return _scaled(pixels), tf.one_hot(label, classes)

    # Whole batches are converted at once: one call for 128 images instead of 128 calls.
    dataset = tf.data.Dataset.from_tensor_slices((images, labels)).batch(batch_size)
    return dataset.map(prepare, num_parallel_calls=tf.data.AUTOTUNE).prefetch(tf.data.AUTOTUNE)


def training_batches(
    images: NDArray[np.uint8],
    labels: NDArray[np.int64],
    classes: int,
    recipe: Recipe,
    seed: int,
    *,
    first_epoch: int = 0,
    answers: Callable[[int], NDArray[np.float32]] | None = None,
) -> Any:
    """Return a tf.data.Dataset of all batches from an epoch to the recipe's last: shuffled, augmented, as `batches`.

    What an epoch holds depends on the seed and its number alone, so that a training can begin at any of them.

    Args:
        images: uint8 (N, 28, 28).
        labels: the index of each image's class, (N,).
        classes: how many there are.
        recipe: the epochs, the batch size and the augmentation.
        seed: of the order and of all that is drawn.
        first_epoch: how many are left out.
        answers: what teachers say, from `distillation.answers`; it takes the recipe's share of the targets.
    """
    count = len(images)
    pixels, one_hot = tf.constant(images), tf.one_hot(labels, classes)
    share = recipe.teacher_share

    def one_epoch(epoch: Any) -> Any:
        order = tf.random.experimental.stateless_shuffle(tf.range(count), _seed(seed, epoch, _SHUFFLE))
        drawn_by, variant = (seed, epoch) if answers is None else (TAUGHT_SEED, epoch % recipe.variants)
        maps, targets = variant_maps(recipe, count, drawn_by, variant), one_hot
        if answers is not None:
            row = tf.where(epoch < recipe.augmented_epochs, variant, -1)
            said = tf.numpy_function(answers, [row], tf.float32, stateful=False)
            targets = share * tf.ensure_shape(said, one_hot.shape) + (1 - share) * one_hot

        def augmented(step: Any, indices: Any) -> Any:
            moved = augmentation.move(_scaled(tf.gather(pixels, indices)), tf.gather(maps, indices))
            return photometry.soil(
                moved, recipe.photometric, tf.random.experimental.stateless_fold_in(_seed(seed, epoch, _SOIL), step)
            )

        def prepare(step: Any, indices: Any) -> tuple[Any, Any]:
            batch = tf.cond(
                epoch < recipe.augmented_epochs,
                lambda: augmented(step, indices),
                lambda: _scaled(tf.gather(pixels, indices)),
            )
            return batch, tf.gather(targets, indices)

        steps = tf.data.Dataset.from_tensor_slices(order).batch(recipe.batch_size).enumerate()
        return steps.map(prepare, num_parallel_calls=tf.data.AUTOTUNE)

    return tf.data.Dataset.range(first_epoch, recipe.epochs).flat_map(one_epoch).prefetch(tf.data.AUTOTUNE)


def variant_maps(recipe: Recipe, count: int, seed: int, variant: Any) -> Any:
    """Return the maps that move each of `count` images in a variant, float32 (count, 8).

    Without teachers each epoch is a variant of its own; teachers answer the recipe's first variants, which recur.
    """
    return augmentation.draw_maps(recipe, count, _seed(seed, variant, _MOVE))


def _seed(seed: int, epoch: Any, drawn: int) -> Any:
    return tf.stack([tf.cast(seed, tf.int64), tf.cast(epoch, tf.int64) * _DRAWN + drawn])


def _scaled(pixels: Any) -> Any:
    return tf.cast(pixels, tf.float32)[..., tf.newaxis] / 255.0
