from __future__ import annotations

import numpy as np
import onnx
from mnist_edge_exporters.converters.onnx_weights import unshare_weights
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator


def test_each_layer_gets_weights_of_its_own_and_computes_the_same() -> None:
    weights = numpy_helper.from_array(np.arange(16, dtype=np.float32).reshape(4, 4), "MatMul_0.1")
    nodes = [
        helper.make_node("MatMul", ["image", "MatMul_0.1"], ["MatMul_0:0"]),
        helper.make_node("Relu", ["MatMul_0:0"], ["Relu_1:0"]),
        helper.make_node("MatMul", ["Relu_1:0", "MatMul_0.1"], ["MatMul_2:0"]),
        helper.make_node("Add", ["MatMul_2:0", "MatMul_0.1"], ["logits"]),
    ]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [4, 4]) for name in ("image", "logits")]
    model = helper.make_model(helper.make_graph(nodes, "g", ends[:1], ends[1:], [weights]))
    image = np.random.default_rng(0).random((4, 4), np.float32)
    before = ReferenceEvaluator(model).run(None, {"image": image})[0]

    unshare_weights(model)

    onnx.checker.check_model(model, full_check=True)
    assert [list(node.input) for node in model.graph.node] == [
        ["image", "MatMul_0.1"],
        ["MatMul_0:0"],
        ["Relu_1:0", "MatMul_2.1"],
        ["MatMul_2:0", "MatMul_0.1"],
    ]
    np.testing.assert_array_equal(ReferenceEvaluator(model).run(None, {"image": image})[0], before)
