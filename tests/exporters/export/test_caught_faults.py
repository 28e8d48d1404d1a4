"""Common faults of an export: the check that is meant for each catches it, and nothing is published."""

from __future__ import annotations

import errno
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from mnist_edge_exporters.converters.base import ConvertedModel
from mnist_edge_exporters.converters.calibration import Calibration
from mnist_edge_exporters.converters.registry import CONVERTERS
from mnist_edge_exporters.export.export import Exported, export
from mnist_edge_exporters.parity import integer_meaning, worker
from mnist_edge_exporters.source import Source
from mnist_edge_exporters.spec import ExportSpec, Options, select
from mnist_edge_runtime import InputError
from mnist_edge_runtime.model_file import sealed_model
from numpy.typing import NDArray

pytestmark = pytest.mark.usefixtures("converting_here")

Convert = Callable[[Any, ExportSpec, Calibration], ConvertedModel]


def _export(source: Source, folder: Path, format: str, quantization: str) -> Exported:
    """Export one file, expect that it is not published and nothing is in the folder, and return its outcome."""
    (outcome,) = export(source, select(format, quantization), folder, Options())
    assert outcome.file is None
    assert list(folder.iterdir()) == []
    return outcome


def _plant(monkeypatch: pytest.MonkeyPatch, format: str, fault: Callable[[Convert], Convert]) -> None:
    """Put a faulty converter in the place of the sound one."""
    row = CONVERTERS[format]
    monkeypatch.setitem(CONVERTERS, format, replace(row, convert=fault(row.convert)))  # type: ignore[arg-type]


def _changed(change: Callable[[list[NDArray[Any]]], None]) -> Callable[[Convert], Convert]:
    """Convert the model with other weights than those that the reference was computed with."""

    def fault(convert: Convert) -> Convert:
        def faulty(model: Any, spec: ExportSpec, calibration: Calibration) -> ConvertedModel:
            clone = keras.models.clone_model(model)
            weights = [array.copy() for array in model.get_weights()]
            change(weights)
            clone.set_weights(weights)
            return convert(clone, spec, calibration)

        return faulty

    return fault


def _flip_a_channel(weights: list[NDArray[Any]]) -> None:
    weights[-2][:, 3] *= -1


def _swap_classes(weights: list[NDArray[Any]]) -> None:
    for array in weights[-2:]:
        array[..., [3, 5]] = array[..., [5, 3]]


def _put_nan(weights: list[NDArray[Any]]) -> None:
    weights[0][2, 2, 0, 1] = np.nan


