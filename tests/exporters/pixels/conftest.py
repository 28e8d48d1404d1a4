"""Small networks that read scikit-learn's digits in other pixels, orientations or orders of labels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from mnist_edge_exporters.source import Source
from numpy.typing import NDArray

Seen = Callable[[NDArray[np.float32]], NDArray[np.float32]]


@pytest.fixture(scope="session")
def trained_on(own_source: Source) -> Callable[..., Source]:
    """Return what trains a network on images as `seen` gives them and on classes as `order` names them.

    The images of the source that it returns stay as the contract has them.
    """
    import keras
    import tensorflow as tf

    def train(seen: Seen, order: list[int] | None = None) -> Source:
        keras.utils.set_random_seed(0)
        tf.config.experimental.enable_op_determinism()
        model: Any = keras.Sequential(
            [
                keras.Input((28, 28, 1)),
                keras.layers.Conv2D(8, 5, strides=2, activation="relu"),
                keras.layers.Conv2D(16, 3, strides=2, activation="relu"),
                keras.layers.Flatten(),
                keras.layers.Dense(32, activation="relu"),
                keras.layers.Dense(10, activation="softmax"),
            ]
        )
        model.compile(keras.optimizers.Adam(0.002), "sparse_categorical_crossentropy")
        images, labels = own_source.train
        labels = labels if order is None else np.array(order)[labels]
        model.fit(seen(images[..., np.newaxis] / np.float32(255)), labels, batch_size=32, epochs=12, verbose=0)
        return replace(own_source, model=model)

    return train
