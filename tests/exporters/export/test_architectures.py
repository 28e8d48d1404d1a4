"""Every architecture of the trainer's table passes parity as int8, with the weights of the file that is shipped."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from mnist_edge.cli import Sources
from mnist_edge_exporters.export.export import export
from mnist_edge_exporters.spec import Options, select
from mnist_edge_trainer.networks.architectures import ARCHITECTURES

from tests.conftest import ROOT


@pytest.mark.usefixtures("converting_here")
@pytest.mark.parametrize("name", [name for name in ARCHITECTURES if name != "classic"])  # that is tested everywhere
def test_int8_files_pass_parity(name: str, tmp_path: Path) -> None:
    file = Path(shutil.copy(ROOT / "models" / f"{name}.keras", tmp_path))
    source, folder = Sources().find(tmp_path, None, file, "digits")
    outcomes = list(export(source, select("all", "int8"), folder, Options()))
    assert {outcome.spec.format for outcome in outcomes} == {"tflite", "onnx"}
    for outcome in outcomes:
        assert outcome.failures == ()
        assert outcome.proof.report is not None
        assert outcome.proof.report.reference_accuracy > 0.9
        assert outcome.file is not None
        assert outcome.file.is_file()
