from __future__ import annotations

import os
import signal
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mnist_edge_runtime import Classifier, EngineError, InputError, ModelError, UsageError
from mnist_edge_runtime.__main__ import main
from mnist_edge_runtime.model_file import sealed_model
from mnist_edge_runtime.unverified import classifier as foreign
from mnist_edge_runtime.unverified.classifier import UnverifiedClassifier
from onnx import TensorProto, helper, numpy_helper

Save = Callable[[Any], Path]

IMAGE = np.arange(784, dtype=np.uint8).reshape(28, 28)


@pytest.fixture
def save(tmp_path: Path) -> Save:
    """Return the function that writes an ONNX graph of nodes between `image` and `answer`."""

    def save(
        *nodes: Any, shape: Any = (1, 784), dtype: int = TensorProto.FLOAT, answer: int = TensorProto.FLOAT
    ) -> Path:
        image = helper.make_tensor_value_info("image", dtype, shape)
        output = helper.make_tensor_value_info("answer", answer, None)
        graph = helper.make_graph(list(nodes), "foreign", [image], [output])
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        file = tmp_path / "foreign.onnx"
        file.write_bytes(model.SerializeToString())
        return file

    return save


def _constant(name: str, values: Any) -> Any:
    return helper.make_node("Constant", [], [name], value=numpy_helper.from_array(np.asarray(values)))


def _first(count: int) -> tuple[Any, ...]:
    """Return the nodes that answer with the first values of the input, flat."""
    ends = [_constant(name, np.array([value])) for name, value in (("from", 0), ("to", count))]
    flat = helper.make_node("Reshape", ["image", "all"], ["flat"])
    return (
        *ends,
        _constant("all", np.array([-1])),
        flat,
        helper.make_node("Slice", ["flat", "from", "to"], ["answer"]),
    )


def test_it_answers_as_the_sealed_file_does(files: Mapping[str, Path], tmp_path: Path) -> None:
    for cell in ("tflite-none", "tflite-int8", "onnx-none"):
        sealed = sealed_model.read(files[cell])
        plain = tmp_path / f"plain-{files[cell].name}"
        plain.write_bytes(sealed.payload)
        with Classifier(sealed) as classifier, UnverifiedClassifier(plain) as found:
            for image in sealed.golden.images[:5]:
                expected, prediction = classifier.probabilities(image[np.newaxis])[0], found.classify(image)
                expected = expected**sealed.contract.output.temperature
                np.testing.assert_allclose(prediction.probabilities, expected / expected.sum(), atol=1e-5)
                assert (prediction.label, prediction.accepted) == (str(expected.argmax()), True)


@pytest.mark.parametrize(
    ("shape", "dtype", "assumed", "expected"),
    [
        ((1, 784), TensorProto.FLOAT, "float32 (1, 784) is taken as pixel / 255", IMAGE.ravel()[:3] / 255),
        (("batch", 1, 28, 28), TensorProto.FLOAT, "(1, 1, 28, 28)", IMAGE.ravel()[:3] / 255),
        ((None, 28, 28), TensorProto.DOUBLE, "float64 (1, 28, 28)", IMAGE.ravel()[:3] / 255),
        ((1, 28, 28, 1), TensorProto.UINT8, "uint8 (1, 28, 28, 1) is taken as pixel,", [0, 1, 2]),
        ((1, 28, 28, 1), TensorProto.INT8, "int8 (1, 28, 28, 1) is taken as pixel - 128", [-128, -127, -126]),
    ],
)
def test_what_is_assumed_of_the_input(save: Save, shape: Any, dtype: int, assumed: str, expected: Any) -> None:
    with UnverifiedClassifier(save(*_first(3), shape=shape, dtype=dtype, answer=dtype)) as classifier:  # type: ignore[call-arg]
        assert assumed in classifier.assumptions
        assert classifier.assumptions.endswith("labels as 0 to 2")
        found = classifier.classify(IMAGE).probabilities

    exponentials = np.exp(np.array(expected, np.float64))
    np.testing.assert_allclose(found, exponentials / exponentials.sum(), rtol=1e-5)


