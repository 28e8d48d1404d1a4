"""Convert a Keras model to ONNX, and look into ONNX files."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from mnist_edge_runtime.engines import onnxruntime
from mnist_edge_runtime.engines.tensor_codec import encoder
from mnist_edge_runtime.errors import ModelError
from mnist_edge_runtime.model_file.contract import IMAGE_SHAPE, InputSpec, OutputSpec
from mnist_edge_runtime.output_capture import suppress_output
from numpy.typing import NDArray

from ..spec import ExportSpec, Granularity, IoDtype, Quantization
from . import onnx_batch, onnx_folding, onnx_graph, onnx_weights
from .base import Activation, ConvertedModel, real_values
from .calibration import Calibration

__all__ = ["activations", "convert", "requirements"]

# They only change how numbers are stored or arranged.
_NO_LAYERS = ("QuantizeLinear", "DequantizeLinear", "Cast", "Reshape", "Transpose", "Squeeze", "Unsqueeze", "Flatten")


def convert(model: Any, spec: ExportSpec, calibration: Calibration) -> ConvertedModel:
    """Return the model as ONNX with a free batch size and IR version 8.

    `int8` is static QDQ: activations uint8, weights int8; image and logits are uint8, or float32 where the spec says
    so. `dynamic` has int8 weights alone, `float16` computes in float16; these and `none` take and give float32.

    Args:
        model: a checked Keras model.
        spec: an ONNX variant.
        calibration: the images that `int8` learns its ranges from.
    """
    with suppress_output():
        graph = _QUANTIZERS[spec.quantization](_from_keras(model, spec.opset), spec, calibration)
    image = logits = ("float32", 1.0, 0)
    if spec.quantization is Quantization.INT8 and spec.io_dtype is not IoDtype.FLOAT32:
        image, logits = onnx_graph.integer_input(graph), onnx_graph.integer_output(graph)
    if len(list(onnx_graph.all_graphs(graph.graph))) > 1:  # quantizers append to the bodies of loops, out of order
        onnx_graph.order_canonically(graph)
    onnx_graph.make_canonical(graph)
    onnx.checker.check_model(graph, full_check=True)
    return ConvertedModel(graph.SerializeToString(deterministic=True), InputSpec(*image), OutputSpec(*logits))


def _from_keras(model: Any, opset: int) -> Any:
    if not hasattr(np, "object"):
        np.object = object  # type: ignore[attr-defined]  # tf2onnx still uses the alias that numpy 1.24 removed
    import tensorflow as tf
    import tf2onnx

    from ..output_head import to_logits

    def graph_for(batch: int) -> Any:
        # With a free batch TensorFlow computes the shapes of Flatten in the graph, and not the same way every time.
        network = to_logits(model, batch_size=batch)
        function = tf.function(lambda image: network(image, training=False))
        signature = [tf.TensorSpec((batch, *IMAGE_SHAPE, 1), tf.float32, name="image")]
        graph, _ = tf2onnx.convert.from_function(function, input_signature=signature, opset=opset)
        captures = function.get_concrete_function(*signature).graph.captures
        onnx_graph.keep_captured(
            graph, {inner.name: outer.numpy() for outer, inner in captures if outer.dtype != tf.resource}
        )
        onnx_graph.use_known_operators(graph)
        onnx_folding.fold_normalization(graph)
        if batch != 1:  # the order of the others is as it is in the files that are there
            onnx_graph.order_canonically(graph)
        onnx_graph.name_canonically(graph)
        return graph

    graph = graph_for(1)
    onnx_batch.free_batch(graph)
    onnx_graph.make_canonical(graph)
    if not onnx_batch.is_free(graph):
        graph = onnx_batch.free_compared(*map(graph_for, onnx_batch.COMPARED))
        onnx_graph.make_canonical(graph)
        if not onnx_batch.is_free(graph):
            raise ModelError("for ONNX it answers two images otherwise than each alone, or not at all")
    return graph


def _float32(graph: Any, spec: ExportSpec, calibration: Calibration) -> Any:
    return graph


def _float16(graph: Any, spec: ExportSpec, calibration: Calibration) -> Any:
    from onnxruntime.quantization.onnx_model import ONNXModel
    from onnxruntime.transformers.float16 import convert_float_to_float16

    converted = ONNXModel(convert_float_to_float16(graph, keep_io_types=True))
    converted.topological_sort()  # the casts at both ends were appended
    return converted.model


def _dynamic(graph: Any, spec: ExportSpec, calibration: Calibration) -> Any:
    from onnxruntime.quantization import QuantType, quantize_dynamic

    return _through_files(graph, lambda source, target: quantize_dynamic(source, target, weight_type=QuantType.QInt8))


def _int8(graph: Any, spec: ExportSpec, calibration: Calibration) -> Any:
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

    class Reader(CalibrationDataReader):  # type: ignore[misc]
        """Yields the calibration images one by one."""

        def __init__(self) -> None:
            self._tensors = iter(calibration.tensors())

        def get_next(self) -> dict[str, Any] | None:
            tensor = next(self._tensors, None)
            return None if tensor is None else {"image": tensor[np.newaxis]}

    return _through_files(
        graph,
        lambda source, target: quantize_static(
            source,
            target,
            Reader(),
            quant_format=QuantFormat.QDQ,
            per_channel=spec.granularity is Granularity.PER_CHANNEL,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
        ),
    )


def _through_files(graph: Any, quantize: Callable[[Path, Path], None]) -> Any:
    """Return the graph after onnxruntime's own preparation and `quantize(source, target)`, which work on files."""
    from onnxruntime.quantization.shape_inference import quant_pre_process

    with tempfile.TemporaryDirectory(prefix="mnist-edge-") as folder:
        plain, prepared, quantized = (Path(folder) / name for name in ("plain.onnx", "prepared.onnx", "quantized.onnx"))
        onnx.save(graph, plain)
        # Symbolic shape inference needs sympy and adds nothing to a graph whose only free size is the batch.
        quant_pre_process(plain, prepared, skip_symbolic_shape=True)
        ready = onnx.load(prepared)
        onnx_weights.unshare_weights(ready)
        onnx.save(ready, prepared)
        quantize(prepared, quantized)
        return onnx.load(quantized)


