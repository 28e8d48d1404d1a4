"""Write each operator of an integer network as a call in C, with its constants."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

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
from ..integer.rounding import TFLM, Rounding
from ..integer.tflm_formulas import add_multipliers, mean_multiplier
from .constants import ONE_PLACE, STRUCT_BYTES, Place, comment, scale_tables, struct, table, zero
from .memory_plan import MemoryPlan

__all__ = ["Layer", "gathered", "write_layer"]

_EXACT = 1 << 24  # up to here float32 has every integer
_OVERFLOW = 1 << 31  # what an int32 does not have
_LARGEST_OFFSET = 1 << 61  # of a mean, so that with its sum it is an int64


@dataclass(frozen=True)
class Layer:
    """A layer in C.

    Attributes:
        kernels: the templates of the functions that it calls.
        constants: their definitions; empty where there are none.
        call: the statements that compute it.
        size: bytes of constants.
    """

    kernels: tuple[str, ...]
    constants: str
    call: str
    size: int


def write_layer(network: Network, memory: MemoryPlan, operator: Operator, name: str, how: Rounding) -> Layer:
    """Return a layer in C; `name` is the C identifier that its constants begin with.

    Raises:
        ModelError: an operator that C has no kernel for, or a scale that is too large.
    """
    place = Place(network, memory, name, how)
    sources = [network.tensors[index] for index in operator.inputs]
    writer = _WRITERS.get(type(operator))
    if writer is None:
        raise ModelError(
            f"layer {operator.name}: C has no kernel for {type(operator).__name__}; export with --io-dtype uint8"
        )
    return writer(place, operator, sources, network.tensors[operator.output])


def _weighted(place: Place, operator: Weighted, sources: list[Tensor], target: Tensor) -> Layer:
    source, shape, window = sources[0].image_shape, target.image_shape, ONE_PLACE
    kind, kernel = "Convolution", "convolution"
    if isinstance(operator, Dense):
        source, shape, kind = (1, 1, sources[0].size), (1, 1, target.size), "Dense"
    elif isinstance(operator, Convolution | DepthwiseConvolution):
        window = operator.window
    if isinstance(operator, DepthwiseConvolution):
        kind, kernel = "Depthwise convolution", "depthwise"
    scales = (sources[0].scale, operator.scales, target.scale)
    outputs = -1 if isinstance(operator, DepthwiseConvolution) else 0
    weights = np.moveaxis(operator.weights, outputs, 0).astype(np.int64).reshape(len(operator.bias), -1)
    bias = operator.bias.astype(np.int64)
    largest = np.abs(weights).sum(axis=1) * 255 + np.abs(bias)
    if kernel == "convolution":
        bias -= zero(sources[0]) * weights.sum(axis=1)
        if (np.abs(bias) + largest).max() >= _OVERFLOW:
            raise ModelError(f"layer {operator.name}: its sums are out of the range that C computes; train it again")
    if place.how is TFLM:
        factor, shift = rounding.multipliers(*scales)
    else:
        factor, shift = rounding.mantissas(rounding.factor(*scales))
    constants = (
        comment(kind, operator, source, shape, window)
        + table("int8_t", f"{place.name}_weights", operator.weights)
        + table("int32_t", f"{place.name}_bias", bias)
        + scale_tables(place, operator, factor, shift, largest)
        + struct(place, operator, source, shape, window)
    )
    pointers = f"{place.pointer(operator.inputs[0])}, {place.pointer(operator.output)}"
    if kernel == "convolution":
        pointers += f", memory + {place.memory.size}"
    call = f"{kernel}(&{place.name}, {pointers});"
    size = operator.weights.size + 9 * len(operator.bias) + STRUCT_BYTES
    return Layer(("scale", kernel), constants, call, size)


def _pool(place: Place, operator: MaxPool | AveragePool, sources: list[Tensor], target: Tensor) -> Layer:
    source, shape = sources[0].image_shape, target.image_shape
    is_mean = isinstance(operator, AveragePool)
    constants = comment(
        "Average pooling" if is_mean else "Max pooling", operator, source, shape, operator.window
    ) + struct(place, operator, source, shape, operator.window)
    pointers = f"{place.pointer(operator.inputs[0])}, {place.pointer(operator.output)}"
    return Layer(("pool",), constants, f"pool(&{place.name}, {pointers}, {int(is_mean)});", STRUCT_BYTES)


def _mean(place: Place, operator: Mean, sources: list[Tensor], target: Tensor) -> Layer:
    source, shape = sources[0].image_shape, target.image_shape
    count = source[0] * source[1]
    offset = 0
    if place.how is TFLM:
        factor, shift = mean_multiplier(operator, sources[0], target)
    else:
        factor, shift, offset = rounding.offset_constants(*rounding.mean_constants(sources[0], target, count))
        if abs(offset) >= _LARGEST_OFFSET or 128 * count >= _EXACT:
            raise ModelError(f"layer {operator.name}: its mean is out of the range that C computes; train it again")
    constants = (
        comment("Mean over rows and columns", operator, source, shape, ONE_PLACE)
        + scale_tables(place, operator, np.array([factor]), np.array([shift]), np.array([255 * count]))
        + struct(place, operator, source, shape)
    )
    pointers = f"{place.pointer(operator.inputs[0])}, {place.pointer(operator.output)}"
    call = f"mean(&{place.name}, {pointers}, INT64_C({offset}));"
    return Layer(("scale", "mean"), constants, call, STRUCT_BYTES + 13)


def _pad(place: Place, operator: Pad, sources: list[Tensor], target: Tensor) -> Layer:
    source, shape = sources[0].image_shape, target.image_shape
    rows, columns, channels = (0, 0, *operator.before[1:])[-3:]
    constants = comment("Zero padding", operator, source, shape, ONE_PLACE) + struct(
        place, operator, source, shape, Window((1, 1), (1, 1), (rows, columns), (0, 0))
    )
    pointers = f"{place.pointer(operator.inputs[0])}, {place.pointer(operator.output)}"
    return Layer(("pad",), constants, f"pad(&{place.name}, {pointers}, {channels});", STRUCT_BYTES)


def _clamp(place: Place, operator: Clamp, sources: list[Tensor], target: Tensor) -> Layer:
    source = target.image_shape
    constants = comment("ReLU", operator, source, source, ONE_PLACE) + struct(place, operator, source, source)
    pointers = f"{place.pointer(operator.inputs[0])}, {place.pointer(operator.output)}"
    return Layer(("clamp",), constants, f"clamp(&{place.name}, {pointers}, {target.size});", STRUCT_BYTES)


def _add(place: Place, operator: Add, sources: list[Tensor], target: Tensor) -> Layer:
    shape = target.image_shape
    constants = comment("Addition", operator, shape, shape, ONE_PLACE) + struct(place, operator, shape, shape)
    zeros = [zero(source) for source in sources]
    if place.how is TFLM:
        pairs, last = add_multipliers(sources, target)
        numbers = [zeros[0], *pairs[0], zeros[1], *pairs[1], *last]
    else:
        factors, shift = rounding.add_multipliers([source.scale for source in sources], target.scale)
        numbers = [zeros[0], factors[0], zeros[1], factors[1], shift]
    pointers = ", ".join(place.pointer(index) for index in (*operator.inputs, operator.output))
    call = f"add(&{place.name}, {pointers}, {target.size},\n        {', '.join(map(str, numbers))});"
    return Layer((*(("scale",) if place.how is TFLM else ()), "add"), constants, call, STRUCT_BYTES)


def _requantize(place: Place, operator: Requantize, sources: list[Tensor], target: Tensor) -> Layer:
    shape = target.image_shape
    constants = comment("Another scale", operator, shape, shape, ONE_PLACE) + struct(place, operator, shape, shape)
    if place.how is TFLM:
        factor, shift = rounding.multiplier(sources[0].scale / target.scale)
    else:
        factor, shift = rounding.conversion(sources[0].scale, target.scale), 8
    pointers = f"{place.pointer(operator.inputs[0])}, {place.pointer(operator.output)}"
    call = f"requantize(&{place.name}, {pointers}, {target.size}, {factor}, {shift});"
    return Layer((*(("scale",) if place.how is TFLM else ()), "requantize"), constants, call, STRUCT_BYTES)


def _concatenation(place: Place, operator: Concatenation, sources: list[Tensor], target: Tensor) -> Layer:
    count = int(np.prod(target.shape[: operator.axis]))
    distance = int(np.prod(target.shape[operator.axis :]))
    calls, offset = [], 0
    for index, source in zip(operator.inputs, sources, strict=True):
        length = int(np.prod(source.shape[operator.axis :]))
        goal = f"{place.pointer(operator.output)} + {offset}"
        calls.append(f"copy_runs({place.pointer(index)}, {goal}, {count}, {length}, {distance});")
        offset += length
    return Layer(("copy_runs",), "", "\n    ".join(calls), 0)


def gathered(network: Network) -> int:
    """Return the bytes behind the activations in which a convolution gathers the values under its window."""
    windows = [each for each in network.operators if isinstance(each, Convolution) and each.window.size != (1, 1)]
    return max((each.weights[0].size for each in windows), default=0)


_WRITERS: Mapping[type[Operator], Callable[..., Layer]] = {
    Convolution: _weighted,
    DepthwiseConvolution: _weighted,
    Dense: _weighted,
    MaxPool: _pool,
    AveragePool: _pool,
    Mean: _mean,
    Pad: _pad,
    Clamp: _clamp,
    Add: _add,
    Requantize: _requantize,
    Concatenation: _concatenation,
}
