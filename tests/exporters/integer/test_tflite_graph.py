from __future__ import annotations

from collections.abc import Callable

from ai_edge_litert import schema_py_generated as schema
from mnist_edge_exporters.integer.tflite_graph import Graph, refusal


def test_constants_are_told_from_activations(build: Callable[..., bytes]) -> None:
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(build(0), 0))
    types = {code: name for name, code in vars(schema.TensorType).items() if isinstance(code, int)}
    graph = Graph(model, {}, types)
    image, logits = graph.ends
    assert graph.constant(image) is None
    assert graph.tensor(logits).shape == (1, 10)
    convolution = graph.operators[1]
    weights = graph.constant(convolution.inputs[1])
    assert weights is not None
    assert weights.shape == graph.tensor(convolution.inputs[1]).shape


def test_a_refusal_names_the_layer_and_says_what_to_do() -> None:
    assert str(refusal("act", "no").args[0]).startswith("layer act: no; build the network of convolutions")
