"""The operators that TensorFlow Lite Micro and CMSIS-NN round otherwise than XNNPACK, besides sums of products.

All of them multiply by 31-bit multipliers and round twice, as gemmlowp does.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .network import Add, Mean, Operator, Requantize, Tensor
from .rounding import double_rounding, multiplier

__all__ = ["TFLM_FORMULAS", "add_multipliers", "mean_multiplier"]

_ADD_SHIFT = 20  # bits that an addition's inputs are shifted to the left by

_Values = NDArray[Any]


def add_multipliers(sources: list[Tensor], target: Tensor) -> tuple[list[tuple[int, int]], tuple[int, int]]:
    """Return the multiplier and exponent of each input, relative to twice the larger scale, and of the sum."""
    twice = 2 * max(source.scale for source in sources)
    inputs = [multiplier(source.scale / twice) for source in sources]
    return inputs, multiplier(twice / ((1 << _ADD_SHIFT) * target.scale))


def _add(operator: Add, inputs: list[_Values], sources: list[Tensor], target: Tensor) -> _Values:
    each, last = add_multipliers(sources, target)
    sums = np.zeros(inputs[0].shape, np.int64)
    for values, source, factor in zip(inputs, sources, each, strict=True):
        sums += double_rounding((values.astype(np.int64) - source.zero_point) << _ADD_SHIFT, *factor)
    return double_rounding(sums, *last)


def mean_multiplier(operator: Mean, source: Tensor, target: Tensor) -> tuple[int, int]:
    """Return the multiplier and exponent of a mean, with the number of values divided into it."""
    count = math.prod(source.shape[axis] for axis in operator.axes)
    whole, exponent = multiplier(source.scale / target.scale)
    shift = min(count.bit_length() - 1, 32, 31 + exponent)
    return (whole << shift) // count, exponent - shift


def _mean(operator: Mean, inputs: list[_Values], sources: list[Tensor], target: Tensor) -> _Values:
    sums = (inputs[0].astype(np.int64) - sources[0].zero_point).sum(axis=operator.axes)
    return double_rounding(sums, *mean_multiplier(operator, sources[0], target))


def _requantize(operator: Requantize, inputs: list[_Values], sources: list[Tensor], target: Tensor) -> _Values:
    shifted = inputs[0].astype(np.int64) - sources[0].zero_point
    return double_rounding(shifted, *multiplier(sources[0].scale / target.scale))


TFLM_FORMULAS: Mapping[type[Operator], Callable[..., _Values]] = {Add: _add, Mean: _mean, Requantize: _requantize}
