"""Convert, seal, prove, publish: what `mnist-edge export` does for each cell."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from mnist_edge_runtime import Classifier, ModelError, UsageError, VerificationError
from mnist_edge_runtime.classifier import softmax
from mnist_edge_runtime.model_file import sealed_model
from mnist_edge_runtime.model_file.contract import Contract
from mnist_edge_runtime.model_file.golden import Golden
from mnist_edge_runtime.output_capture import suppress_output
from numpy.typing import NDArray

from .. import keras_model
from ..analysis import halves
from ..converters import calibration
from ..converters.calibration import Calibration
from ..converters.registry import CALIBRATED, CONVERTERS
from ..parity import comparison
from ..parity.comparison import ParityReport
from ..parity.prove import Proof, prove
from ..parity.targets import Target, targets_for
from ..parity.tolerance import TOLERANCES, Tolerance
from ..source import LabelledImages, Source
from ..spec import REPORT_SUFFIX, ExportSpec, Options, Quantization, must_run
from . import contract_builder, golden_vectors, rejection
from .rejection import Acceptance

__all__ = ["Exported", "export"]

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
    """One cell's outcome; `file` is None where nothing was published.

    Attributes:
        twin: the cell of the other format with the same quantization that was exported before, and this file's
            answers held against that one's; None where there is none.
    """

    spec: ExportSpec
    file: Path | None
    size: int
    sha256: str
    proof: Proof
    twin: tuple[ExportSpec, ParityReport] | None
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
            "twin": {"cell": str(self.twin[0]), **self.twin[1].to_dict()} if self.twin else None,
            "passed": not self.failures,
            "failures": list(self.failures),
        }


@dataclass(frozen=True)
class _Export:
    """What all cells of an export share."""

    source: Source
    folder: Path
    reference: NDArray[np.float32]
    golden_reference: NDArray[np.float32]
    acceptance: Acceptance
    drawn: Calibration


def export(source: Source, specs: list[ExportSpec], folder: Path, options: Options) -> Iterator[Exported]:
    """Make each file, prove it, and publish it into `folder` if it passes; yield the outcomes one by one.

    Raises:
        InputError: the calibration images are unfit, or nothing can be written.
        ModelError: the model reads no better than by guessing, or its pixels are not 0..1, white on black.
        UsageError: an unknown target or figure.
    """
    targets = {spec: targets_for(spec.format, options.targets, must_run=must_run(*spec.cell)) for spec in specs}
    if options.targets and not any(
        str(target).startswith(options.targets) for each in targets.values() for target in each
    ):
        raise UsageError(f"--target-runtime {' '.join(options.targets)} runs none of {', '.join(map(str, specs))}")
    tolerances = {spec: TOLERANCES[spec.quantization].replaced(options.tolerances) for spec in specs}
    keras_model.check_pixels(source.model, *source.test)
    reference = comparison.reference_probabilities(source.model, source.test[0])
    validation_images, validation_labels = source.validation
    accepted = rejection.choose(comparison.reference_probabilities(source.model, validation_images), validation_labels)
    golden = source.golden[0]
    own = golden is source.test[0]  # asked once, since it takes seconds
    golden_reference = reference if own else comparison.reference_probabilities(source.model, golden)
    held_out = (source.validation[0], source.test[0])
    drawn = calibration.sample(*source.train, source.labels, held_out, options.calibration_samples)
    folder.mkdir(parents=True, exist_ok=True)
    shared = _Export(source, folder, reference, golden_reference, accepted, drawn)
    earlier: dict[Quantization, Exported] = {}
    for spec in specs:
        outcome = _export_cell(shared, spec, targets[spec], tolerances[spec], earlier.get(spec.quantization))
        earlier.setdefault(spec.quantization, outcome)
        yield outcome


def _export_cell(
    shared: _Export, spec: ExportSpec, targets: list[Target], tolerance: Tolerance, twin: Exported | None
) -> Exported:
    """Convert, prove and publish one file; all of it happens under a temporary name."""
    source = shared.source
    file = shared.folder / f"{source.name}-{spec}.{spec.format}"
    temporary = shared.folder / f".{secrets.token_hex(4)}.{file.name}"
    try:
        payload, contract = _convert(shared, spec)
        # Sealed and taken apart again before anything is proven: what is tested is what the device will load.
        sealed = _write(temporary, payload, contract, _NO_GOLDEN)
        proof = prove(temporary, sealed, targets, shared.reference, *source.test, tolerance)
        against = _against(twin, proof, source.test[1], tolerance)
        failures = proof.failures
        if against:
            failures += tuple(f"against {against[0]}: {failure}" for failure in against[1].failures)
        if not failures:
            golden = _golden(sealed, shared.golden_reference, source.golden)
            _write(temporary, payload, contract_builder.proven(contract, proof, golden), golden)
            failures = _selftest_everywhere(temporary, proof.runtimes)
        if failures and file.exists():
            failures += (f"the {file.name} that is there is still that of an earlier export",)
        size, digest = temporary.stat().st_size, hashlib.sha256(temporary.read_bytes()).hexdigest()
        exported = Exported(spec, None if failures else file, size, digest, proof, against, failures)
        if not failures:
            _publish(temporary, exported)
        return exported
    except (ModelError, VerificationError) as error:
        return Exported(spec, None, 0, "", Proof((), {}, (), None), None, (str(error),))
    finally:
        temporary.unlink(missing_ok=True)


def _convert(shared: _Export, spec: ExportSpec) -> tuple[bytes, Contract]:
    """Return the plain model and the draft of its contract.

    Raises:
        ModelError: the converter cannot make the file.
    """
    source, drawn = shared.source, shared.drawn
    try:
        converted = CONVERTERS[spec.format](source.model, spec, drawn)
        passport = dict(drawn.passport)
        if spec.quantization in CALIBRATED:
            passport["halves"] = halves.compare(
                lambda half: contract_builder.unproven(source, spec, CONVERTERS[spec.format](source.model, spec, half)),
                drawn,
                source.validation,
            )
    except (OSError, MemoryError, ModelError):
        raise
    except Exception as error:  # converters fail in ways of their own
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ModelError(f"the converter cannot make it: {reason}") from error
    return converted.payload, contract_builder.draft(source, spec, converted, passport, shared.acceptance)


def _write(file: Path, payload: bytes, contract: Contract, golden: Golden) -> sealed_model.SealedModel:
    file.write_bytes(sealed_model.seal(payload, contract, golden))
    return sealed_model.read(file)


def _against(
    twin: Exported | None, proof: Proof, labels: NDArray[np.int64], tolerance: Tolerance
) -> tuple[ExportSpec, ParityReport] | None:
    """Hold the answers against those of the same quantization in the other format, if that passed and both ran."""
    if twin is None or twin.file is None or twin.proof.logits is None or proof.logits is None:
        return None
    return twin.spec, comparison.compare(softmax(twin.proof.logits), proof.logits, labels, tolerance.doubled())


def _golden(sealed: sealed_model.SealedModel, reference: NDArray[np.float32], images: LabelledImages) -> Golden:
    with suppress_output():
        classifier = Classifier(sealed)
    with classifier:
        return golden_vectors.choose(classifier, sealed.payload, reference, *images)


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
        os.replace(report, file.with_name(file.name + REPORT_SUFFIX))
        os.replace(temporary, file)
    finally:
        report.unlink(missing_ok=True)
