"""Estimate ink: background level, polarity and illumination; and the threshold between ink and background."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .grayscale import MIN_CONTRAST
from .histogram import LEVELS, histogram, median, noise, otsu_threshold
from .reduction import block_means
from .window_filters import closing

__all__ = ["InkMap", "border", "ink_maps"]

Plane = NDArray[np.uint8]
Counts = NDArray[np.int64]  # (256,)

_DARKEST = 32  # grey levels of a background; divided by less, noise would count as ink
_WINDOWS = (70, 35, 12)  # % of the longer side: windows of the closing; ink is narrower, shadow is not
_LEAST_REACH = 3  # pixels from the centre of a window to its edge
_FINE = 80  # pixels of the longer side up to which the illumination is estimated at full size, else at half of it
_FLOOR = 25  # parts of full ink, one of which ink exceeds at least
_DEVIATIONS = 4  # standard deviations of the noise that ink exceeds
_MAX_NOISE = (2, 5)  # share of full ink; where the estimate is higher, the picture is too small for it
_SQUARES = LEVELS * LEVELS


class InkMap(NamedTuple):
    """The ink of a picture under one hypothesis about its background.

    Attributes:
        ink: uint8 (H, W), 0 on the background.
        threshold: level that separates ink from background, dust and lines; `histogram.NONE` where there is no ink.
        full: level of the ink that takes away all light.
        noise: level of ink that noise hardly reaches.
        even: whether the background is taken for uniform.
    """

    ink: Plane
    threshold: int
    full: int
    noise: int
    even: bool

    @property
    def floor(self) -> int:
        """Return the level of ink up to which it is none."""
        return max(self.full // _FLOOR, self.noise)


def ink_maps(picture: Plane, *, even: bool = True) -> Iterator[InkMap]:
    """Yield the ink under each hypothesis about the background of a grey picture, (H, W).

    First come the two of a uniform background at the grey level of the border, the polarity with the stronger ink
    before the other. Then the illumination is estimated by a morphological closing, with a wide window, which
    attributes gradients and shadows from the border to the light, and with narrower ones. A hypothesis that leaves too
    little contrast is none.

    Args:
        picture: uint8 (H, W).
        even: include the uniform backgrounds; a part of a picture whose background is not uniform needs none.
    """
    counts, deviation = histogram(picture), _DEVIATIONS * noise(picture)
    for ink, counted, full, light in chain(_uniform(picture, counts) if even else (), _illuminated(picture)):
        reached = min(deviation * full // (16 * light), full * _MAX_NOISE[0] // _MAX_NOISE[1])
        threshold = otsu_threshold(counted, max(full // _FLOOR, reached))
        yield InkMap(ink, threshold, full, reached, full == light)


def border(picture: Plane) -> Plane:
    """Return the pixels of the border."""
    return np.concatenate([picture[0], picture[-1], picture[1:-1, 0], picture[1:-1, -1]])


def _uniform(picture: Plane, counts: Counts) -> Iterator[tuple[Plane, Counts, int, int]]:
    """Yield the ink, its counts, full ink and light on a background of one level: the difference from that level."""
    present = counts.nonzero()[0]
    level = median(border(picture))
    found = []
    for dark, light, contrast in (
        (True, level, level - int(present[0])),
        (False, 255 - level, int(present[-1]) - level),
    ):
        if contrast < MIN_CONTRAST:
            continue
        levels = counts[level - 1 :: -1] if dark else counts[level + 1 :]
        counted = np.zeros(256, np.int64)
        counted[1 : len(levels) + 1] = levels
        counted[0] = picture.size - counted.sum()
        light = max(light, _DARKEST)
        energy = int(counted @ _SQUARES) * 256 // (light * light)
        found.append((energy, dark, counted, light))
    if len(found) > 1 and found[1][0] > found[0][0]:
        found.reverse()
    for _, dark, counted, light in found:
        paper = np.uint8(level)
        ink = paper - np.minimum(picture, paper) if dark else np.maximum(picture, paper) - paper
        yield ink, counted, light, light


def _illuminated(picture: Plane) -> Iterator[tuple[Plane, Counts, int, int]]:
    """Yield the ink, its counts, full ink and light under an illumination from each closing.

    The polarity is the one with strong, sparse ink.
    """
    step = 1 if max(picture.shape) <= _FINE else 2
    coarse = block_means(picture, min(step, picture.shape[0]), min(step, picture.shape[1]))
    planes = ((picture, coarse), (~picture, ~coarse))
    for window in _WINDOWS:
        reach = max(1, (window * max(coarse.shape) + 100) // 200)
        if reach < _LEAST_REACH:
            return
        found = []
        for plane, small in planes:
            light = closing(small, reach)
            level = max(median(light.ravel()), _DARKEST)
            light = _enlarged(light, picture.shape, step)
            absorbed = light - np.minimum(light, plane)
            if int(absorbed.max()) < MIN_CONTRAST:
                continue
            ink, counted = _shares(absorbed, light)
            strongest = int(counted.nonzero()[0][-1])
            if strongest:
                found.append((int(counted @ LEVELS), strongest, ink, counted, level))
        if found:
            # Compared by ink over the cube of the strongest: strokes are strong and cover little of the page.
            best = found[0]
            if len(found) > 1 and found[1][0] * best[1] ** 3 < best[0] * found[1][1] ** 3:
                best = found[1]
            yield best[2], best[3], 255, best[4]


def _shares(absorbed: Plane, light: Plane) -> tuple[Plane, Counts]:
    """Return the ink as a share, of 255, of the light, and its counts; half of the picture is background.

    A closing keeps the brightest noise of each window, so that half of the background would be faint ink.
    """
    # A quotient of 16 by 8 bits that is no integer is too far from the next one for floats of 32 bits to reach it.
    share = np.multiply(absorbed, 255, dtype=np.float32)
    share /= np.maximum(light, np.uint8(_DARKEST))
    ink = share.astype(np.uint8)
    counts = histogram(ink)
    middle = int(counts.cumsum().searchsorted((ink.size + 1) >> 1))
    if middle:
        ink = np.maximum(ink, np.uint8(middle)) - np.uint8(middle)
        counts[middle] += counts[:middle].sum()
        counts = np.concatenate([counts[middle:], np.zeros(middle, np.int64)])
    return ink, counts


def _enlarged(light: Plane, shape: tuple[int, ...], step: int) -> Plane:
    """Return the light at the picture's size; its last rows and columns are repeated where blocks were left out."""
    if step == 1:
        return light
    rows = np.minimum(np.arange(shape[0]) // step, light.shape[0] - 1)
    columns = np.minimum(np.arange(shape[1]) // step, light.shape[1] - 1)
    return np.take(np.take(light, columns, axis=1), rows, axis=0)
