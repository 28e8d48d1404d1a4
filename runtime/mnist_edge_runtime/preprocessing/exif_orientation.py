"""Turn pictures upright, as the camera wrote into the file that it was held."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["orientation_of", "upright"]

_ORIENTATION = 0x0112


def orientation_of(loaded: Any) -> int:
    """Return how the pixels that Pillow loaded are still to be turned, by EXIF 2.3, 4.6.4; 1 where not at all.

    Asked after loading: Pillow turns some kinds of pictures itself, and then tells no orientation any more.
    """
    try:
        return int(loaded.getexif().get(_ORIENTATION, 1))
    except Exception:  # what is broken beside a picture does not cost the picture
        return 1


def upright(pixels: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """Return a picture, uint8 (H, W), upright; an orientation other than 2 to 8 counts as 1."""
    if orientation in (5, 6, 7, 8):
        pixels = pixels.T
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return pixels
