"""Image corruptions for measuring robustness, in the manner of MNIST-C (N. Mu, J. Gilmer, 2019).

Each corruption has one severity, fixed before any recipe was tuned: the classic network, trained on clean images, has
a mean accuracy of 79 % on MNIST's validation images under them, and a person can read them all. Recipes may augment
with the shared kinds; the others are held out from all training, and so measure robustness to the unforeseen.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy import ndimage

from .transforms import (
    SIDE,
    SUPERSAMPLING,
    Pixels,
    affine_warp,
    directional_distance,
    rasterize,
    screen_blend,
    to_canvas,
    translate,
)

__all__ = ["CORRUPTIONS", "HELD_OUT", "SHARED", "Corruption", "corrupt"]

SHARED, HELD_OUT = "shared", "held out"

_FOG_SCALES = (2.0, 4.0, 8.0)  # pixels, standard deviations; weighted by their size


@dataclass(frozen=True)
class Corruption:
    """A row of the table.

    Attributes:
        use: SHARED, where recipes may augment with this kind, or HELD_OUT, which keeps it out of all training.
        severity: in `unit`.
        unit: of the severity.
        apply: pixels, severity and a random generator -> pixels, which may leave 0..1.
    """

    use: str
    severity: float
    unit: str
    apply: Callable[[Pixels, float, Generator], Pixels]


def corrupt(images: NDArray[np.uint8], name: str, seed: int = 0) -> NDArray[np.uint8]:
    """Apply one corruption of the table; the same seed gives the same bytes.

    Args:
        images: uint8 (N, 28, 28), white ink on black.
        name: a key of `CORRUPTIONS`.
        seed: random seed of directions, places and noise.
    """
    row = CORRUPTIONS[name]
    pixels = row.apply(images / np.float32(255), row.severity, np.random.default_rng(seed))
    return np.rint(np.clip(pixels, 0, 1) * 255).astype(np.uint8)


def _signs(count: int, random: Generator) -> NDArray[np.float64]:
    return random.choice([-1.0, 1.0], count)


def _shift(pixels: Pixels, distance: float, random: Generator) -> Pixels:
    angles = random.uniform(0, 2 * np.pi, len(pixels))
    return translate(pixels, distance * np.stack([np.sin(angles), np.cos(angles)], axis=1))


def _rotation(pixels: Pixels, degrees: float, random: Generator) -> Pixels:
    angle = np.radians(degrees) * _signs(len(pixels), random)
    return affine_warp(pixels, np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]))


def _scale(pixels: Pixels, factor: float, random: Generator) -> Pixels:
    factors = factor ** _signs(len(pixels), random)
    return affine_warp(pixels, np.array([[1 / factors, 0 * factors], [0 * factors, 1 / factors]]))


def _shear(pixels: Pixels, share: float, random: Generator) -> Pixels:
    slant = share * _signs(len(pixels), random)
    return affine_warp(pixels, np.array([[np.ones_like(slant), 0 * slant], [slant, np.ones_like(slant)]]))


def _noise(pixels: Pixels, deviation: float, random: Generator) -> Pixels:
    return pixels + np.float32(deviation) * random.standard_normal(pixels.shape, np.float32)


def _blur(pixels: Pixels, deviation: float, random: Generator) -> Pixels:
    return ndimage.gaussian_filter(pixels, (0, deviation, deviation), mode="constant")


def _contrast(pixels: Pixels, share: float, random: Generator) -> Pixels:
    grey = pixels.mean(axis=(1, 2), keepdims=True)
    return grey + (pixels - grey) * np.float32(share)


def _inversion(pixels: Pixels, share: float, random: Generator) -> Pixels:
    return pixels + np.float32(share) * (1 - 2 * pixels)


def _brightness(pixels: Pixels, added: float, random: Generator) -> Pixels:
    return pixels + np.float32(added)


def _gradient(pixels: Pixels, brightest: float, random: Generator) -> Pixels:
    ramp = directional_distance(len(pixels), random)
    lowest, span = ramp.min(axis=(1, 2), keepdims=True), np.ptp(ramp, axis=(1, 2), keepdims=True)
    return screen_blend(pixels, brightest * (ramp - lowest) / span)


def _strokes(pixels: Pixels, width: float, random: Generator) -> Pixels:
    """Draw a straight line from edge to edge that passes within 4 pixels of the centre."""
    angles, offsets = random.uniform(0, np.pi, len(pixels)), random.uniform(-4, 4, len(pixels))

    def draw(pen: ImageDraw.ImageDraw, image: int) -> None:
        direction = np.array([np.cos(angles[image]), np.sin(angles[image])])
        middle = SIDE / 2 + offsets[image] * direction[::-1] * (1, -1)
        pen.line(
            [*to_canvas(middle - SIDE * direction), *to_canvas(middle + SIDE * direction)],
            fill=255,
            width=round(width * SUPERSAMPLING),
        )

    return np.maximum(pixels, rasterize(len(pixels), draw))


def _fog(pixels: Pixels, thickness: float, random: Generator) -> Pixels:
    clouds = np.zeros_like(pixels)
    for scale in _FOG_SCALES:
        cloud = random.standard_normal(pixels.shape, np.float32)
        cloud = ndimage.gaussian_filter(cloud, (0, scale, scale), mode="wrap")
        clouds += np.float32(scale) * cloud / cloud.std(axis=(1, 2), keepdims=True)
    lowest, span = clouds.min(axis=(1, 2), keepdims=True), np.ptp(clouds, axis=(1, 2), keepdims=True)
    return screen_blend(pixels, thickness * (clouds - lowest) / span)


def _stripes(pixels: Pixels, lightness: float, random: Generator) -> Pixels:
    periods = random.uniform(4, 8, (len(pixels), 1, 1))
    phases = random.uniform(0, 1, (len(pixels), 1, 1))
    return screen_blend(pixels, lightness * ((directional_distance(len(pixels), random) / periods + phases) % 1 < 0.5))


def _glare(pixels: Pixels, brightest: float, random: Generator) -> Pixels:
    rows, columns = random.uniform(6, 22, (2, len(pixels), 1, 1))
    y, x = np.mgrid[:SIDE, :SIDE]
    return screen_blend(pixels, brightest * np.exp(-((y - rows) ** 2 + (x - columns) ** 2) / (2 * 6.0**2)))


def _occlusion(pixels: Pixels, side: float, random: Generator) -> Pixels:
    """Cover the digit with a square of one grey, whose centre is within 8 pixels of the image's centre on each axis."""
    corners = random.integers(6, 23, (len(pixels), 2, 1, 1)) - side // 2
    greys = random.uniform(0, 1, (len(pixels), 1, 1)).astype(np.float32)
    inside = (np.mgrid[:SIDE, :SIDE] >= corners) & (np.mgrid[:SIDE, :SIDE] < corners + side)
    return np.where(inside.all(axis=1), greys, pixels)


