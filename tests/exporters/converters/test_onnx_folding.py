from __future__ import annotations

from typing import Any

import numpy as np
import onnxruntime
import pytest
from mnist_edge_exporters.converters import onnx_folding
from onnx import TensorProto, helper, numpy_helper

WIDTH = 3


def _chain(*steps: str, shape: tuple[int, ...] = (WIDTH,), outputs: tuple[int, ...] = ()) -> Any:
    """Return a product of matrices and steps behind it, with random constants; `outputs` are further outputs."""
    random = np.random.default_rng(0)
    constants = {f"c{index}": random.normal(size=shape).astype(np.float32) for index in range(len(steps))}
    weights = {"weights": random.normal(size=(4, WIDTH)).astype(np.float32)}
    nodes = [helper.make_node("MatMul", ["image", "weights"], ["t0"])]
    for index, step in enumerate(steps):
        second = [f"c{index}"] if step in ("Mul", "Add") else []
        nodes.append(helper.make_node(step, [f"t{index}", *second], [f"t{index + 1}"]))
    shown = [*outputs, len(steps)]
    graph = helper.make_graph(
        nodes,
        "chain",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, [None, 4])],
        [helper.make_tensor_value_info(f"t{index}", TensorProto.FLOAT, None) for index in shown],
        [numpy_helper.from_array(values, name) for name, values in (weights | constants).items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def _answers(model: Any) -> list[Any]:
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return list(session.run(None, {"image": np.random.default_rng(1).normal(size=(5, 4)).astype(np.float32)}))


@pytest.mark.parametrize(
    ("steps", "left"),
    [
        (("Mul", "Add", "Relu"), ["MatMul", "Add", "Relu"]),
        (("Add", "Mul", "Add", "Relu"), ["MatMul", "Add", "Relu"]),
        (("Add", "Mul"), ["MatMul", "Add"]),
        (("Mul",), ["MatMul"]),
        (("Mul", "Relu", "Mul"), ["MatMul", "Relu", "Mul"]),
    ],
)
@pytest.mark.parametrize("shape", [(WIDTH,), (1, WIDTH), (1,), ()])
def test_products_and_sums_become_weights_and_bias(
    steps: tuple[str, ...], left: list[str], shape: tuple[int, ...]
) -> None:
    model = _chain(*steps, shape=shape)
    (expected,) = _answers(model)
    onnx_folding.fold_normalization(model)
    assert [node.op_type for node in model.graph.node] == left
    (found,) = _answers(model)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    "model",
    [
        _chain("Add", "Relu"),  # a bias alone
        _chain("Relu", "Mul", "Add"),
        _chain("Mul", "Add", outputs=(0,)),  # what would be folded is an output itself
        _chain("Mul", shape=(5, 1)),  # a scale for each image
    ],
)
def test_what_is_no_normalization_of_a_dense_layer_stays(model: Any) -> None:
    before = model.SerializeToString()
    onnx_folding.fold_normalization(model)
    assert model.SerializeToString() == before


def test_layers_that_share_their_weights_get_weights_of_their_own() -> None:
    model = _chain("Mul")
    second = [("MatMul", ["image", "weights"], "u0"), ("Mul", ["u0", "other"], "u1"), ("Add", ["t1", "u1"], "sum")]
    model.graph.node.extend(helper.make_node(kind, sources, [target]) for kind, sources, target in second)
    model.graph.initializer.append(numpy_helper.from_array(np.full(WIDTH, 5, np.float32), "other"))
    model.graph.output[0].name = "sum"
    (expected,) = _answers(model)
    onnx_folding.fold_normalization(model)
    assert [node.op_type for node in model.graph.node] == ["MatMul", "MatMul", "Add"]
    (found,) = _answers(model)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_a_layer_whose_output_has_two_readers_stays() -> None:
    model = _chain("Mul", "Add")
    model.graph.node.append(helper.make_node("Relu", ["t0"], ["other"]))
    model.graph.output.append(helper.make_tensor_value_info("other", TensorProto.FLOAT, None))
    before = model.SerializeToString()
    onnx_folding.fold_normalization(model)
    assert model.SerializeToString() == before
