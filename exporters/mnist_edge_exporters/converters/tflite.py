"""Keras -> TFLite."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter
from mnist_edge_runtime.model_file.contract import InputSpec, OutputSpec
from mnist_edge_runtime.output_capture import suppress_output

from ..keras_model import to_logits
from ..spec import ExportSpec, Granularity, Quantization
from .base import ConvertedModel
from .calibration import Calibration

__all__ = ["convert"]


def convert(model: Any, spec: ExportSpec, calibration: Calibration) -> ConvertedModel:
    """Return the model as TFLite with batch size 1.

    `int8` is full-integer: weights and activations are int8, image and logits of the spec's dtype. `int16x8` has
    int16 activations and int8 weights, `dynamic` int8 weights alone, `int4` int4 weights of convolutions and dense
    layers, `float16` float16 weights; these and `none` take and give float32.

    Args:
        model: a checked Keras model.
        spec: a TFLite cell.
        calibration: the images that `int8` and `int16x8` learn their ranges from.
    """
    network = to_logits(model, batch_size=1)
    with tempfile.TemporaryDirectory(prefix="mnist-edge-") as folder, suppress_output():
        archive = keras.export.ExportArchive()
        archive.track(network)
        archive.add_endpoint("serving_default", network.call, [tf.TensorSpec((1, 28, 28, 1), tf.float32, name="image")])
        archive.write_out(folder, verbose=False)
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        _SETTINGS[spec.quantization](converter, spec, calibration)
        payload: bytes = converter.convert()
        if spec.quantization is Quantization.INT4:
            payload = _with_int4_weights(payload)
    interpreter = Interpreter(model_content=payload)
    image, logits = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    return ConvertedModel(payload, InputSpec(*_meaning(image)), OutputSpec(*_meaning(logits)))


def _float32(converter: Any, spec: ExportSpec, calibration: Calibration) -> None:
    """Leave the weights as they are."""


def _float16(converter: Any, spec: ExportSpec, calibration: Calibration) -> None:
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.target_spec.supported_types = [tf.float16]


def _dynamic(converter: Any, spec: ExportSpec, calibration: Calibration) -> None:
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    # Per-channel dense weights are version 12 of FULLY_CONNECTED, which tflite-runtime 2.14 does not know.
    converter._experimental_disable_per_channel_quantization_for_dense_layers = True


def _int8(converter: Any, spec: ExportSpec, calibration: Calibration) -> None:
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: _one_by_one(calibration)
    # Without this a layer that cannot be quantized would silently stay float.
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.as_dtype(spec.io_dtype.value)
    if spec.granularity is Granularity.PER_TENSOR:
        converter._experimental_disable_per_channel = True
        converter._experimental_disable_per_channel_quantization_for_dense_layers = True


def _int16x8(converter: Any, spec: ExportSpec, calibration: Calibration) -> None:
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: _one_by_one(calibration)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8]


_SETTINGS: Mapping[Quantization, Callable[[Any, ExportSpec, Calibration], None]] = {
    Quantization.NONE: _float32,
    Quantization.FLOAT16: _float16,
    Quantization.DYNAMIC: _dynamic,
    Quantization.INT8: _int8,
    Quantization.INT16X8: _int16x8,
    Quantization.INT4: _float32,  # what is quantized is the float file
}


def _with_int4_weights(payload: bytes) -> bytes:
    """Return a float file with int4 weights per channel, whose activations the kernels quantize as they come.

    On validation images that read as many as weights dequantized to float, in less than half the time.
    """
    from ai_edge_quantizer import quantizer, recipe

    quantized = quantizer.Quantizer(bytearray(payload), recipe.dynamic_wi4_afp32()).quantize()
    return bytes(quantized.quantized_model)


def _one_by_one(calibration: Calibration) -> Iterator[list[Any]]:
    for tensor in calibration.tensors():
        yield [tensor[np.newaxis]]


def _meaning(details: Any) -> tuple[str, float, int]:
    """Return dtype, scale and zero point; a float tensor is its own real value."""
    scale, zero_point = details["quantization"]
    return np.dtype(details["dtype"]).name, float(scale) or 1.0, int(zero_point)
