from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
from mnist_edge_exporters import input_layers
from mnist_edge_runtime import ModelError
from mnist_edge_trainer.data.datasets import Dataset

SHAPES: dict[str, tuple[int | None, ...]] = {
    "rows and columns": (28, 28),
    "784 numbers": (784,),
    "channels first": (1, 28, 28),
    "a sequence of pixels": (784, 1),
    "a sequence of one": (1, 784),
    "any number of rows": (None, 28),
}


def _pixels(digits: Dataset) -> Any:
    return digits.test_images[:20, ..., np.newaxis] / np.float32(255)


def _from(shape: tuple[int | None, ...], core: Any) -> Any:
    return keras.Sequential([keras.Input(shape), keras.layers.Reshape((784,)), core])


@pytest.mark.parametrize("shape", SHAPES.values(), ids=list(SHAPES))
def test_a_grey_image_in_any_order_of_axes_is_taken(shape: tuple[int | None, ...], core: Any, digits: Dataset) -> None:
    pixels = _pixels(digits)
    found = input_layers.take_images(_from(shape, core))
    assert found.input_shape == (None, 28, 28, 1)
    np.testing.assert_array_equal(found.predict(pixels, verbose=0), core.predict(pixels.reshape(-1, 784), verbose=0))


def test_a_network_of_any_size_takes_images_as_they_are(digits: Dataset) -> None:
    layers = [keras.layers.Conv2D(4, 3), keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(10)]
    free = keras.Sequential([keras.Input((None, None, 1)), *layers])
    found = input_layers.take_images(free)
    assert found.input_shape == (None, 28, 28, 1)
    pixels = _pixels(digits)
    np.testing.assert_array_equal(found.predict(pixels, verbose=0), free.predict(pixels, verbose=0))


def test_three_channels_become_equal_ones(digits: Dataset) -> None:
    coloured = keras.Sequential([keras.Input((28, 28, 3)), keras.layers.Flatten(), keras.layers.Dense(10)])
    found, pixels = input_layers.take_images(coloured), _pixels(digits)
    expected = coloured.predict(np.repeat(pixels, 3, axis=-1), verbose=0)
    np.testing.assert_array_equal(found.predict(pixels, verbose=0), expected)


@pytest.mark.parametrize(
    "wrap",
    [
        lambda image, answer: keras.Model({"pixels": image}, answer),
        lambda image, answer: keras.Model(image, {"digits": answer}),
        lambda image, answer: keras.Model({"pixels": image}, {"digits": answer}),
        lambda image, answer: keras.Model([image], [answer]),
    ],
    ids=["named input", "named output", "both named", "lists"],
)
def test_names_and_lists_are_taken_off(wrap: Callable[[Any, Any], Any], core: Any, digits: Dataset) -> None:
    image, pixels = keras.Input((28, 28, 1), name="pixels"), _pixels(digits)
    found = input_layers.take_images(wrap(image, core(keras.layers.Flatten()(image))))
    answers = found.predict(pixels, verbose=0)
    np.testing.assert_array_equal(answers, core.predict(pixels.reshape(-1, 784), verbose=0))


def test_a_fixed_batch_is_taken_off(core: Any, digits: Dataset) -> None:
    image, pixels = keras.Input(batch_shape=(1, 28, 28, 1)), _pixels(digits)
    found = input_layers.take_images(keras.Model(image, core(keras.layers.Flatten()(image))))
    assert found.predict(pixels, verbose=0).shape == (20, 10)


def test_an_input_that_fits_is_left_alone(own_network: Any) -> None:
    assert input_layers.take_images(own_network) is own_network


def test_layers_stand_in_front_in_their_order(core: Any, digits: Dataset) -> None:
    pixels = _pixels(digits)
    layers = [keras.layers.Rescaling(2), keras.layers.Rescaling(1, offset=1), keras.layers.Reshape((784,))]
    found = input_layers.in_front(core, *layers).predict(pixels, verbose=0)
    np.testing.assert_array_equal(found, core.predict(pixels.reshape(-1, 784) * 2 + 1, verbose=0))


@pytest.mark.parametrize(
    ("shape", "found"),
    [((32, 32, 1), "32 x 32 x 1"), ((28, 28, 4), "28 x 28 x 4"), ((7, 7, 16), "7 x 7 x 16"), ((), "a single number")],
)
def test_another_size_is_refused_with_advice(shape: tuple[int, ...], found: str) -> None:
    image = keras.Input(shape)
    with pytest.raises(ModelError, match=rf"its input is {found}, expected images of 28 x 28 x 1 .*Resizing\(32, 32\)"):
        input_layers.take_images(keras.Model(image, keras.layers.Identity()(image)))