def test_probabilities_are_taken_as_they_are(save: Save) -> None:
    with UnverifiedClassifier(save(_constant("answer", np.array([[0.2, 0.7, 0.1]], np.float32)))) as classifier:
        prediction = classifier.classify(IMAGE)

    assert prediction.label == "1"
    assert prediction.confidence == pytest.approx(0.7)


@pytest.mark.parametrize(
    ("shape", "nodes", "message"),
    [
        ((1, 3, 28, 28), _first(10), r"its input has the shape \(1, 3, 28, 28\), expected one image of 28 x 28"),
        ((1, 784), _first(1), "its output has 1 values"),
        ((1, 784), (helper.make_node("Relu", ["nowhere"], ["answer"]),), "nowhere"),
    ],
    ids=["colour", "one value", "no such tensor"],
)
def test_what_is_no_classifier_of_28_x_28_images_is_refused(save: Save, shape: Any, nodes: Any, message: str) -> None:
    with pytest.raises(EngineError, match=rf"foreign\.onnx: onnxruntime cannot run it: .*{message}"):
        UnverifiedClassifier(save(*nodes, shape=shape))  # type: ignore[call-arg]


def test_operators_and_names_are_checked_all_the_same(save: Save, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="operator 'ImageDecoder' is not allowed"):
        UnverifiedClassifier(save(helper.make_node("ImageDecoder", ["image"], ["answer"])))
    (tmp_path / "model.pt").write_bytes(b"PK")
    with pytest.raises(ModelError, match=r"models end in \.tflite or \.onnx"):
        UnverifiedClassifier(tmp_path / "model.pt")
    with pytest.raises(UsageError, match="does not run onnx files"):
        UnverifiedClassifier(save(*_first(3)), engine="litert")


def test_a_model_that_takes_too_much_memory_is_refused(save: Save) -> None:
    """Two gigabytes, which nearly every machine has; the limit says no."""
    huge = helper.make_node("ConstantOfShape", ["size"], ["zeros"])
    total = helper.make_node("ReduceSum", ["zeros"], ["sum"])
    nodes = (_constant("size", np.array([1 << 29])), huge, total, *_first(2)[:-1])
    answer = helper.make_node("Add", ["first", "sum"], ["answer"])
    first = helper.make_node("Slice", ["flat", "from", "to"], ["first"])

    with pytest.raises(
        EngineError,
        match=r"onnxruntime (cannot run it|crashed \(SIGABRT\) while .*1024 MiB)",
    ):
        UnverifiedClassifier(save(*nodes, first, answer))


def test_a_model_that_takes_too_long_is_refused(save: Save, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(foreign, "SECONDS", 1)
    value = helper.make_tensor_value_info
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["go"], ["still"]),
            helper.make_node("Sin", ["state"], ["next"]),
        ],
        "body",
        [value("i", TensorProto.INT64, []), value("go", TensorProto.BOOL, []), value("state", TensorProto.FLOAT, None)],
        [value("still", TensorProto.BOOL, []), value("next", TensorProto.FLOAT, None)],
    )
    loop = helper.make_node("Loop", ["trips", "yes", "image"], ["answer"], body=body)
    endless = save(_constant("trips", np.int64(1 << 62)), _constant("yes", np.bool_(True)), loop)

    with pytest.raises(
        EngineError, match=r"onnxruntime did not end in time while .*; the limit of each step is 1 seconds"
    ):
        UnverifiedClassifier(endless)


@pytest.mark.parametrize(
    ("number", "message"),
    [
        (signal.SIGSEGV, r"onnxruntime crashed \(SIGSEGV\) while running the file"),
        (signal.SIGABRT, r"crashed \(SIGABRT\) while running the file; the limit is 1024 MiB of memory"),
    ],
)
def test_a_crash_is_an_engine_error_with_a_sentence(save: Save, number: signal.Signals, message: str) -> None:
    with UnverifiedClassifier(save(*_first(3))) as classifier:
        assert classifier._child
        os.kill(classifier._child.pid, number)

        with pytest.raises(EngineError, match=message):
            classifier.classify(IMAGE)


