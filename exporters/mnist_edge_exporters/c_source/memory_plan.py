"""Place the activations of a network in one buffer, so that tensors that are not needed together share their bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..integer.network import Network, Operator, Requantize, Reshape

__all__ = ["MemoryPlan", "is_alias", "plan"]


@dataclass(frozen=True)
class MemoryPlan:
    """The offset of each tensor that lies in the buffer, and the buffer's size in bytes.

    Attributes:
        offsets: tensor -> offset; the network's input lies elsewhere, in the caller's image.
        stands_for: tensor -> the tensor whose bytes it is, itself for most.
        size: in bytes.
    """

    offsets: Mapping[int, int]
    stands_for: Mapping[int, int]
    size: int


def is_alias(network: Network, operator: Operator) -> bool:
    """Return whether an operator changes no byte: a reshape, or int8 to uint8 with the same scale and another zero."""
    if isinstance(operator, Reshape):
        return True
    source, target = network.tensors[operator.inputs[0]], network.tensors[operator.output]
    return (
        isinstance(operator, Requantize)
        and source.scale == target.scale
        and _zero(source.dtype, source.zero_point) == _zero(target.dtype, target.zero_point)
    )


def _zero(dtype: str, zero_point: int) -> int:
    return zero_point + (128 if dtype == "int8" else 0)


def plan(network: Network) -> MemoryPlan:
    """Place every tensor where no other is that is needed at the same time, in the smaller of two ways."""
    stands_for = {network.input: network.input}
    lives: dict[int, tuple[int, int]] = {}  # tensor -> the first and the last step that need it
    for step, operator in enumerate(network.operators):
        for index in operator.inputs:
            base = stands_for[index]
            if base in lives:
                lives[base] = (lives[base][0], step)
        if is_alias(network, operator):
            stands_for[operator.output] = stands_for[operator.inputs[0]]
        else:
            stands_for[operator.output] = operator.output
            lives[operator.output] = (step, step)
    last = stands_for[network.output]
    lives[last] = (lives[last][0], len(network.operators))
    sizes = {tensor: network.tensors[tensor].size for tensor in lives}
    peak = max(
        sum(sizes[tensor] for tensor, (born, end) in lives.items() if born <= step <= end)
        for step in range(len(network.operators))
    )
    ways = [
        _placed(sorted(lives, key=lambda tensor: -sizes[tensor]), lives, sizes, 0),
        _placed(list(lives), lives, sizes, peak),
    ]
    size, offsets = min(
        ((max(start + sizes[tensor] for tensor, start in way.items()), way) for way in ways), key=lambda pair: pair[0]
    )
    return MemoryPlan(offsets, stands_for, size)


def _placed(
    order: Sequence[int], lives: Mapping[int, tuple[int, int]], sizes: Mapping[int, int], top: int
) -> dict[int, int]:
    """Return offsets: each tensor at the lowest place that is free, or at the upper end where the lowest is taken.

    In a chain of layers these are the two ends in turns, which needs no more than the largest two together.
    """
    offsets: dict[int, int] = {}
    for tensor in order:
        born, end = lives[tensor]
        taken = sorted(
            (start, start + sizes[other])
            for other, start in offsets.items()
            if lives[other][0] <= end and born <= lives[other][1]
        )
        lowest, highest = _lowest_gap(taken, sizes[tensor]), top - sizes[tensor]
        is_free = all(stop <= highest for _, stop in taken)
        offsets[tensor] = highest if lowest and is_free and highest >= lowest else lowest
    return offsets


def _lowest_gap(taken: Sequence[tuple[int, int]], size: int) -> int:
    """Return the lowest offset of `size` bytes that none of the sorted intervals meets."""
    offset = 0
    for start, end in taken:
        if offset + size <= start:
            break
        offset = max(offset, end)
    return offset
