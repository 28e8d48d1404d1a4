"""Let an ONNX graph that was converted for one number of images take any number."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from mnist_edge_runtime.engines import onnxruntime
from mnist_edge_runtime.errors import ModelError
from mnist_edge_runtime.model_file.contract import IMAGE_SHAPE
from numpy.typing import NDArray
from onnx import numpy_helper

from .onnx_graph import all_graphs

__all__ = ["COMPARED", "free_batch", "free_compared", "is_free"]

COMPARED = (97, 89)  # images: numbers that no size of a network is likely to be, or to be a multiple of
_RECURRENT = {"GRU", "LSTM", "RNN"}
_TOLERANCE = 1e-4  # of logits, times the largest; a wrong arrangement is off by the logits themselves


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


def is_free(model: Any) -> bool:
    """Return whether a canonical graph gives for two and three images the answers that it gives for each alone."""
    noise = np.random.default_rng(0).random((3, *IMAGE_SHAPE, 1), np.float32)
    try:
        session = onnxruntime.session(model.SerializeToString())
        single = np.concatenate([session.run(None, {"image": noise[[index]]})[0] for index in range(len(noise))])
        for count in (2, 3):
            (answers,) = session.run(None, {"image": noise[:count]})
            if answers.shape != single[:count].shape:
                return False
            if np.abs(answers - single[:count]).max() > _TOLERANCE * np.abs(single).max():
                return False
    except Exception:  # onnxruntime raises exceptions of any type
        return False
    return True


def free_compared(one: Any, other: Any) -> Any:
    """Return the network of two graphs with canonical names, each converted for a batch of another size, for any batch.

    Whatever constant differs between them depends on the batch: in the shape of a Reshape that size is left to be
    inferred, and of rows that are all alike, such as the first state of a loop, one is kept, which broadcasts.

    Raises:
        ModelError: the graphs differ in another way.
    """
    readers = _readers(one)
    others_by_name = {constant.name: constant for constant in _constants(other)}
    if [(node.op_type, *node.input) for node in _nodes(one)] != [(node.op_type, *node.input) for node in _nodes(other)]:
        raise ModelError("for ONNX the network differs with the number of images, so it cannot take any number")
    for constant in [each for each in _constants(one) if each.name in readers]:
        values, others = (numpy_helper.to_array(each) for each in (constant, others_by_name[constant.name]))
        if values.shape == others.shape and np.array_equal(values, others, equal_nan=values.dtype.kind == "f"):
            continue
        if readers[constant.name] <= _RECURRENT and not values.any() and not others.any():
            _leave_out(one, constant.name)
            continue
        free = _inferred(values, others) if readers[constant.name] == {"Reshape"} else _one_row(values, others)
        if free is None:
            found = " and ".join(sorted(readers[constant.name]))
            raise ModelError(f"for ONNX its {found} depends on the number of images, so it cannot take any number")
        constant.CopyFrom(numpy_helper.from_array(free, constant.name))
    return one


def _leave_out(model: Any, name: str) -> None:
    """Leave out a first state of zeros, which is the default."""
    for node in _nodes(model):
        node.input[:] = ["" if each == name else each for each in node.input]


def _nodes(model: Any) -> Iterator[Any]:
    for graph in all_graphs(model.graph):
        yield from graph.node


def _constants(model: Any) -> Iterator[Any]:
    for graph in all_graphs(model.graph):
        yield from graph.initializer


def _readers(model: Any) -> dict[str, set[str]]:
    """Return the kinds of the nodes that read each tensor."""
    readers: dict[str, set[str]] = {}
    for node in _nodes(model):
        for name in node.input:
            readers.setdefault(name, set()).add(node.op_type)
    return readers


def _inferred(shape: NDArray[Any], other: NDArray[Any]) -> NDArray[Any] | None:
    """Return a shape whose one size that differs is inferred."""
    if shape.shape != other.shape or (shape != other).sum() != 1 or (shape < 0).any():
        return None
    return np.where(shape != other, np.int64(-1), shape)


def _one_row(values: NDArray[Any], others: NDArray[Any]) -> NDArray[Any] | None:
    """Return one of the equal rows along the axis in which the two differ in length."""
    if values.ndim != others.ndim:
        return None
    axes = [axis for axis, lengths in enumerate(zip(values.shape, others.shape, strict=True)) if len(set(lengths)) > 1]
    if len(axes) != 1:
        return None
    row = values.take([0], axes[0])
    return row if (values == row).all() and (others == row).all() else None
