"""Evaluate an integer network: one formula for each operator, as LiteRT's default delegate (XNNPACK) executes it.

This file is the meaning of an int8 file. Values are int8 as they are stored ("raw"); sums are exact integers, which
float32 holds up to 2**24 and float64 up to 2**53, so that matrix products run at the speed of floats.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import rounding
from .network import (
    Add,
    AveragePool,
    Clamp,
    Concatenation,
    Convolution,
    Dense,
    DepthwiseConvolution,
    Dequantize,
    Limited,
    MaxPool,
    Mean,
    Network,
    Operator,
    Pad,
    Quantize,
    Requantize,
    Reshape,
    Tensor,
    Weighted,
    Window,
)
from .rounding import FLOAT32, TFLM, Rounding
from .tflm_formulas import TFLM_FORMULAS

__all__ = ["evaluate"]

_BATCH = 100  # images, whose activations stay in the cache
_EXACT = 1 << 24  # float32 holds every integer up to here

Raw = NDArray[Any]


def evaluate(network: Network, tensors: Raw, how: Rounding = FLOAT32) -> Raw:
    """Return the raw output, (N, classes), for input tensors (N, 28, 28, 1) of the network's input type.

    Args:
        network: as a reader returns it.
        tensors: the images as the network takes them.
        how: `FLOAT32` or `INTEGERS`, which are equal to the bit, or `TFLM`.
    """
    return np.concatenate(
        [_run(network, tensors[start : start + _BATCH], how) for start in range(0, len(tensors), _BATCH)]
    )


def _run(network: Network, tensors: Raw, how: Rounding) -> Raw:
    values = {network.input: tensors}
    for operator in network.operators:
        source = [network.tensors[index] for index in operator.inputs]
        target = network.tensors[operator.output]
        inputs = [values[index] for index in operator.inputs]
        if how is TFLM and type(operator) in TFLM_FORMULAS:
            scaled = TFLM_FORMULAS[type(operator)](operator, inputs, source, target)
            found = _finish(scaled, target, *_limits(operator, target))
        else:
            found = FORMULAS[type(operator)](operator, inputs, source, target, how)
        values[operator.output] = found.reshape(len(tensors), *target.shape[1:])
    return values[network.output]


def _limits(operator: Operator, target: Tensor) -> tuple[int, int]:
    """Return the smallest and the largest raw value of an output."""
    if isinstance(operator, Limited):
        return operator.low, operator.high
    return int(np.iinfo(target.dtype).min), int(np.iinfo(target.dtype).max)


def _finish(scaled: Raw, target: Tensor, low: int, high: int) -> Raw:
    """Add the zero point, clamp, and store in the output's type."""
    steps = np.clip(scaled, low - target.zero_point, high - target.zero_point).astype(np.int16)
    return (steps + np.int16(target.zero_point)).astype(target.dtype)


# Sums of products: convolution, depthwise convolution, dense.


def _sums_type(operator: Weighted) -> Any:
    """Return the smallest float that holds every sum exactly: an input is at most 255 steps from its zero point."""
    axes = {Convolution: (1, 2, 3), DepthwiseConvolution: (0, 1), Dense: (1,)}[type(operator)]
    largest = np.abs(operator.weights.astype(np.int64)).sum(axis=axes) * 255 + np.abs(operator.bias.astype(np.int64))
    return np.float32 if largest.max() < _EXACT else np.float64


def _scaled(operator: Weighted, sums: Raw, source: Tensor, target: Tensor, how: Rounding) -> Raw:
    scaled = how.scale(sums, source.scale, operator.scales, target.scale)
    return _finish(scaled, target, *_limits(operator, target))


def _padded(values: Raw, window: Window, fill: int) -> Raw:
    (top, left), (bottom, right) = window.before, window.after
    return np.pad(values, ((0, 0), (top, bottom), (left, right), (0, 0)), constant_values=fill)


def _taps(values: Raw, window: Window, target: Tensor) -> Iterator[tuple[int, int, Raw]]:
    """Yield for each place in the window the values that it meets, (N, rows, columns, channels)."""
    (down, across), (rows, columns) = window.stride, target.shape[1:3]
    for y, x in product(range(window.size[0]), range(window.size[1])):
        top, left = y * window.dilation[0], x * window.dilation[1]
        bottom, right = top + (rows - 1) * down + 1, left + (columns - 1) * across + 1
        yield y, x, values[:, top:bottom:down, left:right:across]


def _convolution(operator: Convolution, inputs: list[Raw], sources: list[Tensor], target: Tensor, how: Rounding) -> Raw:
    kind = _sums_type(operator)
    shifted = _padded(inputs[0].astype(kind) - kind(sources[0].zero_point), operator.window, 0)
    columns = np.stack([tap for _, _, tap in _taps(shifted, operator.window, target)], axis=-2)
    weights = operator.weights.reshape(len(operator.weights), -1).astype(kind)
    sums = columns.reshape(-1, weights.shape[1]) @ weights.T + operator.bias.astype(kind)
    return _scaled(operator, sums, sources[0], target, how)


def _depthwise(
    operator: DepthwiseConvolution, inputs: list[Raw], sources: list[Tensor], target: Tensor, how: Rounding
) -> Raw:
    kind = _sums_type(operator)
    shifted = np.repeat(inputs[0].astype(kind) - kind(sources[0].zero_point), operator.multiplier, axis=3)
    weights = operator.weights.astype(kind)
    sums = np.zeros((len(shifted), *target.shape[1:]), kind) + operator.bias.astype(kind)
    for y, x, tap in _taps(_padded(shifted, operator.window, 0), operator.window, target):
        sums += tap * weights[y, x]
    return _scaled(operator, sums, sources[0], target, how)


