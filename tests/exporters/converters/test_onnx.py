from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from mnist_edge_exporters.converters import onnx as exporter
from mnist_edge_exporters.converters.base import ConvertedModel
from mnist_edge_exporters.converters.calibration import Calibration
from mnist_edge_exporters.spec import ExportSpec, Granularity, IoDtype, Quantization
from mnist_edge_runtime.model_file.contract import InputSpec
from mnist_edge_trainer.data.datasets import Dataset

SPECS = [ExportSpec("onnx", quantization) for quantization in exporter._QUANTIZERS]
INT8 = ExportSpec("onnx", Quantization.INT8)


@pytest.fixture(scope="module", params=SPECS, ids=str)
def spec(request: pytest.FixtureRequest) -> ExportSpec:
    return request.param


@pytest.fixture(scope="module")
def converted(own_network: Any, spec: ExportSpec, drawn: Calibration) -> ConvertedModel:
    return exporter.convert(own_network, spec, drawn)


def test_the_model_is_one_that_older_runtimes_load(converted: ConvertedModel) -> None:
    model = onnx.load_from_string(converted.payload)
    onnx.checker.check_model(model, full_check=True)
    assert model.ir_version == 8
    assert ("", 17) in [(entry.domain, entry.version) for entry in model.opset_import]


def test_input_and_output_have_their_names_and_a_free_batch(converted: ConvertedModel, digits: Dataset) -> None:
    session = onnxruntime.InferenceSession(converted.payload, providers=["CPUExecutionProvider"])
    images = digits.test_images[:7, ..., np.newaxis]
    tensor = images if converted.input.dtype == "uint8" else images / np.float32(255)
    (logits,) = session.run(["logits"], {"image": tensor})
    assert logits.shape == (7, 10)
    assert logits.dtype == converted.output.dtype


def test_the_tensors_are_those_of_the_contract(converted: ConvertedModel, spec: ExportSpec) -> None:
    if spec == INT8:
        assert (converted.input.dtype, converted.input.zero_point) == ("uint8", 0)
        assert converted.input.scale == pytest.approx(1 / 255)
        assert converted.output.dtype == "uint8"
    else:
        assert converted.input == InputSpec("float32", 1.0, 0)
        assert (converted.output.dtype, converted.output.scale) == ("float32", 1.0)


def test_int8_weights_are_int8_per_channel(own_network: Any, drawn: Calibration) -> None:
    model = onnx.load_from_string(exporter.convert(own_network, INT8, drawn).payload)
    constants = {constant.name: onnx.numpy_helper.to_array(constant) for constant in model.graph.initializer}
    scales = {node.output[0]: constants.get(node.input[1]) for node in model.graph.node if "Dequant" in node.op_type}
    sources = {node.output[0]: node.input[0] for node in model.graph.node if "Dequant" in node.op_type}
    weights = [node.input[1] for node in model.graph.node if node.op_type in ("Conv", "Gemm", "MatMul")]
    assert len(weights) == 4
    for name in weights:
        assert constants[sources[name]].dtype == np.int8
        assert scales[name] is not None
        assert scales[name].size > 1


def test_no_float_arithmetic_stands_before_the_first_convolution(own_network: Any, drawn: Calibration) -> None:
    model = onnx.load_from_string(exporter.convert(own_network, INT8, drawn).payload)
    readers = {name: node for node in model.graph.node for name in node.input}
    name, way = "image", []
    while not way or way[-1] != "Conv":
        way.append(readers[name].op_type)
        name = readers[name].output[0]
    assert [operator for operator in way if operator not in ("Reshape", "Transpose")] == ["DequantizeLinear", "Conv"]


@pytest.mark.parametrize("granularity", Granularity)
@pytest.mark.parametrize("io_dtype", [IoDtype.UINT8, IoDtype.FLOAT32])
@pytest.mark.parametrize("opset", [13, 18])
def test_int8_takes_its_options(
    own_network: Any, drawn: Calibration, io_dtype: IoDtype, granularity: Granularity, opset: int
) -> None:
    spec = replace(INT8, io_dtype=io_dtype, granularity=granularity, opset=opset)
    converted = exporter.convert(own_network, spec, drawn)
    model = onnx.load_from_string(converted.payload)
    assert converted.input.dtype == converted.output.dtype == io_dtype
    assert ("", opset) in [(entry.domain, entry.version) for entry in model.opset_import]
    scales = [constant for constant in model.graph.initializer if constant.data_type == onnx.TensorProto.FLOAT]
    assert any(max(constant.dims, default=1) > 1 for constant in scales) == (granularity is Granularity.PER_CHANNEL)


def test_converting_prints_nothing(own_network: Any, drawn: Calibration, capfd: pytest.CaptureFixture[str]) -> None:
    exporter.convert(own_network, INT8, drawn)
    assert capfd.readouterr() == ("", "")


def test_the_same_network_gives_the_same_bytes(
    own_network: Any, converted: ConvertedModel, spec: ExportSpec, drawn: Calibration
) -> None:
    # tf2onnx numbers its nodes by a counter of the process, so the second conversion is the one that would differ.
    assert exporter.convert(own_network, spec, drawn) == converted
