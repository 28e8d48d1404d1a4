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


def test_a_graph_that_computes_before_it_quantizes_gets_the_pixels_behind_the_integers() -> None:
    model = _model("Neg", "QuantizeLinear", "DequantizeLinear")
    onnx_graph.name_canonically(model)
    assert onnx_graph.integer_input(model) == ("uint8", np.float32(1 / 255), 0)
    onnx_graph.make_canonical(model)
    onnx.checker.check_model(model, full_check=True)
    assert [node.op_type for node in model.graph.node][:2] == ["DequantizeLinear", "Neg"]


def test_a_graph_with_a_float_end_is_refused() -> None:
    with pytest.raises(ModelError, match=r"comes from Relu, .*; --io-dtype float32"):
        onnx_graph.integer_output(_model("QuantizeLinear", "DequantizeLinear", "Relu"))


def _looping() -> Any:
    """Return a graph that adds a constant of its own and one from around it to the image, three times, in a loop."""
    tensor, value = TensorProto.FLOAT, helper.make_tensor_value_info
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["going"], ["goes_on"]),
            helper.make_node("Add", ["before", "inside"], ["half"]),
            helper.make_node("Add", ["half", "outside"], ["after"]),
        ],
        "body",
        [
            value("turn", TensorProto.INT64, []),
            value("going", TensorProto.BOOL, []),
            value("before", tensor, [2, 4]),
        ],
        [value("goes_on", TensorProto.BOOL, []), value("after", tensor, [2, 4])],
        [numpy_helper.from_array(np.full(4, 1, np.float32), "inside")],
    )
    return helper.make_model(
        helper.make_graph(
            [helper.make_node("Loop", ["turns", "go", "pixels"], ["end"], body=body)],
            "looping",
            [value("pixels", tensor, [2, 4])],
            [value("end", tensor, [2, 4])],
            [
                numpy_helper.from_array(np.array(3, np.int64), "turns"),
                numpy_helper.from_array(np.array(True), "go"),
                numpy_helper.from_array(np.full(4, 10, np.float32), "outside"),
            ],
        ),
        opset_imports=[helper.make_opsetid("", 17)],
    )


def test_of_two_equal_outputs_of_a_loop_the_second_is_the_copy() -> None:
    """Which of them converters make the copy depends on how often they ran before, as does whether a domain is set."""
    written = []
    for last in (["after", "copy"], ["copy", "after"]):
        model = _looping()
        (loop,) = model.graph.node
        (body,) = onnx_graph.subgraphs(loop)
        loop.input.append("pixels")
        loop.output.append("end_copy")
        body.input.add().CopyFrom(body.input[2])
        body.input[3].name = "before_copy"
        copying = helper.make_node("Identity", ["after"], ["copy"])
        copying.domain = "" if last[0] == "copy" else copying.domain
        body.node.append(copying)
        body.output.add().CopyFrom(body.output[1])
        body.output[1].name, body.output[2].name = last
        onnx_graph.order_canonically(model)
        onnx_graph.name_canonically(model)
        onnx_graph.make_canonical(model)
        onnx.checker.check_model(model, full_check=True)
        written.append(model.SerializeToString(deterministic=True))
    assert written[0] == written[1]


def test_surgery_descends_into_the_body_of_a_loop() -> None:
    model = _looping()
    onnx_graph.order_canonically(model)
    onnx_graph.name_canonically(model)
    onnx_graph.make_canonical(model)
    onnx.checker.check_model(model, full_check=True)
    (loop,) = model.graph.node
    (body,) = onnx_graph.subgraphs(loop)
    assert [constant.name for constant in body.initializer] == ["Loop_0/Add_1.1"]
    assert [constant.name for constant in model.graph.initializer] == ["Loop_0.0", "Loop_0.1", "Loop_0/Add_2.1"]
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    for count in (1, 2, 5):
        (answer,) = session.run(None, {"image": np.zeros((count, 4), np.float32)})
        assert answer.tolist() == [[33.0] * 4] * count


def test_an_operator_that_onnx_lacks_is_replaced() -> None:
    from scipy.special import erfc

    model = _model("Erfc")
    onnx_graph.use_known_operators(model)
    onnx_graph.name_canonically(model)
    onnx_graph.make_canonical(model)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    values = np.linspace(-3, 3, 8, dtype=np.float32).reshape(2, 4)
    (answer,) = session.run(None, {"image": values})
    np.testing.assert_allclose(answer, erfc(values), atol=1e-6)


def test_captured_tensors_become_constants() -> None:
    model = _model("Relu")
    model.graph.input.append(helper.make_tensor_value_info("mean", TensorProto.FLOAT, [1]))
    onnx_graph.keep_captured(model, {"mean": np.ones(1, np.float32), "other": np.ones(1, np.float32)})
    assert [value.name for value in model.graph.input] == ["n0"]
    assert "mean" in [constant.name for constant in model.graph.initializer]
