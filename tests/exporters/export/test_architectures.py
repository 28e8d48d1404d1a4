"""Every architecture of the trainer's table passes parity as int8, with shipped weights or those of a fast training."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from mnist_edge.cli import Sources
from mnist_edge_exporters.export.export import export
from mnist_edge_exporters.spec import Options, select
from mnist_edge_runtime import Classifier, models
from mnist_edge_trainer.networks.architectures import ARCHITECTURES
from mnist_edge_trainer.networks.config import TrainConfig
from mnist_edge_trainer.networks.published import PUBLISHED, weights_file
from mnist_edge_trainer.training.train import train_run
from numpy.typing import NDArray

from tests.conftest import ROOT


@pytest.mark.long
@pytest.mark.usefixtures("converting_here")
@pytest.mark.parametrize("name", [name for name in ARCHITECTURES if name != "classic"])  # that is tested everywhere
def test_int8_files_pass_parity(name: str, tmp_path: Path) -> None:
    is_published = name in PUBLISHED
    if is_published:
        source, folder = Sources().find(tmp_path, None, Path(shutil.copy(weights_file(name), tmp_path)), "digits")
    else:
        train_run(TrainConfig(name, fast=True), "digits", name, tmp_path)
        source, folder = Sources().find(tmp_path, name, None, None)
    outcomes = list(export(source, select("all", "int8"), folder, Options()))
    assert {outcome.spec.format for outcome in outcomes} == {"tflite", "onnx"}
    for outcome in outcomes:
        assert outcome.failures == ()
        assert outcome.proof.report is not None
        assert outcome.file is not None
        assert outcome.file.is_file()
        if is_published:  # not trained on these digits: what counts is that it reads them as the shipped file
            assert (_read(outcome.file, source.test[0]) == _read(_int8(name), source.test[0])).mean() > 0.98
        else:
            assert outcome.proof.report.reference_accuracy > 0.9


def _int8(name: str) -> Path:
    """Return the shipped int8 file of a network, calibrated on other images."""
    if name in models.NETWORKS:
        return models.bundled_models("litert", name)[0]
    return ROOT / "models" / f"{name}-int8.tflite"


def _read(file: Path, images: NDArray[np.uint8]) -> NDArray[np.int64]:
    with Classifier.load(file) as classifier:
        return classifier.logits(images).argmax(axis=1)
