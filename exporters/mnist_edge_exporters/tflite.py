"""Keras -> TFLite."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter
from mnist_edge_runtime.contract import InputSpec, OutputSpec
from mnist_edge_runtime.quiet import quiet

from .calibration import Calibration
from .converted import Converted
from .network import to_logits
from .spec import Quantization

__all__ = ["convert"]


def convert(model: Any, quantization: Quantization, calibration: Calibration) -> Converted:
    """Return the model as TFLite with batch size 1.

    `int8` is full-integer: weights and activations are int8, image and logits uint8.

    Args:
        model: a checked Keras model.
        quantization: `none` or `int8`.
        calibration: the images that `int8` learns its ranges from.
    """
    network = to_logits(model, batch_size=1)
    with tempfile.TemporaryDirectory(prefix="mnist-edge-") as folder, quiet():
        archive = keras.export.ExportArchive()
        archive.track(network)
        archive.add_endpoint("serving_default", network.call, [tf.TensorSpec((1, 28, 28, 1), tf.float32, name="image")])
        archive.write_out(folder, verbose=False)
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        if quantization is Quantization.INT8:
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
            converter.representative_dataset = lambda: _one_by_one(calibration)
            # Without this a layer that cannot be quantized would silently stay float.
            converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
            converter.inference_input_type = converter.inference_output_type = tf.uint8
        payload: bytes = converter.convert()
    interpreter = Interpreter(model_content=payload)
    image, logits = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    return Converted(payload, InputSpec(*_meaning(image)), OutputSpec(*_meaning(logits)))


def _one_by_one(calibration: Calibration) -> Iterator[list[Any]]:
    for tensor in calibration.tensors():
        yield [tensor[np.newaxis]]


def _meaning(details: Any) -> tuple[str, float, int]:
    """Return dtype, scale and zero point; a float tensor is its own real value."""
    scale, zero_point = details["quantization"]
    return np.dtype(details["dtype"]).name, float(scale) or 1.0, int(zero_point)
