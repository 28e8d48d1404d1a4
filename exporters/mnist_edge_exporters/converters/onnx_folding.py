"""Fold a batch normalization behind a dense layer of an ONNX graph into the layer's weights and bias.

For convolutions onnxruntime does it. A scale and a shift that stay steps are quantized each on their own, so that
an int8 file rounds three times where TFLite rounds once.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import numpy_helper

__all__ = ["fold_normalization"]

Values = NDArray[Any]


def fold_normalization(model: Any) -> None:
    """Fold each product with constants, and each sum with them, behind a product of matrices.

    A layer `MatMul, Add, Mul, Add` becomes `MatMul, Add`, with the same values but for the rounding of float32.
    """
    graph = _Graph(model.graph)
    for dense in [node for node in graph.nodes if node.op_type == "MatMul"]:
        weights, shift = graph.constant(dense.input[1]), None
        if weights is None:
            continue
        steps, name = [], dense.output[0]
        while found := graph.step_behind(name, weights.shape[-1]):
            node, values = found
            if node.op_type == "Mul":
                weights, shift = weights * values, None if shift is None else shift * values
            else:
                shift = values if shift is None else shift + values
            steps.append(node)
            name = node.output[0]
        if any(node.op_type == "Mul" for node in steps):
            graph.replace(dense, weights, steps, shift)


class _Graph:
    """A graph whose constants and readers are looked up by name."""

    def __init__(self, graph: Any) -> None:
        self.nodes = graph.node
        self._graph = graph
        self._constants = {constant.name: constant for constant in graph.initializer}

    def constant(self, name: str) -> Values | None:
        """Return the values of a constant, None of another tensor."""
        return numpy_helper.to_array(self._constants[name]) if name in self._constants else None

    def step_behind(self, name: str, width: int) -> tuple[Any, Values] | None:
        """Return the only reader of a tensor, if it is a product or a sum with constants, one for each column."""
        readers = [node for node in self.nodes if name in node.input]
        if len(readers) != 1 or readers[0].op_type not in ("Mul", "Add") or name in self._outputs():
            return None
        values = [value for source in readers[0].input if (value := self.constant(source)) is not None]
        if len(values) != 1 or values[0].size not in (1, width) or values[0].shape[-1:] not in ((), (1,), (width,)):
            return None
        return readers[0], values[0].reshape(-1)

    def _outputs(self) -> set[str]:
        return {value.name for value in self._graph.output}

    def replace(self, dense: Any, weights: Values, steps: list[Any], shift: Values | None) -> None:
        """Let a layer have these weights, and of the steps behind it none but the last, a sum, if there is a shift."""
        last = steps[-1].output[0]
        dense.input[1] = self._add(f"{dense.output[0]}_weights", weights)
        for node in steps if shift is None else steps[:-1]:
            self.nodes.remove(node)
        if shift is None:
            dense.output[0] = last
            return
        total = steps[-1]
        total.op_type = "Add"
        total.input[:] = [dense.output[0], self._add(f"{last}_shift", np.broadcast_to(shift, weights.shape[-1:]))]

    def _add(self, name: str, values: Values) -> str:
        self._graph.initializer.append(numpy_helper.from_array(np.asarray(values, np.float32), name))
        return name
