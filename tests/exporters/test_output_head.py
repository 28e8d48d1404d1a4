from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
from mnist_edge_exporters import keras_model, output_head
from mnist_edge_exporters.parity.comparison import reference_probabilities
from mnist_edge_runtime import ModelError
from mnist_edge_trainer.data.datasets import Dataset

L, ops = keras.layers, keras.ops
Heads = Callable[[Any], Any]
# From the logits on; and the operators that the cut network must not have any more, or the one that it ends in.
CUT: dict[str, Heads] = {
    "softmax layer": L.Softmax(),
    "activation layer": L.Activation("softmax"),
    "activations.softmax": keras.activations.softmax,
    "ops.softmax": lambda x: ops.softmax(x),
    "log_softmax": L.Activation("log_softmax"),
    "ops.log_softmax": lambda x: ops.log_softmax(x),
    "reshaped": lambda x: L.Reshape((10,))(L.Softmax()(L.Reshape((1, 1, 10))(x))),
    "flattened": lambda x: L.Flatten()(L.Softmax()(L.Reshape((1, 1, 10))(x))),
    "reshaped by ops": lambda x: ops.reshape(ops.softmax(x), (-1, 10)),
    "dropped out": lambda x: L.Dropout(0.5)(L.Softmax()(x)),
    "linear after it": lambda x: L.Activation("linear")(L.Identity()(L.Softmax()(x))),
}
KEPT: dict[str, Heads] = {
    "logits": lambda x: x,
    "average": lambda x: L.Average()([L.Softmax()(x), L.Softmax()(L.Rescaling(0.5)(x))]),
    "sum by hand": lambda x: ops.softmax(x) * 0.25 + ops.softmax(x * 2) * 0.75,
    "softmax by hand": lambda x: ops.exp(x) / ops.sum(ops.exp(x), axis=-1, keepdims=True),
    "log of an average": lambda x: ops.log((ops.softmax(x) + ops.softmax(x * 2)) / 2),
    "halves": lambda x: L.Rescaling(0.5)(L.Flatten()(L.Softmax()(L.Reshape((2, 5))(x)))),
}
HEADS = CUT | KEPT


def _network(head: Heads, inner: bool = False) -> Any:
    keras.utils.set_random_seed(5)
    image = keras.Input((28, 28, 1))
    logits = L.Dense(10)(L.Flatten()(image))
    if inner:
        start = keras.Input((10,))
        return keras.Model(image, keras.Model(start, head(start))(logits))
    return keras.Model(image, head(logits))


def _operations(model: Any) -> set[str]:
    kinds = {type(operation).__name__ for operation in model._operations}
    return kinds | {kind for each in model.layers if isinstance(each, keras.Model) for kind in _operations(each)}


@pytest.mark.parametrize("inner", [False, True], ids=["plain", "model within"])
@pytest.mark.parametrize("name", HEADS)
def test_the_softmax_of_the_logits_is_the_networks_probability(name: str, inner: bool, digits: Dataset) -> None:
    model, images = _network(HEADS[name], inner), digits.test_images[:4]
    before = keras_model.weights_sha256(model)
    cut = output_head.to_logits(model, None)
    logits = np.asarray(cut(images[..., np.newaxis] / np.float32(255))["logits"])
    np.testing.assert_allclose(
        np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True), reference_probabilities(model, images), atol=1e-6
    )
    assert not _operations(cut) & {"Softmax", "LogSoftmax", "Activation", "Dropout"} or name in KEPT
    assert ("Log" in _operations(cut)) == (name in KEPT and name != "logits")
    assert keras_model.weights_sha256(model) == before


@pytest.mark.parametrize("activation", ["softmax", "log_softmax"])
@pytest.mark.parametrize("batch_size", [1, None])
def test_a_layer_loses_its_activation_and_keeps_its_weights(activation: str, batch_size: int | None) -> None:
    keras.utils.set_random_seed(5)
    model = keras.Sequential([keras.Input((28, 28, 1)), L.Flatten(), L.Dense(10, activation=activation)])
    cut = output_head.to_logits(model, batch_size)
    pixels = np.random.default_rng(0).random((1, 28, 28, 1), np.float32)
    kernel, bias = model.get_weights()
    expected = pixels.reshape(1, 784) @ kernel + bias
    assert cut.inputs[0].shape == (batch_size, 28, 28, 1)
    np.testing.assert_allclose(np.asarray(cut(pixels)["logits"]), expected, atol=1e-5)
    assert output_head.gives_probabilities(model) == (activation == "softmax")


@pytest.mark.parametrize(
    ("head", "message"),
    [
        (L.Dense(10, activation="sigmoid"), r"ends in a sigmoid in .* \(multi-label"),
        (lambda x: ops.sigmoid(x), r"ends in a sigmoid in .* \(multi-label"),
        (lambda x: L.Flatten()(L.Activation("hard_sigmoid")(x)), r"ends in a hard sigmoid in .* \(multi-label"),
        (L.Dense(10, activation="tanh"), "ends in tanh in .* expected softmax over the classes, or logits"),
        (L.Dense(1), "at least two classes"),
        (L.Reshape((2, 5)), r"its output is \(None, 2, 5\)"),
    ],
    ids=["sigmoid", "ops", "hard sigmoid", "tanh", "one class", "a picture"],
)
def test_other_heads_are_refused(head: Heads, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        output_head.check(_network(head))


@pytest.mark.parametrize("name", [name for name in HEADS if name != "halves"])
def test_these_heads_pass(name: str) -> None:
    output_head.check(_network(HEADS[name]))


@pytest.mark.parametrize("name", HEADS)
def test_only_probabilities_without_a_softmax_at_the_end_take_a_logarithm(name: str) -> None:
    takes = name in ("average", "sum by hand", "softmax by hand", "halves")
    assert output_head.takes_logarithm(_network(HEADS[name])) == takes
