from __future__ import annotations

from dataclasses import replace

import pytest
from mnist_edge_exporters.source import Source
from mnist_edge_runtime import InputError
from mnist_edge_trainer import data
from mnist_edge_trainer.data import Dataset
from mnist_edge_trainer.run import Run


def test_model_and_data_stand_side_by_side(run: Run, dataset: Dataset, source: Source) -> None:
    split = data.split(dataset)
    assert source.name == run.name
    assert source.labels == dataset.labels
    for images, labels in (source.train, source.validation, source.test):
        assert len(images) == len(labels)
    assert len(source.train[0]) == len(split.train_images)
    assert len(source.validation[0]) == len(split.validation_images)
    assert len(source.test[0]) == len(dataset.test_images)


def test_data_of_other_classes_is_refused(run: Run, dataset: Dataset) -> None:
    other = replace(dataset, labels=("a", "b", "c"))
    with pytest.raises(InputError, match="has 10 classes, the data 3"):
        Source.load("x", run.model_file, {}, other, data.split(dataset))
