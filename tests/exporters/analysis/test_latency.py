from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from mnist_edge_exporters.analysis import latency
from mnist_edge_runtime import EngineError
from mnist_edge_runtime.diagnostics import benchmark
from mnist_edge_runtime.diagnostics.turn_process import InterleavedProcess


@pytest.mark.long
def test_files_take_turns_and_each_has_its_median(files: Mapping[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    turns: list[int] = []
    words: set[str] = set()
    take_turn = InterleavedProcess.take_turn

    def noted(process: InterleavedProcess, word: str) -> None:
        turns.append(id(process))
        words.add(word)
        take_turn(process, word)

    monkeypatch.setattr(InterleavedProcess, "take_turn", noted)
    runs = [(files["tflite-int8"], "litert"), (files["tflite-int16x8"], "litert"), (files["onnx-none"], "onnxruntime")]
    found = latency.measure([*runs, runs[0]])
    assert list(found) == runs
    assert found[runs[1]] > 3 * found[runs[0]] > 0  # int16x8 runs on reference kernels
    assert turns == turns[:3] * benchmark.SINGLE_TURNS
    assert len(set(turns[:3])) == 3
    assert words == {"engine"}


def test_an_engine_that_cannot_says_why(files: Mapping[str, Path], tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="does not run onnx files"):
        latency.measure([(files["tflite-int8"], "litert"), (files["onnx-int8"], "litert")])
    (tmp_path / "cut.tflite").write_bytes(files["tflite-int8"].read_bytes()[:-1])
    with pytest.raises(EngineError, match="cut short"):
        latency.measure([(tmp_path / "cut.tflite", "litert")])


def test_an_engine_that_dies_between_two_turns_is_an_error(
    files: Mapping[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    take_turn = InterleavedProcess.take_turn

    def killed(process: InterleavedProcess, word: str) -> None:
        process._process.kill()
        process._process.wait()
        take_turn(process, word)

    monkeypatch.setattr(InterleavedProcess, "take_turn", killed)
    with pytest.raises(EngineError, match=r"litert crashed \(SIGKILL\) while running the file"):
        latency.measure([(files["tflite-int8"], "litert")])
