from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from mnist_edge_exporters.analysis import latency
from mnist_edge_exporters.source import Source
from mnist_edge_runtime import Classifier, EngineError
from mnist_edge_runtime.diagnostics.turn_process import Child


def test_files_take_turns_and_each_has_its_median(
    files: Mapping[str, Path], source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns: list[int] = []
    take_turn = Child.take_turn

    def noted(child: Child) -> None:
        turns.append(id(child))
        take_turn(child)

    monkeypatch.setattr(Child, "take_turn", noted)
    runs = [(files["tflite-int8"], "litert"), (files["tflite-int16x8"], "litert"), (files["onnx-none"], "onnxruntime")]
    found = latency.measure(runs, source.validation[0][:50])
    assert list(found) == runs
    assert found[runs[1]] > 3 * found[runs[0]] > 0  # int16x8 runs on reference kernels
    assert turns == turns[:3] * latency._TURNS
    assert len(set(turns[:3])) == 3


def test_the_unit_is_a_microsecond(files: Mapping[str, Path], source: Source) -> None:
    file, image = files["tflite-int16x8"], source.validation[0][:1]  # slow enough that a busy machine changes little
    (measured,) = latency.measure([(file, "litert")], image).values()
    times = []
    with Classifier.load(file, engine="litert") as classifier:
        for _ in range(50):
            start = time.perf_counter()
            classifier.logits(image)
            times.append(time.perf_counter() - start)
    assert 0.2 < measured / (np.median(times) * 1e6) < 5


def test_an_engine_that_cannot_says_why(files: Mapping[str, Path], source: Source, tmp_path: Path) -> None:
    images = source.validation[0][:2]
    with pytest.raises(EngineError, match="does not run onnx files"):
        latency.measure([(files["tflite-int8"], "litert"), (files["onnx-int8"], "litert")], images)
    (tmp_path / "cut.tflite").write_bytes(files["tflite-int8"].read_bytes()[:-1])
    with pytest.raises(EngineError, match="cut short"):
        latency.measure([(tmp_path / "cut.tflite", "litert")], images)


def test_an_engine_that_dies_between_two_turns_is_an_error(
    files: Mapping[str, Path], source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    take_turn = Child.take_turn

    def killed(child: Child) -> None:
        child._process.kill()
        child._process.wait()
        take_turn(child)

    monkeypatch.setattr(Child, "take_turn", killed)
    with pytest.raises(EngineError, match=r"litert crashed over the file \(signal 9\)"):
        latency.measure([(files["tflite-int8"], "litert")], source.validation[0][:2])
