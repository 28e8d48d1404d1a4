"""Arrays -> batches for Keras, through tf.data."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

__all__ = ["batches"]


def batches(
    images: NDArray[np.uint8],
    labels: NDArray[np.int64],
    classes: int,
    batch_size: int,
    shuffle_seed: int | None = None,
) -> Any:
    """Return a tf.data.Dataset of pairs: float32 (B, 28, 28, 1) in 0..1 and one-hot float32 (B, classes).

    Args:
        images: uint8 (N, 28, 28).
        labels: the index of each image's class, (N,).
        classes: how many there are.
        batch_size: images in a batch; the last may be smaller.
        shuffle_seed: draw a new order each epoch from this seed; None keeps the order.
    """

    def prepare(pixels: Any, label: Any) -> tuple[Any, Any]:
        return tf.cast(pixels, tf.float32)[..., tf.newaxis] / 255.0, tf.one_hot(label, classes)

    dataset = tf.data.Dataset.from_tensor_slices((images, labels))
    if shuffle_seed is not None:
        dataset = dataset.shuffle(len(images), seed=shuffle_seed, reshuffle_each_iteration=True)
    # Whole batches are converted at once: one call for 128 images instead of 128 calls.
    return dataset.batch(batch_size).map(prepare, num_parallel_calls=tf.data.AUTOTUNE).prefetch(tf.data.AUTOTUNE)
