from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from mnist_edge_exporters.source import Source
from mnist_edge_runtime.errors import InputError
from mnist_edge_trainer.data.datasets import Dataset
from mnist_edge_trainer.runs.run import Run


def test_model_and_data_are_one_value(run: Run, dataset: Dataset, source: Source) -> None:
    assert source.name == run.name
    assert source.labels == dataset.labels
    assert source.model.outputs[0].shape[1] == len(source.labels)
    for images, labels in (source.train, source.validation, source.test, source.golden):
        assert images.shape[1:] == (28, 28)
        assert len(images) == len(labels)
    assert len(source.train[0]) + len(source.validation[0]) == len(dataset.train_images)
    assert source.golden[0] is source.test[0]


@contextmanager
def _replaced() -> Iterator[None]:
    raise InputError("was replaced")
    yield


def test_a_file_that_is_missing_because_the_run_was_replaced_says_so(own_source: Source) -> None:
    with pytest.raises(InputError, match="was replaced"), replace(own_source, unchanged=_replaced).in_use():
        raise FileNotFoundError
    with pytest.raises(FileNotFoundError), own_source.in_use():
        raise FileNotFoundError
    with replace(own_source, unchanged=_replaced).in_use():
        pass
