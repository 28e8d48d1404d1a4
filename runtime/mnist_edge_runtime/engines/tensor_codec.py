"""Encode pixels as input tensors and decode output tensors to logits, for every engine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..model_file.contract import IMAGE_SHAPE, InputSpec, OutputSpec

__all__ = ["Tensor", "decoder", "encoder"]

# An array of the dtype that the contract names.
Tensor = NDArray[Any]

_SHAPE = (-1, *IMAGE_SHAPE, 1)


def encoder(spec: InputSpec) -> Callable[[NDArray[np.uint8]], Tensor]:
    """Return the function from uint8 images (N, 28, 28), or one (28, 28), to the input tensor (N, 28, 28, 1)."""
    if spec.dtype == "float32":
        # As training computes it, to the last bit: float32(pixel) / float32(255).
        float32, white = np.dtype(np.float32), np.array(255, np.float32)

        def real_values(images: NDArray[np.uint8]) -> Tensor:
            tensor = images.astype(float32)
            tensor /= white
            return tensor.reshape(_SHAPE)

        return real_values
    pixels = np.arange(256)
    limits = np.iinfo(spec.dtype)
    steps = np.rint(pixels / (255 * spec.scale)) + spec.zero_point
    table: Tensor = np.clip(steps, limits.min, limits.max).astype(spec.dtype)
    if spec.dtype == "uint8" and np.array_equal(table, pixels):
        return lambda images: images.reshape(_SHAPE)  # the bytes of the image are the tensor
    return lambda images: table.take(images).reshape(_SHAPE)


def decoder(spec: OutputSpec) -> Callable[[Tensor], NDArray[np.float32]]:
    """Return the function from the raw output tensor, of any shape, to logits, float32 of that shape."""
    if spec.dtype == "float32":
        return _as_they_are
    # One look-up is quicker than a conversion, a difference and a product.
    steps = np.arange(256, dtype=np.uint8).view(spec.dtype).astype(np.float32)
    table: NDArray[np.float32] = (steps - np.float32(spec.zero_point)) * np.float32(spec.scale)
    if spec.dtype == "uint8":
        return lambda raw: table.take(raw)
    return lambda raw: table.take(raw.view(np.uint8))


def _as_they_are(logits: Tensor) -> NDArray[np.float32]:
    return logits
