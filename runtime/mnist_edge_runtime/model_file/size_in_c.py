"""Compute what the network of an int8 TFLite file needs as C: its constants and its buffer, from the shapes alone."""

from __future__ import annotations

import math
from dataclasses import dataclass

from . import flatbuffer
from .flatbuffer import Table
from .operator_allowlist import tflite_name

__all__ = ["OPERATORS", "SizeInC", "size_in_c"]

# Those with a formula (docs/integer.md).
OPERATORS = {
    *("ADD", "AVERAGE_POOL_2D", "CONCATENATION", "CONV_2D", "DEPTHWISE_CONV_2D", "EXPAND_DIMS", "FULLY_CONNECTED"),
    *("MAX_POOL_2D", "MEAN", "PAD", "QUANTIZE", "RELU", "RELU6", "RESHAPE", "SQUEEZE"),
}
_WITH_WEIGHTS = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")
_SAME_BYTES = ("EXPAND_DIMS", "QUANTIZE", "RESHAPE", "SQUEEZE")
_PER_OUTPUT = 9  # bytes: bias, factor, shift
_STRUCT = 52  # bytes of a layer's shapes and pointers, on 32 bits


@dataclass(frozen=True)
class SizeInC:
    """What C needs, besides its code.

    Attributes:
        constants: bytes in flash.
        buffer: bytes of static RAM.
    """

    constants: int
    buffer: int


def size_in_c(payload: bytes) -> SizeInC | str:
    """Return the size of a network, or why there is no C of it.

    Args:
        payload: of an int8 TFLite file that was checked.
    """
    model = flatbuffer.root(payload)
    graphs = list(model.tables(2))
    if len(graphs) != 1:
        return f"it has {len(graphs)} graphs"
    names = [tflite_name(max(code.integer(0, 1), code.integer(3, 4))) for code in model.tables(1)]
    operators = list(graphs[0].tables(3))
    kinds = [names[operator.integer(0, 4)] for operator in operators]
    if unknown := sorted(set(kinds) - OPERATORS):
        return f"there is no formula for {', '.join(unknown)}"
    shapes = [tensor.integers(0, 4) for tensor in graphs[0].tables(0)]
    constants = gathered = 0
    for operator, kind in zip(operators, kinds, strict=True):
        constants += 0 if kind in (*_SAME_BYTES, "CONCATENATION") else _STRUCT
        if kind in _WITH_WEIGHTS:
            weights = shapes[operator.integers(1, 4)[1]]
            outputs = weights[3 if kind == "DEPTHWISE_CONV_2D" else 0]
            constants += math.prod(weights) + _PER_OUTPUT * outputs
            if kind == "CONV_2D" and weights[1:3] != [1, 1]:
                gathered = max(gathered, math.prod(weights[1:]))
    return SizeInC(constants, _peak(graphs[0], operators, kinds, shapes) + gathered)


def _peak(graph: Table, operators: list[Table], kinds: list[str], shapes: list[list[int]]) -> int:
    """Return the bytes of all activations that are needed together, at most; the image lies with the caller."""
    same_as = {index: index for index in graph.integers(1, 4)}  # tensor -> the one whose bytes it is
    image, lives = set(same_as), dict[int, list[int]]()  # tensor -> first and last step
    for step, (operator, kind) in enumerate(zip(operators, kinds, strict=True)):
        sources = [same_as[index] for index in operator.integers(1, 4) if index in same_as]
        for source in sources:
            if source not in image:
                lives[source][1] = step
        (output,) = operator.integers(2, 4)
        if kind in _SAME_BYTES and sources:
            same_as[output] = sources[0]
        else:
            same_as[output], lives[output] = output, [step, step]
    sizes = {index: math.prod(shapes[index][1:]) for index in lives}
    return max(
        (
            sum(sizes[index] for index, (born, end) in lives.items() if born <= step <= end)
            for step in range(len(operators))
        ),
        default=0,
    )
