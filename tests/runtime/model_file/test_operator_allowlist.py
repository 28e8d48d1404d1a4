from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from mnist_edge_runtime import ModelError
from mnist_edge_runtime.model_file import operator_allowlist, sealed_model
from onnx import TensorProto, helper, numpy_helper


def _onnx(*nodes: Any, **options: Any) -> Any:
    tensor = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])
    return helper.make_model(helper.make_graph(list(nodes), "graph", [tensor], [tensor], **options))


def _weights(location: int) -> Any:
    tensor = numpy_helper.from_array(np.zeros(4, np.float32), "w")
    tensor.data_location = location
    return tensor


def _outside() -> Any:
    tensor = _weights(TensorProto.EXTERNAL)
    tensor.ClearField("raw_data")
    tensor.external_data.add(key="location", value="/etc/passwd")
    return tensor


def _inside(node: Any) -> Any:
    """Return a branch that holds the node."""
    return helper.make_node("If", ["c"], ["x"], then_branch=helper.make_graph([node], "then", [], []))


def _tflite(change: Callable[[Any], None]) -> bytes:
    """Return a model with one operator, changed."""
    import flatbuffers
    from tensorflow.lite.python import schema_py_generated as schema

    operator = schema.OperatorCodeT()
    operator.builtinCode = operator.deprecatedBuiltinCode = 0
    model = schema.ModelT()
    model.version, model.operatorCodes, model.subgraphs, model.buffers = 3, [operator], [], [schema.BufferT()]
    change(model)
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


def _code(number: int) -> Callable[[Any], None]:
    def change(model: Any) -> None:
        model.operatorCodes[0].builtinCode, model.operatorCodes[0].deprecatedBuiltinCode = number, min(number, 127)

    return change


def _old_custom(model: Any) -> None:
    model.operatorCodes[0].deprecatedBuiltinCode, model.operatorCodes[0].customCode = 32, b"Foreign"


def _buffer_outside(model: Any) -> None:
    model.buffers[0].offset, model.buffers[0].size = 100_000, 4


def _buffer_elsewhere(model: Any) -> None:
    from tensorflow.lite.python import schema_py_generated as schema

    model.externalBuffers = [schema.ExternalBufferT()]


def test_every_export_passes(files: Mapping[str, Path]) -> None:
    for file in files.values():
        sealed = sealed_model.read(file)
        operator_allowlist.check(sealed.payload, sealed.contract.format)


def test_the_tables_names_are_the_fields() -> None:
    from tensorflow.lite.python import schema_py_generated as schema

    known = {code: name for name, code in vars(schema.BuiltinOperator).items() if isinstance(code, int)}
    assert {code: known[code] for code in operator_allowlist.TFLITE} == operator_allowlist.TFLITE
    assert {schema.name for schema in onnx.defs.get_all_schemas() if not schema.domain} >= operator_allowlist.ONNX


