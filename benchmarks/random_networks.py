"""Write int8 TFLite files of random networks: all operators, strides, paddings, widths, scales and zero points.

They know no digits: they are for comparing two ways to compute one file. Imported by `integer.py` and by tests.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from tflite_graph import Graph

__all__ = ["KINDS", "build", "build_mean"]

_CLASSES = 10
_SPREAD = 45.0  # steps, the usual distance of values from their mean


class _Network(Graph):
    """Operators with random settings, each from one tensor to the next."""

    def weighted(self, name: str, source: int, weights: Sequence[int], shape: Sequence[int], options: object) -> int:
        """Append an operator with weights, with an output scale that neither saturates nor starves."""
        axis, terms = (3, int(np.prod(weights[1:3]))) if name.startswith("DEPTH") else (0, int(np.prod(weights[1:])))
        outputs = weights[axis]
        count = outputs if name != "FULLY_CONNECTED" and self.random.random() < 0.8 else 1
        scales = (self.random.uniform(0.3, 1, count) * self.random.uniform(0.001, 0.02)).astype(np.float32)
        values = np.clip(np.rint(self.random.normal(0, 40, weights)), -127, 127).astype(np.int8)
        step = self.scale(source) * float(scales.mean())
        target = step * np.sqrt(terms) * 40 * 60 / _SPREAD * self.random.uniform(0.5, 2)
        bias = np.rint(self.random.normal(0, 0.5 * _SPREAD, outputs) * target / step).astype(np.int32)
        inputs = [
            source,
            self.tensor(weights, scales=scales, values=values, axis=axis),
            self.tensor([outputs], schema.TensorType.INT32, np.float32(self.scale(source)) * scales, values=bias),
        ]
        return self.operator(name, inputs, self.activation(shape, target), options, version=5)

    def window(self, source: int, options: object, most: int) -> tuple[int, int, list[int]]:
        """Set random strides and padding; return rows and columns of the kernel, and the output's shape."""
        _, rows, columns, channels = self.shape(source)
        size = (int(self.random.integers(1, min(most, rows) + 1)), int(self.random.integers(1, min(most, columns) + 1)))
        options.strideH, options.strideW = (int(self.random.integers(1, 3)) for _ in range(2))
        options.padding = int(self.random.integers(0, 2))
        shape = [1]
        for length, stride, kernel in ((rows, options.strideH, size[0]), (columns, options.strideW, size[1])):
            shape.append(-(-length // stride) if options.padding == 0 else (length - kernel) // stride + 1)
        return *size, [*shape, channels]

    def activation_function(self) -> int:
        return int(self.random.choice([0, 1, 3]))

    def convolution(self, source: int) -> int:
        options = schema.Conv2DOptionsT()
        height, width, shape = self.window(source, options, 5)
        options.fusedActivationFunction = self.activation_function()
        shape[3] = int(self.random.integers(1, 21))
        return self.weighted("CONV_2D", source, [shape[3], height, width, self.shape(source)[3]], shape, options)

    def depthwise(self, source: int) -> int:
        options = schema.DepthwiseConv2DOptionsT()
        height, width, shape = self.window(source, options, 5)
        options.fusedActivationFunction = self.activation_function()
        options.depthMultiplier = int(self.random.choice([1, 1, 2]))
        shape[3] *= options.depthMultiplier
        return self.weighted("DEPTHWISE_CONV_2D", source, [1, height, width, shape[3]], shape, options)

    def pool(self, name: str, source: int) -> int:
        options = schema.Pool2DOptionsT()
        options.filterHeight, options.filterWidth, shape = self.window(source, options, 3)
        options.fusedActivationFunction = self.activation_function()
        return self.operator(name, [source], self.like(source, shape), options, version=2)

    def pad(self, source: int) -> int:
        pairs = np.zeros((4, 2), np.int32)
        pairs[1:3] = self.random.integers(0, 3, (2, 2))
        shape = [length + int(pair.sum()) for length, pair in zip(self.shape(source), pairs, strict=True)]
        constant = self.tensor([4, 2], schema.TensorType.INT32, values=pairs)
        return self.operator("PAD", [source, constant], self.like(source, shape), schema.PadOptionsT(), version=2)

    def relu(self, source: int) -> int:
        name = str(self.random.choice(["RELU", "RELU6"]))
        return self.operator(name, [source], self.like(source, self.shape(source)), version=2)

    def concatenation(self, source: int) -> int:
        other = self.relu(source)
        *shape, channels = self.shape(source)
        options = schema.ConcatenationOptionsT()
        options.axis = 3
        target = self.like(source, [*shape, 2 * channels])
        return self.operator("CONCATENATION", [source, other], target, options, version=2)

    def add(self, source: int) -> int:
        *_, channels = shape = self.shape(source)
        options = schema.Conv2DOptionsT()
        options.strideH = options.strideW = 1
        other = self.weighted("CONV_2D", source, [channels, 3, 3, channels], shape, options)
        sums = schema.AddOptionsT()
        sums.fusedActivationFunction = self.activation_function()
        scale = max(self.scale(source), self.scale(other)) * self.random.uniform(0.7, 1.6)
        pair = [source, other] if self.random.random() < 0.5 else [other, source]
        return self.operator("ADD", pair, self.activation(shape, scale), sums, version=2)

    def requantize(self, source: int) -> int:
        target = self.activation(self.shape(source), self.scale(source) * self.random.uniform(0.6, 1.7))
        return self.operator("QUANTIZE", [source], target, version=2)

    def mean(self, source: int) -> int:
        shape = self.shape(source)
        options = schema.ReducerOptionsT()
        options.keepDims = bool(self.random.integers(0, 2))
        axes = self.tensor([2], schema.TensorType.INT32, values=np.array([1, 2], np.int32))
        target = self.activation(
            [1, 1, 1, shape[3]] if options.keepDims else [1, shape[3]],
            self.scale(source) * self.random.uniform(0.3, 1.2),
        )
        return self.operator("MEAN", [source, axes], target, options, version=2)

    def dense(self, source: int) -> int:
        count = int(np.prod(self.shape(source)))
        shape = self.tensor([2], schema.TensorType.INT32, values=np.array([1, count], np.int32))
        flat = self.operator("RESHAPE", [source, shape], self.like(source, [1, count]), schema.ReshapeOptionsT())
        options = schema.FullyConnectedOptionsT()
        return self.weighted("FULLY_CONNECTED", flat, [_CLASSES, count], [1, _CLASSES], options)


def build_mean(seed: int) -> bytes:
    """Return a plain TFLite file that is one mean over rows and columns, int8 in and out, of 256 channels.

    Half of the scales have simple ratios, so that many means lie on a half or next to one.
    """
    builder = _Network(seed)
    random = builder.random
    scale = float(np.exp(random.uniform(-8, 2)))
    ratio = float(np.exp(random.uniform(-2, 2))) if seed % 2 else float(random.choice([0.5, 0.75, 1, 1.25, 1.5, 2]))
    rows, columns = random.integers(1, 29 if seed % 3 == 0 else 9, 2).tolist()
    image = builder.activation([1, rows, columns, 256], scale)
    axes = builder.tensor([2], schema.TensorType.INT32, values=np.array([1, 2], np.int32))
    target = builder.activation([1, 256], scale * ratio)
    builder.operator("MEAN", [image, axes], target, schema.ReducerOptionsT(), version=2)
    builder.graph.inputs, builder.graph.outputs = [image], [target]
    return builder.finished()


KINDS: dict[str, Callable[[_Network, int], int]] = {
    "convolution": _Network.convolution,
    "depthwise": _Network.depthwise,
    "max_pool": lambda builder, source: builder.pool("MAX_POOL_2D", source),
    "average_pool": lambda builder, source: builder.pool("AVERAGE_POOL_2D", source),
    "pad": _Network.pad,
    "relu": _Network.relu,
    "concatenation": _Network.concatenation,
    "add": _Network.add,
    "requantize": _Network.requantize,
}


def build(
    seed: int,
    kinds: Sequence[str] = tuple(KINDS),
    mean: bool | None = None,
    depth: int = 5,
    ends: int = schema.TensorType.UINT8,
) -> bytes:
    """Return a plain TFLite file, the same for the same seed: (1, 28, 28, 1) in, 10 logits out.

    Args:
        seed: of everything that is drawn.
        kinds: the operators to draw from, besides the convolution at the beginning and the dense layer at the end.
        mean: whether a mean over the image comes before the dense layer; drawn if None.
        depth: the number of operators that are drawn.
        ends: the type of input and output: UINT8, INT8 or FLOAT32 of the schema.
    """
    builder, types = _Network(seed), schema.TensorType
    shape = [1, 28, 28, 1]
    inside = builder.activation(shape, 1 / 255, -128)
    image = inside
    if ends != types.INT8:
        image = builder.tensor(shape, ends, [1 / 255] if ends == types.UINT8 else ())
        builder.operator("QUANTIZE", [image], inside)
    place = inside
    place = builder.convolution(place)
    for kind in builder.random.choice(list(kinds), depth):
        if builder.shape(place)[3] <= 40:
            place = KINDS[kind](builder, place)
    if builder.random.random() < 0.5 if mean is None else mean:
        place = builder.mean(place)
    place = builder.dense(place)
    logits = place
    if ends != types.INT8:
        scales = [builder.scale(place)] if ends == types.UINT8 else ()
        logits = builder.tensor(builder.shape(place), ends, scales, builder.zero_point(place) + 128)
        builder.operator("QUANTIZE" if ends == types.UINT8 else "DEQUANTIZE", [place], logits, version=2)
    builder.graph.inputs, builder.graph.outputs = [image], [logits]
    return builder.finished()
