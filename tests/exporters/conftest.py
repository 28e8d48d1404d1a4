"""A small network of a person's own, trained in seconds, and images to calibrate with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mnist_edge_exporters.bundle.build import build
from mnist_edge_exporters.converters import calibration
from mnist_edge_exporters.converters.calibration import Calibration
from mnist_edge_exporters.source import Source
from mnist_edge_runtime import InputError, models
from mnist_edge_trainer.data import datasets
from mnist_edge_trainer.data.datasets import Dataset


@pytest.fixture(scope="session")
def own_file(digits: Dataset, once: Callable[..., Path]) -> Path:
    """Return the .keras file of a functional model that another project might have made, ending in softmax."""
    return once("own_network", lambda folder: _train(digits).save(folder / "own.keras")) / "own.keras"


@pytest.fixture(scope="session")
def own_network(own_file: Path) -> Any:
    import keras

    return keras.saving.load_model(own_file)


def _train(digits: Dataset) -> Any:
    import keras
    import tensorflow as tf

    keras.utils.set_random_seed(0)
    tf.config.experimental.enable_op_determinism()  # the same network whichever test asks for it first
    image = keras.Input((28, 28, 1))
    x = keras.layers.Conv2D(16, 5, strides=2)(image)
    x = keras.layers.BatchNormalization()(x)
    x = keras.layers.ReLU()(x)
    x = keras.layers.Conv2D(32, 3, strides=2, activation="relu")(x)
    x = keras.layers.Conv2D(32, 3, activation="relu")(x)
    x = keras.layers.GlobalAveragePooling2D()(x)
    model = keras.Model(image, keras.layers.Dense(10, activation="softmax")(x))
    model.compile(keras.optimizers.Adam(0.003), "sparse_categorical_crossentropy")
    pixels = digits.train_images[..., np.newaxis] / np.float32(255)
    model.fit(pixels, digits.train_labels, batch_size=32, epochs=25, verbose=0)
    return model


@pytest.fixture(scope="session")
def drawn(digits: Dataset) -> Calibration:
    return calibration.sample(digits.train_images, digits.train_labels, digits.labels, (digits.test_images,))


@pytest.fixture(scope="session")
def own_source(own_network: Any, digits: Dataset) -> Source:
    split = datasets.split(digits)
    return Source(
        name="own",
        model=own_network,
        labels=digits.labels,
        origin={"architecture": "own", "dataset": digits.describe()},
        train=(split.train_images, split.train_labels),
        validation=(split.validation_images, split.validation_labels),
        test=(digits.test_images, digits.test_labels),
        golden=(digits.test_images, digits.test_labels),
    )


@pytest.fixture(scope="session")
def amd64_bundle(once: Callable[..., Path]) -> Path:
    """The shipped network, packed for Debian Bookworm on a PC; skips where its wheels cannot be had."""
    (model,) = models.bundled_models("litert")
    name = "digits.tar.gz"
    try:
        return once("bundle", lambda folder: build(model, "bookworm-amd64", folder / name)) / name
    except InputError as error:
        pytest.skip(str(error))
