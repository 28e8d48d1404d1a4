"""Answers that are none: sealed ONNX files that answer with infinity, or with as many values as they like."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mnist_edge_runtime import Classifier, Contract, EngineError
from mnist_edge_runtime.model_file import sealed_model
from mnist_edge_runtime.model_file.contract import InputSpec, OutputSpec, Payload, SelfTest
from mnist_edge_runtime.model_file.golden import Golden
from onnx import TensorProto, helper, numpy_helper

CLASSES = 10
IMAGE = np.zeros((28, 28), np.uint8)
IMAGE[10:20, 13:15] = 255


def _constant(name: str, values: Any) -> Any:
    return helper.make_node("Constant", [], [name], value=numpy_helper.from_array(np.asarray(values)))


def _seal(file: Path, *nodes: Any) -> Path:
    """Seal a graph from `flat`, the pixels in one row, to `answer`, whatever the graph really answers."""
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, ("N", 28, 28, 1))
    answer = helper.make_tensor_value_info("answer", TensorProto.FLOAT, ("N", CLASSES))
    flat = [_constant("row", np.array([-1, 784])), helper.make_node("Reshape", ["image", "row"], ["flat"])]
    graph = helper.make_graph([*flat, *nodes], "answers", [image], [answer])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    payload = model.SerializeToString()
    contract = Contract(
        format="onnx",
        quantization="none",
        labels=tuple("0123456789"),
        input=InputSpec("float32", 1.0, 0),
        output=OutputSpec("float32", 1.0, 0),
        payload=Payload(len(payload), hashlib.sha256(payload).hexdigest()),
        selftest=SelfTest("absolute", {"onnxruntime": 1.0}, 0.5),
    )
    zeros, names = np.zeros((1, CLASSES), np.float32), np.array(["1"])
    golden = Golden(IMAGE[np.newaxis], names, names, zeros, {"onnxruntime": zeros}, 0)
    file.write_bytes(sealed_model.seal(payload, contract, golden))
    return file


@pytest.mark.parametrize("use", ["classify", "logits", "probabilities"])
def test_an_answer_whose_length_depends_on_the_image_is_refused(tmp_path: Path, use: str) -> None:
    """One value for each pixel that is not black stands behind those of the classes."""
    file = _seal(
        tmp_path / "longer.onnx",
        _constant("one", np.array([1, 784])),
        _constant("first", np.array([0])),
        helper.make_node("Gather", ["flat", "first"], ["image0"], axis=0),
        helper.make_node("NonZero", ["image0"], ["places"]),
        helper.make_node("Cast", ["places"], ["more"], to=TensorProto.FLOAT),
        helper.make_node("Gather", ["more", "first"], ["row0"], axis=0),
        _constant("classes", np.zeros((1, CLASSES), np.float32)),
        helper.make_node("Concat", ["classes", "row0"], ["answer"], axis=1),
    )
    with Classifier.load(file) as classifier:
        with pytest.raises(EngineError, match=r"answers \(30,\), expected \(10,\), one value for each label"):
            getattr(classifier, use)(IMAGE)
        assert getattr(classifier, use)(np.zeros_like(IMAGE)) is not None
        if use != "classify":
            with pytest.raises(EngineError, match=r"answers \(1, 30\), expected \(3, 10\)"):
                getattr(classifier, use)(np.stack([IMAGE] * 3))


@pytest.mark.parametrize("sign", [-1, 1])
@pytest.mark.filterwarnings("error")
def test_an_infinite_logit_is_no_answer(tmp_path: Path, sign: int) -> None:
    file = _seal(
        tmp_path / "infinite.onnx",
        _constant("start", np.array([286])),
        _constant("end", np.array([286 + CLASSES])),
        _constant("axis", np.array([1])),
        helper.make_node("Slice", ["flat", "start", "end", "axis"], ["part"]),
        _constant("huge", np.float32(3e38)),
        helper.make_node("Mul", ["part", "huge"], ["most"]),
        _constant("more", np.float32(sign * 10)),
        helper.make_node("Mul", ["most", "more"], ["answer"]),
    )
    uses: tuple[Callable[[Classifier], object], ...] = (
        lambda classifier: classifier.classify(IMAGE),
        lambda classifier: classifier.probabilities(IMAGE),
        lambda classifier: classifier.probabilities(np.stack([IMAGE] * 3)),
        lambda classifier: classifier.scores(classifier.logits(IMAGE[np.newaxis])),
    )
    with Classifier.load(file) as classifier:
        assert np.isinf(classifier.logits(IMAGE)).any()
        for use in uses:
            with pytest.raises(EngineError, match="NaN or infinity"):
                use(classifier)
        assert classifier.classify(np.zeros_like(IMAGE)).confidence == pytest.approx(0.1)
