"""Write each operator of an integer network as a call of a kernel in JavaScript, with its weights in one blob."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from mnist_edge_runtime.errors import ModelError

from ..integer import rounding
from ..integer.network import (
    Add,
    AveragePool,
    Clamp,
    Concatenation,
    Convolution,
    Dense,
    DepthwiseConvolution,
    Limited,
    MaxPool,
    Mean,
    Network,
    Operator,
    Pad,
    Requantize,
    Tensor,
    Weighted,
    Window,
)

__all__ = ["Layer", "write_layer"]


@dataclass(frozen=True)
class Layer:
    """A layer in JavaScript.

    Attributes:
        kernel: the function that it calls, and the template that it is in.
        name: what it is.
        comment: its shapes.
        fields: the inside of the object that the function takes, without its weights.
        blob: int8 weights, and int32 biases and float32 scales in the order of little-endian processors.
    """

    kernel: str
    name: str
    comment: str
    fields: str
    blob: bytes


def write_layer(network: Network, operator: Operator) -> Layer:
    """Return a layer in JavaScript.

    Raises:
        ModelError: an operator that JavaScript has no kernel for.
    """
    found = _WRITERS.get(type(operator))
    if found is None:
        raise ModelError(
            f"layer {operator.name}: JavaScript has no kernel for {type(operator).__name__}; "
            "export with --io-dtype uint8"
        )
    kernel, words, writer = found
    sources, target = [network.tensors[index] for index in operator.inputs], network.tensors[operator.output]
    low, high = np.iinfo(target.dtype).min, np.iinfo(target.dtype).max
    if isinstance(operator, Limited):
        low, high = operator.low, operator.high
    shapes = sources[0].image_shape, target.image_shape
    if isinstance(operator, Dense):
        shapes = (1, 1, sources[0].size), (1, 1, target.size)
    fields: dict[str, Any] = {
        "x": [*shapes[0], sources[0].zero_point],
        "y": [*shapes[1], target.zero_point],
        "least": int(low) - target.zero_point,
        "most": int(high) - target.zero_point,
        **writer(operator, sources, target),
    }
    words += _window_words(getattr(operator, "window", None))
    blob = b""
    if isinstance(operator, Weighted):
        scales = rounding.factor(sources[0].scale, operator.scales, target.scale)
        fields["weights"] = operator.weights.size
        blob = operator.weights.tobytes() + operator.bias.astype("<i4").tobytes() + scales.astype("<f4").tobytes()
    comment = f"// {' -> '.join(' x '.join(map(str, shape)) for shape in shapes)}"
    inside = ",".join(f"{key}:{json.dumps(value, separators=(',', ':'))}" for key, value in fields.items())
    return Layer(kernel, words, comment, inside, blob)


def _window(window: Window) -> dict[str, Any]:
    return {"window": [*window.size, *window.stride, *window.dilation, *window.before]}


def _window_words(window: Window | None) -> str:
    if window is None:
        return ""
    size, stride = (" x ".join(map(str, pair)) for pair in (window.size, window.stride))
    return f" {size}" + (f", stride {stride}" if window.stride != (1, 1) else "")


def _of_window(operator: Convolution | DepthwiseConvolution, sources: list[Tensor], target: Tensor) -> dict[str, Any]:
    return _window(operator.window)


def _nothing(operator: Operator, sources: list[Tensor], target: Tensor) -> dict[str, Any]:
    return {}


def _one_place(operator: Dense, sources: list[Tensor], target: Tensor) -> dict[str, Any]:
    return _window(Window((1, 1), (1, 1), (0, 0), (0, 0)))


def _pool(operator: MaxPool | AveragePool, sources: list[Tensor], target: Tensor) -> dict[str, Any]:
    return {**_window(operator.window), "isMean": isinstance(operator, AveragePool)}


def _mean(operator: Mean, sources: list[Tensor], target: Tensor) -> dict[str, Any]:
    rows, columns, _ = sources[0].image_shape
    scale, offset = rounding.mean_constants(sources[0], target, rows * columns)
    return {"scale": float(scale), "offset": float(offset)}


def _pad(operator: Pad, sources: list[Tensor], target: Tensor) -> dict[str, Any]:
    return {"before": list((0, 0, *operator.before[1:])[-3:])}


def _add(operator: Add, sources: list[Tensor], target: Tensor) -> dict[str, Any]:
    factors, shift = rounding.add_multipliers([source.scale for source in sources], target.scale)
    return {"zeros": [source.zero_point for source in sources], "factors": factors, "shift": shift}


def _requantize(operator: Requantize, sources: list[Tensor], target: Tensor) -> dict[str, Any]:
    return {"factor": rounding.conversion(sources[0].scale, target.scale)}


def _concatenation(operator: Concatenation, sources: list[Tensor], target: Tensor) -> dict[str, Any]:
    return {"lengths": [int(np.prod(source.shape[operator.axis :])) for source in sources]}


_WRITERS: Mapping[type[Operator], tuple[str, str, Callable[..., dict[str, Any]]]] = {
    Convolution: ("convolution", "Convolution", _of_window),
    DepthwiseConvolution: ("depthwise", "Depthwise convolution", _of_window),
    Dense: ("convolution", "Dense", _one_place),
    MaxPool: ("pool", "Max pooling", _pool),
    AveragePool: ("pool", "Average pooling", _pool),
    Mean: ("mean", "Mean over rows and columns", _mean),
    Pad: ("pad", "Zero padding", _pad),
    Clamp: ("clamp", "ReLU", _nothing),
    Add: ("add", "Addition", _add),
    Requantize: ("requantize", "Another scale", _requantize),
    Concatenation: ("concatenation", "Concatenation", _concatenation),
}
