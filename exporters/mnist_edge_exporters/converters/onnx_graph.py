"""Surgery on ONNX graphs: canonical names, and integer tensors at both ends of a QDQ graph."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Any

import numpy as np
from mnist_edge_runtime.errors import ModelError
from numpy.typing import NDArray
from onnx import AttributeProto, TensorProto, helper, numpy_helper

__all__ = [
    "all_graphs",
    "integer_input",
    "integer_output",
    "keep_captured",
    "make_canonical",
    "name_canonically",
    "order_canonically",
    "use_known_operators",
]

IR_VERSION = 8
_DESCRIPTION = "A 28 x 28 grey image, white ink on black, to the logits of its classes"
_SHAPE_ONLY = ("Reshape", "Transpose", "Squeeze", "Unsqueeze", "Flatten")


def subgraphs(node: Any) -> Iterator[Any]:
    """Yield the graphs within a node, such as the body of a loop."""
    for attribute in node.attribute:
        yield from (attribute.g,) if attribute.type == AttributeProto.GRAPH else attribute.graphs


def all_graphs(graph: Any) -> Iterator[Any]:
    """Yield the graph and all graphs within it, each before those within it."""
    yield graph
    for node in graph.node:
        for inner in subgraphs(node):
            yield from all_graphs(inner)


def order_canonically(model: Any) -> None:
    """Bring the nodes into an order that depends on nothing but the graph: each after those that it needs."""
    for graph in all_graphs(model.graph):
        _order_copies(graph)
        makers = {name: node for node in graph.node for name in node.output}
        ordered: list[Any] = []
        done: set[str] = set()
        waiting = [value.name for value in reversed(graph.output)]
        while waiting:
            name = waiting[-1]
            node = makers.get(name)
            needed = [] if node is None or name in done else [*_needed(node)]
            missing = [each for each in reversed(needed) if each in makers and each not in done]
            if missing:
                waiting.extend(missing)
                continue
            waiting.pop()
            if node is not None and name not in done:
                ordered.append(type(node).FromString(node.SerializeToString()))
                done.update(node.output)
        for node in ordered:
            if not node.domain:
                node.ClearField("domain")  # one that is set to nothing is written in other bytes
        del graph.node[:]
        graph.node.extend(ordered)


def _order_copies(graph: Any) -> None:
    """Of two outputs with the same value, let the second one be the copy; converters choose by the names they count."""
    copied = {node.output[0]: node.input[0] for node in graph.node if node.op_type == "Identity"}
    for first, second in combinations(graph.output, 2):
        if copied.get(first.name) == second.name:
            first.name, second.name = second.name, first.name


def _needed(node: Any) -> Iterator[str]:
    """Yield the tensors that a node reads, and those around it that the graphs within it read."""
    yield from node.input
    for inner in subgraphs(node):
        for each in all_graphs(inner):
            for within in each.node:
                yield from within.input


def name_canonically(model: Any) -> None:
    """Give tensors and constants names that depend on nothing but the graph.

    Converters number their nodes by counters of the process, so the same network would otherwise give other
    bytes the second time. Input and output become `image` and `logits`, what a node computes `Conv_0:0`,
    `Relu_1:0` ... in order, constants `Conv_0.1` after the first node and position that use them; in the body of a
    loop they begin with the node's name: `Loop_2/Add_0:0`. Quantizers keep these names, so that a tensor can be
    followed from the float graph into the quantized one.
    """
    graph = model.graph
    _rename(graph, {graph.input[0].name: "image", graph.output[0].name: "logits", "": ""}, set(), "")


def _rename(graph: Any, names: dict[str, str], outer_constants: set[str], prefix: str) -> None:
    """Rename all in a graph, given the new names of the tensors around it."""
    constants = outer_constants | {constant.name for constant in graph.initializer}
    for index, node in enumerate(graph.node):
        own = f"{prefix}{node.op_type}_{index}"
        for position, name in enumerate(node.input):
            if name in constants:
                names.setdefault(name, f"{own}.{position}")
        for number, inner in enumerate(subgraphs(node)):
            within = f"{own}/" if not number else f"{own}/{number}/"
            names |= {value.name: f"{within}input:{position}" for position, value in enumerate(inner.input)}
            _rename(inner, names, constants, within)
        for position, name in enumerate(node.output):
            names.setdefault(name, f"{own}:{position}")
    for node in graph.node:
        node.input[:] = [names[name] for name in node.input]
        node.output[:] = [names[name] for name in node.output]
    for value in (*graph.input, *graph.output, *graph.initializer):
        value.name = names.get(value.name, value.name)
    del graph.value_info[:]


def make_canonical(model: Any) -> None:
    """Bring everything but the names of tensors into the form in which it is written, and say what the model is."""
    graph = model.graph
    for inner in all_graphs(graph):
        _tidy(inner)
    for value in (graph.input[0], graph.output[0]):
        value.type.tensor_type.shape.dim[0].dim_param = "batch"
    domains = {node.domain for each in all_graphs(graph) for node in each.node}
    imports = [(entry.domain, entry.version) for entry in model.opset_import if entry.domain in domains]
    del model.opset_import[:], model.metadata_props[:]
    for domain, version in sorted(imports):
        model.opset_import.add(domain=domain, version=version)
    model.metadata_props.add(key="model_author", value="mnist-edge")  # the key that ONNX names for it
    graph.name, graph.doc_string, model.doc_string = "mnist_edge", _DESCRIPTION, _DESCRIPTION
    model.ir_version, model.producer_name, model.producer_version = IR_VERSION, "mnist-edge", ""
    model.model_version = 1  # otherwise onnxruntime shows the largest integer there is


def _tidy(graph: Any) -> None:
    """Keep of a graph the constants that are used, in the order of their use, and no names but those of tensors."""
    constants = {constant.name: constant for constant in graph.initializer}
    nodes = (node for each in all_graphs(graph) for node in each.node)
    used = dict.fromkeys(name for node in nodes for name in node.input if name in constants)
    used |= dict.fromkeys(value.name for value in graph.output if value.name in constants)
    kept = [TensorProto.FromString(constants[name].SerializeToString(deterministic=True)) for name in used]
    del graph.initializer[:], graph.value_info[:]
    graph.initializer.extend(kept)
    for index, node in enumerate(graph.node):
        node.name, node.doc_string = f"{node.op_type}_{index}", ""
        for inner in subgraphs(node):
            inner.name, inner.doc_string = f"{node.op_type}_{index}", ""
            for value in (*inner.input, *inner.output):
                for size in value.type.tensor_type.shape.dim:
                    size.Clear()  # it may depend on the batch


def use_known_operators(model: Any) -> None:
    """Replace operators that ONNX does not have and tf2onnx writes all the same: Erfc(x) is 1 - Erf(x)."""
    for graph in all_graphs(model.graph):
        if any(node.op_type == "Erfc" for node in graph.node):
            graph.initializer.append(numpy_helper.from_array(np.array(1, np.float32), "one"))
            nodes = []
            for node in graph.node:
                if node.op_type == "Erfc":
                    erf = f"{node.output[0]}_erf"
                    nodes.append(helper.make_node("Erf", node.input, [erf]))
                    node = helper.make_node("Sub", ["one", erf], node.output)
                nodes.append(node)
            del graph.node[:]
            graph.node.extend(nodes)


def keep_captured(model: Any, values: Mapping[str, NDArray[Any]]) -> None:
    """Make constants of the inputs that are no image: tensors that a layer computed before, such as a mean."""
    graph = model.graph
    for value in list(graph.input):
        if value.name in values:
            graph.initializer.append(numpy_helper.from_array(values[value.name], value.name))
            graph.input.remove(value)


def integer_input(model: Any) -> tuple[str, float, int]:
    """Let the graph take the integers that its first QuantizeLinear makes; return their dtype, scale, zero point.

    Where something computes before there is one, it is given the pixels behind the integers: pixel / 255.
    """
    graph = model.graph
    name = graph.input[0].name
    while True:
        readers = [node for node in graph.node if name in node.input]
        if len(readers) != 1 or readers[0].op_type not in (*_SHAPE_ONLY, "QuantizeLinear"):
            return _set_integer(graph, graph.input[0], _pixels_first(graph))
        if readers[0].op_type == "QuantizeLinear":
            break
        name = readers[0].output[0]
    quantize = readers[0]
    for node in graph.node:
        node.input[:] = [name if source == quantize.output[0] else source for source in node.input]
    graph.node.remove(quantize)
    return _set_integer(graph, graph.input[0], quantize)


def _pixels_first(graph: Any) -> Any:
    """Put the step from the pixels of an image to their values in front of the graph, and return its node."""
    image = graph.input[0].name
    for each in all_graphs(graph):
        for node in each.node:
            node.input[:] = [f"{image}_values" if name == image else name for name in node.input]
    scale, zero_point = f"{image}_scale", f"{image}_zero_point"
    graph.initializer.append(numpy_helper.from_array(np.array(1 / 255, np.float32), scale))
    graph.initializer.append(numpy_helper.from_array(np.array(0, np.uint8), zero_point))
    first = helper.make_node("DequantizeLinear", [image, scale, zero_point], [f"{image}_values"])
    graph.node.insert(0, first)
    return first


def integer_output(model: Any) -> tuple[str, float, int]:
    """Let the graph end before its last DequantizeLinear; return dtype, scale and zero point of its output.

    Raises:
        ModelError: the graph does not end in one.
    """
    graph = model.graph
    output = graph.output[0]
    last = next(node for node in graph.node if output.name in node.output)
    if last.op_type != "DequantizeLinear":
        raise ModelError(
            f"the network's output comes from {last.op_type}, which cannot be quantized for ONNX; "
            "--io-dtype float32 leaves both ends as they are"
        )
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
