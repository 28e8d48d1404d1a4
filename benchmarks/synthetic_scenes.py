"""Draw scenes of digits on paper as a camera or a scanner sees them, to measure the preprocessing of pictures.

The ink comes from MNIST's validation images or from the drawings of `mnist_edge_trainer.demo`. A kind of scene is one
function and one row in `SCENES`. No photograph is used.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from functools import cache

import numpy as np
from mnist_edge_trainer.demo.synthetic_digits import draw
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

__all__ = ["SCENES", "enlarged", "page", "pen"]

Plane = NDArray[np.float64]  # (H, W); ink: 0 none to 1; light and paper: 0 black to 255
Picture = NDArray[np.uint8]  # (H, W), grey


def enlarged(image: NDArray[np.uint8], side: int, level: float = 0.5) -> Plane:
    """Return MNIST's image (28, 28) as ink of so many pixels a side with sharp edges; a higher level thins it."""
    smooth = ndimage.zoom(image / 255, side / 28, order=3)
    return np.asarray(np.clip((smooth - level) * side / 28 + 0.5, 0, 1))


@cache
def pen(digit: str, side: int, width: float, tilt: float) -> Plane:
    """Return a drawing as ink, with a pen of so many pixels, tilted by so many degrees."""
    return (245 - draw(digit, size=side, tilt=tilt, pen=width / 2 / side)) / 215.0


def page(ink: Plane, height: int, width: int, random: Generator) -> Plane:
    """Lay the ink somewhere on an empty page."""
    top = int(random.integers(0, height - ink.shape[0] + 1))
    left = int(random.integers(0, width - ink.shape[1] + 1))
    placed = np.zeros((height, width))
    placed[top : top + ink.shape[0], left : left + ink.shape[1]] = ink
    return placed


def _shot(ink: Plane, paper: Plane | float, pigment: float, random: Generator, noise: float = 2.0) -> Picture:
    """Return what a camera sees of ink that lets through a share `pigment` of the paper's light."""
    seen = paper * (1 - ink * (1 - pigment))
    return np.clip(seen + random.normal(0, noise, ink.shape), 0, 255).astype(np.uint8)


def _page_around(ink: Plane, random: Generator) -> Plane:
    side = ink.shape[0]
    return page(ink, int(side * random.uniform(1.1, 2.2)), int(side * random.uniform(1.1, 2.2)), random)


def _slope(shape: tuple[int, ...], random: Generator) -> Plane:
    """Return a plane that rises from 0 to 1 in some direction."""
    angle = random.uniform(0, 2 * np.pi)
    y, x = np.mgrid[: shape[0], : shape[1]]
    plane = x * np.cos(angle) + y * np.sin(angle)
    return np.asarray((plane - plane.min()) / np.ptp(plane))


def _clean(ink: Plane, random: Generator) -> Picture:
    return _shot(_page_around(ink, random), 255, 0.05, random, noise=0)


def _grain(ink: Plane, random: Generator) -> Picture:
    """Rough paper, a pencil that does not cover it."""
    laid = _page_around(ink, random)
    fibre = ndimage.gaussian_filter(random.normal(0, 1, laid.shape), 1.5)
    fibre /= fibre.std()
    return _shot(laid * np.clip(0.8 + 0.15 * fibre, 0, 1), 215 + 7 * fibre, 0.35, random, noise=5)


def _gradient(ink: Plane, random: Generator) -> Picture:
    laid = _page_around(ink, random)
    return _shot(laid, 245 - random.uniform(90, 190) * _slope(laid.shape, random), 0.3, random, noise=3)


def _vignette(ink: Plane, random: Generator) -> Picture:
    laid = _page_around(ink, random)
    y, x = np.mgrid[-1 : 1 : laid.shape[0] * 1j, -1 : 1 : laid.shape[1] * 1j]
    return _shot(laid, 240 - random.uniform(50, 85) * (y**2 + x**2), 0.3, random, noise=3)


def _shadow(ink: Plane, random: Generator) -> Picture:
    """A hand's or a telephone's shadow with a soft edge over a part of the page."""
    laid = _page_around(ink, random)
    edge = random.uniform(20, 80) * (_slope(laid.shape, random) - random.uniform(0.25, 0.75))
    return _shot(laid, 235 - random.uniform(60, 130) / (1 + np.exp(-edge)), 0.25, random, noise=3)


