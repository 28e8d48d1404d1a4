"""Look up the parts of a TFLite graph as the integer network has them: tensors, constants, windows, limits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from mnist_edge_runtime.errors import ModelError
from numpy.typing import NDArray

from .network import Tensor, Window

__all__ = ["RELU", "RELU6", "Graph", "refusal"]

_LOWEST, _HIGHEST = -128, 127  # of int8
_SAME, RELU, RELU6 = 0, 1, 3  # of the schema's Padding and ActivationFunctionType
_WHAT_TO_DO = (
    "build the network of convolutions, depthwise convolutions, dense layers, max and average pooling, zero padding, "
    "concatenation, addition, ReLU and ReLU6, or use the TFLite file itself"
)


class Graph:
    """The parts of one file, while it is read."""

    def __init__(self, model: Any, names: Mapping[int, str], types: Mapping[int, str]) -> None:
        self._model, self._names, self._types = model, names, types
        self._graph = model.subgraphs[0]

    @property
    def operators(self) -> list[Any]:
        """The operators in the order of execution, as the schema has them."""
        found: list[Any] = self._graph.operators
        return found

    @property
    def ends(self) -> tuple[int, int]:
        """The indices of input and output."""
        return int(self._graph.inputs[0]), int(self._graph.outputs[0])

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        return tuple(self.tensor(index) for index in range(len(self._graph.tensors)))

    def kind(self, operator: Any) -> str:
        """Return the name of an operator in the schema."""
        code = self._model.operatorCodes[operator.opcodeIndex]
        return self._names.get(max(code.builtinCode, code.deprecatedBuiltinCode), "of a newer schema")

    def name(self, index: int) -> str:
        """Return the layer's name, without what the converter appends to it."""
        return self._graph.tensors[index].name.decode(errors="replace").split(";")[0]

    def tensor(self, index: int) -> Tensor:
        tensor = self._graph.tensors[index]
        quantization = tensor.quantization
        scales: Any = quantization.scale if quantization is not None and quantization.scale is not None else ()
        one = len(scales) == 1
        return Tensor(
            self.name(index),
            tuple(int(each) for each in tensor.shape) if tensor.shape is not None else (),
            self._types[tensor.type].lower(),
            float(scales[0]) if one else 0.0,
            int(quantization.zeroPoint[0]) if one else 0,
        )

    def constant(self, index: int) -> NDArray[Any] | None:
        """Return the values of a constant tensor; None for an activation."""
        tensor = self._graph.tensors[index]
        data = self._model.buffers[tensor.buffer].data
        if data is None or not len(data):
            return None
        dtype = np.dtype(self._types[tensor.type].lower())
        shape = tuple(tensor.shape) if tensor.shape is not None else ()
        return np.frombuffer(bytes(bytearray(data)), dtype).reshape(shape)

    def base(self, operator: Any, name: str, count: int = 1) -> dict[str, Any]:
        """Return the arguments that every operator has; `count` inputs are activations."""
        inputs = tuple(int(index) for index in operator.inputs[:count])
        if any(self.constant(index) is not None for index in inputs):
            raise refusal(name, "one of its inputs is a constant")
        return {"name": name, "inputs": inputs, "output": int(operator.outputs[0])}

    def limits(self, operator: Any, name: str, activation: int) -> dict[str, Any]:
        """Return the raw limits of a fused activation."""
        output = self.tensor(operator.outputs[0])
        if activation not in (0, RELU, RELU6):
            raise refusal(name, "its activation is neither ReLU nor ReLU6")
        low, high = _LOWEST, _HIGHEST
        if activation:
            low = max(low, output.zero_point)
        if activation == RELU6:
            six = np.rint(np.float32(6) / np.float32(output.scale)) + output.zero_point
            high = int(min(high, six))
        return {"low": low, "high": high}

    def window(self, operator: Any, size: tuple[int, int], dilation: tuple[int, int] = (1, 1)) -> Window:
        options = operator.builtinOptions
        stride = (int(options.strideH), int(options.strideW))
        before, after = [0, 0], [0, 0]
        if options.padding == _SAME:
            source, target = (self.tensor(index).shape for index in (operator.inputs[0], operator.outputs[0]))
            for axis in range(2):
                reach = (target[1 + axis] - 1) * stride[axis] + (size[axis] - 1) * dilation[axis] + 1
                total = max(reach - source[1 + axis], 0)
                before[axis], after[axis] = total // 2, total - total // 2
        return Window(size, stride, (before[0], before[1]), (after[0], after[1]), dilation)

    def weighted(self, operator: Any, name: str, axis: int) -> dict[str, Any]:
        """Return the arguments of an operator with weights, whose outputs are along `axis`."""
        weights = self.constant(operator.inputs[1])
        if weights is None or weights.dtype != np.int8:
            raise refusal(name, "its weights are no int8 constants")
        quantization = self._graph.tensors[operator.inputs[1]].quantization
        if np.any(quantization.zeroPoint):
            raise refusal(name, "its weights have a zero point")
        outputs = weights.shape[axis]
        bias = self.constant(operator.inputs[2]) if len(operator.inputs) > 2 and operator.inputs[2] >= 0 else None
        activation = operator.builtinOptions.fusedActivationFunction
        return {
            **self.base(operator, name),
            **self.limits(operator, name, activation),
            "weights": weights,
            "bias": np.zeros(outputs, np.int32) if bias is None else bias.reshape(-1),
            "scales": np.broadcast_to(np.asarray(quantization.scale, np.float32), (outputs,)),
        }

    def check_same_scale(self, base: Mapping[str, Any], name: str) -> None:
        """Refuse an operator whose output has another scale than its inputs."""
        tensors = [self.tensor(index) for index in (*base["inputs"], base["output"])]
        if len({(tensor.scale, tensor.zero_point) for tensor in tensors}) != 1:
            raise refusal(name, "its output has another scale than its input, for which there is no exact formula")


def refusal(name: str, why: str) -> ModelError:
    """Return the error that refuses a layer, with what to do."""
    return ModelError(f"layer {name}: {why}; {_WHAT_TO_DO}")
