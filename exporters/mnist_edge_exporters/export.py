"""Convert, seal, prove, publish: what `mnist-edge export` does for each cell."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from mnist_edge_runtime import Classifier, sealing
from mnist_edge_runtime.contract import Contract, Payload, SelfTest
from mnist_edge_runtime.golden import Golden
from mnist_edge_runtime.quiet import quiet
from numpy.typing import NDArray

from . import calibration, golden_vectors, network, onnx, parity, tflite
from .converted import Converted
from .prove import Proof, prove
from .source import LabelledImages, Source
from .spec import ExportSpec, Format, Options, Quantization
from .targets import Target, targets_for

__all__ = ["Exported", "export"]

_CONVERTERS: Mapping[Format, Callable[[Any, ExportSpec, calibration.Calibration], Converted]] = {
    Format.TFLITE: tflite.convert,
    Format.ONNX: onnx.convert,
}
_DISTRIBUTIONS: Mapping[Format, tuple[str, ...]] = {
    Format.TFLITE: ("mnist-edge", "tensorflow", "keras", "ai-edge-litert"),
    Format.ONNX: ("mnist-edge", "tensorflow", "keras", "tf2onnx", "onnx", "onnxruntime"),
}
_CALIBRATED = (Quantization.INT8, Quantization.INT16X8)
_NO_GOLDEN = Golden(
    images=np.empty((0, 28, 28), np.uint8),
    labels=np.empty(0, np.str_),
    predicted=np.empty(0, np.str_),
    probabilities=np.empty((0, 0), np.float32),
    logits={},
    picture=0,
)


@dataclass(frozen=True)
class Exported:
    """One cell's outcome; `file` is None where nothing was published."""

    spec: ExportSpec
    file: Path | None
    size: int
    sha256: str
    proof: Proof
    failures: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return what `export --json` prints of the cell and the report beside the file holds."""
        report = self.proof.report
        return {
            "file": str(self.file) if self.file else None,
            "format": str(self.spec.format),
            "quantization": str(self.spec.quantization),
            "bytes": self.size,
            "sha256": self.sha256,
            **(report.to_dict() if report else {}),
            "runtimes": [dict(runtime) for runtime in self.proof.runtimes],
            "reports": {name: each.to_dict() for name, each in self.proof.reports.items()},
            "passed": not self.failures,
            "failures": list(self.failures),
        }


def export(source: Source, specs: list[ExportSpec], folder: Path, options: Options) -> Iterator[Exported]:
    """Make each file, prove it, and publish it into `folder` if it passes; yield the outcomes one by one.

    Raises:
        InputError: the calibration images are unfit, or nothing can be written.
        ModelError: the model cannot be converted, or its pixels are not 0..1, white on black.
        UsageError: an unknown target or figure.
    """
    targets = {spec.format: targets_for(spec.format, options.targets) for spec in specs}
    tolerances = {spec: parity.TOLERANCES[spec.quantization].replaced(options.tolerances) for spec in specs}
    network.check_pixels(source.model, *source.test)
    reference = parity.reference_probabilities(source.model, source.test[0])
    held_out = (source.validation[0], source.test[0])
    drawn = calibration.sample(*source.train, source.labels, held_out, options.calibration_samples)
    folder.mkdir(parents=True, exist_ok=True)
    for spec in specs:
        yield _export_cell(source, spec, folder, reference, drawn, targets[spec.format], tolerances[spec])


def _export_cell(
    source: Source,
    spec: ExportSpec,
    folder: Path,
    reference: NDArray[np.float32],
    drawn: calibration.Calibration,
    targets: list[Target],
    tolerance: parity.Tolerance,
) -> Exported:
    """Convert, prove and publish one file; all of it happens under a temporary name."""
    file = folder / f"{source.name}-{spec}.{spec.format}"
    converted = _CONVERTERS[spec.format](source.model, spec, drawn)
    contract = _draft(source, spec, converted, drawn)
    temporary = folder / f".{secrets.token_hex(4)}.{file.name}"
    try:
        # Sealed and taken apart again before anything is proven: what is tested is what the device will load.
        sealed = _write(temporary, converted.payload, contract, _NO_GOLDEN)
        proof = prove(temporary, sealed, targets, reference, *source.test, tolerance)
        failures = proof.failures
        if not failures:
            contract = replace(contract, parity=_figures(proof), runtimes=proof.runtimes)
            golden, contract = _with_golden(sealed, contract, reference, source.test)
            _write(temporary, converted.payload, contract, golden)
            failures = _selftest_everywhere(temporary, proof.runtimes)
        size, digest = temporary.stat().st_size, hashlib.sha256(temporary.read_bytes()).hexdigest()
        exported = Exported(spec, None if failures else file, size, digest, proof, failures)
        if not failures:
            _publish(temporary, exported)
        return exported
    finally:
        temporary.unlink(missing_ok=True)


def _draft(source: Source, spec: ExportSpec, converted: Converted, drawn: calibration.Calibration) -> Contract:
    """Return the contract without what the proofs will add."""
    return Contract(
        format=str(spec.format),
        quantization=str(spec.quantization),
        labels=source.labels,
        input=converted.input,
        output=converted.output,
        payload=Payload(len(converted.payload), hashlib.sha256(converted.payload).hexdigest()),
        selftest=SelfTest(
            unit="absolute" if converted.output.dtype == "float32" else "lsb", logits={}, probability=0.0
        ),
        origin={
            **source.origin,
            "parameters": source.model.count_params(),
            "weights_sha256": network.weights_sha256(source.model),
            "calibration": dict(drawn.passport) if spec.quantization in _CALIBRATED else None,
            "versions": {name: version(name) for name in _DISTRIBUTIONS[spec.format]},
        },
    )


def _write(file: Path, payload: bytes, contract: Contract, golden: Golden) -> sealing.SealedModel:
    file.write_bytes(sealing.seal(payload, contract, golden))
    return sealing.read(file)


def _figures(proof: Proof) -> dict[str, Any]:
    """Return the figures and the verdict for the contract; the report beside the file has every flip."""
    assert proof.report
    document = proof.report.to_dict()
    del document["failures"], document["flips"]
    return document


def _with_golden(
    sealed: sealing.SealedModel, contract: Contract, reference: NDArray[np.float32], test: LabelledImages
) -> tuple[Golden, Contract]:
    with quiet():
        classifier = Classifier(sealed)
    with classifier:
        golden = golden_vectors.choose(classifier, sealed.payload, reference, *test)
    return golden, replace(contract, selftest=golden_vectors.tolerances(contract, golden))


def _selftest_everywhere(file: Path, runtimes: tuple[Mapping[str, str], ...]) -> tuple[str, ...]:
    """Self-test the sealed file, as a person would, on each runtime that ran it; return what failed."""
    failures = []
    for runtime in runtimes:
        if runtime["status"] == "ran":
            command = [sys.executable, "-m", "mnist_edge_runtime", "selftest", "--engine", runtime["engine"], str(file)]
            result = subprocess.run(command, capture_output=True, text=True, check=False)
            if result.returncode:
                reason = result.stderr.strip() or f"exit code {result.returncode}"
                failures.append(f"self-test on {runtime['engine']}: {reason.replace(str(file), file.name)}")
    return tuple(failures)


def _publish(temporary: Path, exported: Exported) -> None:
    """Move the file into place, its report before it: where the file lies, its report lies too."""
    assert exported.file
    file = exported.file
    report = temporary.with_name(temporary.name + ".json")
    document = {**exported.to_dict(), "file": file.name}
    try:
        report.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        os.replace(report, file.with_name(file.name + ".parity.json"))
        os.replace(temporary, file)
    finally:
        report.unlink(missing_ok=True)
