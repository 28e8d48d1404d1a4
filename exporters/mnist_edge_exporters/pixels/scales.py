"""Define the scales of pixels that networks are trained on, as Keras layers and operations."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from keras import layers, ops
from mnist_edge_runtime.model_file.contract import IMAGE_SHAPE
from numpy.typing import NDArray

__all__ = ["COMMON", "NAMED", "OTHERS", "Statistics", "Tensor", "affine", "candidates", "transposed"]

Tensor = Any  # float32 (N, 28, 28, 1), of numpy or Keras

_PIXELS = math.prod(IMAGE_SHAPE)
_STEP = 1 / 255  # the smallest grey; a blank image, row or column is divided by it
_MNIST = (0.1307, 0.3081)  # mean and deviation
_CHUNK = 10_000  # images; the squares of so many pixels fit into 32 bits together
_SAME = 0.01  # difference of two statistics below which networks cannot tell them apart

# Those that are taken for right where others fit about as well.
COMMON = ("0..1", "0..255", "-1..1", "-0.5..0.5", "standardized:{}:{}".format(*_MNIST), "l2")
# Scale and offset of each scale that is linear and has a name.
NAMED: Mapping[str, tuple[float, float]] = {
    "0..1": (1, 0),
    "0..255": (255, 0),
    "-1..1": (2, -1),
    "-0.5..0.5": (1, -0.5),
    "0..16": (16, 0),  # scikit-learn's digits
}


@dataclass(frozen=True)
class Statistics:
    """Statistics of the training images.

    Attributes:
        means, deviations: mean and standard deviation of each pixel, float32 (28, 28).
        mean, deviation: of all pixels together.
        maximum: the mean of the images' largest pixels.
    """

    means: NDArray[np.float32]
    deviations: NDArray[np.float32]
    mean: float
    deviation: float
    maximum: float

    @classmethod
    def of(cls, images: NDArray[np.uint8]) -> Statistics:
        """Return those of images, uint8 (N, 28, 28), as pixel / 255."""
        sums, squares = np.zeros((2, *IMAGE_SHAPE), np.int64)
        for start in range(0, len(images), _CHUNK):  # in integers, which is exact, and quick in 32 bits
            some = images[start : start + _CHUNK].astype(np.uint32)
            sums += some.sum(axis=0, dtype=np.uint32)
            squares += (some * some).sum(axis=0, dtype=np.uint32)
        means = sums / len(images) / 255
        deviations = np.sqrt((squares * len(images) - sums**2).astype(np.float64)) / len(images) / 255
        deviation = math.sqrt((deviations**2).mean() + means.var())
        maximum = float(images.max(axis=(1, 2)).mean() / 255)
        return cls(means.astype(np.float32), deviations.astype(np.float32), float(means.mean()), deviation, maximum)

    def inverted(self) -> Statistics:
        """Return those of the same images in black on white."""
        return Statistics(1 - self.means, self.deviations, 1 - self.mean, self.deviation, 1.0)


def candidates(statistics: Statistics) -> list[str]:
    """Return the names of all scales to try on images of these statistics; of two that are the same there, only one."""
    mean, deviation = statistics.mean, max(statistics.deviation, _STEP)
    standardized = [_MNIST, (0.449, 0.226)]  # ImageNet's, in grey
    if max(abs(mean - _MNIST[0]), abs(deviation - _MNIST[1])) > _SAME:
        standardized.insert(0, (mean, deviation))
    names = [f"standardized:{first:.4g}:{second:.4g}" for first, second in standardized]
    # The mean subtracted, in both units, and that of ImageNet as Keras' networks from Caffe have it.
    names += [f"rescaled:1:{-mean:.4g}", f"rescaled:255:{-255 * mean:.4g}", "rescaled:255:-116.8"]
    others = [name for name in OTHERS if name != "maximum-per-image" or statistics.maximum < 1 - _SAME]
    return [*NAMED, *names, *others]


def affine(name: str) -> tuple[float, float] | None:
    """Return scale and offset of a linear scale: a named one, standardized:... or rescaled:...; None for others."""
    if name in NAMED:
        return NAMED[name]
    kind, *words = name.split(":")
    try:
        first, second = map(float, words)
    except ValueError:
        return None
    if not (math.isfinite(first) and math.isfinite(second)):
        return None
    if kind == "standardized" and second > 0:
        return 1 / second, -first / second
    return (first, second) if kind == "rescaled" and first else None


def transposed(name: str) -> str:
    """Return the scale of the transposed image that gives the transposed result."""
    return {"l2-rows": "l2-columns", "l2-columns": "l2-rows"}.get(name, name)


def _flat(image: Tensor) -> Tensor:
    return layers.Reshape((_PIXELS,))(image)


def _square(image: Tensor) -> Tensor:
    return layers.Reshape((*IMAGE_SHAPE, 1))(image)


def _unit(values: Tensor) -> Tensor:
    """Divide by the Euclidean norm over the last axis; TensorFlow Lite's converter misreads one over other axes."""
    squares = ops.sum(ops.square(values), axis=-1, keepdims=True)
    return values * ops.rsqrt(ops.maximum(squares, _STEP**2))


