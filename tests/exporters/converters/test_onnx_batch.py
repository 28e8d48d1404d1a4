from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import onnx
import onnxruntime
import pytest
from mnist_edge_exporters import output_head
from mnist_edge_exporters.converters import onnx as exporter
from mnist_edge_exporters.converters import onnx_batch, onnx_graph
from mnist_edge_exporters.converters.calibration import UNCALIBRATED
from mnist_edge_exporters.spec import ExportSpec, Quantization
from mnist_edge_runtime import ModelError
from onnx import TensorProto, helper, numpy_helper

FLOAT = ExportSpec("onnx", Quantization.NONE)
LAYERS: dict[str, Callable[[], list[Any]]] = {
    "a loop": lambda: [keras.layers.Reshape((28, 28)), keras.layers.GRU(6)],
    "two loops": lambda: [keras.layers.Reshape((28, 28)), keras.layers.Bidirectional(keras.layers.LSTM(5))],
    "a layer over time": lambda: [
        keras.layers.Reshape((28, 28)),
        keras.layers.TimeDistributed(keras.layers.Dense(3)),
        keras.layers.Flatten(),
    ],
}


@pytest.mark.long
@pytest.mark.parametrize("layers", LAYERS.values(), ids=list(LAYERS))
def test_loops_answer_two_images_as_each_alone(layers: Callable[[], list[Any]]) -> None:
    keras.utils.set_random_seed(3)
    model = keras.Sequential([keras.Input((28, 28, 1)), *layers(), keras.layers.Dense(10)])
    payload = exporter.convert(model, FLOAT, UNCALIBRATED).payload
    onnx.checker.check_model(onnx.load_from_string(payload), full_check=True)
    session = onnxruntime.InferenceSession(payload, providers=["CPUExecutionProvider"])
    images = np.random.default_rng(0).random((2, 28, 28, 1), np.float32)
    expected = np.asarray(output_head.to_logits(model, None)(images)["logits"])
    for count in (1, 2):
        (answers,) = session.run(None, {"image": images[:count]})
        np.testing.assert_allclose(answers, expected[:count], atol=1e-5)
    assert exporter.convert(model, FLOAT, UNCALIBRATED).payload == payload


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
    onnx_batch.free_batch(model)
    onnx_graph.make_canonical(model)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    images = np.arange(24, dtype=np.float32).reshape(4, 2, 3)
    (flat,) = session.run(None, {"image": images})
    assert np.array_equal(flat, images.reshape(4, 6))


def _adding(batch: int, operator: str = "Add", rows: float = 0.0) -> Any:
    """Return a graph that adds a constant of as many rows as images; each is `rows` more than the one before."""
    constant = np.arange(batch, dtype=np.float32)[:, np.newaxis] * rows + np.ones((1, 784), np.float32)
    nodes = [
        helper.make_node("Reshape", ["pixels", "shape"], ["flat"]),
        helper.make_node(operator, ["flat", "rows"], ["answer"]),
    ]
    graph = helper.make_graph(
        nodes,
        "adding",
        [helper.make_tensor_value_info("pixels", TensorProto.FLOAT, [batch, 28, 28, 1])],
        [helper.make_tensor_value_info("answer", TensorProto.FLOAT, [batch, 784])],
        [numpy_helper.from_array(np.array([batch, 784]), "shape"), numpy_helper.from_array(constant, "rows")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    onnx_graph.name_canonically(model)
    return model


def test_what_differs_between_two_batches_is_freed() -> None:
    model = onnx_batch.free_compared(*map(_adding, onnx_batch.COMPARED))
    onnx_graph.make_canonical(model)
    assert onnx_batch.is_free(model)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    (answer,) = session.run(None, {"image": np.ones((3, 28, 28, 1), np.float32)})
    assert np.array_equal(answer, np.full((3, 784), 2, np.float32))


def test_rows_that_differ_are_refused() -> None:
    with pytest.raises(ModelError, match="its Add depends on the number of images"):
        onnx_batch.free_compared(_adding(5, rows=1), _adding(7, rows=1))


def test_graphs_that_differ_are_refused() -> None:
    with pytest.raises(ModelError, match="the network differs with the number of images"):
        onnx_batch.free_compared(_adding(5), _adding(7, "Mul"))


def test_a_graph_for_one_image_is_not_free() -> None:
    model = _adding(1)
    onnx_graph.make_canonical(model)
    assert not onnx_batch.is_free(model)
