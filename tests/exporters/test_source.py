from __future__ import annotations

from dataclasses import replace

import pytest
from mnist_edge_exporters.source import Source
from mnist_edge_runtime import InputError
from mnist_edge_trainer.data import datasets
from mnist_edge_trainer.data.datasets import Dataset
from mnist_edge_trainer.runs.run import Run


def test_model_and_data_stand_side_by_side(run: Run, dataset: Dataset, source: Source) -> None:
    split = datasets.split(dataset)
    assert source.name == run.name
    assert source.labels == dataset.labels
    for images, labels in (source.train, source.validation, source.test):
        assert len(images) == len(labels)
    assert len(source.train[0]) == len(split.train_images)
    assert len(source.validation[0]) == len(split.validation_images)
    assert len(source.test[0]) == len(dataset.test_images)
    assert source.golden[0] is source.test[0]


def test_data_of_other_classes_is_refused(run: Run, dataset: Dataset) -> None:
    other = replace(dataset, labels=("a", "b", "c"))
    with pytest.raises(InputError, match="has 10 classes, the data 3"):
        Source.load("x", run.model_file, {}, other, datasets.split(dataset))


def test_golden_images_may_come_from_elsewhere_but_with_the_same_labels(
    run: Run, dataset: Dataset, digits: Dataset
) -> None:
    split = datasets.split(dataset)
    elsewhere = replace(digits, test_images=digits.test_images[:50], test_labels=digits.test_labels[:50])
    source = Source.load("x", run.model_file, {}, dataset, split, elsewhere)
    assert source.golden == (elsewhere.test_images, elsewhere.test_labels)
    with pytest.raises(InputError, match="golden images have other labels than the data: a b"):
        Source.load("x", run.model_file, {}, dataset, split, replace(digits, labels=("a", "b")))
