from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter
from mnist_edge_exporters.converters import tflite
from mnist_edge_exporters.converters.base import ConvertedModel
from mnist_edge_exporters.converters.calibration import Calibration
from mnist_edge_exporters.spec import ExportSpec, Granularity, IoDtype, Quantization
from mnist_edge_runtime.model_file.contract import InputSpec

SPECS = [ExportSpec("tflite", quantization) for quantization in tflite._SETTINGS]
INT8 = ExportSpec("tflite", Quantization.INT8)


@pytest.fixture(scope="module", params=SPECS, ids=str)
def spec(request: pytest.FixtureRequest) -> ExportSpec:
    return request.param


@pytest.fixture(scope="module")
def converted(own_network: Any, spec: ExportSpec, drawn: Calibration) -> ConvertedModel:
    return tflite.convert(own_network, spec, drawn)


def _interpreter(converted: ConvertedModel) -> Any:
    interpreter = Interpreter(model_content=converted.payload)
    interpreter.allocate_tensors()
    return interpreter


def _dtypes(converted: ConvertedModel) -> set[str]:
    return {np.dtype(tensor["dtype"]).name for tensor in _interpreter(converted).get_tensor_details()}


def test_the_tensors_are_those_of_the_contract(converted: ConvertedModel, spec: ExportSpec) -> None:
    if spec == INT8:
        # The bytes of an image are the tensor: no arithmetic on the device.
        assert (converted.input.dtype, converted.input.zero_point) == ("uint8", 0)
        assert converted.input.scale == pytest.approx(1 / 255)
        assert converted.output.dtype == "uint8"
    else:
        assert converted.input == InputSpec("float32", 1.0, 0)
        assert (converted.output.dtype, converted.output.scale) == ("float32", 1.0)
    signature = _interpreter(converted).get_signature_list()["serving_default"]
    assert signature == {"inputs": ["image"], "outputs": ["logits"]}


def test_the_weights_are_what_the_quantization_says(converted: ConvertedModel, spec: ExportSpec) -> None:
    expected = {
        Quantization.NONE: set(),
        Quantization.FLOAT16: {"float16"},
        Quantization.DYNAMIC: {"int8"},
        Quantization.INT8: {"uint8", "int8"},
        Quantization.INT16X8: {"int16", "int8", "int64"},
        Quantization.INT4: {"int8"},  # as the interpreter calls them; their size tells
    }[spec.quantization]
    assert _dtypes(converted) - {"float32", "int32"} == expected


@pytest.mark.long
def test_int4_weights_take_half_a_byte(own_network: Any, drawn: Calibration) -> None:
    sizes = {
        quantization: len(tflite.convert(own_network, ExportSpec("tflite", quantization), drawn).payload)
        for quantization in (Quantization.NONE, Quantization.INT4)
    }
    kernels = sum(weights.size for weights in own_network.get_weights() if weights.ndim > 1)
    assert sizes[Quantization.NONE] - sizes[Quantization.INT4] > 0.8 * kernels * (4 - 0.5)


@pytest.mark.long
@pytest.mark.parametrize("granularity", Granularity)
@pytest.mark.parametrize("io_dtype", IoDtype)
def test_int8_takes_its_options(
    own_network: Any, drawn: Calibration, io_dtype: IoDtype, granularity: Granularity
) -> None:
    spec = replace(INT8, io_dtype=io_dtype, granularity=granularity)
    converted = tflite.convert(own_network, spec, drawn)
    assert converted.input.dtype == converted.output.dtype == io_dtype
    # Full-integer: where image and logits are integers no float tensor is left inside.
    assert ("float32" in _dtypes(converted)) == (io_dtype is IoDtype.FLOAT32)
    # Not allocated: LiteRT's delegate rewrites what the file says of dense weights.
    tensors = Interpreter(model_content=converted.payload).get_tensor_details()
    scales = max(len(tensor["quantization_parameters"]["scales"]) for tensor in tensors)
    assert (scales > 1) == (granularity is Granularity.PER_CHANNEL)


def test_the_file_ends_at_the_logits(converted: ConvertedModel) -> None:
    assert "SOFTMAX" not in {operator["op_name"] for operator in _interpreter(converted)._get_ops_details()}


def test_converting_prints_nothing(own_network: Any, drawn: Calibration, capfd: pytest.CaptureFixture[str]) -> None:
    tflite.convert(own_network, INT8, drawn)
    assert capfd.readouterr() == ("", "")


@pytest.mark.long
def test_the_same_network_gives_the_same_bytes(
    own_network: Any, converted: ConvertedModel, spec: ExportSpec, drawn: Calibration
) -> None:
    assert tflite.convert(own_network, spec, drawn) == converted
