from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import onnx
import pytest
from mnist_edge_runtime import models
from mnist_edge_runtime.engines import onnxruntime
from mnist_edge_runtime.model_file import sealed_model
from onnx.reference import ReferenceEvaluator

LIBRARY = "onnxruntime"
EXACT = 4 * 255 * 127  # of the probe


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Return the function that makes a library whose kernels give these sums for one row and for several; its name."""

    def library(one: int, several: int) -> str:
        class Session:
            def __init__(self, payload: bytes, options: Any, providers: list[str]) -> None:
                assert options.entries == {}

            def run(self, names: list[str], tensors: Mapping[str, Any]) -> list[Any]:
                rows = len(tensors["a"])
                return [np.full((rows, 1), one if rows == 1 else several, np.int32)]

        name = f"onnxruntime_{one}_{several}"
        module: Any = ModuleType(name)
        module.SessionOptions = lambda: SimpleNamespace(entries={})
        module.InferenceSession = Session
        monkeypatch.setitem(sys.modules, name, module)
        return name

    return library


@pytest.mark.parametrize(
    ("one", "several", "saturates"),
    [(EXACT, EXACT, False), (2 * 32767, 2 * 32767, True), (EXACT, 2 * 32767, True), (2 * 32767, EXACT, True)],
)
def test_kernels_that_saturate_are_found_by_their_sums(
    library: Callable[..., str], one: int, several: int, saturates: bool
) -> None:
    """As onnxruntime gives them on x86 with VNNI, and without; tests/emulators asks it on such a processor."""
    assert onnxruntime.saturates(library(one, several)) is saturates


def test_the_question_is_a_model_whose_answer_is_known() -> None:
    model = onnx.load_from_string(onnxruntime._PROBE)
    onnx.checker.check_model(model, full_check=True)
    (answer,) = ReferenceEvaluator(model).run(None, {"a": np.full((3, 4), 255, np.uint8)})

    assert [node.op_type for node in model.graph.node] == ["MatMulInteger"]
    assert answer.tolist() == [[EXACT]] * 3


@pytest.mark.parametrize("saturates", [True, False])
def test_exact_kernels_are_asked_for_where_the_usual_ones_saturate(
    monkeypatch: pytest.MonkeyPatch, saturates: bool
) -> None:
    monkeypatch.setattr(onnxruntime, "saturates", lambda library: saturates)
    options = onnxruntime.session(onnxruntime._PROBE).get_session_options()

    if saturates:
        assert options.get_session_config_entry("session.x64quantprecision") == "1"
    else:
        with pytest.raises(RuntimeError):  # it has no such entry
            options.get_session_config_entry("session.x64quantprecision")


def test_exact_kernels_give_the_same_logits(monkeypatch: pytest.MonkeyPatch) -> None:
    sealed = sealed_model.read(models.bundled_models(LIBRARY)[0])
    monkeypatch.setattr(onnxruntime, "saturates", lambda library: True)
    logits = onnxruntime.load(sealed.payload, sealed.contract, 1, LIBRARY).run(sealed.golden.images)

    np.testing.assert_array_equal(logits, sealed.golden.logits["onnxruntime"])


def test_a_model_is_described_without_its_contract(files: Mapping[str, Path]) -> None:
    """Its batch is free, which counts as one image; onnxruntime does not tell scales."""
    sealed = sealed_model.read(files["onnx-int8"])
    model = onnxruntime.load_model(sealed.payload, 1, LIBRARY)

    assert model.input == ("uint8", (1, 28, 28, 1), None, 0)
    assert model.output == ("uint8", (1, 10), None, 0)
    assert model.run(sealed.golden.images[..., np.newaxis]).shape == (len(sealed.golden.images), 10)


@pytest.mark.parametrize("threads", [1, 2])
def test_a_session_has_the_threads_that_were_asked_for(files: Mapping[str, Path], threads: int) -> None:
    options = onnxruntime.session(sealed_model.read(files["onnx-none"]).payload, threads).get_session_options()

    assert (options.intra_op_num_threads, options.inter_op_num_threads) == (threads, 1)


def test_dynamic_quantization_is_run_image_by_image(files: Mapping[str, Path]) -> None:
    """It takes the range of a whole batch: an answer would depend on the other images in it."""
    sealed = sealed_model.read(files["onnx-none"])
    dynamic = replace(sealed.contract, quantization="dynamic")

    assert onnxruntime.load(sealed.payload, dynamic, 1, LIBRARY).batch == 1
    assert onnxruntime.load(sealed.payload, sealed.contract, 1, LIBRARY).batch > 1
