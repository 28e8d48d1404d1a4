"""Out-of-distribution images, to measure rejection: blanks, noise, letters, scribbles, pieces of photographs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
from mnist_edge_runtime.errors import InputError
from mnist_edge_runtime.model_file.contract import IMAGE_SHAPE
from mnist_edge_runtime.preprocessing.mnist import to_mnist
from numpy.typing import NDArray

__all__ = ["NON_DIGITS", "load"]

Picture = NDArray[np.uint8]

_SEED = 0
_COUNT = 300  # pictures of a kind
_PHOTOGRAPHS = 100  # pictures; fewer, since they are full of stroke-like edges
_SIDE = 160  # pixels, of a drawn picture
_LETTERS = "ABCDEFGHJKLMNPQRTUVWXYabcdefhijkmnprtuvwxy"  # without those that look like a digit
_FONTS = ("DejaVuSans", "DejaVuSans-Bold", "DejaVuSans-Oblique", "DejaVuSansMono", "DejaVuSerif", "DejaVuSerif-Italic")


def _blanks(random: np.random.Generator) -> Iterator[Picture]:
    for grey in np.linspace(0, 255, _COUNT).astype(np.uint8):
        yield np.full(IMAGE_SHAPE, grey)


def _noise(random: np.random.Generator) -> Iterator[Picture]:
    for number in range(_COUNT):
        if number % 2:
            yield random.integers(0, 256, IMAGE_SHAPE, np.uint8)
        else:
            yield random.normal(0, random.uniform(5, 60), IMAGE_SHAPE).clip(0, 255).astype(np.uint8)


def _letters(random: np.random.Generator) -> Iterator[Picture]:
    import matplotlib
    from PIL import Image, ImageDraw, ImageFont

    folder = Path(matplotlib.get_data_path(), "fonts", "ttf")
    for name in _FONTS:
        font = ImageFont.truetype(folder / f"{name}.ttf", 90)
        for letter in _LETTERS:
            image = Image.new("L", (_SIDE, _SIDE), 255)
            ImageDraw.Draw(image).text((_SIDE / 2, _SIDE / 2), letter, fill=0, font=font, anchor="mm")
            yield np.array(image.rotate(random.uniform(-10, 10), fillcolor=255))


def _scribbles(random: np.random.Generator) -> Iterator[Picture]:
    from PIL import Image, ImageDraw
    from scipy.interpolate import CubicSpline

    for _ in range(_COUNT):
        turns = int(random.integers(4, 12))
        way = CubicSpline(np.linspace(0, 1, turns), random.uniform(25, _SIDE - 25, (turns, 2)))(np.linspace(0, 1, 60))
        image = Image.new("L", (_SIDE, _SIDE), 255)
        pen = int(random.integers(5, 14))
        ImageDraw.Draw(image).line([tuple(point) for point in way], fill=0, width=pen, joint="curve")
        yield np.array(image)


def _photographs(random: np.random.Generator) -> Iterator[Picture]:
    from sklearn.datasets import load_sample_images

    photographs = [np.dot(image, (0.299, 0.587, 0.114)).astype(np.uint8) for image in load_sample_images().images]
    for number in range(_PHOTOGRAPHS):
        photograph = photographs[number % len(photographs)]
        side = int(random.integers(40, 200))
        top, left = (int(random.integers(0, length - side)) for length in photograph.shape)
        yield photograph[top : top + side, left : left + side]


NON_DIGITS: Mapping[str, Callable[[np.random.Generator], Iterator[Picture]]] = {
    "blanks": _blanks,
    "noise": _noise,
    "letters": _letters,
    "scribbles": _scribbles,
    "photographs": _photographs,
}


def load(kind: str) -> tuple[NDArray[np.uint8], int]:
    """Return the network inputs of a kind, uint8 (N, 28, 28), and the number of its pictures.

    Blanks and noise are inputs already; the other pictures are preprocessed, which refuses some of them.
    """
    found, count = [], 0
    for picture in NON_DIGITS[kind](np.random.default_rng(_SEED)):
        count += 1
        if picture.shape == IMAGE_SHAPE:
            found.append(picture)
            continue
        try:
            found.append(to_mnist(picture))
        except InputError:
            continue
    return np.array(found, np.uint8).reshape(-1, *IMAGE_SHAPE), count
