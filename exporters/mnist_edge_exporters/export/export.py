"""Export a model: convert, seal and prove each file, and publish those that pass."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from mnist_edge_runtime import Classifier, ModelError, UsageError, VerificationError
from mnist_edge_runtime.child_process import run_module
from mnist_edge_runtime.engines.registry import ENGINES
from mnist_edge_runtime.files import atomic_path
from mnist_edge_runtime.model_file import sealed_model
from mnist_edge_runtime.model_file.contract import Contract
from mnist_edge_runtime.model_file.formats.registry import FORMATS
from mnist_edge_runtime.model_file.golden import Golden
from mnist_edge_runtime.output_capture import suppress_output
from mnist_edge_runtime.prediction import softmax
from mnist_edge_runtime.time_limit import SECONDS
from numpy.typing import NDArray

from .. import output_head
from ..converters import calibration
from ..converters.calibration import Calibration
from ..converters.worker import ConverterProcess
from ..parity import comparison, report_file
from ..parity.comparison import ParityReport
from ..parity.prove import Proof, prove
from ..parity.targets import Target, targets_for
from ..parity.tolerance import TOLERANCES, Tolerance
from ..pixels import check
from ..source import LabelledImages, Source
from ..spec import ExportSpec, Options, Quantization
from . import contract_builder, golden_vectors, rejection
from .leftovers import exporting
from .rejection import RejectionThreshold

__all__ = ["Exported", "export"]


@dataclass(frozen=True)
class Exported:
    """The outcome of one export.

    Attributes:
        spec: the file that was asked for.
        file: its path; None where nothing was published.
        size: in bytes.
        sha256: of the whole file.
        proof: its figures on each runtime.
        counterpart: the file of another format with the same quantization that was exported before, and the
            comparison of the answers of both; None where there is none.
        failures: why it was not published.
        pixels: the entry of the contract about how the network reads them; None where there is nothing to say.
    """

    spec: ExportSpec
    file: Path | None
    size: int
    sha256: str
    proof: Proof
    counterpart: tuple[ExportSpec, ParityReport] | None
    failures: tuple[str, ...]
    pixels: Mapping[str, Any] | None

    def to_dict(self) -> dict[str, Any]:
        """Return the document that `export --json` prints and that is the report beside the file."""
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
            "counterpart": (
                {"variant": str(self.counterpart[0]), **self.counterpart[1].to_dict()} if self.counterpart else None
            ),
            "pixels": self.pixels,
            "passed": not self.failures,
            "failures": list(self.failures),
        }


@dataclass(frozen=True)
class _Export:
    """The values that all files of an export share."""

    source: Source
    folder: Path
    reference: NDArray[np.float32]
    golden_reference: NDArray[np.float32]
    rejection: RejectionThreshold
    drawn: Calibration
    converter: ConverterProcess


def export(source: Source, specs: list[ExportSpec], folder: Path, options: Options) -> Iterator[Exported]:
    """Make each file, prove it, and publish it into `folder` if it passes; yield the outcomes one by one.

    Raises:
        InputError: the calibration images are unfit, nothing can be written, or the model's file was replaced.
        ModelError: the model is no better than guessing, or its pixels are not 0..1, white on black.
        UsageError: an unknown target or figure.
    """
    targets = {spec: targets_for(spec.format, options.targets, must_run=spec.info.must_run) for spec in specs}
    if options.targets and not any(
        str(target).startswith(options.targets) for each in targets.values() for target in each
    ):
        raise UsageError(f"--target-runtime {' '.join(options.targets)} runs none of {', '.join(map(str, specs))}")
    tolerances = {spec: TOLERANCES[spec.quantization].replaced(options.tolerances) for spec in specs}
    reference = comparison.reference_probabilities(source.model, source.test[0])
    source = check.checked(source, reference, as_is=options.as_is)
    held_out = (source.validation[0], source.test[0])
    count = options.calibration_samples or calibration.SAMPLES
    drawn = calibration.sample(*source.train, source.labels, held_out, count)
    # From here on, since it takes seconds to start.
    with ExitStack() as until_done, ConverterProcess(source.model, drawn, specs) as converter:
        threshold = rejection.choose(
            {
                name: (comparison.reference_probabilities(source.model, images), labels)
                for name, (images, labels) in source.held_out().items()
            }
        )
        golden = source.golden[0]
        same = golden is source.test[0]  # predicted once, since it takes seconds
        golden_reference = reference if same else comparison.reference_probabilities(source.model, golden)
        until_done.enter_context(exporting(folder))
        shared = _Export(source, folder, reference, golden_reference, threshold, drawn, converter)
        earlier: dict[Quantization, Exported] = {}
        for spec in specs:
            outcome = _export_one(shared, spec, targets[spec], tolerances[spec], earlier.get(spec.quantization))
            earlier.setdefault(spec.quantization, outcome)
            yield outcome


class _NotPublishedError(Exception):
    """Raised where a file is made and fails, so that nothing of it stays."""

    def __init__(self, outcome: Exported) -> None:
        super().__init__()
        self.outcome = outcome


def _export_one(
    shared: _Export, spec: ExportSpec, targets: list[Target], tolerance: Tolerance, counterpart: Exported | None
) -> Exported:
    """Make one file under a temporary name, prove it there, and publish it if it passes."""
    file = shared.folder / f"{shared.source.name}-{spec}{FORMATS[spec.format].suffix}"
    try:
        with ExitStack() as until_published, shared.source.in_use(), atomic_path(file) as temporary:
            exported = _make(shared, spec, targets, tolerance, counterpart, temporary, file)
            if exported.failures:
                raise _NotPublishedError(exported)
            until_published.enter_context(shared.source.unchanged())
            # The report is published before the file: a file without its report is never there.
            with atomic_path(report_file.path_for(file)) as report:
                document = {**exported.to_dict(), "file": file.name}
                report.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        return exported
    except _NotPublishedError as failed:
        return failed.outcome
    except (ModelError, VerificationError) as error:
        failures = (str(error), *output_head.integer_failure(shared.source.model, spec.info.is_calibrated))
        return Exported(spec, None, 0, "", Proof((), {}, (), None), None, failures, shared.source.origin.get("pixels"))


def _make(
    shared: _Export,
    spec: ExportSpec,
    targets: list[Target],
    tolerance: Tolerance,
    counterpart: Exported | None,
    temporary: Path,
    file: Path,
) -> Exported:
    """Convert, seal and prove one file at `temporary`; `file` is its name if it passes."""
    source = shared.source
    payload, contract = _convert(shared, spec)
    # Sealed and read back before anything is proven: the device loads the same bytes.
    sealed = _write(temporary, payload, contract, golden_vectors.NONE)
    proof = prove(temporary, sealed, targets, shared.reference, *source.test, tolerance)
    compared = _compared(counterpart, proof, source.test[1], tolerance)
    failures = proof.failures
    if failures:
        failures += output_head.integer_failure(source.model, spec.info.is_calibrated)
    if compared:
        failures += tuple(f"against {compared[0]}: {failure}" for failure in compared[1].failures)
    if not failures:
        golden = _golden(sealed, shared.golden_reference, source.golden)
        _write(temporary, payload, contract_builder.proven(contract, proof, golden), golden)
        failures = _selftest_everywhere(temporary, proof.runtimes)
    if failures and file.exists():
        failures += (f"the existing {file.name} is that of an earlier export",)
    size, digest = temporary.stat().st_size, hashlib.sha256(temporary.read_bytes()).hexdigest()
    pixels = source.origin.get("pixels")
    return Exported(spec, None if failures else file, size, digest, proof, compared, failures, pixels)


def _convert(shared: _Export, spec: ExportSpec) -> tuple[bytes, Contract]:
    """Return the plain model and the draft of its contract; raises what `ConverterProcess.convert` raises."""
    converted, provenance = shared.converter.convert(spec), shared.drawn.provenance
    return converted.payload, contract_builder.draft(shared.source, spec, converted, provenance, shared.rejection)


def _write(file: Path, payload: bytes, contract: Contract, golden: Golden) -> sealed_model.SealedModel:
    file.write_bytes(sealed_model.seal(payload, contract, golden))
    return sealed_model.read(file)


def _compared(
    counterpart: Exported | None, proof: Proof, labels: NDArray[np.int64], tolerance: Tolerance
) -> tuple[ExportSpec, ParityReport] | None:
    """Compare the answers with those of the counterpart, if it passed and both ran."""
    if counterpart is None or counterpart.file is None or counterpart.proof.logits is None or proof.logits is None:
        return None
    reference = softmax(counterpart.proof.logits)
    return counterpart.spec, comparison.compare(reference, proof.logits, labels, tolerance.doubled())


def _golden(sealed: sealed_model.SealedModel, reference: NDArray[np.float32], images: LabelledImages) -> Golden:
    with suppress_output():
        classifier = Classifier(sealed)
    with classifier:
        return golden_vectors.choose(classifier, sealed.payload, reference, *images)


def _selftest_everywhere(file: Path, runtimes: tuple[Mapping[str, Any], ...]) -> tuple[str, ...]:
    """Run the device's self-test of the sealed file on each runtime that ran it; return the failures."""
    failures = []
    for runtime in runtimes:
        if runtime["status"] == "ran" and runtime["engine"] in ENGINES:
            arguments = ["selftest", "--engine", runtime["engine"], str(file)]
            child = run_module("mnist_edge_runtime", *arguments, seconds=2 * SECONDS)  # it ends itself before, in words
            if child.code:
                failures.append(f"self-test on {runtime['engine']}: {child.reason.replace(str(file), file.name)}")
    return tuple(failures)
