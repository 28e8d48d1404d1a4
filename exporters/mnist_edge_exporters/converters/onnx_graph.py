"""Surgery on ONNX graphs: canonical names, and integer tensors at both ends of a QDQ graph."""

from __future__ import annotations

from typing import Any

from mnist_edge_runtime.errors import ModelError
from onnx import TensorProto, numpy_helper

__all__ = ["free_batch", "integer_input", "integer_output", "make_canonical", "name_canonically"]

IR_VERSION = 8
_DESCRIPTION = "A 28 x 28 grey image, white ink on black, to the logits of its classes"
_SHAPE_ONLY = ("Reshape", "Transpose", "Squeeze", "Unsqueeze", "Flatten")


def name_canonically(model: Any) -> None:
    """Give tensors and constants names that depend on nothing but the graph.

    Converters number their nodes by counters of the process, so the same network would otherwise give other
    bytes the second time. Input and output become `image` and `logits`, what a node computes `Conv_0:0`,
    `Relu_1:0` ... in order, constants `Conv_0.1` after the first node and position that use them. Quantizers keep
    these names, so that a tensor can be followed from the float graph into the quantized one.
    """
    graph = model.graph
    names = {graph.input[0].name: "image", graph.output[0].name: "logits", "": ""}
    constants = {constant.name for constant in graph.initializer}
    for index, node in enumerate(graph.node):
        for position, name in enumerate(node.input):
            if name in constants:
                names.setdefault(name, f"{node.op_type}_{index}.{position}")
        for position, name in enumerate(node.output):
            names.setdefault(name, f"{node.op_type}_{index}:{position}")
    for node in graph.node:
        node.input[:] = [names[name] for name in node.input]
        node.output[:] = [names[name] for name in node.output]
    for value in (*graph.input, *graph.output, *graph.initializer):
        value.name = names.get(value.name, value.name)
    del graph.value_info[:]


def make_canonical(model: Any) -> None:
    """Bring everything but the names of tensors into the form in which it is written, and say what the model is."""
    graph = model.graph
    constants = {constant.name: constant for constant in graph.initializer}
    used = dict.fromkeys(name for node in graph.node for name in node.input if name in constants)
    kept = [TensorProto.FromString(constants[name].SerializeToString(deterministic=True)) for name in used]
    del graph.initializer[:], graph.value_info[:]
    graph.initializer.extend(kept)
    for index, node in enumerate(graph.node):
        node.name, node.doc_string = f"{node.op_type}_{index}", ""
    for value in (graph.input[0], graph.output[0]):
        value.type.tensor_type.shape.dim[0].dim_param = "batch"
    domains = {node.domain for node in graph.node}
    imports = [(entry.domain, entry.version) for entry in model.opset_import if entry.domain in domains]
    del model.opset_import[:], model.metadata_props[:]
    for domain, version in sorted(imports):
        model.opset_import.add(domain=domain, version=version)
    model.metadata_props.add(key="model_author", value="mnist-edge")  # the key that ONNX names for it
    graph.name, graph.doc_string, model.doc_string = "mnist_edge", _DESCRIPTION, _DESCRIPTION
    model.ir_version, model.producer_name, model.producer_version = IR_VERSION, "mnist-edge", ""
    model.model_version = 1  # otherwise onnxruntime shows the largest integer there is


def free_batch(model: Any) -> None:
    """Let a canonical graph of batch size 1 take any: a Reshape to (1, ...) keeps the batch of its input instead."""
    graph = model.graph
    shapes = {node.input[1] for node in graph.node if node.op_type == "Reshape"}
    for constant in graph.initializer:
        if constant.name in shapes:
            shape = numpy_helper.to_array(constant).copy()
            if shape[0] == 1:
                shape[0] = 0  # ONNX's word for "as in the input"
                constant.CopyFrom(numpy_helper.from_array(shape, constant.name))


def integer_input(model: Any) -> tuple[str, float, int]:
    """Let the graph take the integers that its first QuantizeLinear makes; return their dtype, scale, zero point.

    Raises:
        ModelError: nodes that compute stand before the first QuantizeLinear.
    """
    graph = model.graph
    name = graph.input[0].name
    while True:
        readers = [node for node in graph.node if name in node.input]
        if len(readers) != 1 or readers[0].op_type not in (*_SHAPE_ONLY, "QuantizeLinear"):
            found = ", ".join(node.op_type for node in readers) or "nothing"
            raise ModelError(f"the network's input goes into {found}, which cannot be quantized for ONNX")
        if readers[0].op_type == "QuantizeLinear":
            break
        name = readers[0].output[0]
    quantize = readers[0]
    for node in graph.node:
        node.input[:] = [name if source == quantize.output[0] else source for source in node.input]
    graph.node.remove(quantize)
    return _set_integer(graph, graph.input[0], quantize)


def integer_output(model: Any) -> tuple[str, float, int]:
    """Let the graph end before its last DequantizeLinear; return dtype, scale and zero point of its output.

    Raises:
        ModelError: the graph does not end in one.
    """
    graph = model.graph
    output = graph.output[0]
    last = next(node for node in graph.node if output.name in node.output)
    if last.op_type != "DequantizeLinear":
        raise ModelError(f"the network's output comes from {last.op_type}, which cannot be quantized for ONNX")
    graph.node.remove(last)
    for node in graph.node:
        node.output[:] = [output.name if name == last.input[0] else name for name in node.output]
    return _set_integer(graph, output, last)


def _set_integer(graph: Any, value: Any, node: Any) -> tuple[str, float, int]:
    """Make the graph's input or output an integer tensor with the scale and zero point of a (De)QuantizeLinear."""
    constants = {constant.name: numpy_helper.to_array(constant) for constant in graph.initializer}
    scale, zero_point = constants[node.input[1]], constants[node.input[2]]
    value.type.tensor_type.elem_type = TensorProto.DataType.Value(zero_point.dtype.name.upper())
    return zero_point.dtype.name, float(scale), int(zero_point)
