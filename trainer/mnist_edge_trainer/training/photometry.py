"""Light and dirt on the images of a batch: strokes across the digit, blur, paper and ink of any grey, light, noise."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

__all__ = ["soil"]

_SIZE = 28
_SOMETIMES = 0.35  # the probability of each kind on an image that is soiled
_WIDEST_LINE, _FARTHEST_LINE = 3.0, 6.0  # pixels
_BLURS = (0.7, 1.2, 2.0)  # standard deviations in pixels
_LEAST_CONTRAST = 0.12
_BRIGHTEST, _NOISIEST = 0.9, 0.4
_DRAWN = 16  # random numbers for each image


def soil(pixels: Any, share: float, seed: Any) -> Any:
    """Return the images, the first of them soiled: odd light, dirt and blur, float32 (B, 28, 28, 1) in 0..1.

    Args:
        pixels: float32 (B, 28, 28, 1) in 0..1, in random order.
        share: how many of them are soiled.
        seed: two integers; the same two soil the same images in the same way.
    """
    count = tf.cast(tf.round(share * tf.cast(tf.shape(pixels)[0], tf.float32)), tf.int32)
    clean, chosen = pixels[count:], pixels[:count]
    numbers, noises = tf.unstack(tf.random.experimental.stateless_split(seed, 2))
    unit = iter(tf.unstack(tf.random.stateless_uniform((_DRAWN, count, 1, 1, 1), numbers)))

    def drawn(lowest: float, highest: float) -> Any:
        return lowest + (highest - lowest) * next(unit)

    def sometimes(soiled: Any, image: Any) -> Any:
        return tf.where(next(unit) < _SOMETIMES, soiled, image)

    distance = tf.abs(_along(drawn(0, 2 * math.pi)) - drawn(0, _FARTHEST_LINE))
    line = tf.clip_by_value(drawn(1, _WIDEST_LINE) / 2 + 0.5 - distance, 0, 1)
    image = sometimes(tf.maximum(chosen, line), chosen)

    blur, blurred = drawn(0, len(_BLURS)), image
    for number, deviation in enumerate(_BLURS):
        blurred = tf.where(blur >= number, tf.nn.conv2d(image, _gaussian(deviation), 1, "SAME"), blurred)
    image = sometimes(blurred, image)

    # From paper to ink, dark on light as often as light on dark, never closer than the least contrast.
    contrast = drawn(_LEAST_CONTRAST, 1)
    darker = drawn(0, 1) * (1 - contrast)
    negative = next(unit) < 0.5
    paper = tf.where(negative, darker + contrast, darker)
    image = sometimes(paper + image * tf.where(negative, -contrast, contrast), image)

    light = drawn(0, _BRIGHTEST) * tf.clip_by_value(_along(drawn(0, 2 * math.pi)) / _SIZE + 0.5, 0, 1)
    image = sometimes(image + light * (1 - image), image)

    noise = tf.random.stateless_normal(tf.shape(image), noises) * drawn(0, _NOISIEST)
    image = sometimes(image + noise, image)
    return tf.concat([tf.clip_by_value(image, 0, 1), clean], axis=0)


def _along(angle: Any) -> Any:
    """Return how far each pixel lies along a direction from the centre, in pixels, (B, 28, 28, 1)."""
    places = tf.range(_SIZE, dtype=tf.float32) - (_SIZE - 1) / 2
    return (
        tf.cos(angle) * places[tf.newaxis, tf.newaxis, :, tf.newaxis]
        + tf.sin(angle) * places[:, tf.newaxis, tf.newaxis]
    )


def _gaussian(deviation: float) -> NDArray[np.float32]:
    """Return the kernel of a Gaussian blur, (K, K, 1, 1), three standard deviations each way."""
    reach = math.ceil(3 * deviation)
    line = np.exp(-(np.arange(-reach, reach + 1) ** 2) / (2 * deviation**2))
    kernel = np.outer(line, line) / line.sum() ** 2
    return kernel[..., np.newaxis, np.newaxis].astype(np.float32)
