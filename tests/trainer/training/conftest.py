"""A teacher for the tests of distillation and of resumption: a run."""

from __future__ import annotations

import pytest
from mnist_edge_trainer.data.datasets import Dataset, Split
from mnist_edge_trainer.runs import run
from mnist_edge_trainer.runs.run import Run, TrainedRun


@pytest.fixture(scope="session")
def teacher(trained: TrainedRun, small: tuple[Dataset, Split], tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The quick training, saved."""
    return run.save(trained, small[0], tmp_path_factory.mktemp("teacher"), "teacher")
