from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter
from mnist_edge_exporters import calibration, tflite
from mnist_edge_exporters.calibration import Calibration
from mnist_edge_exporters.converted import Converted
from mnist_edge_exporters.spec import Quantization
from mnist_edge_runtime.contract import InputSpec
from mnist_edge_trainer.data import Dataset


@pytest.fixture(scope="module")
def drawn(digits: Dataset) -> Calibration:
    return calibration.sample(digits.train_images, digits.train_labels, digits.labels)


@pytest.fixture(scope="module", params=[Quantization.NONE, Quantization.INT8])
def quantization(request: pytest.FixtureRequest) -> Quantization:
    return request.param


@pytest.fixture(scope="module")
def converted(own_network: Any, quantization: Quantization, drawn: Calibration) -> Converted:
    return tflite.convert(own_network, quantization, drawn)


def _interpreter(converted: Converted) -> Any:
    interpreter = Interpreter(model_content=converted.payload)
    interpreter.allocate_tensors()
    return interpreter


def test_the_tensors_are_those_of_the_contract(converted: Converted, quantization: Quantization) -> None:
    if quantization is Quantization.INT8:
        # The bytes of an image are the tensor: no arithmetic on the device.
        assert (converted.input.dtype, converted.input.zero_point) == ("uint8", 0)
        assert converted.input.scale == pytest.approx(1 / 255)
        assert converted.output.dtype == "uint8"
    else:
        assert converted.input == InputSpec("float32", 1.0, 0)
        assert (converted.output.dtype, converted.output.scale) == ("float32", 1.0)
    signature = _interpreter(converted).get_signature_list()["serving_default"]
    assert signature == {"inputs": ["image"], "outputs": ["logits"]}


def test_int8_leaves_no_float_tensor_inside(converted: Converted, quantization: Quantization) -> None:
    dtypes = {np.dtype(tensor["dtype"]).name for tensor in _interpreter(converted).get_tensor_details()}
    assert ("float32" in dtypes) == (quantization is Quantization.NONE)


def test_the_file_ends_at_the_logits(converted: Converted) -> None:
    assert "SOFTMAX" not in {operator["op_name"] for operator in _interpreter(converted)._get_ops_details()}


def test_converting_prints_nothing(own_network: Any, drawn: Calibration, capfd: pytest.CaptureFixture[str]) -> None:
    tflite.convert(own_network, Quantization.INT8, drawn)
    assert capfd.readouterr() == ("", "")


def test_the_same_network_gives_the_same_bytes(
    own_network: Any, converted: Converted, quantization: Quantization, drawn: Calibration
) -> None:
    assert tflite.convert(own_network, quantization, drawn) == converted
