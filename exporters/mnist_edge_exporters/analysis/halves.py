"""Two disjoint halves of the calibration images: how much a file's accuracy depends on which images were drawn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from mnist_edge_runtime import Classifier
from mnist_edge_runtime.model_file.sealed_model import SealedModel
from mnist_edge_runtime.output_capture import suppress_output

from ..converters.calibration import Calibration
from ..source import LabelledImages

__all__ = ["compare"]

_IMAGES = 2_000


def compare(
    convert: Callable[[Calibration], SealedModel], drawn: Calibration, validation: LabelledImages
) -> dict[str, Any]:
    """Make the file from either half alone and return how well each reads validation images.

    Args:
        convert: makes the file, unproven, from calibration images.
        drawn: the calibration images.
        validation: images uint8 (N, 28, 28) and label indices (N,); the first 2,000 are read.

    Returns:
        The passport's entry: `samples` and `accuracy` of each half, `difference`, and the number of `images` read.
    """
    images, labels = validation[0][:_IMAGES], validation[1][:_IMAGES]
    halves, accuracies = drawn.halves(), []
    for half in halves:
        with suppress_output():
            classifier = Classifier(convert(half))
        with classifier:
            accuracies.append(float((classifier.logits(images).argmax(axis=1) == labels).mean()))
    return {
        "samples": [len(half.images) for half in halves],
        "accuracy": accuracies,
        "difference": float(np.ptp(accuracies)),
        "images": len(images),
    }
