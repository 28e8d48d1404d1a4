"""Give each layer of an ONNX graph weights of its own, where converters let several share equal ones.

On processors of x86-64 without VNNI onnxruntime 1.32 turns int8 weights into uint8, and cannot start where two layers
have the same ("Attempt to replace the existing tensor").
"""

from __future__ import annotations

from typing import Any

from .onnx_graph import all_graphs

__all__ = ["unshare_weights"]

_WEIGHED = ("Conv", "ConvTranspose", "Gemm", "MatMul")  # operators whose second input may be weights


def unshare_weights(model: Any) -> None:
    """Copy weights that an earlier layer of the same graph has, under the name of the layer that reads them."""
    for graph in all_graphs(model.graph):
        constants = {constant.name: constant for constant in graph.initializer}
        taken: set[str] = set()
        for node in graph.node:
            if node.op_type not in _WEIGHED or node.input[1] not in constants:
                continue
            name = node.input[1]
            if name in taken:
                own = graph.initializer.add()
                own.CopyFrom(constants[name])
                own.name = node.input[1] = f"{node.output[0].removesuffix(':0')}.1"
            taken.add(name)
