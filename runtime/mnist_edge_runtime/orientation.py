"""Define the eight orientations in which data sets and networks have images, and turn images into them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

__all__ = ["ORIENTATIONS", "UPRIGHT", "turned"]

UPRIGHT = "upright"
# Name -> whether rows and columns are exchanged, and then the order of the rows or of the columns reversed.
ORIENTATIONS: Mapping[str, tuple[bool, bool, bool]] = {
    UPRIGHT: (False, False, False),
    "transposed": (True, False, False),
    "mirrored-left-right": (False, False, True),
    "mirrored-top-bottom": (False, True, False),
    "turned-left": (True, True, False),
    "turned-right": (True, False, True),
    "turned-180": (False, True, True),
    "anti-transposed": (True, True, True),
}


def turned(images: NDArray[Any], orientation: str) -> NDArray[Any]:
    """Return upright images (N, height, width, ...) in an orientation, without a copy."""
    transposed, rows, columns = ORIENTATIONS[orientation]
    images = images.swapaxes(1, 2) if transposed else images
    return images[:, :: -1 if rows else 1, :: -1 if columns else 1]
