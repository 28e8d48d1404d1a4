"""Load a Keras model, check that it is a digit reader, and cut it at the logits."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path
from typing import Any

import keras
import numpy as np
from mnist_edge_runtime.errors import InputError, ModelError
from mnist_edge_runtime.model_file.contract import IMAGE_SHAPE
from mnist_edge_runtime.model_file.formats.registry import for_suffix

__all__ = ["ends_in_softmax", "load", "to_logits", "weights_sha256"]


def load(path: Path, classes: int | None = None) -> Any:
    """Load a .keras file in Keras' safe mode.

    Args:
        path: the file.
        classes: the number of classes of the data that it is for; None to take any.

    Raises:
        InputError: there is no such file, or it has another number of classes.
        ModelError: not a .keras file, or not a network from 28 x 28 x 1 to at least two classes.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file; --model takes a .keras file")
    if path.suffix != ".keras":
        exported = for_suffix(path.suffix) is not None
        hint = "name the one that it was exported from" if exported else "save it with model.save('NAME.keras')"
        raise ModelError(f"{path}: only .keras files are loaded; {hint}")
    if not zipfile.is_zipfile(path):
        raise ModelError(f"{path}: no .keras file, or one that was cut short; copy it again, or save it again")
    try:
        model = keras.models.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # Keras raises whatever the archive makes it raise
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise ModelError(f"{path}: Keras cannot load it: {reason}") from None
    try:
        _check_shape(model)
    except ModelError as error:
        raise ModelError(f"{path}: {error}") from None
    found = model.outputs[0].shape[1]
    if classes not in (None, found):
        raise InputError(f"{path}: has {found} classes, the data {classes}; name its own with --data")
    return model


def to_logits(model: Any, batch_size: int | None) -> Any:
    """Return the same network on an input named `image`, (batch, 28, 28, 1), with its output `logits` before softmax.

    Args:
        model: a checked model.
        batch_size: fixed into the graph, which spares it all arithmetic on shapes; None leaves it open.
    """
    image = keras.Input(batch_shape=(batch_size, *IMAGE_SHAPE, 1), name="image")
    return keras.Model(image, {"logits": _headless(model)(image, training=False)}, name="mnist_edge")


def _headless(model: Any) -> Any:
    """Return the model without a final softmax, also where it ends in a model of its own."""
    last, source = _last_call(model)
    output = model.outputs[0]
    if isinstance(last, keras.Model):
        output = _headless(last)(source)
    elif ends_in_softmax(model):
        if isinstance(last, (keras.layers.Softmax, keras.layers.Activation)):
            output = source
        else:
            linear = type(last).from_config({**last.get_config(), "activation": "linear"})
            output = linear(source)
            linear.set_weights(last.get_weights())
    return keras.Model(model.inputs, output, name="network")


def ends_in_softmax(model: Any) -> bool:
    """Return whether the model's outputs are probabilities; otherwise they are logits."""
    last, _ = _last_call(model)
    if isinstance(last, keras.Model):
        return ends_in_softmax(last)
    return isinstance(last, keras.layers.Softmax) or getattr(last, "activation", None) is keras.activations.softmax


def weights_sha256(model: Any) -> str:
    """Return the hash of all weights; unlike that of the file it does not depend on the day it was saved."""
    digest = hashlib.sha256()
    for weights in model.get_weights():
        digest.update(str((weights.shape, weights.dtype.str)).encode() + np.ascontiguousarray(weights).tobytes())
    return digest.hexdigest()


def _check_shape(model: Any) -> None:
    inputs, outputs = getattr(model, "inputs", None) or [], getattr(model, "outputs", None) or []
    if len(inputs) != 1 or len(outputs) != 1:
        raise ModelError("expected a Sequential or functional model with one input and one output")
    if tuple(inputs[0].shape)[1:] != (*IMAGE_SHAPE, 1):
        raise ModelError(f"its input is {tuple(inputs[0].shape)}, expected {(None, *IMAGE_SHAPE, 1)}")
    shape = tuple(outputs[0].shape)
    if len(shape) != 2 or shape[1] is None or shape[1] < 2:
        raise ModelError(f"its output is {shape}, expected (None, classes) with at least two classes")
    last, _ = _last_call(model)
    while isinstance(last, keras.Model):
        last, _ = _last_call(last)
    activation = getattr(last, "activation", keras.activations.linear)
    known = (keras.activations.softmax, keras.activations.linear)
    if activation not in known and not isinstance(last, keras.layers.Softmax):
        raise ModelError(f"it ends in {last.name!r}; expected softmax over the classes, or logits")


def _last_call(model: Any) -> tuple[Any, Any]:
    """Return the layer (or nested model) that the output comes from, and the tensor it was called with."""
    history = model.outputs[0]._keras_history
    return history.operation, history.operation._inbound_nodes[history.node_index].input_tensors[0]
