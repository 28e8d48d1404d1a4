from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from mnist_edge_exporters import keras_model
from mnist_edge_exporters.parity.comparison import reference_probabilities
from mnist_edge_runtime import InputError, ModelError
from mnist_edge_trainer.data.datasets import Dataset

Heads = Callable[[Any], Any]
HEADS: dict[str, Heads] = {
    "dense with softmax": lambda x: keras.layers.Dense(10, activation="softmax")(x),
    "softmax layer": lambda x: keras.layers.Softmax()(keras.layers.Dense(10)(x)),
    "activation layer": lambda x: keras.layers.Activation("softmax")(keras.layers.Dense(10)(x)),
    "logits": lambda x: keras.layers.Dense(10)(x),
    "model within": lambda x: _head_model(x.shape[1:], "softmax")(x),
    "model within, logits": lambda x: _head_model(x.shape[1:], None)(x),
}


def _head_model(shape: tuple[int, ...], activation: str | None) -> Any:
    return keras.Sequential([keras.Input(shape), keras.layers.Dense(10, activation=activation)])


def _network(head: Heads) -> Any:
    keras.utils.set_random_seed(5)
    image = keras.Input((28, 28, 1))
    return keras.Model(image, head(keras.layers.Flatten()(image)))


@pytest.mark.parametrize("head", HEADS.values(), ids=list(HEADS))
@pytest.mark.parametrize("batch_size", [1, None])
def test_the_logits_lead_to_the_probabilities_of_the_whole_model(
    head: Heads, batch_size: int | None, digits: Dataset
) -> None:
    model = _network(head)
    images = digits.test_images[:1]
    cut = keras_model.to_logits(model, batch_size)
    logits = np.asarray(cut(images[..., np.newaxis] / np.float32(255))["logits"])
    probabilities = np.exp(logits) / np.exp(logits).sum()
    assert cut.inputs[0].shape == (batch_size, 28, 28, 1)
    np.testing.assert_allclose(probabilities, reference_probabilities(model, images), atol=1e-6)


def test_cutting_leaves_the_model_as_it_was(own_network: Any) -> None:
    before = keras_model.weights_sha256(own_network)
    keras_model.to_logits(own_network, 1)
    assert keras_model.ends_in_softmax(own_network)
    assert keras_model.weights_sha256(own_network) == before


def test_a_saved_model_loads_with_the_same_weights(own_network: Any, tmp_path: Path) -> None:
    own_network.save(tmp_path / "own.keras")
    assert keras_model.weights_sha256(keras_model.load(tmp_path / "own.keras")) == keras_model.weights_sha256(
        own_network
    )


def test_a_model_of_other_classes_than_the_data_is_refused(own_network: Any, tmp_path: Path) -> None:
    own_network.save(tmp_path / "own.keras")
    assert keras_model.load(tmp_path / "own.keras", classes=10)
    with pytest.raises(InputError, match=r"own\.keras: has 10 classes, the data 3; name its own with --data"):
        keras_model.load(tmp_path / "own.keras", classes=3)


def test_changed_weights_change_the_hash() -> None:
    model = _network(HEADS["logits"])
    before = keras_model.weights_sha256(model)
    model.set_weights([weights + 1 for weights in model.get_weights()])
    assert keras_model.weights_sha256(model) != before


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: keras.Sequential([keras.Input((32, 32, 1)), keras.layers.Flatten(), keras.layers.Dense(10)]), "input"),
        (lambda: keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Conv2D(4, 3)]), "output"),
        (lambda: _network(lambda x: keras.layers.Dense(1)(x)), "at least two classes"),
        (lambda: _network(lambda x: keras.layers.Dense(10, activation="sigmoid")(x)), "expected softmax"),
        (lambda: _network(lambda x: [keras.layers.Dense(10)(x), keras.layers.Dense(10)(x)]), "one output"),
        (lambda: _network(lambda x: keras.layers.Lambda(lambda y: y[:, :10])(x)), "cannot load"),
    ],
    ids=["other input", "image out", "one class", "sigmoid", "two outputs", "code inside"],
)
def test_other_networks_are_refused(make: Callable[[], Any], message: str, tmp_path: Path) -> None:
    make().save(tmp_path / "other.keras")
    with pytest.raises(ModelError, match=message):
        keras_model.load(tmp_path / "other.keras")


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.keras: no such file"):
        keras_model.load(tmp_path / "none.keras")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("model.h5", r"only .keras files are loaded; save it with model.save\('NAME.keras'\)"),
        ("model.tflite", "only .keras files are loaded; name the one that it was exported from"),
        ("model.keras", "no .keras file, or one that was cut short"),
    ],
)
def test_files_of_another_kind_are_refused(name: str, message: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"neither HDF5 nor a zip archive")
    with pytest.raises(ModelError, match=message):
        keras_model.load(tmp_path / name)


def test_an_archive_of_something_else_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "model.keras", "w") as archive:
        archive.writestr("config.json", "{}")
    with pytest.raises(ModelError, match="Keras cannot load it"):
        keras_model.load(tmp_path / "model.keras")
