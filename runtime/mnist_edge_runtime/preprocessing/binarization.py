"""Ink out of a picture: which side is paper, how the light falls on it, and how much of it each pixel swallows."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from .filters import resampled
from .windows import extremes

__all__ = ["CONTRAST", "noise", "readings", "threshold"]

Plane = NDArray[np.float32]

CONTRAST = 16.0  # grey levels of 255 between paper and ink; less is a blank
_DARKEST_PAPER = 32.0  # below it noise would count as ink
_COARSE = 128  # pixels of the longer side at which the light is estimated
_WINDOWS = (0.7, 0.35, 0.12)  # of the longer side: what is narrower and darker than its surroundings is ink, not shadow
_NOISE = 4.0  # standard deviations
_MOST_NOISE = 0.1  # where there is more, a picture is too small to tell


def readings(picture: NDArray[np.uint8]) -> Iterator[Plane]:
    """Yield for each pixel of a grey picture (H, W) the share of the paper's light that it swallows, 0 to 1.

    There are several ideas of the paper, of which the one that shows strokes best is to be taken. First it is even,
    in the grey of the border, as in most pictures; the ink is on the side that stands out more, then on the other.
    Then the light is what a closing leaves: a wide one, which takes slopes and shadows from the border for light, and
    narrower ones; the ink is on the side where it is little and strong. A picture without contrast has no ink.
    """
    seen = picture.astype(np.float32)
    border = np.concatenate([seen[0], seen[-1], seen[1:-1, 0], seen[1:-1, -1]])
    paper = np.median(border)
    even = [_swallowed(seen, paper), _swallowed(255 - seen, 255 - paper)]
    yield from sorted(even, key=lambda ink: -float((np.maximum(ink, 0) ** 2).sum()))
    for window in _WINDOWS:
        both = [_swallowed(side, _light(side, window)) for side in (seen, 255 - seen)]
        yield min(both, key=_spread)


def _spread(ink: Plane) -> float:
    """Return how much ink there is for its strength: strokes are strong and cover little of the page."""
    strongest = float(ink.max())
    return float(np.maximum(ink, 0).mean()) / strongest**3 if strongest > 0 else np.inf


def threshold(ink: Plane) -> float:
    """Return the share of light that parts ink from paper, dust and lines: Otsu's, of what rises above the noise."""
    risen = ink[ink > max(0.04, _NOISE * noise(ink))]
    if len(risen) == 0:
        return 1.0
    counts, edges = np.histogram(risen, 64, (0, 1))
    middles = (edges[:-1] + edges[1:]) / 2
    below, mass = np.cumsum(counts), np.cumsum(counts * middles)
    parted = np.flatnonzero((below > 0) & (below < below[-1]))
    if len(parted) == 0:
        return float(edges[counts.argmax()])
    below, whole = below[parted], below[-1]
    between = (mass[-1] * below / whole - mass[parted]) ** 2 / (below * (whole - below))
    return float(edges[parted[between.argmax()] + 1])


def _swallowed(picture: Plane, paper: Plane | np.float32) -> Plane:
    """Return the ink, or none at all where the contrast is too low."""
    lost = paper - picture
    if lost.max() < CONTRAST:
        return np.zeros_like(picture)
    return lost / np.maximum(paper, _DARKEST_PAPER)


def _light(picture: Plane, window: float) -> Plane:
    """Return the light on the paper, (H, W): the picture closed, at a coarse scale, by a square window."""
    height, width = picture.shape
    scale = min(1, _COARSE / max(height, width))
    coarse = resampled(picture, max(1, round(height * scale)), max(1, round(width * scale)))
    reach = max(1, round(window * max(coarse.shape) / 2))
    # The border goes on outwards, so that what is dark up to the border stays: it is shadow.
    padded = np.pad(coarse, 2 * reach, mode="edge")
    closed = extremes(extremes(padded, reach, np.maximum), reach, np.minimum)
    light = resampled(closed, height, width)
    # The brightest noise of each window is what a closing keeps; half of the paper's pixels must lie below it.
    return light * np.float32(np.median(picture / np.maximum(light, 1)))


def noise(ink: Plane) -> float:
    """Return the standard deviation of the noise, from the differences between neighbours."""
    return min(float(np.median(np.abs(np.diff(ink, axis=1)))) / (0.6745 * np.sqrt(2)), _MOST_NOISE)
