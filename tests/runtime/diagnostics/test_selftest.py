from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from mnist_edge_runtime import Classifier, Contract, EngineError, ModelError
from mnist_edge_runtime.diagnostics.selftest import SelfTestReport, selftest
from mnist_edge_runtime.engines import registry
from mnist_edge_runtime.model_file import sealed_model
from mnist_edge_runtime.model_file.contract import InputSpec, OutputSpec
from mnist_edge_runtime.model_file.golden import Golden
from mnist_edge_runtime.preprocessing import mnist
from numpy.typing import NDArray

Change = Callable[[Contract], Contract]


def _run(file: Path, kind: type[Classifier] = Classifier) -> SelfTestReport:
    engine = {".tflite": "litert", ".onnx": "onnxruntime"}[file.suffix]
    with kind.load(file, engine=engine) as classifier:
        return selftest(classifier, sealed_model.read(file).golden)


def _input(**changes: Callable[[InputSpec], Any]) -> Change:
    return lambda contract: replace(
        contract, input=replace(contract.input, **{name: change(contract.input) for name, change in changes.items()})
    )


def _output(**changes: Callable[[OutputSpec], Any]) -> Change:
    return lambda contract: replace(
        contract, output=replace(contract.output, **{name: change(contract.output) for name, change in changes.items()})
    )


def _family(file: Path) -> str:
    return {".tflite": "xnnpack", ".onnx": "onnxruntime"}[file.suffix]


def test_an_untouched_file_passes(model_file: Path) -> None:
    report = _run(model_file)

    assert report.failures == ()
    assert report.passed
    assert report.golden == len(sealed_model.read(model_file).golden.images) > 0


def test_steps_are_counted_for_int8_files_only(files: Mapping[str, Path]) -> None:
    for variant, file in files.items():
        assert _run(file).max_lsb == (0 if variant.endswith("-int8") else None)


def test_the_report_can_be_printed(int8_file: Path) -> None:
    report = _run(int8_file)

    assert json.loads(json.dumps(report.to_dict(), allow_nan=False)) == {
        "engine": report.engine,
        "golden": report.golden,
        "max_lsb": 0,
        "max_difference": 0.0,
        "passed": True,
        "failures": [],
    }


def test_swapped_labels_are_found(model_file: Path, reseal: Callable[..., Path]) -> None:
    """In the contract and in the list of labels beside it, as in a file that was labelled wrongly."""
    swapped = reseal(model_file, contract=lambda contract: replace(contract, labels=("1", "0", *contract.labels[2:])))
    report = _run(swapped)

    assert not report.passed
    assert any("another class" in failure for failure in report.failures)


@pytest.mark.parametrize(
    "change",
    [
        _output(scale=lambda spec: spec.scale * 0.5),
        _output(scale=lambda spec: spec.scale * 0.98),
        _output(scale=lambda spec: spec.scale * 1.001),
        _output(scale=lambda spec: spec.scale * 2),
        _output(zero_point=lambda spec: spec.zero_point + 1),
        _output(zero_point=lambda spec: spec.zero_point - 10),
        _input(scale=lambda spec: spec.scale * 0.5),
        _input(scale=lambda spec: spec.scale * 1.1),
        _input(scale=lambda spec: spec.scale * 2),
        _input(zero_point=lambda spec: spec.zero_point + 10),
    ],
    ids=[
        "output scale 0.5",
        "output scale 0.98",
        "output scale 1.001",
        "output scale 2",
        "output zero point 1 up",
        "output zero point 10 down",
        "input scale 0.5",
        "input scale 1.1",
        "input scale 2",
        "input zero point 10 up",
    ],
)
def test_a_contract_that_reads_the_tensors_wrongly_passes_nowhere(
    int8_file: Path, reseal: Callable[..., Path], change: Change
) -> None:
    changed = reseal(int8_file, contract=change)
    try:
        report = _run(changed)
    except EngineError:  # an engine that knows the scales refuses the file before any test
        return
    assert not report.passed


def test_the_temperature_is_no_part_of_what_is_proven(model_file: Path, reseal: Callable[..., Path]) -> None:
    report = _run(reseal(model_file, contract=_output(temperature=lambda spec: 2.0)))

    assert report.failures == ()


@pytest.mark.parametrize("variant", ["onnx-none", "onnx-int8"])
def test_another_network_of_the_same_shape_is_found(
    files: Mapping[str, Path], reseal: Callable[..., Path], variant: str
) -> None:
    """The file with its largest tensor of weights turned round, sealed as if that were right."""

    def other(payload: bytes) -> bytes:
        model = onnx.load_from_string(payload)
        largest = max(model.graph.initializer, key=lambda tensor: int(np.prod(tensor.dims)))
        weights = onnx.numpy_helper.to_array(largest)
        largest.CopyFrom(onnx.numpy_helper.from_array(weights[::-1].copy(), largest.name))
        changed: bytes = model.SerializeToString()
        return changed

    assert not _run(reseal(files[variant], payload=other)).passed


def test_inverted_images_are_found(model_file: Path, reseal: Callable[..., Path]) -> None:
    inverted = reseal(model_file, golden=lambda golden: replace(golden, images=255 - golden.images))
    report = _run(inverted)

    assert any("logits" in failure for failure in report.failures)
    assert any("another class" in failure for failure in report.failures)


