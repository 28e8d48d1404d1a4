"""Cut the part of a frame that is read: the window of a meter, in pixels or in shares of the frame."""

from __future__ import annotations

import math
from typing import NamedTuple

from ..errors import InputError

__all__ = ["Region"]


class Region(NamedTuple):
    """A rectangle of a frame; its sides are shares, 0 to 1, or whole numbers of pixels."""

    left: float
    top: float
    width: float
    height: float
    shares: bool

    @classmethod
    def parse(cls, text: str) -> Region:
        """Return the region of "X,Y,W,H".

        Raises:
            ValueError: it is none, and why.
        """
        try:
            values = [float(part) for part in text.split(",")]
        except ValueError:
            values = []
        if len(values) != 4 or not all(map(math.isfinite, values)):
            raise ValueError(f"{text!r} is not X,Y,W,H, four numbers")
        shares = max(values) <= 1
        if min(values) < 0 or min(values[2:]) <= 0:
            raise ValueError(f"{text!r}: X and Y are at least 0, W and H more")
        if not shares and not all(value.is_integer() for value in values):
            raise ValueError(f"{text!r} mixes shares and pixels; give shares from 0 to 1, or whole numbers of pixels")
        left, top, width, height = values
        return cls(left, top, width, height, shares)

    def within(self, width: int, height: int) -> tuple[int, int, int, int]:
        """Return left, top, right and bottom in pixels of a frame of this size.

        Raises:
            InputError: the region is not inside the frame.
        """
        across, down = (width, height) if self.shares else (1, 1)
        left, top = round(self.left * across), round(self.top * down)
        right, bottom = round((self.left + self.width) * across), round((self.top + self.height) * down)
        if right > width or bottom > height or left >= right or top >= bottom:
            values = ",".join(f"{value:g}" for value in self[:4])
            raise InputError(f"the region {values} is not inside the frame, which has {width} x {height} pixels")
        return left, top, right, bottom
