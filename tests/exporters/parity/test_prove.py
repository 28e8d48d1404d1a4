from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import keras
import pytest
from mnist_edge_exporters.parity import prove as prove_module
from mnist_edge_exporters.parity.comparison import reference_probabilities
from mnist_edge_exporters.parity.prove import Proof, prove, verify
from mnist_edge_exporters.parity.targets import Target, targets_for
from mnist_edge_exporters.parity.tolerance import TOLERANCES
from mnist_edge_exporters.source import Source
from mnist_edge_exporters.spec import Options, Quantization
from mnist_edge_runtime import InputError, ModelError
from mnist_edge_runtime.model_file import sealed_model


def _prove(file: Path, source: Source, targets: list[Target]) -> Proof:
    images, labels = (array[:100] for array in source.test)
    reference = reference_probabilities(source.model, images)
    return prove(file, sealed_model.read(file), targets, reference, images, labels, TOLERANCES[Quantization.INT8])


def test_each_runtime_that_is_installed_ran(files: Mapping[str, Path], source: Source) -> None:
    targets = targets_for("tflite")
    proof = _prove(files["tflite-int8"], source, targets)
    assert proof.failures == ()
    *engines, integer = proof.runtimes
    assert (integer["engine"], integer["differing_logits"]) == ("integer", 0)
    for target, runtime in zip(targets, engines, strict=True):
        assert runtime["status"] == ("ran" if target.is_installed else "table only")
        assert (str(target) in proof.reports) == target.is_installed
        assert runtime.get("images") == (100 if target.is_installed else None)
    assert proof.report is not None
    assert proof.report.images == 100
    assert proof.report.lsb_histogram is not None
    assert f"{targets[0]}: passed" in proof.lines()


def test_a_runtime_that_is_not_here_is_judged_by_the_table(files: Mapping[str, Path], source: Source) -> None:
    proof = _prove(files["onnx-int8"], source, [Target("onnxruntime", "1.18.0")])
    assert proof.runtimes[0]["status"] == "table only"
    assert proof.report is None
    (failure,) = proof.failures
    assert "nothing proves it" in failure


def test_what_the_table_refuses_is_not_run(
    files: Mapping[str, Path], source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prove_module, "incompatibility", lambda target, payload: "CONV_2D version 99 (it knows 7)")
    proof = _prove(files["tflite-int8"], source, targets_for("tflite", ["litert"]))
    assert proof.runtimes[0]["status"] == "refused"
    assert "cannot run it: CONV_2D version 99" in proof.failures[0]


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
