from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import pytest
from mnist_edge_exporters.converters.base import Activation, ConvertedModel
from mnist_edge_exporters.converters.calibration import UNCALIBRATED, Calibration
from mnist_edge_exporters.converters.registry import CONVERTERS, distributions
from mnist_edge_exporters.spec import ExportSpec, Quantization, formats
from mnist_edge_trainer.data.datasets import Dataset


def _activations(converted: ConvertedModel, format: str, digits: Dataset) -> Mapping[str, Activation]:
    return CONVERTERS[format].activations(converted.payload, converted.input, digits.test_images[:5])


def test_every_format_has_a_converter() -> None:
    assert tuple(CONVERTERS) == formats()


def test_the_distributions_of_an_extra_are_named() -> None:
    assert distributions(ExportSpec("tflite", Quantization.INT4))[-1] == "ai-edge-quantizer"
    for name, row in CONVERTERS.items():
        assert distributions(ExportSpec(name, Quantization.NONE)) == row.distributions


@pytest.mark.parametrize("format", CONVERTERS)
def test_layers_are_those_of_the_keras_model(format: str, own_network: Any, digits: Dataset) -> None:
    converted = CONVERTERS[format].convert(own_network, ExportSpec(format, Quantization.NONE), UNCALIBRATED)
    found = _activations(converted, format, digits)
    pixels = digits.test_images[:5, ..., np.newaxis] / np.float32(255)
    last_convolution = keras.Model(own_network.input, own_network.layers[5].output).predict(pixels, verbose=0)
    channels_first = format == "onnx"
    wanted = last_convolution.transpose(0, 3, 1, 2) if channels_first else last_convolution
    same_shape = [layer.values for layer in found.values() if layer.values.shape == wanted.shape]
    assert min(float(np.abs(values - wanted).max()) for values in same_shape) < 1e-4
    probabilities = own_network.predict(pixels, verbose=0)
    *_, logits = found.values()
    softmax = np.exp(logits.values) / np.exp(logits.values).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(softmax, probabilities, atol=1e-4)


@pytest.mark.long
@pytest.mark.parametrize("format", CONVERTERS)
def test_a_quantized_file_has_the_same_names_and_real_values(
    format: str, own_network: Any, digits: Dataset, drawn: Calibration
) -> None:
    plain = CONVERTERS[format].convert(own_network, ExportSpec(format, Quantization.NONE), UNCALIBRATED)
    quantized = CONVERTERS[format].convert(own_network, ExportSpec(format, Quantization.INT8), drawn)
    expected, found = (_activations(converted, format, digits) for converted in (plain, quantized))
    common = [name for name in found if name in expected]
    assert len(common) >= 5
    assert common[-1] == list(expected)[-1]
    for name in common:
        assert found[name].values.dtype == np.float32
        span = np.ptp(expected[name].values)
        assert np.abs(found[name].values - expected[name].values).max() < 0.2 * span
