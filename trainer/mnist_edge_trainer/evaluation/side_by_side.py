"""Compare two runs or files: settings that differ, sizes, accuracies, and a paired test on the same images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from mnist_edge_runtime.confidence_interval import format_interval, wilson
from mnist_edge_runtime.model_file import sealed_model
from mnist_edge_runtime.model_file.formats.registry import for_suffix
from numpy.typing import NDArray

from ..runs.listing import Export, export_of
from ..runs.run import MODEL, Run
from .subject import Subject

__all__ = ["Comparison", "Paired", "Side", "compare", "settings_of_file", "settings_of_run"]


@dataclass(frozen=True)
class Side:
    """One of the two: its name, settings by name, size in bytes, accuracy with its 95 % interval, and exports."""

    name: str
    settings: Mapping[str, Any]
    bytes: int
    accuracy: float
    interval: tuple[float, float]
    exports: tuple[Export, ...]


@dataclass(frozen=True)
class Paired:
    """Answers to the same images.

    Attributes:
        images: their number.
        only_first, only_second: how many of them only one side reads right.
        p: of McNemar's exact test, whose null hypothesis is that both are equally good.
    """

    images: int
    only_first: int
    only_second: int
    p: float

    def __str__(self) -> str:
        verdict = "could be chance" if self.p > 0.05 else "is more than chance"
        return (
            f"of {self.images:,} images, {self.only_first:,} only the first reads right and {self.only_second:,} "
            f"only the second: the difference {verdict} (exact McNemar test, p = {self.p:.2g})"
        )


@dataclass(frozen=True)
class Comparison:
    """Both sides on the same test images, or each on its own.

    Attributes:
        sides: the first and the second.
        paired: the paired test; None where each is measured on test images of its own.
    """

    sides: tuple[Side, Side]
    paired: Paired | None

    @property
    def differing(self) -> dict[str, tuple[Any, Any]]:
        """The settings that differ, or that only one side has (then None on the other)."""
        first, second = (side.settings for side in self.sides)
        names = [*first, *(name for name in second if name not in first)]
        pairs = {name: (first.get(name), second.get(name)) for name in names}
        return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}

    def to_dict(self) -> dict[str, Any]:
        """Return what `compare --json` prints."""
        return {**asdict(self), "differing": {name: list(pair) for name, pair in self.differing.items()}}

    def table(self) -> str:
        """Format the comparison as a table of two columns."""
        rows = [("", *(side.name for side in self.sides))]
        rows.append(
            ("test accuracy", *(f"{side.accuracy:.2%} ({format_interval(side.interval)})" for side in self.sides))
        )
        rows.append(("KB", *(f"{side.bytes / 1000:.1f}" for side in self.sides)))
        rows += [(name, *map(_text, pair)) for name, pair in self.differing.items()]
        for number, side in enumerate(self.sides):
            for each in side.exports:
                told = [f"{Path(each.file).name}, {each.bytes / 1000:.1f} KB, {each.verdict}", ""]
                rows.append(("export", *(told if number == 0 else reversed(told))))
        first, second = (max(len(row[column]) for row in rows) for column in (0, 1))
        lines = [f"{row[0]:<{first}}  {row[1]:<{second}}  {row[2]}".rstrip() for row in rows]
        own = "each on its own test images, so that accuracies do not compare; --data names images for both"
        return "\n".join([*lines, str(self.paired or own)])


def compare(first: tuple[Subject, Mapping[str, Any]], second: tuple[Subject, Mapping[str, Any]]) -> Comparison:
    """Measure both, each with its settings, and test the difference where their test images are the same."""
    one, other = first[0], second[0]
    right = [subject.predict(subject.images).argmax(axis=1) == subject.truth for subject in (one, other)]
    same = one.labels == other.labels and np.array_equal(one.images, other.images)
    sides = tuple(_side(*side, int(good.sum())) for side, good in zip((first, second), right, strict=True))
    return Comparison((sides[0], sides[1]), _paired(*right) if same else None)


def _paired(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> Paired:
    """Compare which of the same images two sides read right."""
    from scipy.stats import binomtest

    only_first, only_second = int((first & ~second).sum()), int((second & ~first).sum())
    p = float(binomtest(only_first, only_first + only_second).pvalue) if only_first + only_second else 1.0
    return Paired(len(first), only_first, only_second, p)


def settings_of_run(run: Run) -> dict[str, Any]:
    """Return the settings in a run's record, those inside of others under joined names."""
    kept = ("architecture", "parameters", "macs", "seed", "recipe", "teachers", "study", "dataset", "split", "versions")
    settings = {name: run.record[name] for name in kept if name in run.record}
    settings["teachers"] = {teacher["name"]: teacher["sha256"][:12] for teacher in settings.get("teachers", [])}
    return _flat(settings)


def settings_of_file(file: Path) -> dict[str, Any]:
    """Return the settings in the contract of an exported file; none of a Keras file."""
    if not for_suffix(file.suffix):
        return {}
    contract = sealed_model.read(file).contract
    return _flat({"format": contract.format, "quantization": contract.quantization, **contract.origin})


def _side(subject: Subject, settings: Mapping[str, Any], right: int) -> Side:
    count, file = len(subject.truth), subject.model
    exports = sorted(path for path in file.parent.glob("exports/[!.]*") if for_suffix(path.suffix))
    name = file.parent.name if file.name == MODEL else str(file)
    listed = () if for_suffix(file.suffix) else tuple(map(export_of, exports))
    return Side(name, settings, file.stat().st_size, right / count, wilson(right, count), listed)


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in values.items():
        found |= _flat(value, f"{prefix}{name}.") if isinstance(value, Mapping) else {f"{prefix}{name}": value}
    return found


def _text(value: Any) -> str:
    return "none" if value is None else f"{value:,}" if isinstance(value, int) else str(value)
