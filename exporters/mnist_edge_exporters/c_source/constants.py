"""Write the constants of a layer in C: its struct, its tables of numbers, and the comment above them."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from mnist_edge_runtime.errors import ModelError
from numpy.typing import NDArray

from ..integer.network import Limited, Mean, Network, Operator, Tensor, Weighted, Window
from ..integer.rounding import TFLM, Rounding
from .memory_plan import MemoryPlan

__all__ = ["ONE_PLACE", "STRUCT_BYTES", "Place", "comment", "scale_tables", "struct", "table", "zero"]

_WIDTH = 112  # columns of a table of numbers
ONE_PLACE = Window((1, 1), (1, 1), (0, 0), (0, 0))
_SHIFTS = range(15, 56)  # where the cheap shift of scale() knows when it is certain
_LARGEST = 1 << 30  # a scaled sum, so that it is an int32


@dataclass(frozen=True)
class Place:
    """Where and how a layer is written."""

    network: Network
    memory: MemoryPlan
    name: str
    how: Rounding

    def pointer(self, index: int) -> str:
        base = self.memory.stands_for[index]
        return "image" if base == self.network.input else f"memory + {self.memory.offsets[base]}"


def zero(tensor: Tensor) -> int:
    """Return the value that stands for 0 where an int8 is kept as uint8: + 128."""
    return tensor.zero_point + (128 if tensor.dtype == "int8" else 0)


def struct(
    place: Place, operator: Operator, source: Sequence[int], target: Sequence[int], window: Window = ONE_PLACE
) -> str:
    """Return the definition of a layer's struct."""
    first, last = place.network.tensors[operator.inputs[0]], place.network.tensors[operator.output]
    low, high = (operator.low + 128, operator.high + 128) if isinstance(operator, Limited) else (0, 255)
    has_weights, has_scale = isinstance(operator, Weighted), isinstance(operator, Weighted | Mean)
    tables = [
        *(f"{place.name}_{table}" if has_weights else "0" for table in ("weights", "bias")),
        *(f"{place.name}_{table}" if has_scale else "0" for table in ("factor", "shift")),
    ]
    return (
        f"static const Layer {place.name} = {{\n"
        f"    {', '.join(map(str, (*source, zero(first))))},  {', '.join(map(str, (*target, zero(last))))},\n"
        f"    {low}, {high},  {', '.join(map(str, window.size))},  {', '.join(map(str, window.stride))},  "
        f"{', '.join(map(str, window.dilation))},  {', '.join(map(str, window.before))},\n"
        f"    {', '.join(tables)}\n}};\n"
    )


STRUCT_BYTES = 18 * 2 + 4 * 4  # of 32-bit processors


def table(kind: str, name: str, values: NDArray[Any]) -> str:
    numbers = textwrap.fill(", ".join(map(str, values.reshape(-1).tolist())), _WIDTH, break_long_words=False)
    return f"static const {kind} {name}[{values.size}] = {{\n{textwrap.indent(numbers, '    ')}\n}};\n"


def scale_tables(
    place: Place, operator: Operator, factor: NDArray[np.int64], shift: NDArray[np.int64], largest: NDArray[Any]
) -> str:
    """Return the tables of a layer's scale.

    Args:
        factor, shift: as `scale` of the rounding's template takes them.
        largest: the largest sum of each output.
    """
    if place.how is not TFLM:
        values = largest * (factor / 2.0**shift)
        if shift.min() not in _SHIFTS or shift.max() not in _SHIFTS or values.max() >= _LARGEST:
            raise ModelError(f"layer {operator.name}: its scale is out of the range that C computes; train it again")
    return table("int32_t", f"{place.name}_factor", factor) + table("int8_t", f"{place.name}_shift", shift)


def comment(kind: str, operator: Operator, source: Sequence[int], target: Sequence[int], window: Window) -> str:
    """Return a comment: the layer's name, its window and its shapes."""
    size, stride = (" x ".join(map(str, pair)) for pair in (window.size, window.stride))
    moved = f" {size}" if window.size != (1, 1) else ""
    moved += f", stride {stride}" if window.stride != (1, 1) else ""
    shapes = " -> ".join(" x ".join(map(str, shape)) for shape in (source, target))
    return f"/* {kind}{moved}: {shapes}  ({operator.name.replace('*/', '')}) */\n"
