"""Build the tf.data input pipeline: arrays in, augmented batches out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from ..networks.recipe import Recipe
from . import augmentation

__all__ = ["TEACHER_SEED", "batches", "epoch_length", "training_batches", "variant_transforms"]

TEACHER_SEED = 0  # of the augmented variants that teachers see, independent of the student's seed

_SHUFFLE, _AFFINE, _PHOTOMETRIC = range(3)  # random draws of an epoch, each with a seed of its own
_DRAWS = 3
_POOL = 1  # folded into the seed of the order: that of the pool's images


def batches(images: NDArray[np.uint8], labels: NDArray[np.int64], classes: int, batch_size: int) -> Any:
    """Return a tf.data.Dataset of pairs, in order: float32 (B, 28, 28, 1) in 0..1 and one-hot float32 (B, classes).

    Args:
        images: uint8 (N, 28, 28).
        labels: the index of each image's class, (N,).
        classes: their number.
        batch_size: images in a batch; the last may be smaller.
    """

    def prepare(pixels: Any, label: Any) -> tuple[Any, Any]:
        return _scaled(pixels), tf.one_hot(label, classes)

    # Whole batches are converted together: one call for 128 images instead of 128 calls.
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
    pool: int = 0,
    soft_targets: Callable[[int], NDArray[np.float32]] | None = None,
) -> Any:
    """Return a tf.data.Dataset of all batches from an epoch to the last one: as `batches`, shuffled and augmented.

    The batches of an epoch depend only on the seed and its number, so that a training can resume at any epoch.

    Args:
        images: uint8 (N, 28, 28).
        labels: the index of each image's class, (N,).
        classes: their number.
        recipe: the epochs, the batch size and the augmentation.
        seed: random seed of the order and the augmentation.
        first_epoch: number of epochs to skip.
        pool: so many of the images, the last ones, are a pool. An epoch has each of the others once, and images drawn
            from the pool, evenly spread, which make up the recipe's share of handwriting.
        soft_targets: from `distillation.soft_targets`; they make up the recipe's `teacher_share` of the targets.
    """
    count = len(images)
    pixels, one_hot = tf.constant(images), tf.one_hot(labels, classes)
    share = recipe.teacher_share
    mixed = _spread(count - pool, epoch_length(count - pool, recipe) - (count - pool))

    def drawn(epoch: Any) -> Any:
        """Return the indices of an epoch's images from the pool: none of them again before all were drawn."""
        wanted = len(mixed) - (count - pool)
        pool_seed = tf.random.experimental.stateless_fold_in(_seed(seed, epoch, _SHUFFLE), _POOL)
        numbers = tf.random.experimental.stateless_shuffle(tf.range(max(wanted, pool)), pool_seed)
        return count - pool + numbers[:wanted] % pool

    def one_epoch(epoch: Any) -> Any:
        order = tf.random.experimental.stateless_shuffle(tf.range(count - pool), _seed(seed, epoch, _SHUFFLE))
        if pool:
            order = tf.gather(tf.concat([order, drawn(epoch)], axis=0), mixed)
        transform_seed, variant = (seed, epoch) if soft_targets is None else (TEACHER_SEED, epoch % recipe.variants)
        transforms = variant_transforms(recipe, count, transform_seed, variant)
        targets = one_hot
        if soft_targets is not None:
            row = tf.where(epoch < recipe.augmented_epochs, variant, -1)
            taught = tf.numpy_function(soft_targets, [row], tf.float32, stateful=False)
            targets = share * tf.ensure_shape(taught, one_hot.shape) + (1 - share) * one_hot

        def augmented(step: Any, indices: Any) -> Any:
            moved = augmentation.apply_affine(_scaled(tf.gather(pixels, indices)), tf.gather(transforms, indices))
            step_seed = tf.random.experimental.stateless_fold_in(_seed(seed, epoch, _PHOTOMETRIC), step)
            return augmentation.augment_photometric(moved, recipe.photometric, step_seed)

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


def epoch_length(count: int, recipe: Recipe) -> int:
    """Return the number of images in an epoch: `count`, and as many from the pool as make up the recipe's share."""
    return round(count / (1 - recipe.handwriting))


def variant_transforms(recipe: Recipe, count: int, seed: int, variant: Any) -> Any:
    """Return the affine transform of each of `count` images in a variant, float32 (count, 8).

    Without teachers each epoch is a variant of its own; teachers see the recipe's first variants, which recur.
    """
    return augmentation.sample_affine(recipe, count, _seed(seed, variant, _AFFINE))


def _spread(own: int, others: int) -> NDArray[np.int64]:
    """Return the order of `own` indices and, evenly spread among them, `others` that follow."""
    places = [(np.arange(number) + 0.5) / max(number, 1) for number in (own, others)]
    return np.argsort(np.concatenate(places), kind="stable")


def _seed(seed: int, epoch: Any, draw: int) -> Any:
    return tf.stack([tf.cast(seed, tf.int64), tf.cast(epoch, tf.int64) * _DRAWS + draw])


def _scaled(pixels: Any) -> Any:
    return tf.cast(pixels, tf.float32)[..., tf.newaxis] / 255.0
