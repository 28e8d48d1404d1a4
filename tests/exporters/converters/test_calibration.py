from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from mnist_edge_exporters.converters import calibration
from mnist_edge_exporters.converters.calibration import SAMPLES
from mnist_edge_runtime import InputError
from mnist_edge_trainer.data import datasets
from mnist_edge_trainer.data.datasets import Dataset
from numpy.typing import NDArray


def test_the_sample_is_stratified_and_its_provenance_true(dataset: Dataset) -> None:
    split = datasets.split(dataset)
    drawn = calibration.sample(*split.train, dataset.labels, (dataset.test_images,))

    assert drawn.images.shape == (SAMPLES, 28, 28)
    counts = np.array(list(drawn.provenance["per_class"].values()))
    expected = np.bincount(split.train.labels) / len(split.train.labels) * SAMPLES
    assert np.abs(counts - expected).max() <= 1
    assert drawn.provenance["samples"] == counts.sum() == SAMPLES
    assert drawn.provenance["pixel_range"] == [drawn.images.min(), drawn.images.max()]
    assert drawn.provenance["sha256"] == hashlib.sha256(drawn.images.tobytes()).hexdigest()


def test_every_image_comes_from_the_training_split(dataset: Dataset) -> None:
    split = datasets.split(dataset)
    drawn = calibration.sample(*split.train, dataset.labels, (dataset.test_images,))
    allowed = {image.tobytes() for image in split.train.images}
    assert all(image.tobytes() in allowed for image in drawn.images)


def test_tensors_are_what_the_networks_take(digits: Dataset) -> None:
    drawn = calibration.sample(digits.train_images, digits.train_labels, digits.labels, ())
    tensors = drawn.tensors()
    assert tensors.dtype == np.float32
    assert tensors.shape == (SAMPLES, 28, 28, 1)
    assert (tensors.min(), tensors.max()) == (0, 1)


def test_a_small_training_set_is_taken_whole(digits: Dataset) -> None:
    drawn = calibration.sample(digits.train_images[:120], digits.train_labels[:120], digits.labels, ())
    assert np.array_equal(drawn.images, digits.train_images[:120])


def test_a_few_less_than_all_are_taken_whole_too(digits: Dataset) -> None:
    count = len(digits.train_images) - 5
    drawn = calibration.sample(digits.train_images, digits.train_labels, digits.labels, (), count)
    assert len(drawn.images) == len(digits.train_images)


def test_a_class_of_one_image_is_refused(digits: Dataset) -> None:
    labels = np.zeros(len(digits.train_images), np.int64)
    labels[0] = 1
    with pytest.raises(InputError, match="no calibration sample"):
        calibration.sample(digits.train_images, labels, ("a", "b"), ())


def test_an_image_that_judges_is_never_drawn(digits: Dataset) -> None:
    held_out = digits.train_images[::2]
    drawn = calibration.sample(digits.train_images, digits.train_labels, digits.labels, (held_out,), 700)
    assert not {image.tobytes() for image in held_out} & {image.tobytes() for image in drawn.images}


_NOISE = np.random.default_rng(0).integers(0, 256, (60, 28, 28), np.uint8)


@pytest.mark.parametrize(
    ("unfit", "message"),
    [
        (lambda images: (images, np.array([60, 0, 0])), "all of one class"),
        (lambda images: (np.zeros_like(images), np.array([30, 30])), "single grey"),
        (lambda images: (images // 255, np.array([30, 30])), "no calibration pixel is above 1"),
        (lambda images: (_NOISE, np.array([30, 30])), "look like noise"),
        (lambda images: (images / 255, np.array([30, 30])), "expected uint8"),
        (lambda images: (images[:0], np.array([0, 0])), "expected uint8"),
    ],
    ids=["one class", "constant", "scaled before", "random", "floats", "none"],
)
def test_unfit_images_are_refused(
    unfit: Callable[[NDArray[np.uint8]], tuple[Any, NDArray[np.int64]]], message: str, digits: Dataset
) -> None:
    with pytest.raises(InputError, match=message):
        calibration.check(*unfit(digits.train_images[:60]))
