"""Collect a run's exports: each file, its contract, and the proof beside it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mnist_edge_runtime import InputError, ModelError
from mnist_edge_runtime.model_file import sealed_model
from mnist_edge_runtime.model_file.contract import Contract
from mnist_edge_runtime.model_file.formats.registry import FORMATS

from ..parity import report_file
from ..parity.targets import Target
from ..spec import VARIANTS

__all__ = ["Evidence", "Verdict", "collect"]


@dataclass(frozen=True)
class Verdict:
    """The outcome of a file on one runtime.

    Attributes:
        target: the runtime.
        status: "ran", "table only" or "refused".
        figures: those of `parity.ParityReport.to_dict`; None where the file did not run.
    """

    target: Target
    status: str
    figures: Mapping[str, Any] | None

    @property
    def word(self) -> str:
        """The verdict in a word."""
        return self.status if self.figures is None else "passed" if self.figures["passed"] else "FAILED"

    @property
    def is_timed(self) -> bool:
        """Whether the file ran on the runtime and exactly that version is on this machine."""
        return self.status == "ran" and self.target.is_installed


@dataclass(frozen=True)
class Evidence:
    """A file and all that is known about it.

    Attributes:
        file: its path.
        variant: its name without the run's: "tflite-int8"; the whole name where the contract cannot be read.
        size: in bytes.
        sha256: of the whole file.
        contract: None where it cannot be read.
        verdicts: for each runtime that it is meant for; none where `problem` says why.
        counterpart: the variant of the other format and the figures of the comparison with it, or None.
        problem: why nothing proves this file; empty where there is a proof.
    """

    file: Path
    variant: str
    size: int
    sha256: str
    contract: Contract | None
    verdicts: tuple[Verdict, ...]
    counterpart: Mapping[str, Any] | None
    problem: str

    @property
    def pixels(self) -> Mapping[str, Any]:
        """What its contract says of how the network reads pixels; empty where there is nothing to say."""
        found = self.contract.origin.get("pixels") if self.contract else None
        return found if isinstance(found, Mapping) else {}

    @property
    def warnings(self) -> tuple[str, ...]:
        """The warnings of its export about how the network reads pixels and names classes."""
        found = self.pixels.get("warnings")
        return tuple(map(str, found)) if isinstance(found, list) else ()

    @property
    def is_proven(self) -> bool:
        """Whether it ran on some runtime, and passed on each that ran it."""
        words = {verdict.word for verdict in self.verdicts}
        return "passed" in words and words <= {"passed", "table only"}


def collect(folder: Path, weights_sha256: str) -> tuple[Evidence, ...]:
    """Return the evidence of every file in `folder`, in the order of the table of variants.

    Args:
        folder: the exports of a run; it need not exist.
        weights_sha256: of the run's model, as `keras_model.weights_sha256` returns it.

    Raises:
        InputError: the proof beside a file cannot be read.
    """
    files = [path for format_ in FORMATS.values() for path in folder.glob(f"[!.]*{format_.suffix}")]
    return tuple(sorted((_evidence(file, weights_sha256) for file in files), key=_place))


def _place(evidence: Evidence) -> tuple[int, str]:
    names = ["-".join(key) for key in VARIANTS]
    contract = evidence.contract
    name = f"{contract.format}-{contract.quantization}" if contract else ""
    return names.index(name) if name in names else len(names), evidence.file.name


def _evidence(file: Path, weights_sha256: str) -> Evidence:
    data = file.read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    variant = file.stem
    contract: Contract | None = None
    verdicts: tuple[Verdict, ...] = ()
    counterpart: Mapping[str, Any] | None = None
    problem = ""
    try:
        contract = sealed_model.unseal(data).contract
    except ModelError as error:
        problem = str(error)
    else:
        start = variant.rfind(f"{contract.format}-{contract.quantization}")
        variant = variant[max(start, 0) :]
        report = report_file.path_for(file)
        if contract.origin.get("weights_sha256") != weights_sha256:
            problem = "made from other weights than the run's; export it again"
        elif report.is_file():
            verdicts, counterpart, problem = _proof(report, digest)
        else:
            problem = f"there is no {report.name} beside it; export it again"
    return Evidence(file, variant, len(data), digest, contract, verdicts, counterpart, problem)


def _proof(report: Path, digest: str) -> tuple[tuple[Verdict, ...], Mapping[str, Any] | None, str]:
    """Return the verdicts and the counterpart in the report beside a file, or why it proves nothing."""
    try:
        document = json.loads(report.read_text(encoding="utf-8"))
        if document["sha256"] != digest:
            return (), None, f"{report.name} is the proof of another file; export it again"
        verdicts = tuple(_verdict(runtime, document["reports"]) for runtime in document["runtimes"])
        return verdicts, document["counterpart"], ""
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{report}: cannot be read ({error}); export the file again") from None


def _verdict(runtime: Mapping[str, str], reports: Mapping[str, Any]) -> Verdict:
    target = Target(runtime["engine"], runtime["version"])
    return Verdict(target, runtime["status"], reports.get(str(target)))
