"""What every layer of a file computes, so that a quantized file can be followed layer by layer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from mnist_edge_runtime.engines import onnxruntime
from mnist_edge_runtime.engines.tensor_codec import encoder
from mnist_edge_runtime.model_file.contract import InputSpec
from mnist_edge_runtime.output_capture import suppress_output
from numpy.typing import NDArray

__all__ = ["Activation", "of_onnx", "of_tflite"]

# What only changes how numbers are stored or arranged.
_NO_LAYERS = (
    *("QUANTIZE", "DEQUANTIZE", "RESHAPE"),
    *("QuantizeLinear", "DequantizeLinear", "Cast", "Reshape", "Transpose", "Squeeze", "Unsqueeze", "Flatten"),
)


@dataclass(frozen=True)
class Activation:
    """What a layer computed: its operator and its real values, float32 (N, ...)."""

    kind: str
    values: NDArray[np.float32]


def of_tflite(payload: bytes, image: InputSpec, images: NDArray[np.uint8]) -> dict[str, Activation]:
    """Return the activations of a TFLite file by name, in the order of the graph.

    The name is that of the operator and its place among those that compute, so that it is the same in the float and
    in the quantized file. Kernels are the built-in ones: a delegate does not show what it computes within.

    Args:
        payload: plain model bytes.
        image: how its input tensor is read.
        images: uint8 (N, 28, 28).
    """
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    with suppress_output():
        interpreter = Interpreter(
            model_content=payload,
            experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
            experimental_preserve_all_tensors=True,
        )
        interpreter.allocate_tensors()
    tensors = {tensor["index"]: tensor for tensor in interpreter.get_tensor_details()}
    operators = [operator for operator in interpreter._get_ops_details() if operator["op_name"] not in _NO_LAYERS]
    outputs = [tensors[operator["outputs"][0]] for operator in operators]
    source = interpreter.get_input_details()[0]["index"]
    found: list[list[NDArray[np.float32]]] = [[] for _ in operators]
    for tensor in encoder(image)(images):
        interpreter.set_tensor(source, tensor[np.newaxis])
        interpreter.invoke()
        for values, output in zip(found, outputs, strict=True):
            values.append(np.atleast_1d(_real(interpreter.get_tensor(output["index"]), *output["quantization"])))
    return {
        f"{operator['op_name']}_{index}": Activation(operator["op_name"], np.concatenate(values))
        for index, (operator, values) in enumerate(zip(operators, found, strict=True))
    }


def of_onnx(payload: bytes, image: InputSpec, images: NDArray[np.uint8]) -> dict[str, Activation]:
    """Return the activations of an ONNX file by name, in the order of the graph; arguments as in `of_tflite`.

    The name is that of the tensor, which quantizers keep; the last is `logits`. A tensor that the file quantizes is
    read as it is after that.
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
        found[name] = Activation(node.op_type, _real(np.concatenate(values), float(scale), int(zero_point)))
    return found


def _real(raw: NDArray[Any], scale: float, zero_point: int) -> NDArray[np.float32]:
    """Return the real values behind a tensor; a float one, whose scale is 0, is its own."""
    if not np.issubdtype(raw.dtype, np.integer):
        return np.asarray(raw, np.float32)
    return (raw.astype(np.float32) - np.float32(zero_point)) * np.float32(scale)
