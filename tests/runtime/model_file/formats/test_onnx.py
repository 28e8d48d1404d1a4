from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from mnist_edge_runtime import ModelError
from mnist_edge_runtime.model_file import protobuf, sealed_model
from mnist_edge_runtime.model_file.formats.registry import FORMATS
from onnx import TensorProto, helper, numpy_helper

Members = dict[str, bytes]

PROPERTIES = ("mnist-edge.contract", "mnist-edge.golden", "labels")
METADATA_PROPS = 14
DIGEST = 64


def test_an_entry_with_more_than_a_key_and_a_value_is_refused(
    files: Mapping[str, Path],
    sign: Callable[[bytes], bytes],
    members: Callable[..., Members],
    forge: Callable[..., bytes],
) -> None:
    sealed = sealed_model.read(files["onnx-int8"])
    data = forge("onnx", sealed.payload, members(sealed))
    entry = protobuf.metadata_entry(METADATA_PROPS, b"labels", members(sealed)["labels"])
    swapped = bytes((entry[0], entry[1])) + entry[10:] + entry[2:10]  # the value before its key
    assert entry in data

    with pytest.raises(ModelError, match="trailer"):
        sealed_model.unseal(sign(data.replace(entry, swapped)[:-DIGEST]))


def test_golden_vectors_in_another_alphabet_are_refused(
    files: Mapping[str, Path], sign: Callable[[bytes], bytes]
) -> None:
    data = files["onnx-int8"].read_bytes()
    golden = base64.b64encode(sealed_model.unseal(data).golden_bytes)
    forged = data.replace(golden, golden[:96] + b"!!!!" + golden[100:])  # as many as can be left out unnoticed
    assert forged != data

    with pytest.raises(ModelError, match="trailer cannot be read"):
        sealed_model.unseal(sign(forged[:-DIGEST]))


@pytest.mark.parametrize("cell", ["onnx-none", "onnx-int8"])
def test_sealed_onnx_is_still_an_onnx_model(files: Mapping[str, Path], cell: str) -> None:
    data = files[cell].read_bytes()
    model = onnx.load_from_string(data)
    onnx.checker.check_model(model, full_check=True)

    entries = {entry.key: entry.value for entry in model.metadata_props}

    # The author is the model's own entry; the trailer's stand behind it.
    assert tuple(entries) == ("model_author", *PROPERTIES, "mnist-edge.sha256")
    assert entries["mnist-edge.sha256"] == hashlib.sha256(data[:-DIGEST]).hexdigest()
    assert json.loads(entries["mnist-edge.contract"])["format"] == "onnx"


@pytest.mark.parametrize("cell", ["onnx-none", "onnx-int8"])
def test_onnxruntime_reads_the_whole_sealed_file(files: Mapping[str, Path], cell: str) -> None:
    sealed = sealed_model.read(files[cell])
    session = onnxruntime.InferenceSession(str(files[cell]), providers=["CPUExecutionProvider"])
    plain = onnxruntime.InferenceSession(sealed.payload, providers=["CPUExecutionProvider"])
    tensor = np.zeros((1, 28, 28, 1), sealed.contract.input.dtype)

    assert session.get_modelmeta().custom_metadata_map["labels"].split() == list("0123456789")
    np.testing.assert_array_equal(session.run(None, {"image": tensor}), plain.run(None, {"image": tensor}))


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
    FORMATS["onnx"].check_operators(model.SerializeToString())


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
        FORMATS["onnx"].check_operators(model.SerializeToString())


def test_a_part_that_comes_twice_is_looked_at_twice() -> None:
    """Readers merge them: here a second graph, and a node whose operator has a second name."""
    good = _onnx(helper.make_node("Relu", ["x"], ["x"]))
    bad = _onnx(helper.make_node("Nonsense", ["x"], ["x"]))
    for data in (
        good.SerializeToString() + bad.SerializeToString(),
        bad.SerializeToString() + good.SerializeToString(),
    ):
        with pytest.raises(ModelError, match="Nonsense"):
            FORMATS["onnx"].check_operators(data)


def test_functions_of_its_own_are_refused() -> None:
    model = _onnx(helper.make_node("Relu", ["x"], ["x"]))
    model.functions.append(helper.make_function("own", "Relu", ["x"], ["y"], [], []))

    with pytest.raises(ModelError, match="functions of its own"):
        FORMATS["onnx"].check_operators(model.SerializeToString())


def test_graphs_far_inside_each_other_are_refused() -> None:
    node = helper.make_node("Relu", ["x"], ["x"])
    for _ in range(16):
        node = _inside(node)

    with pytest.raises(ModelError, match="deep"):
        FORMATS["onnx"].check_operators(_onnx(node).SerializeToString())
