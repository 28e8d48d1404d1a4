"""Estimate ink density: background level, polarity and illumination; and separate ink from background."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from .filters import min_max_filter, resample
from .grayscale import MIN_CONTRAST

__all__ = ["ink_density_maps", "noise", "threshold"]

Plane = NDArray[np.float32]

_DARKEST_BACKGROUND = 32.0  # grey levels; divided by less, noise would count as ink
_COARSE = 128  # pixels of the longer side at which the illumination is estimated
_WINDOWS = (0.7, 0.35, 0.12)  # shares of the longer side: windows of the closing; ink is narrower, shadow is not
_NOISE = 4.0  # standard deviations that ink exceeds
_MAX_NOISE = 0.1  # ink density; where the estimate is higher, the picture is too small for it


def ink_density_maps(picture: NDArray[np.uint8]) -> Iterator[Plane]:
    """Yield candidate maps of ink density, (H, W): the share of the background's light that each pixel absorbs, 0 to 1.

    There is one map for each background hypothesis; the caller picks the best-scoring one. First come the two of a
    uniform background at the grey level of the border, the polarity with the stronger ink before the other. Then
    the illumination is estimated by a morphological closing, with a wide window, which attributes gradients and
    shadows from the border to the light, and with narrower ones; the polarity is the one with strong, sparse ink.

    Args:
        picture: grey, uint8 (H, W). Without contrast, its ink is zero everywhere.
    """
    pixels = picture.astype(np.float32)
    border = np.concatenate([pixels[0], pixels[-1], pixels[1:-1, 0], pixels[1:-1, -1]])
    background = np.median(border)
    uniform = [_ink_density(pixels, background), _ink_density(255 - pixels, 255 - background)]
    yield from sorted(uniform, key=lambda ink: -float((np.maximum(ink, 0) ** 2).sum()))
    for window in _WINDOWS:
        both = [_ink_density(plane, _illumination(plane, window)) for plane in (pixels, 255 - pixels)]
        yield min(both, key=_coverage)


def _coverage(ink: Plane) -> float:
    """Return how much ink there is for its strength; strokes are strong and cover little of the page."""
    strongest = float(ink.max())
    return float(np.maximum(ink, 0).mean()) / strongest**3 if strongest > 0 else np.inf


def threshold(ink: Plane) -> float:
    """Return the Otsu threshold of the ink density above the noise: it separates ink from background, dust and lines.

    It is 1.0 where nothing exceeds the noise.
    """
    above = ink[ink > max(0.04, _NOISE * noise(ink))]
    if len(above) == 0:
        return 1.0
    counts, edges = np.histogram(above, 64, (0, 1))
    middles = (edges[:-1] + edges[1:]) / 2
    below, mass = np.cumsum(counts), np.cumsum(counts * middles)
    candidates = np.flatnonzero((below > 0) & (below < below[-1]))
    if len(candidates) == 0:
        return float(edges[counts.argmax()])
    below, total = below[candidates], below[-1]
    between_class_variance = (mass[-1] * below / total - mass[candidates]) ** 2 / (below * (total - below))
    return float(edges[candidates[between_class_variance.argmax()] + 1])


def _ink_density(picture: Plane, background: Plane | np.float32) -> Plane:
    """Return the share of the background's light that is absorbed; zero everywhere where the contrast is too low."""
    absorbed = background - picture
    if absorbed.max() < MIN_CONTRAST:
        return np.zeros_like(picture)
    return absorbed / np.maximum(background, _DARKEST_BACKGROUND)


def _illumination(picture: Plane, window: float) -> Plane:
    """Return the background's light, (H, W): a grey closing by a square window, computed at a coarse scale."""
    height, width = picture.shape
    scale = min(1, _COARSE / max(height, width))
    coarse = resample(picture, max(1, round(height * scale)), max(1, round(width * scale)))
    reach = max(1, round(window * max(coarse.shape) / 2))
    # Padded with its border, so that what is dark up to the border stays dark: it is shadow.
    padded = np.pad(coarse, 2 * reach, mode="edge")
    around = (reach, reach)
    closed = min_max_filter(min_max_filter(padded, around, np.maximum), around, np.minimum)
    light = resample(closed, height, width)
    # A closing keeps the brightest noise of each window; scale it so that half of the background's pixels lie below.
    return light * np.float32(np.median(picture / np.maximum(light, 1)))


def noise(ink: Plane) -> float:
    """Return the standard deviation of the noise, from the differences between neighbours."""
    return min(float(np.median(np.abs(np.diff(ink, axis=1)))) / (0.6745 * np.sqrt(2)), _MAX_NOISE)
