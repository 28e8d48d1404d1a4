"""Draw the calibration set for post-training quantization, with its provenance record."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from mnist_edge_runtime.errors import InputError
from mnist_edge_runtime.model_file.contract import IMAGE_SHAPE
from numpy.typing import NDArray

__all__ = ["SAMPLES", "UNCALIBRATED", "Calibration", "check", "sample"]

SAMPLES = 500  # images, unless a person asks for another number
_SEED = 0
_MOST_CONSTANT = 0.5  # share of images that may be of a single grey
_LEAST_WHITE = 64  # of 255: the value that the brightest pixel must reach
_LEAST_CORRELATION = 0.3  # of horizontal neighbours


@dataclass(frozen=True)
class Calibration:
    """Images uint8 (N, 28, 28), and their provenance record for the contract."""

    images: NDArray[np.uint8]
    provenance: Mapping[str, Any]

    def tensors(self) -> NDArray[np.float32]:
        """Return them as the networks take them: float32 (N, 28, 28, 1) in 0..1."""
        return self.images[..., np.newaxis] / np.float32(255)


UNCALIBRATED = Calibration(np.empty((0, *IMAGE_SHAPE), np.uint8), {})


def sample(
    images: NDArray[np.uint8],
    labels: NDArray[np.int64],
    names: tuple[str, ...],
    held_out: tuple[NDArray[np.uint8], ...],
    count: int = SAMPLES,
) -> Calibration:
    """Draw a stratified sample of the training images, the same for the same data.

    Args:
        images: the training split, uint8 (N, 28, 28).
        labels: the index of each image's class, (N,).
        names: the label of each class.
        held_out: the images, uint8 (M, 28, 28), that the result is judged by; an image that is also among them, to
            the byte, is never drawn.
        count: the number of images to draw.

    Raises:
        InputError: too few images of some class, or images that are unfit.
    """
    from sklearn.model_selection import train_test_split

    forbidden = {image.tobytes() for part in held_out for image in part}
    allowed = np.flatnonzero([image.tobytes() not in forbidden for image in images])
    if not len(allowed):
        raise InputError(
            "every training image is also among the validation or test images; there is none left to calibrate with"
        )
    if len(allowed) - count >= len(names):  # otherwise there is nothing to choose from
        try:
            allowed, _ = train_test_split(allowed, train_size=count, stratify=labels[allowed], random_state=_SEED)
        except ValueError as error:
            raise InputError(f"no calibration sample can be drawn from the training images: {error}") from None
    drawn = images[allowed]
    counts = np.bincount(labels[allowed], minlength=len(names))
    check(drawn, counts)
    provenance = {
        "method": "stratified sample of the training split, none of it in the validation or test images",
        "seed": _SEED,
        "samples": len(drawn),
        "per_class": {name: int(number) for name, number in zip(names, counts, strict=True)},
        "pixel_range": [int(drawn.min()), int(drawn.max())],
        "sha256": hashlib.sha256(drawn.tobytes()).hexdigest(),
    }
    return Calibration(drawn, provenance)


def check(images: NDArray[np.uint8], counts: NDArray[np.int64]) -> None:
    """Refuse images that would teach a quantizer wrong ranges.

    Args:
        images: uint8 (N, 28, 28).
        counts: the number of images of each class.

    Raises:
        InputError: of another dtype, of one class, constant, without a full range, or noise.
    """
    if images.dtype != np.uint8 or images.shape[1:] != IMAGE_SHAPE or not len(images):
        raise InputError(f"calibration images are {images.dtype} {images.shape}, expected uint8 (N, 28, 28)")
    if (counts > 0).sum() < 2:
        raise InputError("the calibration images are all of one class; the ranges of the others would be guessed")
    constant = images.reshape(len(images), -1)
    if (constant == constant[:, :1]).all(axis=1).mean() > _MOST_CONSTANT:
        raise InputError("most calibration images are of a single grey, which tells a quantizer nothing")
    if images.max() < _LEAST_WHITE:
        raise InputError(f"no calibration pixel is above {images.max()} of 255; were the pixels scaled to 0..1 before?")
    # Neighbours in a drawing are alike; in noise they are not.
    pixels = images.astype(np.float64)
    if np.corrcoef(pixels[:, :, 1:].ravel(), pixels[:, :, :-1].ravel())[0, 1] < _LEAST_CORRELATION:
        raise InputError("the calibration images look like noise: neighbouring pixels are hardly correlated")