def test_what_is_no_image_is_refused_and_the_next_is_read(save: Save) -> None:
    with UnverifiedClassifier(save(*_first(3))) as classifier:
        for wrong in (IMAGE[1:], IMAGE.astype(np.float32), IMAGE[np.newaxis]):
            with pytest.raises(InputError, match=r"expected uint8 \(28, 28\)"):
                classifier.classify(wrong)  # type: ignore[arg-type]
        assert classifier._child
        classifier._child.send_signal(signal.SIGTERM)  # as a service manager does to every process of a service

        assert classifier.classify(IMAGE).label == "2"


def _as_many_as_the_first_pixel() -> tuple[Any, ...]:
    """Return the nodes that answer with the first values of the input, as many as the first pixel says, and 3 more."""
    pixel = (
        helper.make_node("Slice", ["flat", "from", "one"], ["pixel"]),
        helper.make_node("Mul", ["pixel", "white"], ["scaled"]),
        helper.make_node("Add", ["scaled", "three"], ["real"]),
        helper.make_node("Cast", ["real"], ["to"], to=TensorProto.INT64),
    )
    constants = [_constant("from", np.array([0])), _constant("one", np.array([1])), _constant("all", np.array([-1]))]
    constants += [_constant("white", np.float32([255.5])), _constant("three", np.float32([3]))]
    flat = helper.make_node("Reshape", ["image", "all"], ["flat"])
    return *constants, flat, *pixel, helper.make_node("Slice", ["flat", "from", "to"], ["answer"])


@pytest.mark.parametrize("more", [1, 4, 200, 255])
def test_another_number_of_values_is_an_error_and_shifts_no_answer(save: Save, more: int) -> None:
    image = IMAGE.copy()
    image[0, 0] = more
    black = np.zeros((28, 28), np.uint8)
    black[0, 2] = 255
    with UnverifiedClassifier(save(*_as_many_as_the_first_pixel())) as classifier:
        assert classifier.classify(black).label == "2"
        with pytest.raises(EngineError, match=r"its output has \d+ values for this image, for a black one 3"):
            classifier.classify(image)
        assert classifier.classify(black).label == "2"


def test_a_child_that_does_not_run_any_more_is_ended(save: Save, monkeypatch: pytest.MonkeyPatch) -> None:
    with UnverifiedClassifier(save(*_first(3))) as classifier:
        monkeypatch.setattr(foreign, "SECONDS", 1)
        monkeypatch.setattr(foreign, "_GRACE_SECONDS", 0.5)
        assert classifier._child
        os.kill(classifier._child.pid, signal.SIGSTOP)

        with pytest.raises(EngineError, match="did not end in time"):
            classifier.classify(IMAGE)


def test_no_answer_is_an_engine_error(save: Save) -> None:
    file = save(_constant("answer", np.array([np.nan, 1], np.float32)))
    with UnverifiedClassifier(file) as classifier, pytest.raises(EngineError, match="NaN or infinity"):
        classifier.classify(IMAGE)


def test_closing_ends_the_child(save: Save) -> None:
    classifier = UnverifiedClassifier(save(*_first(3)))
    child = classifier._child
    classifier.close()
    classifier.close()

    assert child
    assert child.returncode == -signal.SIGKILL
    with pytest.raises(InputError, match="closed"):
        classifier.classify(IMAGE)


def test_the_command_line_warns_and_reads(
    capsys: pytest.CaptureFixture[str], tflite_file: Path, tmp_path: Path, picture: Callable[..., tuple[Path, str]]
) -> None:
    file, label = picture(tflite_file)
    plain = tmp_path / "plain.tflite"
    plain.write_bytes(sealed_model.read(tflite_file).payload)

    assert main(["classify", "--model", str(plain), str(file)]) == 4
    assert main(["classify", "--model", str(plain), "--no-verify", str(file)]) == 0
    out, err = capsys.readouterr()
    assert out.startswith(f"{file}: {label} ")
    assert "warning: nothing proves" in err
    assert main(["classify", "--no-verify", str(file)]) == 2


def test_the_command_line_ends_on_a_file_that_no_engine_runs(
    capsys: pytest.CaptureFixture[str], save: Save, tmp_path: Path
) -> None:
    nowhere = save(helper.make_node("Relu", ["nowhere"], ["answer"]))

    assert main(["classify", "--model", str(nowhere), "--no-verify", str(tmp_path / "a.png")]) == 4
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
