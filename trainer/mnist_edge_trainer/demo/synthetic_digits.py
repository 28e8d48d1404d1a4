"""Draw synthetic digits with pen strokes, for demonstrations and tests that need no images of other people."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

__all__ = ["draw"]

Points = NDArray[np.float64]


def _arc(x: float, y: float, width: float, height: float, start: float, end: float) -> Points:
    """Return points on an ellipse; angles in degrees, clockwise from the right."""
    angles = np.radians(np.linspace(start, end, 24))
    return np.stack([x + width * np.cos(angles), y + height * np.sin(angles)], axis=1)


def _line(*points: tuple[float, float]) -> Points:
    return np.array(points)


# The strokes of each digit, x to the right and y downwards, in a square of side 1.
_STROKES: Mapping[str, list[Points]] = {
    "0": [_arc(0.5, 0.5, 0.25, 0.38, -90, 270)],
    "1": [_line((0.36, 0.3), (0.54, 0.12), (0.5, 0.88))],
    "2": [np.vstack([_arc(0.5, 0.34, 0.24, 0.22, -170, 40), _line((0.24, 0.86), (0.78, 0.84))])],
    "3": [np.vstack([_arc(0.46, 0.31, 0.23, 0.19, -150, 80), _arc(0.46, 0.68, 0.27, 0.2, -80, 150)])],
    "4": [_line((0.4, 0.12), (0.22, 0.58), (0.8, 0.56)), _line((0.64, 0.3), (0.6, 0.9))],
    "5": [np.vstack([_line((0.3, 0.14), (0.28, 0.46)), _arc(0.46, 0.65, 0.25, 0.23, -130, 140)]),
          _line((0.3, 0.14), (0.74, 0.12))],
    "6": [np.vstack([_line((0.66, 0.12), (0.4, 0.4)), _arc(0.5, 0.67, 0.2, 0.21, -170, 195)])],
    "7": [_line((0.24, 0.15), (0.76, 0.14), (0.44, 0.88))],
    "8": [_arc(0.5, 0.3, 0.18, 0.18, 90, 450), _arc(0.5, 0.68, 0.23, 0.2, -90, 270)],
    "9": [np.vstack([_arc(0.48, 0.33, 0.21, 0.21, -20, 340), _line((0.68, 0.32), (0.6, 0.88))])],
}  # fmt: skip


def draw(digit: str, *, size: int = 160, tilt: float = 0.0, pen: float = 0.045) -> NDArray[np.uint8]:
    """Draw a digit in dark ink on light paper, uint8 (size, size).

    Args:
        digit: "0" to "9".
        size: pixels on each side.
        tilt: degrees clockwise.
        pen: half the stroke width, as a share of the side.
    """
    angle = np.radians(tilt)
    rotation = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    axis = (np.arange(size) + 0.5) / size
    pixels = np.stack(np.meshgrid(axis, axis), axis=-1)
    distance = np.full((size, size), np.inf)
    for stroke in _STROKES[digit]:
        points = (stroke - 0.5) @ rotation + 0.5
        for start, end in pairwise(points):
            distance = np.minimum(distance, _distance(pixels, start, end))
    ink = np.clip((pen - distance) * size + 0.5, 0, 1)  # one pixel of anti-aliasing
    return np.rint(245 - 215 * ink).astype(np.uint8)


def _distance(pixels: Points, start: Points, end: Points) -> Points:
    """Return the distance of each pixel to the segment from `start` to `end`."""
    way = end - start
    along = np.clip((pixels - start) @ way / max(float(way @ way), 1e-12), 0, 1)
    return np.linalg.norm(pixels - (start + along[..., np.newaxis] * way), axis=-1)
