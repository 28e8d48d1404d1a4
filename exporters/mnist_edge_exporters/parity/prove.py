"""Put a file before every runtime it is meant for, and count its answers on each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from mnist_edge_runtime import EngineError, VerificationError
from mnist_edge_runtime.model_file.sealed_model import SealedModel
from numpy.typing import NDArray

from ..spec import must_run
from . import worker
from .comparison import ParityReport, compare
from .targets import Target, incompatibility
from .tolerance import Tolerance

__all__ = ["Proof", "prove", "raise_on_failures"]


@dataclass(frozen=True)
class Proof:
    """What became of a file on each target.

    Attributes:
        runtimes: for each target its engine, version and status: "ran", "table only" (not to be had on this machine)
            or "refused".
        reports: the figures of each target that ran, by its name.
        failures: a sentence for each figure out of tolerance and each target that cannot run the file.
        logits: what the first target that ran said of the test images, float32 (N, classes); None where none ran.
    """

    runtimes: tuple[Mapping[str, str], ...]
    reports: Mapping[str, ParityReport]
    failures: tuple[str, ...]
    logits: NDArray[np.float32] | None

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
        """Return the figures of each target as a person reads them."""
        lines = []
        for runtime in self.runtimes:
            name = f"{runtime['engine']}=={runtime['version']}"
            report = self.reports.get(name)
            verdict = runtime["status"] if report is None else "passed" if report.passed else "FAILED"
            lines += [f"{name}: {verdict}", *(f"  {line}" for line in (report.summary() if report else ()))]
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
    """Run the sealed file on each target that can be had here, in processes of their own.

    Args:
        file: where the sealed model lies.
        sealed: its contents.
        targets: the runtimes it is meant for.
        reference: the Keras model's probabilities, float32 (N, classes).
        images: the test images, uint8 (N, 28, 28).
        labels: the index of each image's true class, (N,).
        tolerance: what is allowed.
    """
    runtimes: list[Mapping[str, str]] = []
    reports: dict[str, ParityReport] = {}
    failures: list[str] = []
    first: NDArray[np.float32] | None = None
    contract, output = sealed.contract, sealed.contract.output
    for target in targets:
        status = "table only"
        objection = incompatibility(target, sealed.payload)
        if objection is None and target.is_installed:
            try:
                logits = worker.logits(file, target.engine, images)
            except EngineError as error:
                objection = str(error)
            else:
                step = None if output.dtype == "float32" else output.scale
                report = compare(reference, logits, labels, tolerance, step=step)
                reports[str(target)] = report
                failures += [f"{target}: {failure}" for failure in report.failures]
                status = "ran"
                first = logits if first is None else first
        elif objection is None and must_run(contract.format, contract.quantization):
            failures.append(
                f"{target} is not to be had here, and only a runtime that ran it shows that it answers a "
                f"{contract.quantization} file rightly; name the runtimes it is for with --target-runtime"
            )
        if objection is not None:
            failures.append(f"{target} cannot run it: {objection}")
            status = "refused"
        runtimes.append({"engine": target.engine, "version": target.version, "status": status})
    if not reports and not failures:
        failures.append("none of the runtimes it is for is to be had here, so nothing proves it; name one that is")
    return Proof(tuple(runtimes), reports, tuple(failures), first)


def raise_on_failures(outcomes: list[tuple[str, tuple[str, ...]]], verdict: str) -> None:
    """Raise VerificationError with the verdict and all failures, each after its name, if there are any."""
    failures = [f"{name}: {failure}" for name, found in outcomes for failure in found]
    if failures:
        raise VerificationError(f"{verdict}, because {'; '.join(failures)}")
