"""Find the logits of a Keras model: before its softmax, or as the logarithm of its probabilities."""

from __future__ import annotations

from math import prod
from typing import Any

import keras
import numpy as np
from mnist_edge_runtime.errors import ModelError
from mnist_edge_runtime.model_file.contract import IMAGE_SHAPE

__all__ = ["check", "gives_probabilities", "integer_failure", "takes_logarithm", "to_logits"]

_LOGARITHM = (
    "its probabilities do not come from one softmax at its end (are they averages?), so that the file ends in their "
    "logarithm, of which int8 holds too little: average the logits before one softmax, or try --quantize float16 or "
    "dynamic"
)

_SOFTMAX = ("softmax", "log_softmax")
_SIGMOID = ("sigmoid", "hard_sigmoid")
# The activations that keras.ops applies as operations, by the names of their classes.
_OPERATIONS = {"Softmax": "softmax", "LogSoftmax": "log_softmax", "Sigmoid": "sigmoid", "HardSigmoid": "hard_sigmoid"}
_DROPPED = (keras.layers.Dropout, keras.layers.SpatialDropout1D, keras.layers.SpatialDropout2D, keras.layers.Identity)
_REARRANGING = ("Reshape", "Flatten", "Squeeze")  # layers and operations
_LEAST = 1e-30  # probability, which keeps the logarithm finite
_PROBED = 16  # images of noise
_SUM_TOLERANCE = 1e-3


def to_logits(model: Any, batch_size: int | None) -> Any:
    """Return the same network on an input named `image`, (batch, 28, 28, 1), with its output `logits`.

    A softmax or log-softmax at its end is cut off. Probabilities that come in another way, such as the average of
    several networks, get their logarithm: its softmax is the probabilities again.

    Args:
        model: a checked model.
        batch_size: fixed into the graph, which spares it all arithmetic on shapes; None leaves it open.
    """
    image = keras.Input(batch_shape=(batch_size, *IMAGE_SHAPE, 1), name="image")
    network, _ = _headless(model)
    logits = network(image, training=False)
    if takes_logarithm(model):
        logits = keras.ops.log(keras.ops.maximum(logits, _LEAST))
    return keras.Model(image, {"logits": logits}, name="mnist_edge")


def gives_probabilities(model: Any) -> bool:
    """Return whether the model's outputs are probabilities; otherwise they are logits, or log-probabilities."""
    kind = _last_activation(model)[0]
    if kind in _SOFTMAX:
        return kind == "softmax"
    noise = np.random.default_rng(0).random((_PROBED, *IMAGE_SHAPE, 1), np.float32)
    answers = np.asarray(model(noise, training=False))
    return bool((answers >= 0).all() and np.allclose(answers.sum(axis=1), 1, atol=_SUM_TOLERANCE))


def integer_failure(model: Any, is_integer: bool) -> tuple[str, ...]:
    """Return why a file of integers fails whose network no converter can make well; nothing for others."""
    return (_LOGARITHM,) if is_integer and takes_logarithm(model) else ()


def takes_logarithm(model: Any) -> bool:
    """Return whether `to_logits` appends the logarithm of the model's probabilities."""
    return not _headless(model)[1] and gives_probabilities(model)


def check(model: Any) -> None:
    """Refuse a model whose outputs are neither the logits nor the probabilities of exclusive classes.

    Raises:
        ModelError: it has another shape of output, or ends in another activation.
    """
    shape = tuple(model.outputs[0].shape)
    if len(shape) != 2 or shape[1] is None or shape[1] < 2:
        raise ModelError(f"its output is {shape}, expected (None, classes) with at least two classes")
    kind, name = _last_activation(model)
    if kind in (*_SOFTMAX, "linear") or gives_probabilities(model):
        return
    if kind in _SIGMOID:
        raise ModelError(
            f"it ends in a {kind.replace('_', ' ')} in {name!r}, which says of each class by itself whether it is "
            "there (multi-label), but here a picture is of one class: train it with a softmax, or logits, at its end"
        )
    raise ModelError(f"it ends in {kind} in {name!r}; expected softmax over the classes, or logits")


def _headless(model: Any) -> tuple[Any, bool]:
    """Return the model without a final softmax, also where it ends in a model of its own, and whether it had one."""
    operation, source, rearranging = _last_call(model)
    output, is_cut = model.outputs[0], False
    if source is None:
        return model, False
    if _is_network(operation):
        inner, is_cut = _headless(operation)
        if is_cut or not rearranging:
            output = inner(source)
    elif _activation(operation, source) in _SOFTMAX:
        is_cut = True
        if getattr(operation, "weights", None):
            output = type(operation).from_config({**operation.get_config(), "activation": "linear"})(source)
            output._keras_history.operation.set_weights(operation.get_weights())
        else:
            output = source
    if is_cut:
        for layer in rearranging:
            output = layer(output)
    return keras.Model(model.inputs, output, name="network"), is_cut


def _last_activation(model: Any) -> tuple[str, str]:
    """Return the kind of the model's last activation, "linear" where there is none, and the layer's name."""
    operation, source, _ = _last_call(model)
    if source is not None and _is_network(operation):
        return _last_activation(operation)
    return _activation(operation, source), operation.name


def _last_call(model: Any) -> tuple[Any, Any, list[Any]]:
    """Return what computes the output, the tensor it is called with, and what only rearranges the output after it.

    The tensor is None where the output is the model's input, rearranged.
    """
    tensor = model.outputs[0]
    rearranging: list[Any] = []
    while True:
        operation, node = tensor._keras_history.operation, tensor._keras_history.node_index
        sources = operation._inbound_nodes[node].input_tensors
        if not sources:
            return operation, None, rearranging[::-1]
        tensor = sources[0]
        if type(operation).__name__ in _REARRANGING:
            rearranging.append(operation)
        elif not isinstance(operation, _DROPPED) and not _is_linear(operation):
            return operation, tensor, rearranging[::-1]


def _is_linear(operation: Any) -> bool:
    return isinstance(operation, keras.layers.Activation) and operation.activation is keras.activations.linear


def _is_network(operation: Any) -> bool:
    """Return whether a layer is a model whose own layers can be seen."""
    return isinstance(operation, keras.Model) and bool(getattr(operation, "outputs", None))


def _activation(operation: Any, source: Any) -> str:
    """Return the kind of an operation's activation: "linear" where there is none, or it is not over the classes."""
    name = _OPERATIONS.get(type(operation).__name__)
    function = getattr(operation, "activation", None)
    if name is None and function is not None:
        known = [each for each in (*_SOFTMAX, *_SIGMOID, "linear") if function is getattr(keras.activations, each)]
        known += [each for each in (*_SOFTMAX, *_SIGMOID) if function is getattr(keras.ops, each)]
        name = known[0] if known else getattr(function, "__name__", type(function).__name__)
    if name in _SOFTMAX and not getattr(operation, "weights", None):
        axis, shape = getattr(operation, "axis", -1), tuple(source.shape)
        axes = axis if isinstance(axis, (list, tuple)) else [axis if axis is not None else -1]
        if None in shape[1:] or prod(shape[each] or 0 for each in axes) != prod(shape[1:]):
            return "linear"  # it is over a part of the classes
    return name or "linear"
