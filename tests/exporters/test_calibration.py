from __future__ import annotations

import hashlib

import numpy as np
import pytest
from mnist_edge_exporters import calibration
from mnist_edge_runtime import InputError
from mnist_edge_trainer import data
from mnist_edge_trainer.data import Dataset


def test_the_sample_is_stratified_and_its_passport_true(dataset: Dataset) -> None:
    split = data.split(dataset)
    drawn = calibration.sample(split.train_images, split.train_labels, dataset.labels)

    assert drawn.images.shape == (calibration.SAMPLES, 28, 28)
    counts = np.array(list(drawn.passport["per_class"].values()))
    expected = np.bincount(split.train_labels) / len(split.train_labels) * calibration.SAMPLES
    assert np.abs(counts - expected).max() <= 1
    assert drawn.passport["samples"] == counts.sum() == calibration.SAMPLES
    assert drawn.passport["pixel_range"] == [drawn.images.min(), drawn.images.max()]
    assert drawn.passport["sha256"] == hashlib.sha256(drawn.images.tobytes()).hexdigest()


def test_every_image_comes_from_the_training_split(dataset: Dataset) -> None:
    split = data.split(dataset)
    drawn = calibration.sample(split.train_images, split.train_labels, dataset.labels)
    allowed = {image.tobytes() for image in split.train_images}
    assert all(image.tobytes() in allowed for image in drawn.images)


def test_tensors_are_what_the_networks_take(digits: Dataset) -> None:
    drawn = calibration.sample(digits.train_images, digits.train_labels, digits.labels)
    tensors = drawn.tensors()
    assert tensors.dtype == np.float32
    assert tensors.shape == (calibration.SAMPLES, 28, 28, 1)
    assert (tensors.min(), tensors.max()) == (0, 1)


def test_a_small_training_set_is_taken_whole(digits: Dataset) -> None:
    drawn = calibration.sample(digits.train_images[:120], digits.train_labels[:120], digits.labels)
    assert np.array_equal(drawn.images, digits.train_images[:120])


def test_a_class_of_one_image_is_refused(digits: Dataset) -> None:
    labels = np.zeros(len(digits.train_images), np.int64)
    labels[0] = 1
    with pytest.raises(InputError, match="no calibration sample"):
        calibration.sample(digits.train_images, labels, ("a", "b"))