_QUANTIZERS: Mapping[Quantization, Callable[[Any, ExportSpec, Calibration], Any]] = {
    Quantization.NONE: _float32,
    Quantization.FLOAT16: _float16,
    Quantization.DYNAMIC: _dynamic,
    Quantization.INT8: _int8,
}


def activations(payload: bytes, image: InputSpec, images: NDArray[np.uint8]) -> dict[str, Activation]:
    """Return the output of each layer by name, in the order of the graph.

    The name is that of the tensor, which quantizers keep; the last is `logits`. A tensor that the file quantizes is
    read as it is after that.

    Args:
        payload: plain model bytes.
        image: how its input tensor is read.
        images: uint8 (N, 28, 28).
    """
    model = onnx.load_from_string(payload)
    graph = model.graph
    constants = {constant.name: onnx.numpy_helper.to_array(constant) for constant in graph.initializer}
    quantizers = {node.input[0]: node for node in graph.node if node.op_type == "QuantizeLinear"}
    layers = [node for node in graph.node if node.op_type not in _NO_LAYERS]
    shown = [
        quantizers[node.output[0]].output[0] if node.output[0] in quantizers else node.output[0] for node in layers
    ]
    graph.output.extend(onnx.ValueInfoProto(name=name) for name in shown if name != graph.output[0].name)
    session = onnxruntime.session(model.SerializeToString())
    tensors = encoder(image)(images)
    # One by one: dynamic quantization takes the range of a whole batch.
    rows = [session.run(shown, {"image": tensors[[index]]}) for index in range(len(tensors))]
    found = {}
    for node, values in zip(layers, zip(*rows, strict=True), strict=True):
        if values[0].ndim < 2:
            continue  # a scale that dynamic quantization computes
        name = "logits" if node is layers[-1] else node.output[0].removesuffix(":0")
        quantizer = quantizers.get(node.output[0])
        scale, zero_point = (constants[name] for name in quantizer.input[1:3]) if quantizer else (0, 0)
        found[name] = Activation(node.op_type, real_values(np.concatenate(values), float(scale), int(zero_point)))
    return found


def requirements(payload: bytes) -> dict[str, int]:
    """Return the opset and the IR version of the model."""
    model = onnx.load_from_string(payload)
    return {"opset": max(entry.version for entry in model.opset_import if not entry.domain), "IR": model.ir_version}
