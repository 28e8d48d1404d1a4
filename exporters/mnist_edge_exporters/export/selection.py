"""Select the best of several files that meets constraints of size, accuracy and speed.

Selection uses validation images only; the test set is for the file that was selected.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mnist_edge_runtime.confidence_interval import few_images_warning, format_interval, interval_of
from mnist_edge_runtime.errors import UsageError

from ..analysis import latency
from ..parity import report_file, worker

if TYPE_CHECKING:
    from ..source import Source
    from .export import Exported

__all__ = ["Candidate", "Constraint", "Selection", "adopt", "choose", "parse"]

_CONSTRAINT = re.compile(r"\s*(\w+)\s*(<=|>=)\s*(\S+)\s*")


@dataclass(frozen=True)
class _Figure:
    """A figure that can be constrained: its operator, its superlative, and the format of a distance from the limit."""

    operator: str
    superlative: str
    text: str


_FIGURES: Mapping[str, _Figure] = {
    "kb": _Figure("<=", "smallest", "{:.1f} KB"),
    "accuracy": _Figure(">=", "most accurate", "{:.2%}"),  # a share, 0 to 1
    "p50us": _Figure("<=", "fastest", "{:.1f} us"),
}


@dataclass(frozen=True)
class Candidate:
    """A proven file and its figures: KB, accuracy on validation images, microseconds an image here."""

    outcome: Exported
    kb: float
    accuracy: float
    p50us: float

    @property
    def name(self) -> str:
        return str(self.outcome.spec)


@dataclass(frozen=True)
class Constraint:
    """A limit of one figure."""

    figure: str
    limit: float

    def __str__(self) -> str:
        return f"{self.figure}{_FIGURES[self.figure].operator}{self.limit:g}"

    def excess(self, candidate: Candidate) -> float:
        """Return by how much the candidate exceeds the limit; 0 or less where it meets it."""
        distance = float(getattr(candidate, self.figure)) - self.limit
        return -distance if _FIGURES[self.figure].operator == ">=" else distance

    def miss(self, candidate: Candidate) -> str:
        return f"misses {self} by {_FIGURES[self.figure].text.format(self.excess(candidate))}"


@dataclass(frozen=True)
class Selection:
    """The candidates, the best of those that meet all constraints, and the reason where there is none.

    `images` is the number of validation images that the accuracies are of.
    """

    constraints: tuple[Constraint, ...]
    candidates: tuple[Candidate, ...]
    best: Candidate | None
    reason: str | None
    images: int

    def to_dict(self) -> dict[str, Any]:
        """Return what `export --constraints ... --json` prints of the selection."""
        return {
            "constraints": [str(constraint) for constraint in self.constraints],
            "candidates": [
                {
                    "variant": each.name,
                    "kb": each.kb,
                    "validation_accuracy": each.accuracy,
                    "validation_interval": interval_of(each.accuracy, self.images),
                    "p50us": each.p50us,
                }
                for each in self.candidates
            ],
            "best": self.best.name if self.best else None,
        }

    def table(self) -> str:
        """Return a header and a line for each candidate."""
        lines = [f"{'candidate':<18}{'KB':>8}{'validation':>12}{'95% interval':>17}{'p50 us':>9}"]
        for each in self.candidates:
            misses = [constraint.miss(each) for constraint in self.constraints if constraint.excess(each) > 0]
            verdict = "; ".join(misses) or ("<- the best" if each is self.best else "meets them all")
            interval = format_interval(interval_of(each.accuracy, self.images))
            lines.append(
                f"{each.name:<18}{each.kb:>8.1f}{each.accuracy:>12.2%}{interval:>17}{each.p50us:>9.1f}  {verdict}"
            )
        if self.candidates and (warning := few_images_warning(self.images, "validation")):
            lines.append(f"WARNING: {warning}")
        return "\n".join(lines)


def parse(text: str) -> tuple[Constraint, ...]:
    """Return the constraints of a text such as "kb<=64,accuracy>=0.99,p50us<=50".

    Raises:
        UsageError: another figure, the wrong side of the limit, or no number.
    """
    known = ", ".join(f"{name}{figure.operator}NUMBER" for name, figure in _FIGURES.items())
    found: dict[str, Constraint] = {}
    for part in text.split(","):
        try:
            name, operator, limit = _CONSTRAINT.fullmatch(part).groups()  # type: ignore[union-attr]
            highest = 1 if name == "accuracy" else math.inf
            if _FIGURES[name].operator != operator or name in found or not 0 < float(limit) <= highest:
                raise ValueError
            found[name] = Constraint(name, float(limit))
        except (AttributeError, KeyError, ValueError):
            raise UsageError(f"--constraints {part.strip()!r}: expected each at most once of {known}") from None
    return tuple(found.values())


def choose(outcomes: Sequence[Exported], source: Source, constraints: tuple[Constraint, ...]) -> Selection:
    """Measure the files that passed their proofs and choose the best that meets the constraints.

    The best is the most accurate on validation images; among equally accurate ones the smallest, then the fastest.
    """
    images, labels = source.validation
    engines = {outcome.file: _engine(outcome) for outcome in outcomes if outcome.file}
    times = latency.measure(list(engines.items()))
    candidates = []
    for outcome in outcomes:
        if outcome.file:
            engine = engines[outcome.file]
            right = worker.logits(outcome.file, engine, images).argmax(axis=1) == labels
            candidates.append(Candidate(outcome, outcome.size / 1000, float(right.mean()), times[outcome.file, engine]))
    meeting = [each for each in candidates if all(constraint.excess(each) <= 0 for constraint in constraints)]
    best = min(meeting, key=lambda each: (-each.accuracy, each.kb, each.p50us), default=None)
    if not candidates:
        failures = "; ".join(f"{outcome.spec}: {failure}" for outcome in outcomes for failure in outcome.failures)
        return Selection(constraints, (), None, f"no file passed its proof ({failures})", len(labels))
    reason = None if best else _reason(candidates, constraints)
    return Selection(constraints, tuple(candidates), best, reason, len(labels))


def adopt(best: Candidate, folder: Path) -> Exported:
    """Move the selected file into `folder`, its report before it."""
    file = best.outcome.file
    assert file
    report = report_file.path_for(file)
    os.replace(report, folder / report.name)
    os.replace(file, folder / file.name)
    return replace(best.outcome, file=folder / file.name)


def _engine(outcome: Exported) -> str:
    """Return the engine that a device prefers, of those that ran the file."""
    return next(runtime["engine"] for runtime in outcome.proof.runtimes if runtime["status"] == "ran")


def _reason(candidates: Sequence[Candidate], constraints: Sequence[Constraint]) -> str:
    """Return which constraint no file meets and by how much, or that no single file meets all of them."""
    sentences = []
    for constraint in constraints:
        nearest = min(candidates, key=constraint.excess)
        if constraint.excess(nearest) > 0:
            superlative = _FIGURES[constraint.figure].superlative
            sentences.append(
                f"{constraint} cannot be met: the {superlative}, {nearest.name}, {constraint.miss(nearest)}"
            )
    if sentences:
        return "; ".join(sentences)
    nearest, missed = min(
        ((each, [one for one in constraints if one.excess(each) > 0]) for each in candidates),
        key=lambda pair: (len(pair[1]), sum(one.excess(pair[0]) / one.limit for one in pair[1])),
    )
    misses = " and ".join(constraint.miss(nearest) for constraint in missed)
    return f"each constraint can be met, but not all by one file: {nearest.name} comes nearest and {misses}"
