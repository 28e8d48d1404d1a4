"""Draw the pictures that the preprocessing in JavaScript is proven on: those of the C, and larger and coloured ones."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from ..c_source.pictures import draw

__all__ = ["COUNT", "pictures"]

COUNT = 300  # that an export is proven on

Picture = NDArray[np.uint8]  # (H, W), (H, W, 3) or (H, W, 4)


def pictures(images: NDArray[np.uint8], count: int = COUNT) -> Iterator[Picture]:
    """Yield pictures, of which some show one of the images, uint8 (N, 28, 28); the same ones each time."""
    for seed in range(count):
        grey, random = draw(seed, images), np.random.default_rng([seed, 1])
        if seed % 5 == 3:
            grey = grey.repeat(int(random.integers(2, 5)), axis=0).repeat(int(random.integers(2, 5)), axis=1)
        yield _coloured(grey, random) if seed % 5 == 4 else grey


def _coloured(grey: Picture, random: Generator) -> Picture:
    """Return a grey picture between two colours, which may be equally light, with transparency in some."""
    ends = random.integers(0, 256, (2, 3))
    colours = (ends[0] + (ends[1] - ends[0]) * (grey[..., None] / 255)).astype(np.uint8)
    alpha = (255 - grey, np.full_like(grey, 130))[int(random.integers(2))][..., None]
    return np.concatenate([colours, alpha], axis=2) if random.random() < 0.5 else colours
