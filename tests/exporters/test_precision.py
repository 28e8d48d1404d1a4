from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from mnist_edge_exporters import precision
from mnist_edge_trainer.data.datasets import Dataset


def _network(policy: str, **first: Any) -> Any:
    keras.utils.set_random_seed(0)
    image = keras.Input((28, 28, 1), **first)
    normalization = keras.layers.Normalization(axis=None, dtype=policy)
    normalization.adapt(np.linspace(0, 1, 784, dtype=np.float32).reshape(1, 28, 28, 1))
    x = keras.layers.Flatten(dtype=policy)(normalization(image))
    x = keras.layers.BatchNormalization(dtype=policy)(keras.layers.Dense(8, dtype=policy)(x))
    return keras.Model(image, keras.layers.Dense(10, dtype=policy)(x))


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16", "float16", "float64"])
def test_it_computes_in_float32_with_the_same_weights(policy: str, digits: Dataset) -> None:
    model = _network(policy)
    rebuilt = precision.in_float32(model)
    assert {layer.compute_dtype for layer in rebuilt.layers} == {"float32"}
    assert rebuilt.outputs[0].dtype == "float32"
    for found, expected in zip(rebuilt.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(found, expected.astype(found.dtype))
    pixels = digits.test_images[:20, ..., np.newaxis] / np.float32(255)
    expected = model.predict(pixels, verbose=0).astype(np.float32)
    np.testing.assert_allclose(rebuilt.predict(pixels, verbose=0), expected, atol=0.1)


def test_an_input_of_integers_becomes_one_of_floats(digits: Dataset) -> None:
    model = _network("float32", dtype="uint8")
    rebuilt = precision.in_float32(model)
    assert rebuilt.inputs[0].dtype == "float32"
    images = digits.test_images[:20, ..., np.newaxis]
    expected = model.predict(images, verbose=0)
    np.testing.assert_allclose(rebuilt.predict(images.astype(np.float32), verbose=0), expected, rtol=1e-5)


def test_one_in_float32_is_left_alone(own_network: Any) -> None:
    assert precision.in_float32(own_network) is own_network