def _elastic(pixels: Pixels, deviation: float, random: Generator) -> Pixels:
    """Displace every pixel by a smooth random field (Simard, Steinkraus and Platt, ICDAR 2003)."""
    field = random.standard_normal((len(pixels), 2, SIDE, SIDE), np.float32)
    smooth = ndimage.gaussian_filter(field, (0, 0, 4, 4), mode="wrap")
    places = np.mgrid[:SIDE, :SIDE] + np.float32(deviation) * smooth / smooth.std(axis=(2, 3), keepdims=True)
    return np.stack([ndimage.map_coordinates(image, at, order=1) for image, at in zip(pixels, places, strict=True)])


def _pixelation(pixels: Pixels, side: float, random: Generator) -> Pixels:
    def coarse(image: NDArray[np.float32]) -> NDArray[np.float32]:
        averaged = Image.fromarray(image).resize((int(side), int(side)), Image.Resampling.BOX)
        return np.asarray(averaged.resize((SIDE, SIDE), Image.Resampling.NEAREST))

    return np.stack([coarse(image) for image in pixels])


def _salt_and_pepper(pixels: Pixels, share: float, random: Generator) -> Pixels:
    hit = random.random(pixels.shape, np.float32) < share
    return np.where(hit, random.integers(0, 2, pixels.shape).astype(np.float32), pixels)


