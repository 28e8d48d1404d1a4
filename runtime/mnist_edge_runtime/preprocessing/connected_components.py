"""Label the connected components of a mask by the runs of its rows, which numpy does fast enough on a small board."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Components", "find"]

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Components:
    """The 8-connected components of a mask (H, W).

    Attributes:
        shape: of the mask.
        first, last: (runs,) where each run of a row begins and ends, as indices into the flat mask, `last` excluded.
        owner: (runs,) the component that each run belongs to.
        boxes: (components, 4) top, left, bottom, right, the latter two excluded.
    """

    shape: tuple[int, int]
    first: Integers
    last: Integers
    owner: Integers
    boxes: Integers

    def __len__(self) -> int:
        return len(self.boxes)

    @property
    def extents(self) -> Integers:
        """Return the longer side of each box, in pixels."""
        return (self.boxes[:, 2:] - self.boxes[:, :2]).max(axis=1, initial=0)

    def sums(self, values: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the sum of the values, (H, W), in each component."""
        before = np.concatenate([[0.0], np.cumsum(values, dtype=np.float64)])
        return np.bincount(self.owner, before[self.last] - before[self.first], len(self)).astype(np.float64)

    def mask(self, chosen: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Return the mask, (H, W), of the components that `chosen`, bool (components,), selects."""
        runs = chosen[self.owner]
        changes = np.zeros(self.shape[0] * self.shape[1] + 1, np.int8)
        changes[self.first[runs]] += 1
        changes[self.last[runs]] -= 1
        return np.cumsum(changes[:-1], dtype=np.int8).astype(bool).reshape(self.shape)


def find(mask: NDArray[np.bool_]) -> Components:
    """Return the 8-connected components of a mask, bool (H, W)."""
    height, width = mask.shape
    edges = np.diff(np.pad(mask, ((0, 0), (1, 1))).view(np.int8), axis=1)
    rows, starts = np.nonzero(edges == 1)
    ends = np.nonzero(edges == -1)[1]
    # The runs in the next row that touch a run are neighbours in the list; `stride` gives each row its own range.
    stride = width + 2
    lowest = np.searchsorted(rows * stride + ends, (rows + 1) * stride + starts)
    beyond = np.searchsorted(rows * stride + starts, (rows + 1) * stride + ends, side="right")
    touching = np.maximum(beyond - lowest, 0)
    upper = np.repeat(np.arange(len(rows)), touching)
    lower = np.arange(len(upper)) - np.repeat(np.cumsum(touching) - touching, touching) + np.repeat(lowest, touching)
    roots, owner = np.unique(_roots(len(rows), upper, lower), return_inverse=True)
    boxes = np.empty((len(roots), 4), np.int64)
    boxes[:, :2], boxes[:, 2:] = max(height, width), 0
    for column, values in ((0, rows), (1, starts)):
        np.minimum.at(boxes[:, column], owner, values)
    for column, values in ((2, rows + 1), (3, ends)):
        np.maximum.at(boxes[:, column], owner, values)
    return Components((height, width), rows * width + starts, rows * width + ends, owner, boxes)


def _roots(count: int, upper: Integers, lower: Integers) -> Integers:
    """Return for each of `count` runs the smallest run that pairs connect it to, over any number of pairs."""
    roots = np.arange(count)
    while len(upper):
        one, other = roots[upper], roots[lower]
        apart = one != other
        upper, lower, one, other = upper[apart], lower[apart], one[apart], other[apart]
        np.minimum.at(roots, np.maximum(one, other), np.minimum(one, other))
        while not np.array_equal(shorter := roots[roots], roots):
            roots = shorter
    return roots
