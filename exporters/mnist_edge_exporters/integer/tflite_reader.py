"""Read an int8 TFLite file as an integer network; what has no exact formula is refused by the name of its layer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mnist_edge_runtime.errors import ModelError

from .network import (
    Add,
    AveragePool,
    Clamp,
    Concatenation,
    Convolution,
    Dense,
    DepthwiseConvolution,
    Dequantize,
    MaxPool,
    Mean,
    Network,
    Operator,
    Pad,
    Quantize,
    Requantize,
    Reshape,
    Tensor,
)
from .tflite_graph import RELU, RELU6, Graph, refusal

__all__ = ["read"]

_INT8 = "export it with --quantize int8"


def read(payload: bytes) -> Network:
    """Return the network of plain TFLite bytes.

    Raises:
        ModelError: an operator without an exact formula, or a file that is not int8 throughout.
    """
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(payload, 0))
    names = {code: name for name, code in vars(schema.BuiltinOperator).items() if isinstance(code, int)}
    types = {code: name for name, code in vars(schema.TensorType).items() if isinstance(code, int)}
    graph = Graph(model, names, types)
    if len(model.subgraphs) != 1:
        raise ModelError(f"the file has {len(model.subgraphs)} graphs, as loops have; there is no formula for them")
    operators, tensors = tuple(_operator(graph, each) for each in graph.operators), graph.tensors
    for operator in operators:
        for index in (*operator.inputs, operator.output):
            _check(operator, tensors[index])
    return Network(tensors, operators, *graph.ends)


def _operator(graph: Graph, operator: Any) -> Operator:
    kind, name = graph.kind(operator), graph.name(operator.outputs[0])
    if kind not in _READERS or len(operator.outputs) != 1:
        raise refusal(name, f"operator {kind} has no exact formula")
    return _READERS[kind](graph, operator, name)


def _check(operator: Operator, tensor: Tensor) -> None:
    """Refuse an operator that computes in another type than int8; the ends of a network may have others."""
    is_float, is_end = tensor.dtype == "float32", isinstance(operator, Quantize | Requantize | Dequantize)
    if tensor.dtype not in ("int8", "uint8", "float32")[: 3 if is_end else 1] or is_float == bool(tensor.scale):
        raise ModelError(f"layer {operator.name}: computes in {tensor.dtype}, expected int8; {_INT8}")


def _convolution(graph: Graph, operator: Any, name: str) -> Operator:
    arguments, options = graph.weighted(operator, name, axis=0), operator.builtinOptions
    weights = arguments["weights"]
    if weights.shape[3] != graph.tensor(operator.inputs[0]).shape[3]:
        raise refusal(name, "a convolution in groups has no exact formula")
    window = graph.window(operator, weights.shape[1:3], (options.dilationHFactor, options.dilationWFactor))
    return Convolution(**arguments, window=window)


def _depthwise(graph: Graph, operator: Any, name: str) -> Operator:
    arguments, options = graph.weighted(operator, name, axis=3), operator.builtinOptions
    weights = arguments["weights"] = arguments["weights"][0]
    multiplier = weights.shape[2] // graph.tensor(operator.inputs[0]).shape[3]
    window = graph.window(operator, weights.shape[:2], (options.dilationHFactor, options.dilationWFactor))
    return DepthwiseConvolution(**arguments, window=window, multiplier=multiplier)


def _dense(graph: Graph, operator: Any, name: str) -> Operator:
    arguments = graph.weighted(operator, name, axis=0)
    if graph.tensor(operator.inputs[0]).size != arguments["weights"].shape[1]:
        raise refusal(name, "a dense layer over several positions has no exact formula")
    return Dense(**arguments)


def _pool(kind: type[MaxPool | AveragePool]) -> Callable[[Graph, Any, str], Operator]:
    def pool(graph: Graph, operator: Any, name: str) -> Operator:
        options, base = operator.builtinOptions, graph.base(operator, name)
        graph.check_same_scale(base, name)
        limits = graph.limits(operator, name, options.fusedActivationFunction)
        return kind(**base, **limits, window=graph.window(operator, (options.filterHeight, options.filterWidth)))

    return pool


def _mean(graph: Graph, operator: Any, name: str) -> Operator:
    axes = graph.constant(operator.inputs[1])
    rank = len(graph.tensor(operator.inputs[0]).shape)
    found = () if axes is None else tuple(sorted(int(axis) % rank for axis in axes.reshape(-1)))
    if found != (1, 2) or rank != 4:
        raise refusal(name, "a mean over other axes than rows and columns has no exact formula")
    return Mean(**graph.base(operator, name), axes=found)


def _pad(graph: Graph, operator: Any, name: str) -> Operator:
    pairs, base = graph.constant(operator.inputs[1]), graph.base(operator, name)
    if pairs is None or pairs[0].any():
        raise refusal(name, "its padding is no constant")
    graph.check_same_scale(base, name)
    before, after = (tuple(int(each) for each in column) for column in pairs.T)
    return Pad(**base, before=before, after=after)


def _reshape(graph: Graph, operator: Any, name: str) -> Operator:
    return Reshape(**graph.base(operator, name))


def _concatenation(graph: Graph, operator: Any, name: str) -> Operator:
    base = graph.base(operator, name, len(operator.inputs))
    graph.check_same_scale(base, name)
    if operator.builtinOptions.fusedActivationFunction:
        raise refusal(name, "a concatenation with an activation has no exact formula")
    rank = len(graph.tensor(base["output"]).shape)
    return Concatenation(**base, axis=int(operator.builtinOptions.axis) % rank)


def _relu(activation: int) -> Callable[[Graph, Any, str], Operator]:
    def relu(graph: Graph, operator: Any, name: str) -> Operator:
        base = graph.base(operator, name)
        graph.check_same_scale(base, name)
        return Clamp(**base, **graph.limits(operator, name, activation))

    return relu


def _add(graph: Graph, operator: Any, name: str) -> Operator:
    base = graph.base(operator, name, 2)
    shapes = {graph.tensor(index).shape for index in (*base["inputs"], base["output"])}
    if len(shapes) != 1:
        raise refusal(name, "an addition of different shapes has no exact formula")
    return Add(**base, **graph.limits(operator, name, operator.builtinOptions.fusedActivationFunction))


def _quantize(graph: Graph, operator: Any, name: str) -> Operator:
    base = graph.base(operator, name)
    is_float = graph.tensor(base["inputs"][0]).dtype == "float32"
    return Quantize(**base) if is_float else Requantize(**base)


def _dequantize(graph: Graph, operator: Any, name: str) -> Operator:
    return Dequantize(**graph.base(operator, name))


_READERS: Mapping[str, Callable[[Graph, Any, str], Operator]] = {
    "CONV_2D": _convolution,
    "DEPTHWISE_CONV_2D": _depthwise,
    "FULLY_CONNECTED": _dense,
    "MAX_POOL_2D": _pool(MaxPool),
    "AVERAGE_POOL_2D": _pool(AveragePool),
    "MEAN": _mean,
    "PAD": _pad,
    "RESHAPE": _reshape,
    "SQUEEZE": _reshape,
    "EXPAND_DIMS": _reshape,
    "CONCATENATION": _concatenation,
    "RELU": _relu(RELU),
    "RELU6": _relu(RELU6),
    "ADD": _add,
    "QUANTIZE": _quantize,
    "DEQUANTIZE": _dequantize,
}
