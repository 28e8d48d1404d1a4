"""Augmentation: the images of a batch are turned, sheared, zoomed and shifted in one operation."""

from __future__ import annotations

import math
from typing import Any

import tensorflow as tf

from ..networks.recipe import Recipe

__all__ = ["draw_maps", "move"]

_SIZE = 28
_CENTRE = (_SIZE - 1) / 2


def draw_maps(recipe: Recipe, count: int, seed: Any) -> Any:
    """Return a random affine map for each image, float32 (count, 8), as `move` takes them.

    Rotation and shear (degrees), zoom (share, of each axis by itself) and shift (pixels) are drawn uniformly up to
    what the recipe says, either way.

    Args:
        recipe: how much.
        count: the number of images.
        seed: two integers; the same two draw the same maps.
    """
    drawn = tf.random.stateless_uniform((6, count), seed, -1.0, 1.0)
    angle = drawn[0] * math.radians(recipe.rotation)
    slant = tf.tan(drawn[1] * math.radians(recipe.shear))
    zoom_x, zoom_y = (tf.exp(-drawn[row] * math.log1p(recipe.zoom)) for row in (2, 3))
    cosine, sine = tf.cos(angle), tf.sin(angle)
    # The operation wants to know where each pixel of the result comes from: about the centre, rotation x shear x zoom.
    a, b = cosine * zoom_x, (cosine * slant - sine) * zoom_y
    c, d = sine * zoom_x, (sine * slant + cosine) * zoom_y
    left = _CENTRE * (1 - a - b) - drawn[4] * recipe.shift
    top = _CENTRE * (1 - c - d) - drawn[5] * recipe.shift
    none = tf.zeros_like(angle)
    return tf.stack([a, b, left, c, d, top, none, none], axis=1)


def move(pixels: Any, maps: Any) -> Any:
    """Return images under their maps, interpolated linearly, black where nothing comes from.

    Args:
        pixels: float32 (B, 28, 28, 1).
        maps: float32 (B, 8), from `draw_maps`.
    """
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=pixels,
        transforms=maps,
        output_shape=(_SIZE, _SIZE),
        fill_value=0.0,
        interpolation="BILINEAR",
        fill_mode="CONSTANT",
    )
