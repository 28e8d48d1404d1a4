"""A Keras model and the data that its exports are calibrated and proven with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from mnist_edge_runtime.errors import InputError
from numpy.typing import NDArray

from . import keras_model

__all__ = ["LabelledImages", "Source"]

LabelledImages = tuple[NDArray[np.uint8], NDArray[np.int64]]


class _Dataset(Protocol):
    """What this package asks of a data set, whoever loaded it."""

    @property
    def labels(self) -> tuple[str, ...]: ...
    @property
    def test_images(self) -> NDArray[np.uint8]: ...
    @property
    def test_labels(self) -> NDArray[np.int64]: ...


class _Split(Protocol):
    """The same of its training images, parted in two."""

    @property
    def train_images(self) -> NDArray[np.uint8]: ...
    @property
    def train_labels(self) -> NDArray[np.int64]: ...
    @property
    def validation_images(self) -> NDArray[np.uint8]: ...
    @property
    def validation_labels(self) -> NDArray[np.int64]: ...


@dataclass(frozen=True)
class Source:
    """What an export starts from.

    Attributes:
        name: opens the names of the files.
        model: what `network.load` returned.
        labels: the label of each class.
        origin: what the contract says of where the model came from.
        train: the training split, images uint8 (N, 28, 28) and label indices (N,); calibration draws from it.
        validation: the validation split in the same form.
        test: the whole test set in the same form; parity is counted on it.
        golden: images in the same form, of which a file carries some for its self-test.
    """

    name: str
    model: Any
    labels: tuple[str, ...]
    origin: Mapping[str, Any]
    train: LabelledImages
    validation: LabelledImages
    test: LabelledImages
    golden: LabelledImages

    @classmethod
    def load(
        cls,
        name: str,
        model_file: Path,
        origin: Mapping[str, Any],
        dataset: _Dataset,
        split: _Split,
        golden: _Dataset | None = None,
    ) -> Source:
        """Load the model and put its data beside it; without a golden data set the test images are the golden ones.

        Raises:
            InputError: there is no such file, it has another number of classes than the data, or the golden data set
                has other labels.
            ModelError: it is not a digit reader that Keras can load.
        """
        model = keras_model.load(model_file)
        classes = model.outputs[0].shape[1]
        if classes != len(dataset.labels):
            raise InputError(
                f"{model_file}: has {classes} classes, the data {len(dataset.labels)}; name its own with --data"
            )
        golden = golden or dataset
        if golden.labels != dataset.labels:
            raise InputError(f"the golden images have other labels than the data: {' '.join(golden.labels)}")
        return cls(
            name=name,
            model=model,
            labels=dataset.labels,
            origin=origin,
            train=(split.train_images, split.train_labels),
            validation=(split.validation_images, split.validation_labels),
            test=(dataset.test_images, dataset.test_labels),
            golden=(golden.test_images, golden.test_labels),
        )
