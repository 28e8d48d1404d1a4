"""Keras -> ONNX."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import tensorflow as tf
from mnist_edge_runtime.contract import InputSpec, OutputSpec
from mnist_edge_runtime.quiet import quiet

from . import onnx_graph
from .calibration import Calibration
from .converted import Converted
from .network import to_logits
from .spec import Quantization

__all__ = ["convert"]

OPSET = 17


def convert(model: Any, quantization: Quantization, calibration: Calibration) -> Converted:
    """Return the model as ONNX with a free batch size, opset 17, IR version 8.

    `int8` is static QDQ: activations uint8, weights int8 per channel, image and logits uint8.

    Args:
        model: a checked Keras model.
        quantization: `none` or `int8`.
        calibration: the images that `int8` learns its ranges from.
    """
    with quiet():
        graph = _from_keras(model)
        if quantization is Quantization.INT8:
            graph = _quantized(graph, calibration)
            image, logits = onnx_graph.integer_input(graph), onnx_graph.integer_output(graph)
        else:
            image = logits = ("float32", 1.0, 0)
    onnx_graph.make_canonical(graph)
    onnx.checker.check_model(graph, full_check=True)
    return Converted(graph.SerializeToString(deterministic=True), InputSpec(*image), OutputSpec(*logits))


def _from_keras(model: Any) -> Any:
    if not hasattr(np, "object"):
        np.object = object  # type: ignore[attr-defined]  # tf2onnx still uses the alias that numpy 1.24 removed
    import tf2onnx

    network = to_logits(model, batch_size=None)
    function = tf.function(lambda image: network(image, training=False))
    signature = [tf.TensorSpec((None, 28, 28, 1), tf.float32, name="image")]
    graph, _ = tf2onnx.convert.from_function(function, input_signature=signature, opset=OPSET)
    onnx_graph.make_canonical(graph)
    return graph


def _quantized(graph: Any, calibration: Calibration) -> Any:
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    class Reader(CalibrationDataReader):  # type: ignore[misc]
        """Hands out the calibration images one by one."""

        def __init__(self) -> None:
            self._tensors = iter(calibration.tensors())

        def get_next(self) -> dict[str, Any] | None:
            tensor = next(self._tensors, None)
            return None if tensor is None else {"image": tensor[np.newaxis]}

    with tempfile.TemporaryDirectory(prefix="mnist-edge-") as folder:
        plain, prepared, quantized = (Path(folder) / name for name in ("plain.onnx", "prepared.onnx", "int8.onnx"))
        onnx.save(graph, plain)
        # Symbolic shape inference needs sympy and adds nothing to a graph whose only free size is the batch.
        quant_pre_process(plain, prepared, skip_symbolic_shape=True)
        quantize_static(
            prepared,
            quantized,
            Reader(),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
        )
        return onnx.load(quantized)
