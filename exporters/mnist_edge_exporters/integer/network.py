"""Describe an integer network: tensors of 8 bits, and the operators between them, with no trace of a file format.

Padding is spelled out in rows and columns, and fused activations are the limits `low` and `high` of an output.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "Add",
    "AveragePool",
    "Clamp",
    "Concatenation",
    "Convolution",
    "Dense",
    "DepthwiseConvolution",
    "Dequantize",
    "MaxPool",
    "Mean",
    "Network",
    "Operator",
    "Pad",
    "Quantize",
    "Requantize",
    "Reshape",
    "Tensor",
    "Weighted",
    "Window",
]


@dataclass(frozen=True)
class Tensor:
    """An activation: `real = (raw - zero_point) * scale`; the scale is a float32, and 0 for a float tensor.

    The shape is that of one image, with the batch of 1 in front.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    scale: float
    zero_point: int

    @property
    def size(self) -> int:
        """The number of its elements."""
        return int(np.prod(self.shape))

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Rows, columns and channels; rows and columns are 1 where it has fewer axes."""
        rows, columns, channels = (1, 1, *self.shape[1:])[-3:]
        return rows, columns, channels


@dataclass(frozen=True)
class Window:
    """How a kernel moves over rows and columns; each pair is (rows, columns)."""

    size: tuple[int, int]
    stride: tuple[int, int]
    before: tuple[int, int]  # rows above and columns left of the image that are padding
    after: tuple[int, int]
    dilation: tuple[int, int] = (1, 1)


@dataclass(frozen=True, kw_only=True)
class Operator:
    """A step of the network: `inputs` and `output` are indices of tensors, `name` is the layer that people know."""

    name: str
    inputs: tuple[int, ...]
    output: int


@dataclass(frozen=True, kw_only=True)
class Limited(Operator):
    """An operator whose raw output is clamped to `low` .. `high`, by its activation or by the range of int8."""

    low: int
    high: int


@dataclass(frozen=True, kw_only=True)
class Weighted(Limited):
    """An operator with int8 weights, whose zero point is 0, an int32 bias, and a float32 scale for each output."""

    weights: NDArray[np.int8]
    bias: NDArray[np.int32]
    scales: NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Convolution(Weighted):
    """Weights are (outputs, rows, columns, inputs)."""

    window: Window


@dataclass(frozen=True, kw_only=True)
class DepthwiseConvolution(Weighted):
    """Weights are (rows, columns, outputs); output channel c reads input channel c // multiplier."""

    window: Window
    multiplier: int


@dataclass(frozen=True, kw_only=True)
class Dense(Weighted):
    """Weights are (outputs, inputs)."""


@dataclass(frozen=True, kw_only=True)
class MaxPool(Limited):
    """The largest of a window; padding does not take part."""

    window: Window


@dataclass(frozen=True, kw_only=True)
class AveragePool(Limited):
    """The mean of a window; padding does not take part."""

    window: Window


@dataclass(frozen=True, kw_only=True)
class Mean(Operator):
    """The mean over `axes`."""

    axes: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Pad(Operator):
    """The zero point around the image: `before` and `after` each axis."""

    before: tuple[int, ...]
    after: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Reshape(Operator):
    """The same values in the output's shape."""


@dataclass(frozen=True, kw_only=True)
class Concatenation(Operator):
    """The inputs one behind the other along `axis`; all have the scale and zero point of the output."""

    axis: int


@dataclass(frozen=True, kw_only=True)
class Clamp(Limited):
    """ReLU or ReLU6 alone; input and output have the same scale and zero point."""


@dataclass(frozen=True, kw_only=True)
class Add(Limited):
    """The sum of two tensors of the same shape."""


@dataclass(frozen=True, kw_only=True)
class Quantize(Operator):
    """Float to 8 bits, at the beginning of a network with a float input."""


@dataclass(frozen=True, kw_only=True)
class Requantize(Operator):
    """8 bits to 8 bits of another scale, zero point or type."""


@dataclass(frozen=True, kw_only=True)
class Dequantize(Operator):
    """8 bits to float, at the end of a network with a float output."""


@dataclass(frozen=True)
class Network:
    """Operators in the order of execution; `input` and `output` are indices of tensors."""

    tensors: tuple[Tensor, ...]
    operators: tuple[Operator, ...]
    input: int
    output: int