def _l2(image: Tensor, statistics: Statistics) -> Tensor:
    return _square(_unit(_flat(image)))


def _l2_columns(image: Tensor, statistics: Statistics) -> Tensor:
    """Normalize each column, as `keras.utils.normalize(images, axis=1)` does."""
    swapped = layers.Permute((3, 2, 1))
    return layers.Permute((3, 2, 1))(_unit(swapped(image)))


def _l2_rows(image: Tensor, statistics: Statistics) -> Tensor:
    """Normalize each row, as `keras.utils.normalize(images)` does."""
    return layers.Permute((1, 3, 2))(_unit(layers.Permute((1, 3, 2))(image)))


def _standardized_image(image: Tensor, statistics: Statistics) -> Tensor:
    """Standardize each image, as `tf.image.per_image_standardization` does."""
    flat = _flat(image)
    centred = flat - ops.mean(flat, axis=-1, keepdims=True)
    variance = ops.mean(ops.square(centred), axis=-1, keepdims=True)
    return _square(centred * ops.rsqrt(ops.maximum(variance, 1 / _PIXELS)))


def _maximum(image: Tensor, statistics: Statistics) -> Tensor:
    flat = _flat(image)
    highest = ops.maximum(ops.max(flat, axis=-1, keepdims=True), _STEP)
    return _square(flat * ops.rsqrt(ops.square(highest)))


def _centred_pixel(image: Tensor, statistics: Statistics) -> Tensor:
    return _normalized(image, statistics.means, np.ones_like(statistics.deviations))


def _standardized_pixel(image: Tensor, statistics: Statistics) -> Tensor:
    """Standardize each pixel by the training images, as scikit-learn's StandardScaler does."""
    return _normalized(image, statistics.means, np.where(statistics.deviations == 0, 1, statistics.deviations))


def _normalized(image: Tensor, means: NDArray[np.float32], deviations: NDArray[np.float32]) -> Tensor:
    normalization = layers.BatchNormalization(center=False, scale=False, epsilon=0, trainable=False)
    normalization.build((None, _PIXELS))
    normalization.set_weights([means.reshape(-1), deviations.reshape(-1) ** 2])
    return _square(normalization(_flat(image), training=False))


def _binary(image: Tensor, statistics: Statistics) -> Tensor:
    """Return 1 for pixels from 128 on, and 0 below."""
    return layers.ReLU(max_value=1)(layers.Rescaling(255, -127)(image))


OTHERS: Mapping[str, Callable[[Tensor, Statistics], Tensor]] = {
    "l2": _l2,
    "l2-columns": _l2_columns,
    "l2-rows": _l2_rows,
    "standardized-per-image": _standardized_image,
    "maximum-per-image": _maximum,
    "standardized-per-pixel": _standardized_pixel,
    "centred-per-pixel": _centred_pixel,
    "binary": _binary,
}