@pytest.mark.long
@pytest.mark.parametrize(("format", "quantization"), [("tflite", "none"), ("tflite", "int8"), ("onnx", "int8")])
@pytest.mark.parametrize("change", [_flip_a_channel, _swap_classes])
def test_other_weights_are_caught_by_the_answers(
    change: Callable[[list[NDArray[Any]]], None],
    format: str,
    quantization: str,
    own_source: Source,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _plant(monkeypatch, format, _changed(change))
    failures = _export(own_source, tmp_path, format, quantization).failures
    assert any("answers" in failure for failure in failures)


@pytest.mark.long
@pytest.mark.parametrize("format", ["tflite", "onnx"])
def test_a_weight_that_is_nan_is_caught_by_the_count(
    format: str, own_source: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _plant(monkeypatch, format, _changed(_put_nan))
    failures = _export(own_source, tmp_path, format, "none").failures
    assert any("NaN or infinite" in failure for failure in failures)


@pytest.mark.long
@pytest.mark.parametrize(("format", "quantization"), [("tflite", "float16"), ("onnx", "int8")])
def test_noise_on_the_outputs_is_caught_by_sqnr(
    format: str, quantization: str, own_source: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = worker.logits

    def noisy(*arguments: Any) -> NDArray[np.float32]:
        logits = answer(*arguments)
        noise = np.random.default_rng(0).normal(0, 0.1 * logits.std(), logits.shape)
        return (logits + noise).astype(np.float32)

    monkeypatch.setattr(worker, "logits", noisy)
    failures = _export(own_source, tmp_path, format, quantization).failures
    assert any("SQNR" in failure for failure in failures)


def _wrong_scale(convert: Convert) -> Convert:
    def faulty(*arguments: Any) -> ConvertedModel:
        converted = convert(*arguments)
        return replace(converted, output=replace(converted.output, scale=converted.output.scale * 1.2))

    return faulty


@pytest.mark.long
@pytest.mark.parametrize(("format", "check"), [("tflite", "output scale is"), ("onnx", "is the output's scale right?")])
def test_a_wrong_output_scale_is_caught(
    format: str, check: str, own_source: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No answer changes. A TFLite file has its own scale; in an ONNX file the logits show it."""
    _plant(monkeypatch, format, _wrong_scale)
    failures = _export(own_source, tmp_path, format, "int8").failures
    assert any(check in failure for failure in failures)


@pytest.mark.long
@pytest.mark.parametrize("format", ["tflite", "onnx"])
def test_calibration_on_0_to_255_is_caught_by_the_answers(
    format: str, own_source: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Calibration, "tensors", lambda self: self.images[..., np.newaxis].astype(np.float32))
    failures = _export(own_source, tmp_path, format, "int8").failures
    assert any("answers" in failure for failure in failures)


@pytest.mark.long
def test_a_logit_that_is_not_the_integer_networks_is_caught(
    own_source: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No answer changes: it is one step of one logit, which no tolerance of the figures sees."""
    evaluate = integer_meaning.evaluate
    planted = 0

    def faulty(*arguments: Any) -> Any:
        nonlocal planted
        raw = evaluate(*arguments)
        raw[0, 0] ^= planted == 0
        planted += 1
        return raw

    monkeypatch.setattr(integer_meaning, "evaluate", faulty)
    (failure,) = _export(own_source, tmp_path, "tflite", "int8").failures
    count = 10 * len(own_source.test[1])
    assert failure.startswith(f"1 of {count:,} logits differ from litert==")
    assert failure.endswith("this runtime does not compute the one meaning of the file")
    assert list(tmp_path.iterdir()) == []


def _noise(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, images.shape, np.uint8)


@pytest.mark.long
@pytest.mark.parametrize(
    ("spoil", "check"),
    [
        (lambda source: (_noise(source.train[0]), source.train[1]), "look like noise"),
        (lambda source: (source.train[0] * 0, source.train[1]), "of a single grey"),
        (lambda source: (source.train[0] // 255, source.train[1]), "scaled to 0..1 before"),
        (lambda source: (source.train[0], source.train[1] * 0), "all of one class"),
        (lambda source: source.test, "there is none left"),
    ],
    ids=["random", "constant", "out of range", "single class", "the test images"],
)
def test_unfit_calibration_images_are_refused(
    spoil: Callable[[Source], Any], check: str, own_source: Source, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=check):
        _export(replace(own_source, train=spoil(own_source)), tmp_path, "tflite", "int8")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.long
def test_a_test_image_among_the_training_images_is_not_calibrated_with(
    own_source: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Calibration] = []

    def recording(convert: Convert) -> Convert:
        def recorder(model: Any, spec: ExportSpec, calibration: Calibration) -> ConvertedModel:
            seen.append(calibration)
            return convert(model, spec, calibration)

        return recorder

    _plant(monkeypatch, "tflite", recording)
    images, labels = own_source.train
    test_images, test_labels = own_source.test
    leaked = replace(own_source, train=(np.concatenate([test_images, images]), np.concatenate([test_labels, labels])))
    (outcome,) = export(leaked, select("tflite", "int8"), tmp_path, Options(calibration_samples=1_000))
    assert outcome.file is not None
    calibrated = {image.tobytes() for calibration in seen for image in calibration.images}
    assert len(calibrated) > 900
    assert not calibrated & {image.tobytes() for image in test_images}


def _from_the_future(convert: Convert) -> Convert:
    def faulty(*arguments: Any) -> ConvertedModel:
        import flatbuffers
        from ai_edge_litert import schema_py_generated as schema

        converted = convert(*arguments)
        model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(converted.payload, 0))
        model.operatorCodes[0].version = 99
        builder = flatbuffers.Builder(1 << 20)
        builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
        return replace(converted, payload=bytes(builder.Output()))

    return faulty


@pytest.mark.long
def test_an_operator_from_the_future_is_caught_by_the_table(
    own_source: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _plant(monkeypatch, "tflite", _from_the_future)
    failures = _export(own_source, tmp_path, "tflite", "none").failures
    assert any("cannot run it" in failure and "version 99" in failure for failure in failures)


@pytest.mark.long
@pytest.mark.parametrize("format", ["tflite", "onnx"])
def test_a_file_cut_short_is_caught_by_its_digest(
    format: str, own_source: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seal = sealed_model.seal
    monkeypatch.setattr(sealed_model, "seal", lambda *arguments: seal(*arguments)[:-100])
    failures = _export(own_source, tmp_path, format, "none").failures
    assert any("cut short" in failure for failure in failures)


@pytest.mark.long
@pytest.mark.parametrize("name", ["report", "file"])
def test_a_full_disk_while_publishing_leaves_nothing(
    name: str, own_source: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = Path.write_text if name == "report" else Path.write_bytes

    def full(path: Path, content: Any, **options: Any) -> int:
        write(path, content[: len(content) // 2], **options)
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    monkeypatch.setattr(Path, write.__name__, full)
    with pytest.raises(OSError, match="No space left"):
        _export(own_source, tmp_path, "onnx", "none")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.long
def test_a_converter_that_fails_does_not_end_the_others(
    own_source: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(convert: Convert) -> Convert:
        def faulty(model: Any, spec: ExportSpec, calibration: Calibration) -> ConvertedModel:
            if spec.quantization == "float16":
                raise RuntimeError("no such operator\nand a long dump")
            return convert(model, spec, calibration)

        return faulty

    _plant(monkeypatch, "onnx", failing)
    outcomes = list(export(own_source, select("onnx", "all"), tmp_path, Options()))
    assert [bool(outcome.file) for outcome in outcomes] == [True, False, True]
    assert outcomes[1].failures == ("the converter cannot make it: no such operator and a long dump",)
