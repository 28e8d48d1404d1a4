"""Scale an integer accumulator to 8 bits: the same product in float32, in integers alone, and as TFLM rounds it.

Accumulators are exact integers in arrays of any numeric type, of shape (..., outputs) or any shape with a single scale.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .network import Tensor

__all__ = [
    "CONVERSION_BITS",
    "FLOAT32",
    "INTEGERS",
    "TFLM",
    "Rounding",
    "add_multipliers",
    "conversion",
    "double_rounding",
    "factor",
    "half_away",
    "mantissas",
    "mean_constants",
    "multiplier",
    "multipliers",
    "offset_constants",
    "with_offset",
]

_MANTISSA_BITS = 24  # of a float32
CONVERSION_BITS = 8  # of the fraction of a multiplier from one scale to another
_ADD_BITS = 20  # of the larger multiplier of an addition


@dataclass(frozen=True)
class Rounding:
    """A way to round the product of an accumulator and `input scale * weight scale / output scale`.

    Attributes:
        name: as `--rounding` names its meaning: "litert" or "tflm".
        scale: takes the accumulator, the input's scale, the weights' scales and the output's scale.
    """

    name: str
    scale: Callable[[NDArray[Any], float, NDArray[np.float32], float], NDArray[Any]]


def factor(source: float, weights: NDArray[np.float32], target: float) -> NDArray[np.float32]:
    """Return the float32 scale of each output; the order of the two operations is XNNPACK's."""
    return np.float32(source) * weights / np.float32(target)


def _float32(sums: NDArray[Any], source: float, weights: NDArray[np.float32], target: float) -> NDArray[Any]:
    return np.rint(sums.astype(np.float32) * factor(source, weights, target))


def half_away(values: NDArray[Any], divisor: NDArray[Any]) -> NDArray[Any]:
    """Return whole quotients of integers, of their shape, halves rounded away from zero."""
    return np.sign(values) * ((np.abs(values) + divisor // 2) // divisor)


def mantissas(scales: NDArray[np.float32]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return M (24 bits) and s of float32 scales: `scale = M / 2**s`, exactly."""
    fraction, exponent = np.frexp(scales.astype(np.float64))
    return (fraction * (1 << _MANTISSA_BITS)).astype(np.int64), _MANTISSA_BITS - exponent.astype(np.int64)


def _integers(sums: NDArray[Any], source: float, weights: NDArray[np.float32], target: float) -> NDArray[Any]:
    """Compute what `_float32` does without any float: a product of two 24-bit mantissas, rounded twice.

    A float32 product is the exact product rounded half to even to 24 bits; rint rounds that half to even again.
    """
    mantissa, shift = mantissas(factor(source, weights, target))
    exact = sums.astype(np.int64)
    product = _to_24_bits(np.abs(exact)) * mantissa  # at most 55 bits
    return np.sign(exact) * _half_even(_to_24_bits(product), shift)


def mean_constants(source: Tensor, target: Tensor, count: int) -> tuple[np.float32, np.float32]:
    """Return the float32 scale of a mean, and its offset: the output's zero point, less what the input's adds."""
    share = np.float32(source.scale) / np.float32(target.scale) * (np.float32(1) / np.float32(count))
    return share, np.float32(target.zero_point) - np.float32(count * source.zero_point) * share


def offset_constants(scale: np.float32, offset: np.float32) -> tuple[int, int, int]:
    """Return M (24 bits), s and b: `scale = M / 2**s` and `offset = b / 2**s`, exactly.

    An offset of `mean_constants` is a whole multiple of the scale's last bit.
    """
    mantissa, shift = (int(each[0]) for each in mantissas(np.array([scale])))
    return mantissa, shift, int(math.ldexp(float(offset), shift))


def with_offset(sums: NDArray[Any], scale: np.float32, offset: np.float32, how: Rounding) -> NDArray[Any]:
    """Return `sums * scale + offset`, rounded to float32 after each step, and then to integers, halves to even."""
    if how is not INTEGERS:
        return np.rint(sums.astype(np.float32) * scale + offset)
    mantissa, shift, shifted = offset_constants(scale, offset)
    exact = sums.astype(np.int64)
    moved = np.sign(exact) * _to_24_bits(_to_24_bits(np.abs(exact)) * mantissa) + shifted
    return np.sign(moved) * _half_even(_to_24_bits(np.abs(moved)), np.array(shift))


def _to_24_bits(values: NDArray[np.int64]) -> NDArray[np.int64]:
    """Round natural numbers half to even to numbers with at most 24 significant bits."""
    bits = np.frexp(values.astype(np.float64))[1].astype(np.int64)
    surplus = np.maximum(bits - _MANTISSA_BITS, 0)
    return _half_even(values, surplus) << surplus


def _half_even(values: NDArray[np.int64], shift: NDArray[np.int64]) -> NDArray[np.int64]:
    """Divide natural numbers by 2**shift and round half to even; a negative shift multiplies."""
    right, left = np.clip(shift, 0, 62), np.maximum(-shift, 0)
    half = np.where(right > 0, (np.int64(1) << np.maximum(right - 1, 0)) - 1, 0)
    return ((values + half + np.where(right > 0, (values >> right) & 1, 0)) >> right) << left


def add_multipliers(sources: Sequence[float], target: float) -> tuple[list[int], int]:
    """Return an addition's multiplier for each input, and the shift of their sum."""
    scales = [np.float32(source) / np.float32(target) for source in sources]
    shift = _ADD_BITS - (math.frexp(max(scales))[1] - 1)
    return [int(np.rint(float(scale) * 2**shift)) for scale in scales], shift


def conversion(source: float, target: float) -> int:
    """Return the multiplier from one scale to another, with 8 bits behind the point."""
    return int(np.rint(np.float32(1 << CONVERSION_BITS) * (np.float32(source) / np.float32(target))))


def multiplier(scale: float) -> tuple[int, int]:
    """Return TensorFlow Lite's 31-bit multiplier and its exponent of a scale: `scale ~ M * 2**(e - 31)`."""
    fraction, exponent = math.frexp(scale)
    whole = math.floor(fraction * (1 << 31) + 0.5)
    return (whole >> 1, exponent + 1) if whole == 1 << 31 else (whole, exponent)


def multipliers(source: float, weights: NDArray[np.float32], target: float) -> tuple[NDArray[np.int64], ...]:
    """Return the multiplier and the exponent of each output."""
    found = np.array([multiplier(source * float(weight) / target) for weight in weights], np.int64)
    return found[:, 0], found[:, 1]


def _tflm(sums: NDArray[Any], source: float, weights: NDArray[np.float32], target: float) -> NDArray[Any]:
    return double_rounding(sums.astype(np.int64), *multipliers(source, weights, target))


def double_rounding(
    values: NDArray[np.int64], multiplier: NDArray[np.int64] | int, exponent: NDArray[np.int64] | int
) -> NDArray[np.int64]:
    """Multiply as gemmlowp does: the high half of the doubled product, rounded, then shifted right and rounded again.

    Halves are rounded up in the first step, and away from zero in the second.
    """
    left, right = np.maximum(exponent, 0), np.maximum(-exponent, 0)
    high = ((values << left) * multiplier + (1 << 30)) >> 31
    mask = (np.int64(1) << right) - 1
    return (high >> right) + ((high & mask) > (mask >> 1) + (high < 0))


FLOAT32 = Rounding("litert", _float32)
INTEGERS = Rounding("litert", _integers)
TFLM = Rounding("tflm", _tflm)