@pytest.mark.parametrize("number", [0, 3, 114, 119, 150, 203])
def test_allowed_tflite_operators(number: int) -> None:
    operator_allowlist.check(_tflite(_code(number)), "tflite")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_code(32), "a custom operator"),
        (_old_custom, "a custom operator"),
        (_code(51), "operator 51 is not allowed"),
        (_code(142), "operator 142 is not allowed"),
        (_code(173), "operator 173 is not allowed"),
        (_code(5000), "operator 5000 is not allowed"),
        (_buffer_outside, "outside of the model"),
        (_buffer_elsewhere, "in other files"),
        (lambda model: model.operatorCodes.clear(), "names no operators"),
        (lambda model: model.operatorCodes.extend(model.operatorCodes * 1001), "more than 1000"),
    ],
    ids=["custom", "custom in an old file", "delegate", "variable", "StableHLO", "unknown", "buffer behind the model",
         "buffer in another file", "none", "too many"],
)  # fmt: skip
def test_tflite_models_that_are_refused(change: Callable[[Any], None], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        operator_allowlist.check(_tflite(change), "tflite")


@pytest.mark.parametrize(
    "model",
    [
        _onnx(helper.make_node("Relu", ["x"], ["x"])),
        _onnx(helper.make_node("Relu", ["x"], ["x"], domain="ai.onnx")),
        _onnx(_inside(helper.make_node("Relu", ["x"], ["x"]))),
        _onnx(initializer=[_weights(TensorProto.DEFAULT)]),
    ],
    ids=["Relu", "its domain's name", "in a branch", "weights inside"],
)
def test_allowed_onnx_models(model: Any) -> None:
    operator_allowlist.check(model.SerializeToString(), "onnx")


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (_onnx(helper.make_node("Relu", ["x"], ["x"], domain="com.microsoft")), "domain 'com.microsoft'"),
        (_onnx(helper.make_node("Nonsense", ["x"], ["x"])), "operator 'Nonsense'"),
        (_onnx(helper.make_node("RandomUniform", [], ["x"], shape=[1])), "operator 'RandomUniform'"),
        (_onnx(_inside(helper.make_node("ImageDecoder", ["x"], ["x"]))), "operator 'ImageDecoder'"),
        (_onnx(initializer=[_outside()]), "in other files"),
        (_onnx(initializer=[_weights(TensorProto.EXTERNAL)]), "in other files"),
        (_onnx(helper.make_node("Constant", [], ["x"], value=_outside())), "in other files"),
        (_onnx(_inside(helper.make_node("Constant", [], ["x"], value=_outside()))), "in other files"),
        (_onnx(sparse_initializer=[helper.make_sparse_tensor(_outside(), _weights(0), [9])]), "in other files"),
    ],
    ids=["domain", "unknown", "random", "in a branch", "initializer", "location alone", "constant",
         "constant in a branch", "sparse"],
)  # fmt: skip
def test_onnx_models_that_are_refused(model: Any, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        operator_allowlist.check(model.SerializeToString(), "onnx")


def test_a_part_that_comes_twice_is_looked_at_twice() -> None:
    """Readers merge them: here a second graph, and a node whose operator is named anew."""
    good = _onnx(helper.make_node("Relu", ["x"], ["x"]))
    bad = _onnx(helper.make_node("Nonsense", ["x"], ["x"]))
    for data in (
        good.SerializeToString() + bad.SerializeToString(),
        bad.SerializeToString() + good.SerializeToString(),
    ):
        with pytest.raises(ModelError, match="Nonsense"):
            operator_allowlist.check(data, "onnx")


def test_functions_of_its_own_are_refused() -> None:
    model = _onnx(helper.make_node("Relu", ["x"], ["x"]))
    model.functions.append(helper.make_function("own", "Relu", ["x"], ["y"], [], []))

    with pytest.raises(ModelError, match="functions of its own"):
        operator_allowlist.check(model.SerializeToString(), "onnx")


def test_graphs_far_inside_each_other_are_refused() -> None:
    node = helper.make_node("Relu", ["x"], ["x"])
    for _ in range(16):
        node = _inside(node)

    with pytest.raises(ModelError, match="deep"):
        operator_allowlist.check(_onnx(node).SerializeToString(), "onnx")


@pytest.mark.parametrize("format", ["tflite", "onnx"])
@pytest.mark.parametrize("data", [b"", b"\0" * 100, b"text and more text", b"\x1c\0\0\0TFL3" + b"\xff" * 60], ids=repr)
def test_what_is_no_model_is_refused(format: str, data: bytes) -> None:
    with pytest.raises(ModelError, match=f"it is no {format} model"):
        operator_allowlist.check(data, format)


def test_random_changes_end_in_an_answer_or_a_refusal(int8_file: Path) -> None:
    """Whatever the bytes: no other error, and no reading without end."""
    sealed = sealed_model.read(int8_file)
    random = np.random.default_rng(0)
    for _ in range(300):
        damaged = np.frombuffer(sealed.payload, np.uint8).copy()
        places = random.integers(0, len(damaged), random.integers(1, 200))
        damaged[places] = random.integers(0, 256, len(places))
        try:
            operator_allowlist.check(damaged.tobytes(), sealed.contract.format)
        except ModelError:
            continue