def _band(ink: Plane, random: Generator) -> Picture:
    """A shadow that crosses the page."""
    laid = _page_around(ink, random)
    distance = np.abs(_slope(laid.shape, random) - random.uniform(0.3, 0.7)) - random.uniform(0.08, 0.2)
    return _shot(laid, 235 - random.uniform(40, 90) / (1 + np.exp(50 * distance)), 0.2, random, noise=3)


def _ruled(ink: Plane, random: Generator, squared: bool = False) -> Picture:
    laid = _page_around(ink, random)
    paper, distance = np.full(laid.shape, 240.0), ink.shape[0] * random.uniform(0.25, 0.6)
    tilt, offset = random.normal(0, 0.02), random.uniform(0, distance)
    y, x = np.mgrid[: laid.shape[0], : laid.shape[1]]
    for along, across in ((x, y), (y, -x))[: 2 if squared else 1]:
        gap = np.abs((across + along * tilt + offset + distance / 2) % distance - distance / 2)
        paper -= random.uniform(25, 70) * np.clip(1.5 - gap, 0, 1)
    return _shot(laid, paper, 0.2, random, noise=2)


def _squared(ink: Plane, random: Generator) -> Picture:
    return _ruled(ink, random, squared=True)


def _specks(ink: Plane, random: Generator) -> Picture:
    """Dust and dots as dark as the ink, and darker."""
    laid = _page_around(ink, random)
    picture = _shot(laid, 235, 0.3, random)
    y, x = np.mgrid[: laid.shape[0], : laid.shape[1]]
    for _ in range(random.integers(3, 12)):
        centre = random.uniform(0, laid.shape)
        radius = ink.shape[0] * random.uniform(0.004, 0.015)
        picture[np.hypot(y - centre[0], x - centre[1]) <= radius] = random.integers(0, 80)
    return picture


def _chalk(ink: Plane, random: Generator) -> Picture:
    laid = _page_around(ink, random)
    board = 40 + random.uniform(10, 60) * _slope(laid.shape, random)
    fibre = ndimage.gaussian_filter(random.normal(0, 1, laid.shape), 1)
    strength = laid * np.clip(0.8 + 0.4 * fibre, 0, 1)
    return np.clip(board + strength * (235 - board) + random.normal(0, 4, laid.shape), 0, 255).astype(np.uint8)


def _screen(ink: Plane, random: Generator) -> Picture:
    return np.invert(_clean(ink, random))


def _jpeg(ink: Plane, random: Generator) -> Picture:
    stream = io.BytesIO()
    Image.fromarray(_gradient(ink, random)).save(stream, "JPEG", quality=int(random.integers(8, 30)))
    return np.asarray(Image.open(stream))


def _lost(ink: Plane, random: Generator) -> Picture:
    """A small digit in a large frame."""
    side = int(ink.shape[0] * random.uniform(8, 16))
    laid = page(ink, side, int(side * 1.3), random)
    return _shot(laid, 240 - 40 * _slope(laid.shape, random), 0.25, random, noise=4)


def _cropped(ink: Plane, random: Generator) -> Picture:
    """Cut so close that the strokes touch the border."""
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    return _shot(ink[rows[0] + 1 : rows[-1], columns[0] + 1 : columns[-1]], 235, 0.2, random)


def _table(ink: Plane, random: Generator) -> Picture:
    """A note on a dark table that the photo shows at one or two sides."""
    laid = _page_around(ink, random)
    edges = [int(side * random.uniform(0.04, 0.15)) for side in laid.shape]
    paper = np.full(laid.shape, 225.0)
    whole = np.pad(laid, ((edges[0], 0), (edges[1], 0)))
    paper = np.pad(paper, ((edges[0], 0), (edges[1] * int(random.integers(2)), 0)), constant_values=70)
    whole = whole[:, -paper.shape[1] :]
    return _shot(whole, ndimage.gaussian_filter(paper, 1), 0.25, random, noise=3)


SCENES: Mapping[str, Callable[[Plane, Generator], Picture]] = {
    "clean": _clean,
    "grain": _grain,
    "gradient": _gradient,
    "vignette": _vignette,
    "shadow": _shadow,
    "band": _band,
    "ruled": _ruled,
    "squared": _squared,
    "specks": _specks,
    "chalk": _chalk,
    "screen": _screen,
    "jpeg": _jpeg,
    "lost": _lost,
    "cropped": _cropped,
    "table": _table,
}
