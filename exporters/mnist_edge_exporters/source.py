"""The source of an export: a Keras model with the data that calibrates and proves its files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["LabelledImages", "Source"]

LabelledImages = tuple[NDArray[np.uint8], NDArray[np.int64]]  # images (N, 28, 28), label indices (N,)


@dataclass(frozen=True)
class Source:
    """A Keras model and its data.

    Attributes:
        name: the first part of the files' names.
        model: a network that `keras_model.load` returned.
        labels: the label of each class.
        origin: the entries of the contract about the origin of the model.
        train: the training split; calibration draws from it.
        validation: the validation split; thresholds and the best file are chosen on it.
        test: the whole test set; parity is counted on it.
        golden: the images of which a file carries some for its self-test.
    """

    name: str
    model: Any
    labels: tuple[str, ...]
    origin: Mapping[str, Any]
    train: LabelledImages
    validation: LabelledImages
    test: LabelledImages
    golden: LabelledImages
