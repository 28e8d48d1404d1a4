"""Convert, seal, prove, publish: what `mnist-edge export` does for each cell."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
from mnist_edge_runtime import Classifier, InputError, VerificationError, sealing
from mnist_edge_runtime.contract import Contract, Payload, SelfTest
from mnist_edge_runtime.engines import ENGINES, names_for
from mnist_edge_runtime.golden import Golden
from mnist_edge_runtime.quiet import quiet
from mnist_edge_runtime.selftest import selftest
from numpy.typing import NDArray

from . import calibration, golden_vectors, network, onnx, parity, tflite
from .converted import Converted
from .spec import ExportSpec, Format, Quantization

__all__ = ["Exported", "Source", "export"]

_CONVERTERS: Mapping[Format, Callable[[Any, Quantization, calibration.Calibration], Converted]] = {
    Format.TFLITE: tflite.convert,
    Format.ONNX: onnx.convert,
}
_DISTRIBUTIONS: Mapping[Format, tuple[str, ...]] = {
    Format.TFLITE: ("mnist-edge", "tensorflow", "keras", "ai-edge-litert"),
    Format.ONNX: ("mnist-edge", "tensorflow", "keras", "tf2onnx", "onnx", "onnxruntime"),
}
_NO_GOLDEN = Golden(
    images=np.empty((0, 28, 28), np.uint8),
    labels=np.empty(0, np.str_),
    predicted=np.empty(0, np.str_),
    probabilities=np.empty((0, 0), np.float32),
    logits={},
    picture=0,
)


LabelledImages = tuple[NDArray[np.uint8], NDArray[np.int64]]


@dataclass(frozen=True)
class Source:
    """A Keras model and the data that its exports are calibrated and proven with.

    Attributes:
        name: opens the names of the files.
        model: what `network.load` returned.
        labels: the label of each class.
        origin: what the contract says of where the model came from.
        train: the training split, images uint8 (N, 28, 28) and label indices (N,); calibration draws from it.
        test: the whole test set in the same form; parity is counted on it.
    """

    name: str
    model: Any
    labels: tuple[str, ...]
    origin: Mapping[str, Any]
    train: LabelledImages
    test: LabelledImages


@dataclass(frozen=True)
class Exported:
    """One cell's outcome; `file` is None where nothing was published."""

    spec: ExportSpec
    file: Path | None
    size: int
    sha256: str
    parity: parity.ParityReport
    failures: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return what `export --json` prints of the cell and the report beside the file holds."""
        return {
            "file": str(self.file) if self.file else None,
            "format": str(self.spec.format),
            "quantization": str(self.spec.quantization),
            "bytes": self.size,
            "sha256": self.sha256,
            **self.parity.to_dict(),
            "passed": not self.failures,
            "failures": list(self.failures),
        }


def export(source: Source, specs: list[ExportSpec], folder: Path) -> Iterator[Exported]:
    """Make each file, prove it, and publish it into `folder` if it passes; yield the outcomes one by one.

    Raises:
        InputError: model and data do not belong together, or nothing can be written.
        ModelError: the model cannot be converted, or its pixels are not 0..1, white on black.
    """
    classes = source.model.outputs[0].shape[1]
    if classes != len(source.labels):
        raise InputError(f"the network has {classes} classes, the data {len(source.labels)}; name its own with --data")
    network.check_pixels(source.model, *source.test)
    reference = parity.reference_probabilities(source.model, source.test[0])
    drawn = calibration.sample(*source.train, source.labels)
    for spec in specs:
        yield _export_cell(source, spec, folder, reference, drawn)


def _export_cell(
    source: Source,
    spec: ExportSpec,
    folder: Path,
    reference: NDArray[np.float32],
    drawn: calibration.Calibration,
) -> Exported:
    images, labels = source.test
    converted = _CONVERTERS[spec.format](source.model, spec.quantization, drawn)
    contract = _draft(source, spec, converted, drawn)
    # Sealed and taken apart again before anything is proven: what is tested is what the device will load.
    sealed = sealing.unseal(sealing.seal(converted.payload, contract, _NO_GOLDEN))
    with quiet():
        classifier = Classifier(sealed)
    with classifier:
        probabilities = classifier.probabilities(images)
        report = parity.compare(reference, probabilities, labels, parity.TOLERANCES[spec.quantization])
        if not report.passed:
            return Exported(spec, None, len(converted.payload), contract.payload.sha256, report, report.failures)
        logits = golden_vectors.family_logits(classifier, converted.payload, images)
        golden = golden_vectors.choose(classifier, logits, reference, images, labels)
    contract = replace(contract, selftest=golden_vectors.tolerances(contract, golden), parity=_without_failures(report))
    file = folder / f"{source.name}-{spec}.{spec.format}"
    return _publish(file, spec, converted.payload, contract, golden, report)


def _draft(source: Source, spec: ExportSpec, converted: Converted, drawn: calibration.Calibration) -> Contract:
    """Return the contract without what the proofs will add."""
    quantized = spec.quantization is Quantization.INT8
    return Contract(
        format=str(spec.format),
        quantization=str(spec.quantization),
        labels=source.labels,
        input=converted.input,
        output=converted.output,
        payload=Payload(len(converted.payload), hashlib.sha256(converted.payload).hexdigest()),
        selftest=SelfTest(unit="lsb" if quantized else "absolute", logits={}, probability=0.0),
        origin={
            **source.origin,
            "parameters": source.model.count_params(),
            "weights_sha256": network.weights_sha256(source.model),
            "calibration": dict(drawn.passport) if quantized else None,
            "versions": {name: version(name) for name in _DISTRIBUTIONS[spec.format]},
        },
    )


def _without_failures(report: parity.ParityReport) -> dict[str, Any]:
    document = report.to_dict()
    del document["failures"]
    return document


def _publish(
    file: Path, spec: ExportSpec, payload: bytes, contract: Contract, golden: Golden, report: parity.ParityReport
) -> Exported:
    """Self-test the sealed file on every engine that is installed, then move it and its report into place."""
    file.parent.mkdir(parents=True, exist_ok=True)
    temporary = file.with_name(f".{os.getpid()}.{file.name}")
    sidecar = file.with_name(file.name + ".parity.json")
    temporary_sidecar = temporary.with_name(temporary.name + ".json")
    try:
        temporary.write_bytes(sealing.seal(payload, contract, golden))
        runtimes, failures = _run_everywhere(temporary, contract.format)
        data = sealing.seal(payload, replace(contract, runtimes=runtimes), golden)
        temporary.write_bytes(data)
        with quiet():
            classifier = Classifier.load(temporary)
        with classifier:
            failures += selftest(classifier, sealing.read(temporary).golden).failures
        digest = hashlib.sha256(data).hexdigest()
        if failures:
            return Exported(spec, None, len(data), digest, report, failures)
        exported = Exported(spec, file, len(data), digest, report, ())
        document = {**exported.to_dict(), "file": file.name}
        temporary_sidecar.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        # The model comes last: where it lies, its report lies too.
        os.replace(temporary_sidecar, sidecar)
        os.replace(temporary, file)
        return exported
    finally:
        temporary.unlink(missing_ok=True)
        temporary_sidecar.unlink(missing_ok=True)


def _run_everywhere(file: Path, format: str) -> tuple[tuple[dict[str, str], ...], tuple[str, ...]]:
    """Self-test the file in a process of its own for each installed engine of its format.

    Returns the engines it ran on, and what failed. An engine that is installed but does not work here counts for
    neither: only the first one of a format has to run.
    """
    ran, failures = [], []
    for position, name in enumerate(names_for(format)):
        try:
            installed = version(ENGINES[name].distribution)
        except PackageNotFoundError:
            continue
        command = [sys.executable, "-m", "mnist_edge_runtime", "selftest", "--engine", name, "--json", str(file)]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        if result.returncode == 0:
            ran.append({"engine": name, "version": installed})
        elif position == 0 or result.returncode == VerificationError.exit_code:
            lines = result.stderr.strip().splitlines()
            failures.append(f"self-test on {name} {installed}: {lines[-1] if lines else result.returncode}")
    return tuple(ran), tuple(failures)
