from __future__ import annotations

from mnist_edge_exporters.source import Source
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
