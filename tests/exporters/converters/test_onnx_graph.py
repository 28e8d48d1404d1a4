from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from mnist_edge_exporters.converters import onnx_graph
from mnist_edge_runtime import ModelError
from onnx import TensorProto, helper, numpy_helper


def _model(*operators: str, prefix: str = "n") -> Any:
    """Return a chain of operators from float input to float output; (De)QuantizeLinear get scale and zero point."""
    constants = [
        numpy_helper.from_array(np.float32(0.5), f"{prefix}scale"),
        numpy_helper.from_array(np.uint8(3), f"{prefix}zero"),
    ]
    names = [f"{prefix}{index}" for index in range(len(operators) + 1)]
    nodes = [
        helper.make_node(
            operator,
            [source, f"{prefix}scale", f"{prefix}zero"] if "Linear" in operator else [source],
            [target],
            name=f"{prefix}_{operator}",
        )
        for operator, source, target in zip(operators, names[:-1], names[1:], strict=True)
    ]
    graph = helper.make_graph(
        nodes,
        prefix,
        [helper.make_tensor_value_info(names[0], TensorProto.FLOAT, [None, 4])],
        [helper.make_tensor_value_info(names[-1], TensorProto.FLOAT, [None, 4])],
        constants,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 2)])


def test_graphs_that_differ_only_in_names_become_the_same_bytes() -> None:
    first = _model("Relu", "QuantizeLinear", "DequantizeLinear")
    second = _model("Relu", "QuantizeLinear", "DequantizeLinear", prefix="other")
    second.graph.doc_string, second.producer_name = "made yesterday", "somebody"
    for model in (first, second):
        onnx_graph.name_canonically(model)
        onnx_graph.make_canonical(model)
        onnx.checker.check_model(model, full_check=True)
    assert first.SerializeToString(deterministic=True) == second.SerializeToString(deterministic=True)
    assert (first.graph.input[0].name, first.graph.output[0].name) == ("image", "logits")
    assert first.ir_version == onnx_graph.IR_VERSION
    assert [entry.domain for entry in first.opset_import] == [""]
    assert [(entry.key, entry.value) for entry in first.metadata_props] == [("model_author", "mnist-edge")]
    assert "white ink on black" in first.doc_string


def test_a_reshape_of_one_image_becomes_one_of_any_batch() -> None:
    graph = helper.make_graph(
        [helper.make_node("Reshape", ["image", "shape"], ["flat"])],
        "flatten",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 2, 3])],
        [helper.make_tensor_value_info("flat", TensorProto.FLOAT, [1, 6])],
        [numpy_helper.from_array(np.array([1, 6], np.int64), "shape")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    onnx_graph.name_canonically(model)
    onnx_graph.free_batch(model)
    onnx_graph.make_canonical(model)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    images = np.arange(24, dtype=np.float32).reshape(4, 2, 3)
    (flat,) = session.run(None, {"image": images})
    assert np.array_equal(flat, images.reshape(4, 6))


def test_both_ends_become_integers_with_the_scale_of_their_node() -> None:
    model = _model("Flatten", "QuantizeLinear", "DequantizeLinear", "Relu", "QuantizeLinear", "DequantizeLinear")
    onnx_graph.name_canonically(model)
    assert onnx_graph.integer_input(model) == ("uint8", 0.5, 3)
    assert onnx_graph.integer_output(model) == ("uint8", 0.5, 3)
    onnx_graph.make_canonical(model)
    onnx.checker.check_model(model, full_check=True)
    assert [node.op_type for node in model.graph.node] == ["Flatten", "DequantizeLinear", "Relu", "QuantizeLinear"]
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    (answer,) = session.run(None, {"image": np.array([[3, 4, 0, 9]], np.uint8)})
    assert answer.tolist() == [[3, 4, 3, 9]]


def test_a_graph_that_computes_before_it_quantizes_is_refused() -> None:
    with pytest.raises(ModelError, match="goes into Relu"):
        onnx_graph.integer_input(_model("Relu", "QuantizeLinear", "DequantizeLinear"))


def test_a_graph_with_a_float_end_is_refused() -> None:
    with pytest.raises(ModelError, match="comes from Relu"):
        onnx_graph.integer_output(_model("QuantizeLinear", "DequantizeLinear", "Relu"))
