"""Every architecture of the trainer's table passes parity as int8."""

from __future__ import annotations

from pathlib import Path

import pytest
from mnist_edge.cli import Sources
from mnist_edge_exporters.export.export import export
from mnist_edge_exporters.spec import Options, select
from mnist_edge_trainer.data import datasets
from mnist_edge_trainer.data.datasets import Dataset
from mnist_edge_trainer.networks.architectures import ARCHITECTURES
from mnist_edge_trainer.networks.config import TrainConfig
from mnist_edge_trainer.runs import run

SETTINGS = {"epochs": 10, "batch_size": 32, "learning_rate": 0.01, "ema": 0, "photometric": 0}


@pytest.mark.usefixtures("converting_here")
@pytest.mark.parametrize("name", [name for name in ARCHITECTURES if name != "classic"])  # that is tested everywhere
def test_int8_files_pass_parity(name: str, digits: Dataset, tmp_path: Path) -> None:
    from mnist_edge_trainer.training.fit import train

    split = datasets.split(digits)
    trained = train(TrainConfig(name, augment="none", parts=SETTINGS), digits, split)
    assert trained.record["metrics"]["test"]["accuracy"] > 0.9
    saved = run.save(trained, digits, tmp_path, name)
    source, _ = Sources().find(tmp_path, name, None, "digits")
    outcomes = list(export(source, select("all", "int8"), saved.exports, Options()))
    assert {outcome.spec.format for outcome in outcomes} == {"tflite", "onnx"}
    for outcome in outcomes:
        assert outcome.failures == ()
        assert outcome.file is not None
        assert outcome.file.is_file()
