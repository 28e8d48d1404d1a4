from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from mnist_edge_exporters.parity import targets
from mnist_edge_exporters.parity.targets import Target, incompatibility, targets_for
from mnist_edge_runtime import UsageError
from mnist_edge_runtime.model_file import sealed_model

OLD = Target("tflite-runtime", "2.14.0")
VARIANTS = ["tflite-none", "tflite-float16", "tflite-dynamic", "tflite-int8", "tflite-int16x8"]


def test_by_default_a_tflite_file_must_load_on_the_last_tflite_runtime() -> None:
    assert OLD in targets_for("tflite")
    assert [target.engine for target in targets_for("onnx")] == ["onnxruntime"]


def test_what_must_have_run_is_for_the_engines_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """int16x8 and int4 files load on a tflite-runtime that answers them wrongly, which no table can tell."""
    monkeypatch.setattr(targets, "_installed", lambda engine: {"litert": "2.3.0"}.get(engine))
    assert targets_for("tflite", must_run=True) == [Target("litert", "2.3.0")]
    assert targets_for("tflite") == [Target("litert", "2.3.0"), OLD]


def test_the_targets_of_a_file_are_those_of_its_contract(files: Mapping[str, Path]) -> None:
    contract = replace(
        sealed_model.read(files["tflite-int8"]).contract,
        runtimes=({"engine": "litert", "version": "0.1", "status": "ran"},),
    )
    assert targets.targets_of(contract) == targets_for("tflite", ["litert"])


def test_named_targets_stand_for_their_format_alone() -> None:
    assert targets_for("tflite", ["tflite-runtime==2.14.0"]) == [OLD]
    assert targets_for("onnx", ["tflite-runtime==2.14.0"]) == targets_for("onnx")
    (installed,) = targets_for("tflite", ["litert"])
    assert installed.is_installed


@pytest.mark.parametrize(
    ("name", "message"),
    [("tensorrt", "unknown; choose from litert"), ("litert==0.1.0", "neither installed here nor in the table")],
)
def test_unknown_targets_are_refused(name: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        targets_for("tflite", [name])


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_offered_file_loads_on_the_last_tflite_runtime(variant: str, files: Mapping[str, Path]) -> None:
    assert incompatibility(OLD, sealed_model.read(files[variant]).payload) is None


def test_an_operator_from_the_future_is_named(files: Mapping[str, Path]) -> None:
    from ai_edge_litert import schema_py_generated as schema

    flatbuffers = pytest.importorskip("flatbuffers")
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(sealed_model.read(files["tflite-int8"]).payload, 0))
    convolution = next(code for code in model.operatorCodes if code.builtinCode == schema.BuiltinOperator.CONV_2D)
    convolution.version = 99
    builder = flatbuffers.Builder(1 << 20)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    objection = incompatibility(OLD, bytes(builder.Output()))
    assert objection == "CONV_2D version 99 (it knows 7)"


def test_an_opset_that_is_too_new_is_named(files: Mapping[str, Path]) -> None:
    import onnx

    model = onnx.load_from_string(sealed_model.read(files["onnx-none"]).payload)
    assert incompatibility(Target("onnxruntime", "1.17.0"), model.SerializeToString()) is None
    model.opset_import[0].version, model.ir_version = 23, 11
    objection = incompatibility(Target("onnxruntime", "1.17.0"), model.SerializeToString())
    assert objection == "IR version 11 (it knows 9), opset version 23 (it knows 20)"


def test_the_table_agrees_with_the_interpreters(files: Mapping[str, Path]) -> None:
    """A file with dense weights per channel is one that tflite-runtime 2.14 really refuses."""
    known = targets._operator_table()
    assert known[str(OLD)]["FULLY_CONNECTED"] < 12
    assert all(np.array(list(versions.values())).min() >= 1 for versions in known.values())


def test_looking_up_a_file_loads_no_tensorflow(files: Mapping[str, Path]) -> None:
    """`bundle` asks for this on machines where it takes seconds."""
    code = (
        "import sys; from mnist_edge_exporters.parity.targets import Target, incompatibility\n"
        "from mnist_edge_runtime.model_file import sealed_model\n"
        f"payload = sealed_model.read({str(files['tflite-int8'])!r}).payload\n"
        "print(incompatibility(Target('tflite-runtime', '2.14.0'), payload), 'tensorflow' in sys.modules)"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert told.split() == ["None", "False"]
