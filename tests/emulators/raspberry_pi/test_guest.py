"""The part of a job that runs on the board, run here: all it needs is the runtime."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from mnist_edge_emulators.raspberry_pi import guest
from mnist_edge_runtime import Classifier, models
from mnist_edge_runtime.model_file import sealed_model

BENCHMARKS = Path(__file__).parents[3] / "benchmarks"


@pytest.fixture
def job(tmp_path: Path) -> Path:
    """Return a folder with a job on the bundled files: the ONNX file does not run on the job's engine."""
    files = models.bundled_models()
    for file in files:
        (tmp_path / file.name).write_bytes(file.read_bytes())
    np.save(tmp_path / "images.npy", sealed_model.read(files[0]).golden.images[:6])
    task = {"engine": "litert", "files": {file.name: 4 for file in files}, "warm_up": 2}
    (tmp_path / "job.json").write_text(json.dumps(task))
    return tmp_path


def _run(task: str, folder: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(BENCHMARKS)}
    subprocess.run([sys.executable, guest.__file__, task, folder], check=True, env=environment, stdout=sys.stderr)


def test_answers_are_the_logits_of_each_image_or_an_error(job: Path) -> None:
    _run("answers", job)

    tflite, onnx = models.bundled_models()
    with np.load(job / "answers.npz") as found, Classifier.load(tflite) as classifier:
        assert list(found) == [tflite.name]
        np.testing.assert_array_equal(found[tflite.name], classifier.logits(np.load(job / "images.npy")[:4]))
    failures = json.loads((job / "answers.json").read_text())
    assert failures[tflite.name] == []
    assert "litert" in failures[onnx.name][0]


def test_marks_surround_the_images_after_the_warm_up(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    monkeypatch.setattr(os, "getppid", lambda: calls.append("mark"))
    guest.marked(lambda tensor: calls.append(str(tensor)), list("abcd"), 2)  # type: ignore[arg-type]

    assert calls == ["a", "b", "mark", "c", "d", "mark"]


def test_counting_runs_to_its_end_without_the_plugin(job: Path) -> None:
    task = json.loads((job / "job.json").read_text())
    task["files"] = {models.bundled_models()[0].name: 0}
    (job / "job.json").write_text(json.dumps(task))

    _run("count", job)
