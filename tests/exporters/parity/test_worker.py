from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from mnist_edge_exporters.parity import worker
from mnist_edge_exporters.source import Source
from mnist_edge_runtime import Classifier, EngineError
from mnist_edge_runtime.child_process import ChildResult


def test_the_worker_answers_as_the_classifier_does(files: Mapping[str, Path], source: Source) -> None:
    images = source.test[0][:20]
    with Classifier.load(files["tflite-int8"]) as classifier:
        assert np.array_equal(worker.logits(files["tflite-int8"], "litert", images), classifier.logits(images))


def test_the_worker_says_why_an_engine_cannot(files: Mapping[str, Path], source: Source, tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="does not run onnx files"):
        worker.logits(files["onnx-int8"], "litert", source.test[0][:2])
    (tmp_path / "cut.onnx").write_bytes(files["onnx-int8"].read_bytes()[:-1])
    with pytest.raises(EngineError, match="cut short"):
        worker.logits(tmp_path / "cut.onnx", "onnxruntime", source.test[0][:2])


def test_an_engine_that_crashes_is_an_error(
    files: Mapping[str, Path], source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "run_module", lambda *arguments: ChildResult(-11, "", ""))
    with pytest.raises(EngineError, match=r"litert: crashed \(SIGSEGV\)"):
        worker.logits(files["tflite-int8"], "litert", source.test[0][:2])
