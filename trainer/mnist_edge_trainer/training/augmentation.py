"""Augment the images of a batch: random affine transforms, then random lighting, noise, blur and strokes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import tensorflow as tf
from mnist_edge_runtime.model_file.contract import IMAGE_SHAPE
from numpy.typing import NDArray

from ..networks.recipe import Recipe

__all__ = ["apply_affine", "augment_photometric", "sample_affine"]

_SIZE = IMAGE_SHAPE[0]  # pixels a side
_CENTRE = (_SIZE - 1) / 2  # pixels

_PROBABILITY = 0.35  # of each photometric change, on an image that is changed
_WIDEST_LINE, _FARTHEST_LINE = 3.0, 6.0  # pixels: width of a stroke, distance from the centre
_BLURS = (0.7, 1.2, 2.0)  # pixels, standard deviations
_LEAST_CONTRAST = 0.12  # between paper and ink, of white
_BRIGHTEST, _NOISIEST = 0.9, 0.4  # of white: strongest light, largest standard deviation of noise
_DRAWN = 16  # random numbers of each image


def sample_affine(recipe: Recipe, count: int, seed: Any) -> Any:
    """Sample a random affine transform for each image, float32 (count, 8), as `apply_affine` takes them.

    Rotation and shear (degrees), zoom (share, of each axis independently) and shift (pixels) are uniform in either
    direction, up to the recipe's maximum.

    Args:
        recipe: the maxima.
        count: the number of images.
        seed: two integers; the same two give the same transforms.
    """
    drawn = tf.random.stateless_uniform((6, count), seed, -1.0, 1.0)
    angle = drawn[0] * math.radians(recipe.rotation)
    slant = tf.tan(drawn[1] * math.radians(recipe.shear))
    zoom_x, zoom_y = (tf.exp(-drawn[row] * math.log1p(recipe.zoom)) for row in (2, 3))
    cosine, sine = tf.cos(angle), tf.sin(angle)
    # The operation takes the inverse, from result to source: about the centre, rotation x shear x zoom.
    a, b = cosine * zoom_x, (cosine * slant - sine) * zoom_y
    c, d = sine * zoom_x, (sine * slant + cosine) * zoom_y
    left = _CENTRE * (1 - a - b) - drawn[4] * recipe.shift
    top = _CENTRE * (1 - c - d) - drawn[5] * recipe.shift
    none = tf.zeros_like(angle)
    return tf.stack([a, b, left, c, d, top, none, none], axis=1)


def apply_affine(pixels: Any, transforms: Any) -> Any:
    """Apply an affine transform to each image, with bilinear interpolation and black beyond the edges.

    Args:
        pixels: float32 (B, 28, 28, 1).
        transforms: float32 (B, 8), from `sample_affine`.
    """
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=pixels,
        transforms=transforms,
        output_shape=IMAGE_SHAPE,
        fill_value=0.0,
        interpolation="BILINEAR",
        fill_mode="CONSTANT",
    )


def augment_photometric(pixels: Any, share: float, seed: Any) -> Any:
    """Apply random strokes, blur, contrast, lighting and noise to the first `share` of the batch.

    Returns float32 (B, 28, 28, 1) in 0..1.

    Args:
        pixels: float32 (B, 28, 28, 1) in 0..1, in random order.
        share: of the images that are changed.
        seed: two integers; the same two give the same result.
    """
    count = tf.cast(tf.round(share * tf.cast(tf.shape(pixels)[0], tf.float32)), tf.int32)
    unchanged, chosen = pixels[count:], pixels[:count]
    numbers, noises = tf.unstack(tf.random.experimental.stateless_split(seed, 2))
    unit = iter(tf.unstack(tf.random.stateless_uniform((_DRAWN, count, 1, 1, 1), numbers)))

    def drawn(lowest: float, highest: float) -> Any:
        return lowest + (highest - lowest) * next(unit)

    def sometimes(changed: Any, image: Any) -> Any:
        return tf.where(next(unit) < _PROBABILITY, changed, image)

    distance = tf.abs(_directional_distance(drawn(0, 2 * math.pi)) - drawn(0, _FARTHEST_LINE))
    line = tf.clip_by_value(drawn(1, _WIDEST_LINE) / 2 + 0.5 - distance, 0, 1)
    image = sometimes(tf.maximum(chosen, line), chosen)

    blur, blurred = drawn(0, len(_BLURS)), image
    for number, deviation in enumerate(_BLURS):
        blurred = tf.where(blur >= number, tf.nn.conv2d(image, _gaussian(deviation), 1, "SAME"), blurred)
    image = sometimes(blurred, image)

    # Random grey levels of paper and ink, dark on light as often as light on dark, at least _LEAST_CONTRAST apart.
    contrast = drawn(_LEAST_CONTRAST, 1)
    darker = drawn(0, 1) * (1 - contrast)
    negative = next(unit) < 0.5
    paper = tf.where(negative, darker + contrast, darker)
    image = sometimes(paper + image * tf.where(negative, -contrast, contrast), image)

    light = drawn(0, _BRIGHTEST) * tf.clip_by_value(_directional_distance(drawn(0, 2 * math.pi)) / _SIZE + 0.5, 0, 1)
    image = sometimes(image + light * (1 - image), image)

    noise = tf.random.stateless_normal(tf.shape(image), noises) * drawn(0, _NOISIEST)
    image = sometimes(image + noise, image)
    return tf.concat([tf.clip_by_value(image, 0, 1), unchanged], axis=0)


def _directional_distance(angle: Any) -> Any:
    """Return each pixel's signed distance from the centre along a direction, in pixels, (B, 28, 28, 1)."""
    places = tf.range(_SIZE, dtype=tf.float32) - _CENTRE
    return (
        tf.cos(angle) * places[tf.newaxis, tf.newaxis, :, tf.newaxis]
        + tf.sin(angle) * places[:, tf.newaxis, tf.newaxis]
    )


def _gaussian(deviation: float) -> NDArray[np.float32]:
    """Return the kernel of a Gaussian blur, (K, K, 1, 1), of three standard deviations in each direction."""
    reach = math.ceil(3 * deviation)
    line = np.exp(-(np.arange(-reach, reach + 1) ** 2) / (2 * deviation**2))
    kernel = np.outer(line, line) / line.sum() ** 2
    return kernel[..., np.newaxis, np.newaxis].astype(np.float32)
