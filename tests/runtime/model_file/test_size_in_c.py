from __future__ import annotations

import runpy
from pathlib import Path

import pytest
from mnist_edge_exporters.c_source.generate import network_source
from mnist_edge_exporters.integer import tflite_reader
from mnist_edge_exporters.integer.rounding import FLOAT32
from mnist_edge_runtime import models
from mnist_edge_runtime.model_file import sealed_model
from mnist_edge_runtime.model_file.size_in_c import OPERATORS, SizeInC, size_in_c

ROOT = Path(__file__).parents[3]
FILES = [
    *(models.bundled_models("litert", each)[0] for each in models.NETWORKS),
    *sorted((ROOT / "models").glob("*-int8.tflite")),
]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_shipped_network_needs_what_its_c_has(file: Path) -> None:
    payload = sealed_model.read(file).payload
    program = network_source(tflite_reader.read(payload), "net", FLOAT32, version="0")

    assert size_in_c(payload) == SizeInC(program.constants, program.ram)


@pytest.mark.parametrize("seed", range(12))
def test_other_networks_need_nearly_what_their_c_has(seed: int) -> None:
    """Branches may leave gaps in the C's buffer, and another scale takes a buffer of its own."""
    payload = runpy.run_path(str(ROOT / "benchmarks" / "random_networks.py"))["build"](seed)
    program = network_source(tflite_reader.read(payload), "net", FLOAT32, version="0")
    size = size_in_c(payload)

    assert isinstance(size, SizeInC)
    assert size.constants == pytest.approx(program.constants, abs=250)
    assert program.ram / 2 <= size.buffer <= program.ram


def test_the_operators_are_those_with_a_formula() -> None:
    assert set(tflite_reader._READERS) - {"DEQUANTIZE"} == OPERATORS  # floats end a network that C does not take


def test_an_operator_without_a_formula_is_named() -> None:
    payload = bytearray(sealed_model.read(FILES[0]).payload)
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(payload, 0))
    model.operatorCodes[0].builtinCode = model.operatorCodes[0].deprecatedBuiltinCode = schema.BuiltinOperator.TANH
    import flatbuffers

    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    assert size_in_c(bytes(builder.Output())) == "there is no formula for TANH"
