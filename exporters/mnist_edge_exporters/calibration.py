"""The images by which a quantizer learns the range of every tensor, and their passport."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from mnist_edge_runtime.errors import InputError
from numpy.typing import NDArray

__all__ = ["SAMPLES", "Calibration", "sample"]

SAMPLES = 500
_SEED = 0


@dataclass(frozen=True)
class Calibration:
    """Images uint8 (N, 28, 28) and what the contract says of them."""

    images: NDArray[np.uint8]
    passport: Mapping[str, Any]

    def tensors(self) -> NDArray[np.float32]:
        """Return them as the networks take them: float32 (N, 28, 28, 1) in 0..1."""
        return self.images[..., np.newaxis] / np.float32(255)


def sample(images: NDArray[np.uint8], labels: NDArray[np.int64], names: tuple[str, ...]) -> Calibration:
    """Draw a stratified sample of the training images, the same for the same data.

    Args:
        images: the training split, uint8 (N, 28, 28).
        labels: the index of each image's class, (N,).
        names: the label of each class.

    Raises:
        InputError: too few images of some class.
    """
    from sklearn.model_selection import train_test_split

    chosen = np.arange(len(images))
    if len(images) > SAMPLES:
        try:
            chosen, _ = train_test_split(chosen, train_size=SAMPLES, stratify=labels, random_state=_SEED)
        except ValueError as error:
            raise InputError(f"no calibration sample can be drawn from the training images: {error}") from None
    drawn = images[chosen]
    counts = np.bincount(labels[chosen], minlength=len(names))
    passport = {
        "method": "stratified sample of the training split",
        "seed": _SEED,
        "samples": len(drawn),
        "per_class": {name: int(count) for name, count in zip(names, counts, strict=True)},
        "pixel_range": [int(drawn.min()), int(drawn.max())],
        "sha256": hashlib.sha256(drawn.tobytes()).hexdigest(),
    }
    return Calibration(drawn, passport)
