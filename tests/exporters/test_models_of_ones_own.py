"""`mnist-edge export --model` and what follows it take any Keras digit reader, or say why not."""

from __future__ import annotations

import json
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import keras
import numpy as np
import onnxruntime
import pytest
from mnist_edge_exporters import own_code
from mnist_edge_runtime.model_file import sealed_model
from mnist_edge_trainer.data.datasets import Dataset

MnistEdge = Callable[..., CompletedProcess[str]]
Make = Callable[[Any], Any]
L, ops = keras.layers, keras.ops

OWN_LAYERS = """
import keras

class Averaging(keras.layers.Layer):
    "Averages the probabilities behind logits with those of the same logits, halved."

    def call(self, x):
        return (keras.ops.softmax(x) + keras.ops.softmax(x / 2)) / 2
"""

pytestmark = pytest.mark.usefixtures("converting_here")


@pytest.fixture(autouse=True)
def own_layers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    (tmp_path / "own_layers.py").write_text(OWN_LAYERS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    yield
    own_code.request(None)
    sys.modules.pop("own_layers", None)
    keras.saving.get_custom_objects().clear()


def _set(layer: Any, *weights: Any) -> Any:
    layer.set_weights([np.asarray(each, np.float32) for each in weights])


def _named_numbers(core: Any) -> Any:
    """784 numbers and the answer by their names; a softmax as a function of keras.ops."""
    image = keras.Input((784,), name="pixels")
    return keras.Model({"pixels": image}, {"digit": ops.softmax(core(image))})


def _channels_first(core: Any) -> Any:
    """A log-softmax that is rearranged by a Reshape."""
    image = keras.Input((1, 28, 28))
    logits = L.Reshape((1, 1, 10))(core(L.Reshape((784,))(image)))
    return keras.Model(image, L.Reshape((10,))(L.Activation("log_softmax")(logits)))


def _any_size(core: Any) -> Any:
    """Convolutions over images of any size; a softmax that is followed by Dropout and Flatten."""
    image = keras.Input((None, None, 1))
    first, second = core.layers
    convolution, dense = L.Conv2D(24, 28, activation="relu"), L.Dense(10)
    logits = dense(L.GlobalMaxPooling2D()(convolution(image)))
    kernel, bias = first.get_weights()
    _set(convolution, kernel.reshape(28, 28, 1, 24), bias)
    _set(dense, *second.get_weights())
    return keras.Model(image, L.Flatten()(L.Dropout(0.3)(L.Softmax()(logits))))


def _mixed_precision(core: Any) -> Any:
    """Rows and columns, normalized and back, in half precision; a GELU of large numbers, which changes little."""
    policy = keras.mixed_precision.dtype_policy().name
    keras.mixed_precision.set_global_policy("mixed_float16")
    try:
        image = keras.Input((28, 28))
        normalized = L.Normalization(axis=None, mean=0.5, variance=0.25)(image)
        x = L.Flatten()(L.Rescaling(0.5, 0.5)(normalized))
        first, second = L.Dense(24, activation="gelu"), L.Dense(10, dtype="float32", activation="softmax")
        model = keras.Model(image, second(first(x)))
    finally:
        keras.mixed_precision.set_global_policy(policy)
    model.set_weights([*model.get_weights()[: -len(core.get_weights())], *core.get_weights()])
    return model


def _over_time(core: Any) -> Any:
    """Each row through the same layer, an LSTM over the rows that adds a little to the logits."""
    keras.utils.set_random_seed(0)
    image = keras.Input((28, 28, 1))
    rows = L.Reshape((28, 28))(image)
    same = L.TimeDistributed(L.Dense(28))
    answer = core(L.Flatten()(same(rows)))
    _set(same, np.eye(28), np.zeros(28))
    return keras.Model(image, L.Softmax()(L.Add()([answer, L.Dense(10)(L.LSTM(4)(rows))])))


def _own_layer(core: Any) -> Any:
    import own_layers  # type: ignore[import-not-found]  # it is written by the fixture

    image = keras.Input((28, 28, 1))
    return keras.Model(image, own_layers.Averaging()(core(L.Flatten()(image))))


TAKEN: dict[str, tuple[Make, str, list[str]]] = {
    "named numbers": (_named_numbers, "own.keras", ["--format", "tflite", "--quantize", "int8"]),
    "channels first, .h5": (_channels_first, "own.h5", ["--format", "onnx", "--quantize", "int8"]),
    "any size": (_any_size, "own.keras", ["--format", "tflite", "--quantize", "none"]),
    "mixed precision": (_mixed_precision, "own.keras", ["--format", "onnx", "--quantize", "none"]),
    "over time": (_over_time, "own.keras", ["--format", "onnx", "--quantize", "none"]),
    "own layer": (_own_layer, "own.keras", ["--format", "onnx", "--quantize", "none", "--import", "own_layers"]),
}


@pytest.mark.long
@pytest.mark.parametrize("name", TAKEN)
def test_a_network_of_ones_own_is_exported(
    name: str, core: Any, digits: Dataset, mnist_edge: MnistEdge, tmp_path: Path
) -> None:
    make, file, options = TAKEN[name]
    make(core).save(tmp_path / file)
    exported = mnist_edge("export", "--model", file, "--data", "digits", *options, "--json")
    (outcome,) = json.loads(exported.stdout)["exports"]
    assert outcome["passed"]
    pixels = digits.test_images.reshape(-1, 784) / np.float32(255)
    right = core.predict(pixels, verbose=0).argmax(axis=1) == digits.test_labels
    assert outcome["reference_accuracy"] == pytest.approx(right.mean(), abs=0.01 if name == "over time" else 0.004)
    if options[1] == "onnx":
        payload = sealed_model.read(Path(outcome["file"])).payload
        session = onnxruntime.InferenceSession(payload, providers=["CPUExecutionProvider"])
        images = digits.test_images[:2, ..., np.newaxis]
        if session.get_inputs()[0].type == "tensor(float)":
            images = images / np.float32(255)
        together = session.run(None, {"image": images})[0].astype(np.float32)
        alone = [session.run(None, {"image": images[[index]]})[0][0] for index in (0, 1)]
        np.testing.assert_allclose(together, alone, rtol=1e-4, atol=1e-4)


@pytest.mark.long
@pytest.mark.parametrize("format", ["tflite", "onnx"])
def test_an_average_of_probabilities_is_not_for_integers(
    format: str, core: Any, mnist_edge: MnistEdge, tmp_path: Path
) -> None:
    """Below the smallest probability that int8 holds, 1/256, all logarithms would be the same."""
    _own_layer(core).save(tmp_path / "own.keras")
    options = ["--model", "own.keras", "--data", "digits", "--import", "own_layers", "--format", format]
    refused = mnist_edge("export", *options, "--quantize", "int8", code=5).stderr
    assert "the file ends in their logarithm, of which int8 holds too little" in refused
    assert "average the logits before one softmax, or try --quantize float16 or dynamic" in refused
    assert list((tmp_path / "exports").iterdir()) == []


@pytest.mark.long
def test_what_follows_an_export_takes_the_same_model(core: Any, mnist_edge: MnistEdge, tmp_path: Path) -> None:
    """Layers of one's own through `verify`, `drift` and `evaluate` as well."""
    _own_layer(core).save(tmp_path / "own.keras")
    options = ["--model", "own.keras", "--data", "digits", "--import", "own_layers"]
    mnist_edge("export", *options, "--format", "onnx", "--quantize", "float16")
    file = "exports/own-onnx-float16.onnx"
    assert "the same answer" in mnist_edge("verify", file, *options).stdout
    assert "logits" in mnist_edge("drift", file, *options).stdout
    figures = json.loads(mnist_edge("evaluate", *options, "--no-corruptions", "--json").stdout)
    assert figures["accuracy"] > 0.9


def _keras_2(core: Any, file: Path) -> None:
    """Write a .keras file of Keras 2, in which a layer has an argument that Keras 3 does not know any more."""
    core.save(file)
    with zipfile.ZipFile(file) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(members["config.json"])
    config["config"]["layers"][-1]["config"]["time_major"] = False
    members |= {"config.json": json.dumps(config).encode(), "metadata.json": b'{"keras_version": "2.15.0"}'}
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def _saved_model(core: Any, file: Path) -> None:
    file.mkdir()
    (file / "saved_model.pb").write_bytes(b"")


def _quantized(core: Any, file: Path) -> None:
    model = keras.models.clone_model(core)
    model.quantize("int8")
    model.save(file)


def _lambda(core: Any, file: Path) -> None:
    keras.Sequential([keras.Input((784,)), L.Lambda(lambda x: x * 1), core]).save(file)


def _stateful(core: Any, file: Path) -> None:
    image = keras.Input(batch_shape=(1, 28, 28))
    keras.Model(image, L.Dense(10)(L.GRU(4, stateful=True)(image))).save(file)


def _unregistered(core: Any, file: Path) -> None:
    _own_layer(core).save(file)


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (_keras_2, "saved by Keras 2.15.0, and Keras 3"),
        (_saved_model, "a SavedModel, which Keras 3 loads without its layers; save it with model.save('NAME.keras')"),
        (_quantized, "quantized by Keras in 'dense"),
        (_lambda, "it has a Lambda layer, Python code inside of the file, which is never run"),
        (_stateful, "is stateful: its answer depends on the pictures before"),
        (_unregistered, "it uses 'Averaging', which is not Keras' own; name the Python module that defines it"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_what_no_file_can_be_made_of_is_refused_in_a_sentence(
    write: Callable[[Any, Path], None], message: str, core: Any, mnist_edge: MnistEdge, tmp_path: Path
) -> None:
    write(core, tmp_path / "own.keras")
    keras.saving.get_custom_objects().clear()
    refused = mnist_edge("export", "--model", "own.keras", "--data", "digits", code=4)
    (line,) = refused.stderr.splitlines()
    assert line.startswith("error: own.keras: ")
    assert message in line
    assert not (tmp_path / "exports").exists()
