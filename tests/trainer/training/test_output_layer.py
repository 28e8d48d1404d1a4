from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from mnist_edge_runtime.errors import ModelError
from mnist_edge_trainer.data.datasets import Dataset
from mnist_edge_trainer.networks.published import PUBLISHED, weights_file
from mnist_edge_trainer.training import output_layer
from numpy.typing import NDArray


def answers(model: Any, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    found: NDArray[np.float32] = model.predict(images[..., np.newaxis] / np.float32(255), verbose=0)
    return found


def test_a_network_with_a_softmax_is_loaded_as_it_is(digits: Dataset) -> None:
    model = output_layer.load(weights_file("pico"))
    expected = keras.models.load_model(weights_file("pico"), compile=False)
    some = digits.test_images[:20]
    assert (answers(model, some) == answers(expected, some)).all()


@pytest.mark.parametrize("end", ["logits", "softmax layer"])
def test_other_ends_become_a_softmax(end: str, digits: Dataset, tmp_path: Path) -> None:
    layers = [keras.Input((28, 28, 1)), keras.layers.Flatten(), keras.layers.Dense(10)]
    own = keras.Sequential([*layers, *([keras.layers.Softmax()] if end == "softmax layer" else [])])
    own.save(tmp_path / "own.keras")
    model = output_layer.load(tmp_path / "own.keras")
    some = digits.test_images[:20]
    found, before = answers(model, some), answers(own, some)
    expected = before if end == "softmax layer" else np.asarray(keras.ops.softmax(before))
    assert np.allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ([keras.Input((32, 32, 1)), keras.layers.Flatten(), keras.layers.Dense(10, "softmax")], r"its input is .*32"),
        ([keras.Input((28, 28, 1)), keras.layers.Flatten(), keras.layers.Dense(10, "sigmoid")], r"its last layer is"),
        ([keras.Input((28, 28, 1)), keras.layers.Conv2D(10, 28), keras.layers.Flatten()], r"its last layer is 'flat"),
    ],
)
def test_networks_that_cannot_be_trained_further_are_refused(layers: list[Any], message: str, tmp_path: Path) -> None:
    keras.Sequential(layers).save(tmp_path / "own.keras")
    with pytest.raises(ModelError, match=message):
        output_layer.load(tmp_path / "own.keras")


def test_a_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "own.keras").write_bytes(b"no model")
    with pytest.raises(ModelError, match=r"own\.keras: Keras cannot load it: "):
        output_layer.load(tmp_path / "own.keras")


@pytest.mark.long
def test_a_new_class_takes_few_answers_and_wins_on_its_own_pictures(digits: Dataset) -> None:
    """The bars of the new class are unlike any digit; the digits are answered as before."""
    bars = np.zeros((6, 28, 28), np.uint8)
    for number, bar in enumerate(bars):
        bar[4 + number : 8 + number, 2:26] = bar[18 + number : 21 + number, 2:26] = 255
    model = output_layer.load(weights_file("pico"))
    more = output_layer.extended(model, [bars], digits.train_images[:500])
    assert more.output_shape == (None, 11)
    before, after = answers(model, digits.test_images), answers(more, digits.test_images)
    assert (after.argmax(axis=1) == before.argmax(axis=1)).mean() > 0.97
    known = after[:, :10] / after[:, :10].sum(axis=1, keepdims=True)
    assert np.allclose(known, before, atol=1e-5)
    assert answers(more, bars)[:, 10].mean() > 10 * after[:, 10].mean()


def test_a_network_is_saved_without_its_optimizer(digits: Dataset) -> None:
    model = output_layer.load(weights_file("pico"))
    model.compile(optimizer="adam", loss="categorical_crossentropy")
    plain = output_layer.uncompiled(model)
    assert not plain.compiled
    assert (answers(plain, digits.test_images[:20]) == answers(model, digits.test_images[:20])).all()


@pytest.mark.long
@pytest.mark.parametrize("name", PUBLISHED)
def test_every_published_network_takes_a_class_in_a_new_process(name: str, digits: Dataset) -> None:
    keras.utils.clear_session()  # names are counted from the beginning, as in a process of its own
    model = output_layer.load(weights_file(name))
    some = digits.test_images[:20]
    extended = output_layer.extended(model, [some[:3]], some)
    assert answers(extended, some).shape == (20, 11)
