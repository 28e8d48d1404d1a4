from __future__ import annotations

import subprocess
import sys
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


def test_a_file_that_loops_for_ever_is_stopped(endless: Path, tmp_path: Path) -> None:
    """In the worker's own process, as the parent starts it."""
    np.save(tmp_path / "images.npy", np.zeros((2, 28, 28), np.uint8))
    arguments = [str(endless), "onnxruntime", str(tmp_path / "images.npy"), str(tmp_path / "logits.npy")]
    code = (
        "import sys; from mnist_edge_exporters.parity import worker; worker.SECONDS = 2.0; worker.main(*sys.argv[1:])"
    )
    result = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False, timeout=60
    )

    assert result.returncode == 5
    assert result.stderr == (
        "it did not end within 2 seconds for 32 images: "
        "the model may loop for ever, or this machine is too slow for it\n"
    )


def test_an_engine_that_crashes_is_an_error(
    files: Mapping[str, Path], source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "run_module", lambda *arguments: ChildResult(-11, "", ""))
    with pytest.raises(EngineError, match=r"litert: crashed \(SIGSEGV\)"):
        worker.logits(files["tflite-int8"], "litert", source.test[0][:2])
