"""Between pixels and tensors: what every engine does before and after it runs."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ..contract import InputSpec, OutputSpec

__all__ = ["decoder", "encoder"]

# Arrays of whichever dtype the contract names.
Tensor = NDArray[np.generic]


def encoder(spec: InputSpec) -> Callable[[NDArray[np.uint8]], Tensor]:
    """Return the function from uint8 images (N, 28, 28) to the input tensor (N, 28, 28, 1)."""
    pixels = np.arange(256)
    if spec.dtype == "float32":
        # What training computes, to the last bit: float32(pixel) / float32(255).
        table: Tensor = pixels.astype(np.float32) / np.float32(255)
    else:
        limits = np.iinfo(spec.dtype)
        steps = np.rint(pixels / (255 * spec.scale)) + spec.zero_point
        table = np.clip(steps, limits.min, limits.max).astype(spec.dtype)
    if spec.dtype == "uint8" and np.array_equal(table, pixels):
        return lambda images: images[..., np.newaxis]  # the bytes of the image are the tensor
    return lambda images: table[images][..., np.newaxis]


def decoder(spec: OutputSpec) -> Callable[[Tensor], NDArray[np.float32]]:
    """Return the function from the raw output tensor (N, classes) to logits, float32 (N, classes)."""
    if spec.dtype == "float32":
        return lambda raw: np.asarray(raw, np.float32)
    scale, zero_point = np.float32(spec.scale), np.float32(spec.zero_point)
    return lambda raw: (raw.astype(np.float32) - zero_point) * scale
