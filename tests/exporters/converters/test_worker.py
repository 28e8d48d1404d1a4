from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path
from typing import Any

import keras
import pytest
from mnist_edge_exporters.converters import worker
from mnist_edge_exporters.converters.calibration import Calibration
from mnist_edge_exporters.converters.registry import CONVERTERS
from mnist_edge_exporters.converters.worker import ConverterProcess
from mnist_edge_exporters.spec import ExportSpec, Quantization
from mnist_edge_runtime import ModelError
from mnist_edge_runtime.child_process import ChildResult

FLOAT, INT8 = (ExportSpec("tflite", quantization) for quantization in (Quantization.NONE, Quantization.INT8))
ONNX = ExportSpec("onnx", Quantization.INT8)


@pytest.mark.long
def test_the_files_are_those_of_the_converters_to_the_byte(
    own_network: Any, drawn: Calibration, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever a person has set for Keras."""
    settings = {"floatx": "float16", "backend": "jax", "image_data_format": "channels_first"}
    (tmp_path / "keras.json").write_text(json.dumps(settings))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    with ConverterProcess(own_network, drawn, [FLOAT, INT8, ONNX]) as process:
        for spec in (FLOAT, INT8, ONNX):
            assert process.convert(spec) == CONVERTERS[spec.format].convert(own_network, spec, drawn)


@pytest.mark.long
def test_a_crash_is_one_files_failure_and_the_others_are_made(drawn: Calibration) -> None:
    layers = [keras.layers.Reshape((28, 28)), keras.layers.GRU(4), keras.layers.Dense(10)]
    looping = keras.Sequential([keras.Input((28, 28, 1)), *layers])
    with ConverterProcess(looping, drawn, [FLOAT, INT8, FLOAT]) as process:
        assert process.convert(FLOAT).payload
        with pytest.raises(
            ModelError,
            match=r"crashed \(SIGSEGV\).* try --quantize dynamic .* make GRU without .* with unroll=True",
        ):
            process.convert(INT8)
        assert process.convert(FLOAT).payload


@pytest.mark.long
def test_the_variants_that_the_advice_names_are_made(drawn: Calibration) -> None:
    layers = [keras.layers.Reshape((28, 28)), keras.layers.GRU(4, unroll=True), keras.layers.Dense(10)]
    unrolled = keras.Sequential([keras.Input((28, 28, 1)), *layers])
    with ConverterProcess(unrolled, drawn, [INT8]) as process:
        assert process.convert(INT8).payload


@pytest.mark.long
def test_a_killed_parent_leaves_no_folder(own_network: Any, drawn: Calibration) -> None:
    process = ConverterProcess(own_network, drawn, [])
    assert process._child
    child = process._child._process
    assert child.stdin
    child.stdin.close()  # as the kernel does for a parent that was killed
    assert child.wait(60) == 0
    assert not process._folder.exists()
    process._temporary._finalizer.detach()  # type: ignore[attr-defined]


def test_one_that_was_killed_says_so_and_leaves_nothing(own_network: Any, drawn: Calibration) -> None:
    with ConverterProcess(own_network, drawn, [FLOAT]) as process:
        folder = process._folder
        assert process._child
        os.kill(process._child._process.pid, signal.SIGKILL)
        with pytest.raises(ModelError, match=r"killed \(SIGKILL\).*memory"):
            process.convert(FLOAT)
    assert not folder.exists()


def test_closing_stops_it_in_the_midst_of_its_work(own_network: Any, drawn: Calibration) -> None:
    process = ConverterProcess(own_network, drawn, [ONNX])
    assert process._child
    child = process._child._process
    started = time.monotonic()
    process.close()
    assert child.returncode is not None
    assert time.monotonic() - started < 5


@pytest.mark.parametrize(
    ("raised", "error"),
    [
        (MemoryError(), {"memory": True}),
        (OSError(28, "No space left on device", "x"), {"system": [28, "No space left on device", "x"]}),
        (ModelError("unfit"), {"error": "unfit"}),
        (KeyError("while/x"), {"error": "the converter cannot make it: KeyError 'while/x' in tests"}),
    ],
    ids=["memory", "disk", "model", "library"],
)
def test_what_a_converter_raises_goes_to_the_parent(
    raised: Exception,
    error: dict[str, Any],
    own_network: Any,
    drawn: Calibration,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    class Row:
        def convert(self, *arguments: Any) -> None:
            raise raised

    monkeypatch.setitem(CONVERTERS, "tflite", Row())  # type: ignore[arg-type]
    answer = worker._answer(own_network, FLOAT, drawn, tmp_path / "file")
    assert answer.keys() == error.keys()
    assert str(answer).startswith(str(error)[:-12])


def test_want_of_memory_is_told_as_such() -> None:
    ended = ChildResult(-6, "", "terminate called after throwing an instance of 'std::bad_alloc'")
    assert "want of memory" in worker._obituary(ended, FLOAT, ())
    assert "advice" not in worker._obituary(ended, FLOAT, ())


def test_another_exit_is_told_with_its_last_line() -> None:
    told = worker._obituary(ChildResult(1, "", "noise\nImportError: no such library"), FLOAT, ())
    assert told.startswith("the converter ended: ImportError: no such library; try --quantize")
