"""Label the connected components of a mask by the runs of its rows, which numpy does fast enough on a small board."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Components"]

Integers = NDArray[np.int64]


class Components:
    """The 8-connected components of a mask (H, W), in the order of their first pixels.

    Attributes:
        shape: of the mask.
        rows, starts, ends: (runs,) row, first column and column after the last of each run, in the order of reading.
        owner: (runs,) the component that each run belongs to.
        top, left, bottom, right: (components,) their boxes, the latter two excluded.
        extents: (components,) the longer side of each box, in pixels.
        areas: (components,) pixels.
        pixels: number of pixels of all.
        touch_border: whether any of them lies on the border of the mask.
    """

    def __init__(self, mask: NDArray[np.bool_]) -> None:
        """Label the components of a mask, bool (H, W)."""
        height, width = self.shape = mask.shape
        stride = width + 1
        page = np.zeros((height, stride), np.bool_)  # a column that is never set parts the rows of the flat page
        page[:, :width] = mask
        flat = page.ravel()
        # Indices have 32 bits on a system of 32, where products of them would overflow.
        edges = (flat[1:] != flat[:-1]).nonzero()[0].astype(np.int64, copy=False)
        edges += 1
        if flat[0]:
            edges = np.concatenate([[0], edges])
        first, last = edges[0::2], edges[1::2]
        numbers = np.arange(len(first))
        roots = _roots(first, last, stride, numbers)
        is_root = roots == numbers
        self.owner = (is_root.cumsum() - 1)[roots]
        self._count = int(np.count_nonzero(is_root))
        self.rows = first // stride
        self.starts, self.ends = first - self.rows * stride, last - self.rows * stride
        self._order = self.owner.argsort(kind="stable")
        self._groups = self.owner[self._order].searchsorted(numbers[: self._count])
        self.top = self.rows[is_root]
        self.bottom = self._reduced(np.maximum, self.rows) + 1
        self.left, self.right = self._reduced(np.minimum, self.starts), self._reduced(np.maximum, self.ends)
        self.extents = np.maximum(self.bottom - self.top, self.right - self.left)
        self._lengths = (last - first).astype(np.intp, copy=False)
        self.areas = self.per_run(self._lengths)
        self._offsets = self._lengths.cumsum() - self._lengths
        self._pixels = mask.ravel().nonzero()[0]
        self.pixels = len(self._pixels)
        self.touch_border = bool(self._count) and bool(
            self.top[0] == 0 or self.rows[-1] == height - 1 or self.left.min() == 0 or self.right.max() == width
        )

    def __len__(self) -> int:
        return self._count

    def _reduced(self, pick: np.ufunc, values: Integers) -> Integers:
        if not self._count:
            return np.zeros(values.shape, np.int64)
        return pick.reduceat(values[..., self._order], self._groups, axis=-1)

    def per_run(self, values: NDArray[Any]) -> Integers:
        """Return the sums, (..., components), of the values, (..., runs), in each component."""
        return self._reduced(np.add, values.astype(np.int64, copy=False))

    def at(self, plane: NDArray[Any]) -> NDArray[Any]:
        """Return what a plane, (H, W), has in the pixels of the mask."""
        return plane.ravel()[self._pixels]

    def sums(self, values: NDArray[Any]) -> Integers:
        """Return the sums, (..., components), in each component of what `at` gave, (..., pixels)."""
        return self.per_run(np.add.reduceat(values, self._offsets, axis=-1, dtype=np.int64) if self._count else values)

    def box(self, chosen: NDArray[np.bool_]) -> tuple[int, int, int, int]:
        """Return top, left, bottom and right of the box around the components that `chosen` selects."""
        top, left = int(self.top[chosen].min()), int(self.left[chosen].min())
        return top, left, int(self.bottom[chosen].max()), int(self.right[chosen].max())

    def within(self, other: Components) -> Integers:
        """Return which component of another mask, that includes this one, each component lies in."""
        labels = np.zeros(self.shape, np.intp)
        labels.ravel()[other._pixels] = other.owner.repeat(other._lengths)
        first = np.zeros(len(self), np.intp)
        first[self.owner[::-1]] = self._pixels[self._offsets[::-1]]
        return labels.ravel()[first]

    def border_pixels(self) -> Integers:
        """Return how many pixels of each component lie on the border of the mask; those in two sides count twice."""
        height, width = self.shape
        count = (self.starts == 0).astype(np.int64) + (self.ends == width)
        count += np.where((self.rows == 0) | (self.rows == height - 1), self.ends - self.starts, 0)
        return self.per_run(count)

    def mask(self, chosen: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Return the mask, (H, W), of the components that `chosen`, bool (components,), selects."""
        mask = np.zeros(self.shape, np.bool_)
        mask.ravel()[self._pixels] = chosen[self.owner].repeat(self._lengths)
        return mask

    def mask_within(self, members: Integers, rows: slice, columns: slice) -> NDArray[np.bool_]:
        """Return the mask of some components within a part of the plane, at the cost of the part alone.

        Args:
            members: indices of the components, all of which lie within the part.
            rows: of the part, as columns; both have a start.
            columns: of the part.
        """
        height = min(rows.stop, self.shape[0]) - rows.start
        width = min(columns.stop, self.shape[1]) - columns.start
        ends = np.append(self._groups[1:], len(self.owner))
        runs = np.concatenate([self._order[self._groups[member] : ends[member]] for member in members])
        first_of_row = (self.rows[runs] - rows.start) * width - columns.start
        changes = np.zeros(height * width + 1, np.int8)
        changes[first_of_row + self.starts[runs]] = 1
        changes[first_of_row + self.ends[runs]] -= 1
        return changes[:-1].cumsum(dtype=np.int8).view(np.bool_).reshape(height, width)


def _roots(first: Integers, last: Integers, stride: int, numbers: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return for each run the first one that it hangs together with, over any number of runs."""
    # The runs of the next row that touch a run are neighbours in the list.
    lowest = last.searchsorted(first + stride)
    touching = first.searchsorted(last + stride, side="right") - lowest
    upper = numbers.repeat(touching)
    lower = np.arange(len(upper)) + (lowest - touching.cumsum() + touching).repeat(touching)
    roots = numbers.copy()
    one, other = upper, lower
    while len(one):
        # Of several pairs with the same higher root one counts; the others are still apart in the next round.
        roots[np.maximum(one, other)] = np.minimum(one, other)
        for _ in range(len(roots).bit_length()):  # twice as far each time, so to the end of any chain
            roots = roots[roots]
        one, other = roots[upper], roots[lower]
        apart = one != other
        upper, lower, one, other = upper[apart], lower[apart], one[apart], other[apart]
    return roots