def _dense(operator: Dense, inputs: list[Raw], sources: list[Tensor], target: Tensor, how: Rounding) -> Raw:
    kind = _sums_type(operator)
    shifted = inputs[0].reshape(len(inputs[0]), -1).astype(kind) - kind(sources[0].zero_point)
    sums = shifted @ operator.weights.T.astype(kind) + operator.bias.astype(kind)
    return _scaled(operator, sums, sources[0], target, how)


# Pooling and means.


def _max_pool(operator: MaxPool, inputs: list[Raw], sources: list[Tensor], target: Tensor, how: Rounding) -> Raw:
    padded = _padded(inputs[0], operator.window, -128)
    largest = np.maximum.reduce([tap for _, _, tap in _taps(padded, operator.window, target)])
    return np.clip(largest, operator.low, operator.high)


def _average_pool(
    operator: AveragePool, inputs: list[Raw], sources: list[Tensor], target: Tensor, how: Rounding
) -> Raw:
    """Divide the sum of raw values by their number, halves away from zero."""

    def total(values: Raw) -> Raw:
        padded = _padded(values, operator.window, 0)
        return np.sum([tap for _, _, tap in _taps(padded, operator.window, target)], axis=0, dtype=np.int32)

    sums, counts = total(inputs[0]), total(np.ones_like(inputs[0]))
    return np.clip(rounding.half_away(sums, counts), operator.low, operator.high).astype(np.int8)


def _mean(operator: Mean, inputs: list[Raw], sources: list[Tensor], target: Tensor, how: Rounding) -> Raw:
    """Multiply the sum of raw values by input scale / output scale / their number, and add the zero points, in float32.

    What is added is rounded to float32 before, and the sum once more: that decides next to a half.
    """
    count = math.prod(sources[0].shape[axis] for axis in operator.axes)
    sums = inputs[0].sum(axis=operator.axes, dtype=np.int64)
    means = rounding.with_offset(sums, *rounding.mean_constants(sources[0], target, count), how)
    return _finish(means - target.zero_point, target, *_limits(operator, target))


# Elementwise operators.


def _add(operator: Add, inputs: list[Raw], sources: list[Tensor], target: Tensor, how: Rounding) -> Raw:
    """Add with multipliers of 20 to 21 bits, the half added before the shift."""
    multipliers, shift = rounding.add_multipliers([source.scale for source in sources], target.scale)
    sums = np.full(inputs[0].shape, 1 << (shift - 1), np.int64)
    for values, source, multiplier in zip(inputs, sources, multipliers, strict=True):
        sums += (values.astype(np.int64) - source.zero_point) * multiplier
    return _finish(sums >> shift, target, *_limits(operator, target))


def _requantize(operator: Requantize, inputs: list[Raw], sources: list[Tensor], target: Tensor, how: Rounding) -> Raw:
    """Multiply by a fixed-point number with 8 bits behind the point, the half added before the shift."""
    multiplier = rounding.conversion(sources[0].scale, target.scale)
    sums = (inputs[0].astype(np.int64) - sources[0].zero_point) * multiplier + (1 << (rounding.CONVERSION_BITS - 1))
    return _finish(sums >> rounding.CONVERSION_BITS, target, *_limits(operator, target))


def _clamp(operator: Clamp, inputs: list[Raw], sources: list[Tensor], target: Tensor, how: Rounding) -> Raw:
    return np.clip(inputs[0], operator.low, operator.high)


def _quantize(operator: Quantize, inputs: list[Raw], sources: list[Tensor], target: Tensor, how: Rounding) -> Raw:
    steps = np.rint(inputs[0] * (np.float32(1) / np.float32(target.scale)))
    return _finish(steps, target, *_limits(operator, target))


def _dequantize(operator: Dequantize, inputs: list[Raw], sources: list[Tensor], target: Tensor, how: Rounding) -> Raw:
    shifted = inputs[0].astype(np.float32) - np.float32(sources[0].zero_point)
    return shifted * np.float32(sources[0].scale)


# Operators that only arrange values.


def _pad(operator: Pad, inputs: list[Raw], sources: list[Tensor], target: Tensor, how: Rounding) -> Raw:
    return np.pad(inputs[0], list(zip(operator.before, operator.after, strict=True)), constant_values=target.zero_point)


def _reshape(operator: Reshape, inputs: list[Raw], sources: list[Tensor], target: Tensor, how: Rounding) -> Raw:
    return inputs[0]


def _concatenation(
    operator: Concatenation, inputs: list[Raw], sources: list[Tensor], target: Tensor, how: Rounding
) -> Raw:
    return np.concatenate(inputs, axis=operator.axis)


FORMULAS: Mapping[type[Operator], Callable[..., Raw]] = {
    Convolution: _convolution,
    DepthwiseConvolution: _depthwise,
    Dense: _dense,
    MaxPool: _max_pool,
    AveragePool: _average_pool,
    Mean: _mean,
    Pad: _pad,
    Reshape: _reshape,
    Concatenation: _concatenation,
    Clamp: _clamp,
    Add: _add,
    Quantize: _quantize,
    Requantize: _requantize,
    Dequantize: _dequantize,
}
