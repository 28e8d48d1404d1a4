"""Turn pictures upright, as the camera wrote into the file that it was held."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["upright"]

_ORIENTATION = 0x0112


def upright(pixels: NDArray[np.uint8], opened: Any) -> NDArray[np.uint8]:
    """Return a picture upright, by the orientation of EXIF 2.3, 4.6.4: 1 to 8, anything else counts as 1.

    Args:
        pixels: uint8 (H, W), as they are stored.
        opened: what Pillow opened of the file.
    """
    try:
        orientation = int(opened.getexif().get(_ORIENTATION, 1))
    except Exception:  # what is broken beside a picture does not cost the picture
        return pixels
    if orientation in (5, 6, 7, 8):
        pixels = pixels.T
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return pixels
