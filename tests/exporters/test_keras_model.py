from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import pytest
from mnist_edge_exporters import keras_model
from mnist_edge_runtime import InputError, ModelError


def _network(head: Callable[[Any], Any]) -> Any:
    keras.utils.set_random_seed(5)
    image = keras.Input((28, 28, 1))
    return keras.Model(image, head(keras.layers.Flatten()(image)))


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
    model = _network(keras.layers.Dense(10))
    before = keras_model.weights_sha256(model)
    model.set_weights([weights + 1 for weights in model.get_weights()])
    assert keras_model.weights_sha256(model) != before


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: keras.Sequential([keras.Input((32, 32, 1)), keras.layers.Flatten(), keras.layers.Dense(10)]), "input"),
        (lambda: keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Conv2D(4, 3)]), "output"),
        (lambda: _network(lambda x: keras.layers.Dense(1)(x)), "at least two classes"),
        (lambda: _network(lambda x: keras.layers.Dense(10, activation="tanh")(x)), "ends in tanh .* expected softmax"),
        (lambda: _network(lambda x: keras.layers.Dense(10, activation="sigmoid")(x)), "multi-label"),
        (
            lambda: _network(lambda x: [keras.layers.Dense(10)(x), keras.layers.Dense(10)(x)]),
            "its inputs are 1 and its outputs 2",
        ),
        (lambda: _network(lambda x: keras.layers.Lambda(lambda y: y[:, :10])(x)), "Lambda layer, Python code"),
    ],
    ids=["other input", "image out", "one class", "tanh", "sigmoid", "two outputs", "code inside"],
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
        ("model.pt", r"only .keras and .h5 files are loaded; save it with model.save\('NAME.keras'\)"),
        ("model.h5", "no .h5 file, or one that was cut short"),
        ("model.tflite", "only .keras and .h5 files are loaded; name the one that it was exported from"),
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
