from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import keras
import pytest
from mnist_edge_exporters.parity.verify import verify
from mnist_edge_exporters.source import Source
from mnist_edge_exporters.spec import Options
from mnist_edge_runtime import InputError, ModelError


def test_a_published_file_is_proven_again(files: Mapping[str, Path], source: Source) -> None:
    proof = verify(files["onnx-int8"], source, Options())
    assert proof.failures == ()
    assert proof.report is not None
    assert proof.report.images == len(source.test[1])


def test_a_file_of_another_model_fails(files: Mapping[str, Path], source: Source) -> None:
    other = keras.models.clone_model(source.model)
    other.set_weights([weights * 0.5 for weights in source.model.get_weights()])
    proof = verify(files["onnx-none"], replace(source, model=other), Options())
    assert any("a probability differs" in failure for failure in proof.failures)


def test_a_stricter_figure_is_applied(files: Mapping[str, Path], source: Source) -> None:
    proof = verify(files["onnx-int8"], source, Options(tolerances=("probability-difference=0",)))
    assert any("a probability differs" in failure for failure in proof.failures)


def test_other_labels_and_altered_files_are_refused(files: Mapping[str, Path], source: Source, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="its labels are 0 1 2"):
        verify(files["onnx-int8"], replace(source, labels=("a", "b")), Options())
    (tmp_path / "altered.onnx").write_bytes(files["onnx-int8"].read_bytes() + b"!")
    with pytest.raises(ModelError, match="beyond its end"):
        verify(tmp_path / "altered.onnx", source, Options())
