"""Write the graph of a TFLite file tensor by tensor and operator by operator; imported by `random_networks.py`."""

from __future__ import annotations

from collections.abc import Sequence

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

__all__ = ["Graph"]

_OPERATORS = schema.BuiltinOperator


class Graph:
    """A TFLite graph while it is written; tensors are named by their numbers, and `random` draws what is not given."""

    def __init__(self, seed: int) -> None:
        self.random = np.random.default_rng(seed)
        self.model, self.graph = schema.ModelT(), schema.SubGraphT()
        self.model.version, self.model.subgraphs = 3, [self.graph]
        self.model.buffers, self.model.operatorCodes = [schema.BufferT()], []
        self.graph.tensors, self.graph.operators = [], []
        self.graph.name = b"main"

    def tensor(
        self,
        shape: Sequence[int],
        dtype: int = schema.TensorType.INT8,
        scales: Sequence[float] = (),
        zero_point: int = 0,
        values: NDArray[np.generic] | None = None,
        axis: int = 0,
    ) -> int:
        tensor, quantization = schema.TensorT(), schema.QuantizationParametersT()
        tensor.name = f"tensor_{len(self.graph.tensors)}".encode()
        tensor.shape, tensor.type, tensor.buffer = list(shape), dtype, 0
        if len(scales):
            quantization.scale = np.asarray(scales, np.float32)
            quantization.zeroPoint = np.full(len(scales), zero_point, np.int64)
            quantization.quantizedDimension = axis
            tensor.quantization = quantization
        if values is not None:
            buffer = schema.BufferT()
            buffer.data = np.frombuffer(values.tobytes(), np.uint8)
            self.model.buffers.append(buffer)
            tensor.buffer = len(self.model.buffers) - 1
        self.graph.tensors.append(tensor)
        return len(self.graph.tensors) - 1

    def activation(self, shape: Sequence[int], scale: float, zero_point: int | None = None) -> int:
        if zero_point is None:
            zero_point = int(self.random.choice([-128, self.random.integers(-128, 128), self.random.integers(-40, 40)]))
        return self.tensor(shape, scales=[scale], zero_point=zero_point)

    def operator(self, name: str, inputs: Sequence[int], output: int, options: object = None, version: int = 1) -> int:
        code = schema.OperatorCodeT()
        code.builtinCode = getattr(_OPERATORS, name)
        code.deprecatedBuiltinCode, code.version = min(code.builtinCode, 127), version
        self.model.operatorCodes.append(code)
        operator = schema.OperatorT()
        operator.opcodeIndex, operator.inputs, operator.outputs = len(self.model.operatorCodes) - 1, inputs, [output]
        if options is not None:
            operator.builtinOptions = options
            kind = type(options).__name__.removesuffix("T")
            operator.builtinOptionsType = getattr(schema.BuiltinOptions, kind)
        self.graph.operators.append(operator)
        return output

    def shape(self, index: int) -> list[int]:
        return list(self.graph.tensors[index].shape)

    def scale(self, index: int) -> float:
        return float(self.graph.tensors[index].quantization.scale[0])

    def zero_point(self, index: int) -> int:
        return int(self.graph.tensors[index].quantization.zeroPoint[0])

    def like(self, source: int, shape: Sequence[int]) -> int:
        """Return a new activation with the scale and zero point of another."""
        return self.activation(shape, self.scale(source), self.zero_point(source))

    def finished(self) -> bytes:
        builder = flatbuffers.Builder(1 << 16)
        builder.Finish(self.model.Pack(builder), b"TFL3")
        return bytes(builder.Output())