def _spatter(pixels: Pixels, drops: float, random: Generator) -> Pixels:
    """Draw round drops of ink, of 0.7 to 2.2 pixels in radius."""
    places = random.uniform(3, 25, (len(pixels), int(drops), 2))
    radii = random.uniform(0.7, 2.2, (len(pixels), int(drops), 1))

    def draw(pen: ImageDraw.ImageDraw, image: int) -> None:
        for place, radius in zip(places[image], radii[image], strict=True):
            pen.ellipse([*to_canvas(place - radius), *to_canvas(place + radius)], fill=255)

    return np.maximum(pixels, rasterize(len(pixels), draw))


def _zigzag(pixels: Pixels, width: float, random: Generator) -> Pixels:
    """Draw a line of six corners from the left edge to the right, or from the top to the bottom."""
    heights = random.uniform(7, 21, (len(pixels), 1)) + random.uniform(2, 5, (len(pixels), 8)) * ([1, -1] * 4)
    upright = random.random(len(pixels)) < 0.5

    def draw(pen: ImageDraw.ImageDraw, image: int) -> None:
        points = np.stack([np.linspace(0, SIDE, 8), heights[image]], axis=1)
        points = points[:, ::-1] if upright[image] else points
        pen.line([*to_canvas(points.ravel())], fill=255, width=round(width * SUPERSAMPLING), joint="curve")

    return np.maximum(pixels, rasterize(len(pixels), draw))


def _thick_pen(pixels: Pixels, side: float, random: Generator) -> Pixels:
    return ndimage.grey_dilation(pixels, (1, int(side), int(side)))


def _motion(pixels: Pixels, length: float, random: Generator) -> Pixels:
    """Blur the digit along a line, as a camera in motion does."""
    angles = random.uniform(0, np.pi, len(pixels))
    directions = np.stack([np.sin(angles), np.cos(angles)], axis=1)
    steps = np.linspace(-length / 2, length / 2, round(length) + 1)
    return np.mean([translate(pixels, step * directions) for step in steps], axis=0)


CORRUPTIONS: Mapping[str, Corruption] = {
    "shift": Corruption(SHARED, 4, "pixels", _shift),
    "rotation": Corruption(SHARED, 30, "degrees", _rotation),
    "scale": Corruption(SHARED, 1.4, "times larger or smaller", _scale),
    "shear": Corruption(SHARED, 0.7, "of the height", _shear),
    "noise": Corruption(SHARED, 0.4, "standard deviation", _noise),
    "blur": Corruption(SHARED, 2, "pixels standard deviation", _blur),
    "contrast": Corruption(SHARED, 0.15, "of the contrast is left", _contrast),
    "inversion": Corruption(SHARED, 1.0, "of the way to the negative", _inversion),
    "brightness": Corruption(SHARED, 0.45, "of white is added", _brightness),
    "gradient": Corruption(SHARED, 0.85, "of white at the bright end", _gradient),
    "strokes": Corruption(SHARED, 2, "pixels wide", _strokes),
    "fog": Corruption(HELD_OUT, 0.7, "of white where it is thickest", _fog),
    "stripes": Corruption(HELD_OUT, 0.4, "of white", _stripes),
    "glare": Corruption(HELD_OUT, 0.8, "of white in its middle", _glare),
    "occlusion": Corruption(HELD_OUT, 8, "pixels a side", _occlusion),
    "elastic": Corruption(HELD_OUT, 1.5, "pixels standard deviation", _elastic),
    "pixelation": Corruption(HELD_OUT, 9, "pixels a side are left", _pixelation),
    "salt-and-pepper": Corruption(HELD_OUT, 0.2, "of the pixels", _salt_and_pepper),
    "spatter": Corruption(HELD_OUT, 8, "drops", _spatter),
    "zigzag": Corruption(HELD_OUT, 1.2, "pixels wide", _zigzag),
    "thick-pen": Corruption(HELD_OUT, 3, "pixels wide dots", _thick_pen),
    "motion": Corruption(HELD_OUT, 6, "pixels of motion", _motion),
}
