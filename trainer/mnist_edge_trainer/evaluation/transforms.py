"""Image transforms that corruptions are made of: translate, warp, blend, rasterize."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from mnist_edge_runtime.model_file.contract import IMAGE_SHAPE
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy import ndimage

__all__ = [
    "SIDE",
    "SUPERSAMPLING",
    "Pixels",
    "affine_warp",
    "directional_distance",
    "rasterize",
    "screen_blend",
    "to_canvas",
    "translate",
]

Pixels = NDArray[np.float32]  # (N, 28, 28), 0..1, white ink on black

SIDE = IMAGE_SHAPE[0]  # pixels
SUPERSAMPLING = 4  # times that shapes are drawn larger and averaged down, for smooth edges
_CENTRE = (SIDE - 1) / 2  # pixels


def screen_blend(pixels: Pixels, light: NDArray[np.float64]) -> Pixels:
    """Blend light of 0..1 over the images in screen mode: black takes its value, white stays white."""
    return pixels + light.astype(np.float32) * (1 - pixels)


def directional_distance(count: int, random: Generator) -> NDArray[np.float64]:
    """Return each pixel's signed distance from the centre along a random direction of each image, in pixels."""
    angles = random.uniform(0, 2 * np.pi, (count, 1, 1))
    y, x = np.mgrid[:SIDE, :SIDE] - _CENTRE
    return x * np.cos(angles) + y * np.sin(angles)


def translate(pixels: Pixels, offsets: NDArray[np.float64]) -> Pixels:
    """Translate each image by an offset of its own, (N, 2), rows and columns in pixels."""
    return np.stack([ndimage.shift(image, offset, order=1) for image, offset in zip(pixels, offsets, strict=True)])


def affine_warp(pixels: Pixels, matrices: NDArray[np.float64]) -> Pixels:
    """Warp each image about its centre by a matrix of its own, (2, 2, N), from output to input coordinates."""
    pairs = zip(pixels, np.moveaxis(matrices, 2, 0), strict=True)
    centre = np.full(2, _CENTRE)
    return np.stack([ndimage.affine_transform(image, m, centre - m @ centre, order=1) for image, m in pairs])


def to_canvas(values: NDArray[np.float64]) -> list[float]:
    """Scale coordinates in pixels to those of the canvas that `rasterize` draws on."""
    return [float(value) * SUPERSAMPLING for value in values]


def rasterize(count: int, draw: Callable[[ImageDraw.ImageDraw, int], None]) -> Pixels:
    """Rasterize what `draw` draws for each image, 1 on 0, with smooth edges."""
    drawn = []
    for image in range(count):
        canvas = Image.new("L", (SIDE * SUPERSAMPLING, SIDE * SUPERSAMPLING))
        draw(ImageDraw.Draw(canvas), image)
        drawn.append(np.asarray(canvas.reduce(SUPERSAMPLING)))
    return np.stack(drawn) / np.float32(255)
