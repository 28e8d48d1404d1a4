"""The values that every converter returns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from mnist_edge_runtime.model_file.contract import InputSpec, OutputSpec
from numpy.typing import NDArray

__all__ = ["Activation", "ConvertedModel", "real_values"]


@dataclass(frozen=True)
class ConvertedModel:
    """Plain model bytes that end at the logits, and how their two tensors are to be read."""

    payload: bytes
    input: InputSpec
    output: OutputSpec


@dataclass(frozen=True)
class Activation:
    """The output of a layer: the layer's operator and its real values, float32 (N, ...)."""

    kind: str
    values: NDArray[np.float32]


def real_values(raw: NDArray[np.generic], scale: float, zero_point: int) -> NDArray[np.float32]:
    """Return the real values behind a tensor; a float tensor, whose scale is 0, is its own."""
    if not np.issubdtype(raw.dtype, np.integer):
        return np.asarray(raw, np.float32)
    return (raw.astype(np.float32) - np.float32(zero_point)) * np.float32(scale)
