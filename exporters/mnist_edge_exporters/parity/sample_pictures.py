"""Make pictures of images as people bring them, to compare preprocessings in other languages with the runtime's."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

__all__ = ["sample_pictures"]

Picture = NDArray[np.uint8]  # (H, W), (H, W, 3) or (H, W, 4)
_LARGEST = 420  # pixels of a side of the ink


def sample_pictures(images: NDArray[np.uint8], count: int, *, coloured: bool = True) -> Iterator[Picture]:
    """Yield pictures: images as they are, and as ink on paper of all sizes, with light, lines, dots and noise.

    Args:
        images: uint8 (N, 28, 28), white on black.
        count: number of pictures; the same for the same images.
        coloured: also RGB and RGBA.
    """
    random = np.random.default_rng(0)
    for number in range(count):
        image = images[int(random.integers(len(images)))]
        if number % 10 == 0:
            yield (image, 255 - image, image.T)[number // 10 % 3].copy()
        elif number % 10 == 1:
            yield _noise(random)
        else:
            grey = _scene(image, random)
            yield _coloured(grey, random) if coloured and number % 10 >= 7 else grey


def _noise(random: Generator) -> Picture:
    height, width = (int(side) for side in random.integers(3, 120, 2))
    levels = random.integers(0, 256, (height, width)) * (random.random((height, width)) < random.random())
    return levels.astype(np.uint8)


def _scene(image: Picture, random: Generator) -> Picture:
    """Return an image as ink on uneven paper, dark on light or light on dark."""
    side = int(28 * np.exp(random.uniform(0, np.log(_LARGEST / 28))))
    rows = (np.arange(side) * 28) // side
    ink = (image[np.ix_(rows, rows)] > random.integers(30, 200)).astype(np.float64)
    if random.random() < 0.2:  # dotted
        ink *= (np.arange(side) % 6 < 3)[:, None] & (np.arange(side) % 6 < 3)
    height, width = (int(side * random.uniform(1, 2)) for _ in range(2))
    page = np.zeros((height, width))
    top, left = int(random.integers(height - side + 1)), int(random.integers(width - side + 1))
    page[top : top + side, left : left + side] = ink
    if random.random() < 0.3:  # ruled
        page[:: max(4, side // 3)] = np.maximum(page[:: max(4, side // 3)], 0.4)
    y, x = np.mgrid[:height, :width]
    slope = random.uniform(-0.5, 0.5) * y / height + random.uniform(-0.5, 0.5) * x / width
    paper = random.uniform(110, 255) * np.clip(1 + slope, 0.3, 1.2)
    seen = paper * (1 - page * random.uniform(0.1, 0.9)) + random.normal(0, random.choice([0, 0, 2, 8]), page.shape)
    grey = np.clip(seen, 0, 255).astype(np.uint8)
    return 255 - grey if random.random() < 0.3 else grey


def _coloured(grey: Picture, random: Generator) -> Picture:
    """Return a grey picture between two colours, which may be equally light, with transparency in some."""
    ends = random.integers(0, 256, (2, 3))
    shares = grey[..., None] / 255
    colours = (ends[0] + (ends[1] - ends[0]) * shares).astype(np.uint8)
    alpha = (255 - grey, np.full_like(grey, 130))[int(random.integers(2))][..., None]
    return np.concatenate([colours, alpha], axis=2) if random.random() < 0.5 else colours
