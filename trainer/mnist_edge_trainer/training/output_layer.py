"""Load a network to train it further, and give its output layer the classes that it does not know."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
from mnist_edge_runtime.errors import ModelError, reason
from mnist_edge_runtime.model_file.contract import IMAGE_SHAPE
from numpy.typing import NDArray

__all__ = ["extended", "load", "uncompiled"]

_BATCH = 500  # images


def load(file: Path) -> Any:
    """Load a Keras model whose last layer is dense, with a softmax over the classes.

    Raises:
        ModelError: Keras cannot load it, it takes something else than images, or it ends in another layer.
    """
    try:
        model = keras.models.load_model(file, compile=False, safe_mode=True)
    except Exception as error:  # Keras raises whatever the archive makes it raise
        raise ModelError(f"{file}: Keras cannot load it: {reason(error)}") from None
    wanted = (None, *IMAGE_SHAPE, 1)
    shapes = [tuple(each.shape) for each in getattr(model, "inputs", None) or ()]
    if shapes != [wanted] or len(model.outputs) != 1:
        found = ", ".join(map(str, shapes)) or "not known"
        raise ModelError(f"{file}: its input is {found}, expected {wanted} for images and one output of classes")
    *_, last = layers = list(model.layers)
    before = layers[-2] if len(layers) > 1 else last
    if _is_softmax(last) and isinstance(before, keras.layers.Dense):
        last, model = before, keras.Model(model.inputs, before.output, name=model.name)
    if not isinstance(last, keras.layers.Dense) or last.activation not in (
        keras.activations.softmax,
        keras.activations.linear,
    ):
        raise ModelError(
            f"{file}: its last layer is {last.name!r} ({type(last).__name__}); a network that is trained further ends "
            "in keras.layers.Dense(CLASSES, activation='softmax')"
        )
    if last.activation is keras.activations.softmax:
        return model
    return _with_output(model, *last.get_weights())


def extended(model: Any, new: Sequence[NDArray[np.uint8]], others: NDArray[np.uint8]) -> Any:
    """Return the network with further classes; it answers the others as before until it is trained.

    A new class gets the direction in which the features of its pictures differ from those of other images, as long as
    the weights of a known class are, and the bias that makes it as unlikely on other images as a wrong class is.

    Args:
        model: from `load`.
        new: the pictures of each new class, uint8 (N, 28, 28).
        others: images of the known classes, uint8 (M, 28, 28).
    """
    output = model.layers[-1]
    kernel, bias = output.get_weights() if output.use_bias else (*output.get_weights(), np.zeros(output.units))
    features = keras.Model(model.inputs, output.input)
    of_others = _predicted(features, others)
    logits = np.sort(of_others @ kernel + bias, axis=1)
    unlikely, length = logits[:, :-1].mean(), np.linalg.norm(kernel, axis=0).mean()
    columns, biases = [], []
    for images in new:
        direction = _predicted(features, images).mean(axis=0) - of_others.mean(axis=0)
        columns.append(direction * length / max(float(np.linalg.norm(direction)), 1e-9))
        biases.append(unlikely - (of_others @ columns[-1]).mean())
    return _with_output(model, np.column_stack([kernel, *columns]), np.concatenate([bias, biases]))


def uncompiled(model: Any) -> Any:
    """Return the network without its optimizer, which is larger than itself and of no use to others."""
    network = type(model).from_config(model.get_config())
    network.set_weights(model.get_weights())
    return network


def _with_output(model: Any, kernel: NDArray[np.float32], bias: NDArray[np.float32] | None = None) -> Any:
    """Return the network with another output layer of these weights."""
    before = model.layers[-1]
    # Its name is the one that surely no other layer of the network has.
    output = keras.layers.Dense(kernel.shape[1], activation="softmax", use_bias=bias is not None, name=before.name)
    network = keras.Model(model.inputs, output(before.input), name=model.name)
    output.set_weights([kernel] if bias is None else [kernel, bias])
    return network


def _predicted(network: Any, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    found: NDArray[np.float32] = network.predict(
        images[..., np.newaxis] / np.float32(255), batch_size=_BATCH, verbose=0
    )
    return found


def _is_softmax(layer: Any) -> bool:
    return isinstance(layer, keras.layers.Softmax) or (
        isinstance(layer, keras.layers.Activation) and layer.activation is keras.activations.softmax
    )