def test_a_device_that_inverts_pixels_is_found(model_file: Path) -> None:
    class Inverting(Classifier):
        """A device whose camera code forgot the polarity."""

        def logits(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
            return super().logits(np.invert(images))

    assert not _run(model_file, Inverting).passed


def test_a_device_that_prepares_pictures_wrongly_is_found(model_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    to_mnist = mnist.to_mnist
    monkeypatch.setattr(mnist, "to_mnist", lambda picture: to_mnist(np.rot90(picture, 1)))
    report = _run(model_file)

    assert [failure for failure in report.failures if "picture" in failure] == list(report.failures) != []


def test_one_pixel_that_is_prepared_differently_is_found(model_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def prepared(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        image = to_mnist(picture)
        image[14, 14] ^= 1
        return image

    to_mnist = mnist.to_mnist
    monkeypatch.setattr(mnist, "to_mnist", prepared)
    report = _run(model_file)

    assert len(report.failures) == 1
    assert "prepared differently, in 1 of 784 pixels" in report.failures[0]


def test_a_picture_that_cannot_be_prepared_is_found(model_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    to_mnist = mnist.to_mnist
    monkeypatch.setattr(mnist, "to_mnist", lambda picture: to_mnist(np.zeros_like(picture)))
    report = _run(model_file)

    assert len(report.failures) == 1
    assert "refused" in report.failures[0]
    assert "blank" in report.failures[0]


@pytest.mark.parametrize("where", ["golden", "contract"])
def test_a_file_without_answers_for_this_family_of_kernels_does_not_pass(
    model_file: Path, reseal: Callable[..., Path], where: str
) -> None:
    family = _family(model_file)

    def without(mapping: Mapping[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in mapping.items() if name != family}

    changed = reseal(
        model_file,
        golden=lambda golden: replace(golden, logits=without(golden.logits)) if where == "golden" else golden,
        contract=lambda contract: (
            replace(contract, selftest=replace(contract.selftest, logits=without(contract.selftest.logits)))
            if where == "contract"
            else contract
        ),
    )
    report = _run(changed)

    assert any(f"no expected logits for the {family} kernels" in failure for failure in report.failures)
    assert report.max_lsb is None
    json.dumps(report.to_dict(), allow_nan=False)


@pytest.mark.parametrize(
    "values",
    [
        lambda logits: np.full_like(logits, np.nan),
        lambda logits: np.where(np.arange(len(logits))[:, np.newaxis] == 3, np.float32(np.nan), logits),
        lambda logits: np.where(logits == logits.max(), np.float32(np.inf), logits),
        lambda logits: np.zeros_like(logits),
        lambda logits: logits[:, ::-1],
    ],
    ids=["NaN", "NaN of one image", "infinity", "zero", "reversed"],
)
@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
def test_an_engine_with_broken_answers_is_found(
    model_file: Path, values: Callable[[NDArray[np.float32]], NDArray[np.float32]]
) -> None:
    class Broken(Classifier):
        """An engine on a machine whose kernels are miscompiled."""

        def logits(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
            return values(super().logits(images))

    report = _run(model_file, Broken)

    assert not report.passed
    assert json.loads(json.dumps(report.to_dict(), allow_nan=False))["passed"] is False


@pytest.mark.parametrize("steps", [0.4, 1, 3])
def test_logits_may_be_off_by_as_much_as_the_contract_allows(
    int8_file: Path, reseal: Callable[..., Path], steps: float
) -> None:
    family, scale = _family(int8_file), sealed_model.read(int8_file).contract.output.scale

    def moved(golden: Golden) -> Golden:
        logits = dict(golden.logits)
        logits[family] = logits[family].copy()
        logits[family][0, 0] += np.float32(np.ceil(steps) * scale)
        return replace(golden, logits=logits)

    def allowing(limit: float) -> Change:
        return lambda contract: replace(
            contract, selftest=replace(contract.selftest, logits={**contract.selftest.logits, family: limit})
        )

    tolerant = _run(reseal(int8_file, golden=moved, contract=allowing(np.ceil(steps))))
    strict = _run(reseal(int8_file, golden=moved, contract=allowing(np.ceil(steps) - 1)))

    assert tolerant.passed
    assert tolerant.max_lsb == strict.max_lsb == np.ceil(steps)
    assert any("logits" in failure for failure in strict.failures)


@pytest.mark.parametrize("field", ["probabilities", "logits"])
def test_golden_answers_that_are_no_numbers_pass_nowhere(
    model_file: Path, reseal: Callable[..., Path], field: str
) -> None:
    def spoil(golden: Golden) -> Golden:
        value = getattr(golden, field)
        nothing: Any = (
            {family: logits * np.float32(np.nan) for family, logits in value.items()}
            if field == "logits"
            else value * np.float32(np.nan)
        )
        return replace(golden, **{field: nothing})

    with pytest.raises(ModelError, match="an expected answer is NaN or infinite"):
        _run(reseal(model_file, golden=spoil))


@pytest.mark.parametrize("limit", [float("nan"), -1.0])
def test_a_limit_that_nothing_can_keep_passes_nowhere(model_file: Path, limit: float) -> None:
    sealed = sealed_model.read(model_file)
    limits = replace(sealed.contract.selftest, probability=limit)
    with Classifier(replace(sealed, contract=replace(sealed.contract, selftest=limits))) as classifier:
        assert not selftest(classifier, sealed.golden).passed


def test_every_engine_has_its_answers_in_the_file(model_file: Path) -> None:
    sealed = sealed_model.read(model_file)
    families = {registry.ENGINES[name].family for name in registry.names_for(sealed.contract.format)}

    assert set(sealed.golden.logits) == set(sealed.contract.selftest.logits) == families
