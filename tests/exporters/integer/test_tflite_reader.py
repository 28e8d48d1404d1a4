from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import flatbuffers
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from mnist_edge_exporters.integer import tflite_reader
from mnist_edge_exporters.integer.network import Convolution, Dense, DepthwiseConvolution, Requantize, Window
from mnist_edge_runtime import ModelError, models
from mnist_edge_runtime.model_file import sealed_model


def test_the_bundled_network_is_read_layer_by_layer() -> None:
    (file,) = models.bundled_models("litert", "small")
    network = tflite_reader.read(sealed_model.read(file).payload)

    first, *middle, last = network.operators
    assert isinstance(first, Requantize)
    assert isinstance(last, Requantize)
    assert {type(operator) for operator in middle} == {Convolution, DepthwiseConvolution, Dense}
    image, logits = network.tensors[network.input], network.tensors[network.output]
    assert (image.shape, image.dtype, image.zero_point) == ((1, 28, 28, 1), "uint8", 0)
    assert (logits.shape, logits.dtype) == ((1, 10), "uint8")
    convolution = middle[0]
    assert isinstance(convolution, Convolution)
    assert convolution.weights.shape[3] == 1
    assert len(convolution.bias) == len(convolution.scales) == len(convolution.weights)
    assert convolution.low == network.tensors[convolution.output].zero_point  # a fused ReLU


def test_same_padding_is_spelled_out(build: Callable[..., bytes]) -> None:
    """TensorFlow pads the smaller half in front; without padding there is none."""
    found = {
        operator.window
        for seed in range(30)
        for operator in tflite_reader.read(build(seed, ["convolution"])).operators
        if isinstance(operator, Convolution)
    }
    assert Window((2, 2), (1, 1), (0, 0), (1, 1)) in found or any(window.before != window.after for window in found)
    assert any(window.after == (0, 0) for window in found)
    assert all(0 <= late - early <= 1 for each in found for early, late in zip(each.before, each.after, strict=True))


def _renamed(payload: bytes, before: str, after: str) -> bytes:
    """Return the file with one kind of operator turned into another."""
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(payload, 0))
    for code in model.operatorCodes:
        if code.builtinCode == getattr(schema.BuiltinOperator, before):
            code.builtinCode = code.deprecatedBuiltinCode = getattr(schema.BuiltinOperator, after)
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def test_an_operator_without_a_formula_is_refused_by_its_layer(build: Callable[..., bytes]) -> None:
    payload = _renamed(build(0, ["relu"]), "RELU", "LOGISTIC")
    payload = _renamed(payload, "RELU6", "LOGISTIC")
    with pytest.raises(
        ModelError, match=r"layer tensor_\d+: operator LOGISTIC has no exact formula; build the network"
    ):
        tflite_reader.read(payload)


@pytest.mark.parametrize("variant", ["tflite-none", "tflite-float16", "tflite-dynamic", "tflite-int16x8"])
def test_a_file_that_is_not_int8_is_refused(variant: str, files: Mapping[str, Path]) -> None:
    with pytest.raises(ModelError, match=r"^layer .*(no int8 constants|expected int8|no exact formula|is a constant)"):
        tflite_reader.read(sealed_model.read(files[variant]).payload)


def test_weights_are_those_of_the_file(build: Callable[..., bytes]) -> None:
    operators = tflite_reader.read(build(3)).operators
    dense = next(operator for operator in operators if isinstance(operator, Dense))
    assert dense.weights.dtype == np.int8
    assert dense.bias.dtype == np.int32
    assert dense.scales.shape == (10,)
