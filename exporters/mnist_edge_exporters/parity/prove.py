"""Prove a file: run it on every runtime it is meant for, and compare its answers with the Keras model's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from mnist_edge_runtime import EngineError, InputError, ModelError, VerificationError
from mnist_edge_runtime.confidence_interval import few_images_warning
from mnist_edge_runtime.model_file import sealed_model
from mnist_edge_runtime.model_file.sealed_model import SealedModel
from numpy.typing import NDArray

from ..source import Source
from ..spec import Options, Quantization, variant_info
from . import integer_meaning, worker
from .comparison import ParityReport, compare, reference_probabilities
from .integer_meaning import IntegerAnswers, has_integer_meaning
from .targets import Target, incompatibility, targets_for, targets_of
from .tolerance import TOLERANCES, Tolerance

__all__ = ["Proof", "prove", "raise_on_failures", "verify"]


@dataclass(frozen=True)
class Proof:
    """The outcome of a file on each target.

    Attributes:
        runtimes: for each target its engine, version and status: "ran", "table only" (not installed on this machine)
            or "refused"; where it ran also the number of images.
        reports: the figures of each target that ran, by its name.
        failures: a sentence for each figure out of tolerance and each target that cannot run the file.
        logits: those of the first target that ran for the test images, float32 (N, classes); None where none ran.
        integer: the answers of the file's integer network, the last of the runtimes; None for other files.
    """

    runtimes: tuple[Mapping[str, Any], ...]
    reports: Mapping[str, ParityReport]
    failures: tuple[str, ...]
    logits: NDArray[np.float32] | None
    integer: IntegerAnswers | None = None

    @property
    def report(self) -> ParityReport | None:
        """The figures of the first target that ran."""
        return next(iter(self.reports.values()), None)

    def to_dict(self) -> dict[str, Any]:
        """Return what `verify --json` prints."""
        return {
            "runtimes": [dict(runtime) for runtime in self.runtimes],
            "reports": {name: report.to_dict() for name, report in self.reports.items()},
            "passed": not self.failures,
            "failures": list(self.failures),
        }

    def lines(self) -> list[str]:
        """Return the figures of each target for a person."""
        lines = []
        for runtime in self.runtimes:
            name = f"{runtime['engine']}=={runtime['version']}"
            report = self.reports.get(name)
            verdict = runtime["status"] if report is None else "passed" if report.passed else "FAILED"
            lines += [f"{name}: {verdict}", *(f"  {line}" for line in (report.summary() if report else ()))]
        if self.integer:
            lines.append(f"  {self.integer.line}")
        if self.report and (warning := few_images_warning(self.report.images)):
            lines.append(f"WARNING: {warning}")
        return lines


def prove(
    file: Path,
    sealed: SealedModel,
    targets: list[Target],
    reference: NDArray[np.float32],
    images: NDArray[np.uint8],
    labels: NDArray[np.int64],
    tolerance: Tolerance,
) -> Proof:
    """Run the sealed file on each target that is installed here, in processes of their own, and its integer network.

    Args:
        file: the sealed model.
        sealed: its contents.
        targets: the runtimes it is meant for.
        reference: the Keras model's probabilities, float32 (N, classes).
        images: the test images, uint8 (N, 28, 28).
        labels: the index of each image's true class, (N,).
        tolerance: the limits.
    """
    runtimes: list[Mapping[str, Any]] = []
    reports: dict[str, ParityReport] = {}
    failures: list[str] = []
    ran: dict[str, NDArray[np.float32]] = {}
    contract, output = sealed.contract, sealed.contract.output
    step = None if output.dtype == "float32" else output.scale
    for target in targets:
        logits, objection = _answers(file, sealed, target, images)
        status = "table only"
        if logits is not None:
            status = "ran"
            ran[str(target)] = logits
            report = reports[str(target)] = compare(reference, logits, labels, tolerance, step=step)
            failures += [f"{target}: {failure}" for failure in report.failures]
        elif objection is not None:
            status = "refused"
            failures.append(f"{target} cannot run it: {objection}")
        elif variant_info(contract.format, contract.quantization).must_run:
            failures.append(
                f"{target} is not installed here, and only a run shows whether a runtime answers a "
                f"{contract.quantization} file correctly; name the runtimes it is for with --target-runtime"
            )
        proven_on = {"images": len(images)} if status == "ran" else {}
        runtimes.append({"engine": target.engine, "version": target.version, "status": status, **proven_on})
    if not reports and not failures:
        failures.append("none of the runtimes it is for is installed here, so nothing proves it; name one that is")
    first, integer = next(iter(ran.values()), None), None
    if has_integer_meaning(contract):
        integer = integer_meaning.answers(sealed, images, ran)
        runtimes.append(integer.runtime)
        if integer.runtime.get("differing_logits"):
            failures.append(f"{integer.line}: this runtime does not compute the one meaning of the file")
        if integer.logits is not None and reports:  # what no engine ran is not proven by it
            name = f"{integer_meaning.NAME}=={integer_meaning.VERSION}"
            reports[name] = compare(reference, integer.logits, labels, tolerance, step=step)
    return Proof(tuple(runtimes), reports, tuple(failures), first, integer)


def _answers(
    file: Path, sealed: SealedModel, target: Target, images: NDArray[np.uint8]
) -> tuple[NDArray[np.float32] | None, str | None]:
    """Return the logits of a file on a target, and why the target cannot run it; neither where it is not installed."""
    objection = incompatibility(target, sealed.payload)
    if objection is not None or not target.is_installed:
        return None, objection
    try:
        return worker.logits(file, target.engine, images), None
    except EngineError as error:
        return None, str(error)


def verify(file: Path, source: Source, options: Options) -> Proof:
    """Prove an exported file again, against any run: compare its answers with those of the source's Keras model.

    Raises:
        InputError: the file has other labels than the source.
        ModelError: the file is damaged, or its quantization is unknown.
        UsageError: an unknown target or figure.
    """
    sealed = sealed_model.read(file)
    contract = sealed.contract
    if contract.labels != source.labels:
        raise InputError(f"{file}: its labels are {' '.join(contract.labels)}, the run's {' '.join(source.labels)}")
    if contract.quantization not in [quantization.value for quantization in TOLERANCES]:
        raise ModelError(f"{file}: there is no tolerance for its quantization, {contract.quantization}")
    tolerance = TOLERANCES[Quantization(contract.quantization)].replaced(options.tolerances)
    reference = reference_probabilities(source.model, source.test[0])
    targets = targets_for(contract.format, options.targets) if options.targets else targets_of(contract)
    return prove(file, sealed, targets, reference, *source.test, tolerance)


def raise_on_failures(outcomes: list[tuple[str, tuple[str, ...]]], verdict: str) -> None:
    """Raise VerificationError with the verdict and all failures, each after its name, if there are any."""
    failures = [f"{name}: {failure}" for name, found in outcomes for failure in found]
    if failures:
        raise VerificationError(f"{verdict}, because {'; '.join(failures)}")
