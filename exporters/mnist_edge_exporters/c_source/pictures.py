"""Draw the pictures that the preprocessing in C is proven on: digits in scenes, lines, dots, noise, and none at all.

They need not look like photos: each stage and each refusal must be reached. The same seed gives the same picture.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

__all__ = ["COUNT", "draw"]

COUNT = 300  # that an export is proven on, of the seeds from 0
_LONGER, _SHORTER = 320, 240  # pixels, at most
_LEAST = 3

Plane = NDArray[np.float64]
Shape = tuple[int, int]


def draw(seed: int, images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a grey picture, uint8 (H, W); some show one of the images, uint8 (N, 28, 28)."""
    random = np.random.default_rng(seed)
    shape = _shape(random)
    ink = _KINDS[int(random.integers(len(_KINDS)))](shape, images, random)
    if random.random() < 0.5:
        ink = _blurred(ink, int(random.integers(1, 4)))
    page = _light(shape, random) * (1 - np.clip(ink, 0, 1) * random.uniform(0.1, 1))
    page += random.normal(0, random.choice([0, 0, 1, 3, 8, 20]), shape)
    picture = np.clip(np.rint(page), 0, 255).astype(np.uint8)
    if random.random() < 0.4:
        picture = ~picture
    if random.random() < 0.15:
        picture &= np.uint8(192)  # few levels
    if shape == (28, 28) and random.random() < 0.5:
        return images[int(random.integers(len(images)))]
    return picture


def _shape(random: Generator) -> Shape:
    longer = int(random.choice([28, random.integers(_LEAST, 40), random.integers(28, 130), random.integers(100, 321)]))
    if longer == 28 and random.random() < 0.5:
        return 28, 28
    shorter = random.uniform(0.6, 1) * longer if random.random() < 0.7 else random.uniform(_LEAST, longer)
    pair = int(np.clip(shorter, _LEAST, min(longer, _SHORTER))), longer
    return pair if random.random() < 0.7 else (longer, pair[0])


def _light(shape: Shape, random: Generator) -> Plane:
    """Return the page: even, with a slope, with a shadow."""
    rows, columns = np.mgrid[: shape[0], : shape[1]] / max(shape)
    page = np.full(shape, random.uniform(60, 255))
    if random.random() < 0.5:
        page *= 1 - random.uniform(0, 0.4) * (rows * random.uniform(0, 1) + columns * random.uniform(0, 1))
    if random.random() < 0.25:
        page[rows * random.uniform(-1, 1) + columns > random.uniform(0, 1)] *= random.uniform(0.4, 0.9)
    return page


def _blurred(plane: Plane, reach: int) -> Plane:
    for axis in (0, 1):
        padded = np.pad(plane, [(reach, reach) if each == axis else (0, 0) for each in (0, 1)], mode="edge")
        plane = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1, axis).mean(axis=-1)
    return plane


def _digit(shape: Shape, images: NDArray[np.uint8], random: Generator) -> Plane:
    ink = np.zeros(shape)
    image = images[int(random.integers(len(images)))] / 255
    share = random.uniform(0.15, 1)
    height, width = (max(2, int(side * share)) for side in shape)
    if random.random() < 0.8:
        height = width = min(height, width)
    top, left = int(random.integers(shape[0] - height + 1)), int(random.integers(shape[1] - width + 1))
    rows, columns = np.arange(height) * 28 // height, np.arange(width) * 28 // width
    ink[top : top + height, left : left + width] = image[rows][:, columns]
    return ink


def _strokes(shape: Shape, images: NDArray[np.uint8], random: Generator) -> Plane:
    """Return lines between random points; thin ones are hairlines."""
    ink, long = np.zeros(shape), 4 * sum(shape)
    for _ in range(int(random.integers(1, 4))):
        points = random.random((int(random.integers(2, 6)), 2)) * random.uniform(0.3, 1)
        along = np.linspace(0, len(points) - 1, long)
        rows, columns = (np.interp(along, np.arange(len(points)), each) for each in points.T)
        ink[(rows * shape[0]).astype(int), (columns * shape[1]).astype(int)] = 1
    return np.minimum(1, _blurred(ink, width) * 9) if (width := int(random.integers(0, max(shape) // 40 + 2))) else ink


def _ruled(shape: Shape, images: NDArray[np.uint8], random: Generator) -> Plane:
    ink = (_digit if random.random() < 0.5 else _strokes)(shape, images, random)
    pitch, slope, thick = (
        int(random.integers(4, max(5, min(shape) // 2))),
        random.uniform(-0.08, 0.08),
        random.integers(1, 4),
    )
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    lines = (rows + slope * columns) % pitch < thick
    if random.random() < 0.5:
        lines |= (columns - slope * rows) % pitch < thick
    return np.maximum(ink, lines * random.uniform(0.3, 1))


def _dots(shape: Shape, images: NDArray[np.uint8], random: Generator) -> Plane:
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    pitch = int(random.integers(2, 6))
    screen = (rows % pitch < max(1, pitch // 2)) & (columns % pitch < max(1, pitch // 2))
    return _digit(shape, images, random) * screen


def _blobs(shape: Shape, images: NDArray[np.uint8], random: Generator) -> Plane:
    clouds = _blurred(random.normal(size=shape), int(random.integers(1, 8)))
    return (clouds > np.quantile(clouds, random.uniform(0.5, 0.98))).astype(np.float64)


def _rectangles(shape: Shape, images: NDArray[np.uint8], random: Generator) -> Plane:
    ink = np.zeros(shape)
    for _ in range(int(random.integers(1, 5))):
        top, left = (int(random.integers(side)) for side in shape)
        height, width = (int(random.integers(1, side + 1)) for side in shape)
        ink[top : top + height, left : left + width] = random.random()
    return ink


def _checkers(shape: Shape, images: NDArray[np.uint8], random: Generator) -> Plane:
    rows, columns = np.mgrid[: shape[0], : shape[1]] // int(random.integers(1, 6))
    return (rows + columns) % 2 * 1.0


def _grain(shape: Shape, images: NDArray[np.uint8], random: Generator) -> Plane:
    return (random.random(shape) < random.uniform(0, 0.5)).astype(np.float64)


_KINDS: tuple[Callable[[Shape, NDArray[np.uint8], Generator], Plane], ...] = (
    *(_digit, _digit, _digit, _strokes, _strokes, _ruled, _ruled),
    *(_dots, _blobs, _rectangles, _checkers, _grain),
)
