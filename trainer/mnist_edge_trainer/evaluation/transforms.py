"""How the pixels of many images are moved, lit and drawn over: what corruptions are made of."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy import ndimage

__all__ = ["FINER", "SIDE", "Pixels", "along", "fine", "lit", "moved", "shapes", "warp"]

Pixels = NDArray[np.float32]  # (N, 28, 28), 0..1, white ink on black

SIDE = 28
CENTRE = (SIDE - 1) / 2
FINER = 4  # shapes are drawn so many times larger and averaged down, which smooths their edges


def lit(pixels: Pixels, light: NDArray[np.float64]) -> Pixels:
    """Lay light of 0..1 over the picture: black takes its value, white stays white."""
    return pixels + light.astype(np.float32) * (1 - pixels)


def along(count: int, random: Generator) -> NDArray[np.float64]:
    """Return how far each pixel lies along a direction drawn for each image, in pixels from the centre."""
    angles = random.uniform(0, 2 * np.pi, (count, 1, 1))
    y, x = np.mgrid[:SIDE, :SIDE] - CENTRE
    return x * np.cos(angles) + y * np.sin(angles)


def moved(pixels: Pixels, ways: NDArray[np.float64]) -> Pixels:
    return np.stack([ndimage.shift(image, way, order=1) for image, way in zip(pixels, ways, strict=True)])


def warp(pixels: Pixels, matrices: NDArray[np.float64]) -> Pixels:
    """Move the image by a matrix of its own, (2, 2, N), from places in the new image to places in the old."""
    ways = zip(pixels, np.moveaxis(matrices, 2, 0), strict=True)
    centre = np.full(2, CENTRE)
    return np.stack([ndimage.affine_transform(image, m, centre - m @ centre, order=1) for image, m in ways])


def fine(values: NDArray[np.float64]) -> list[float]:
    return [float(value) * FINER for value in values]


def shapes(count: int, draw: Callable[[ImageDraw.ImageDraw, int], None]) -> Pixels:
    """Return what `draw` draws for each image, 1 on 0, edges smoothed."""
    drawn = []
    for image in range(count):
        canvas = Image.new("L", (SIDE * FINER, SIDE * FINER))
        draw(ImageDraw.Draw(canvas), image)
        drawn.append(np.asarray(canvas.reduce(FINER)))
    return np.stack(drawn) / np.float32(255)
