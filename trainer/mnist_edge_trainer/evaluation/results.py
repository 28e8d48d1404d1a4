"""Hold the metrics of an evaluation, and format them as a table and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from itertools import zip_longest
from typing import Any

import numpy as np
from mnist_edge_runtime.confidence_interval import few_images_warning, format_interval, interval_of

from .corruptions import HELD_OUT, SHARED

__all__ = ["Bin", "ClassFigures", "Evaluation", "Mistake", "SelectiveClassification"]

_MAX_CLASSES = 20  # rows of a table; of more classes it shows those with the lowest F1


@dataclass(frozen=True)
class ClassFigures:
    """Precision, recall and F1 of one class, 0 to 1 or None where undefined, and its number of images."""

    precision: float | None
    recall: float | None
    f1: float | None
    images: int


@dataclass(frozen=True)
class Bin:
    """The answers with a confidence above `low` and at most `high`: their number, mean confidence and accuracy."""

    low: float
    high: float
    images: int
    confidence: float
    accuracy: float


@dataclass(frozen=True)
class Mistake:
    """A wrong answer: the index of the image, its label, the answer and its confidence."""

    image: int
    true: str
    answer: str
    confidence: float


@dataclass(frozen=True)
class SelectiveClassification:
    """Metrics with the contract's rejection threshold (R. El-Yaniv, Y. Wiener, 2010).

    Attributes:
        accepted: coverage, the share of answers that are accepted.
        wrong: selective risk, the share of wrong ones among the accepted answers.
        refused: for each kind of non-digit the share that is rejected.
    """

    accepted: float
    wrong: float
    refused: Mapping[str, float]


@dataclass(frozen=True)
class Evaluation:
    """The metrics of a model on a set of images.

    Attributes:
        model: its file.
        engine: what ran it: "keras", or an engine of the runtime.
        dataset: what `Dataset.describe` says of the data.
        part: "test", "validation" or "all".
        images: their number.
        accuracy: the share of right answers; `accuracy_interval` its 95 % Wilson interval.
        confidence: the mean probability of the answers.
        ece: the expected calibration error: the mean distance of accuracy and confidence in 15 bins of equal width,
            weighted by their number of images (Guo et al., On Calibration of Modern Neural Networks, ICML 2017).
        calibration: the bins that are not empty.
        classes: the metrics of each label.
        confusion: the confusion matrix, true classes in rows.
        mistakes: the most confident ones first.
        corruptions: for "shared" and "held out" the accuracy under each corruption; None where not measured.
        acceptance: with the rejection threshold of the file's contract; None where it has none.
    """

    model: str
    engine: str
    dataset: Mapping[str, Any]
    part: str
    images: int
    accuracy: float
    accuracy_interval: tuple[float, float]
    confidence: float
    ece: float
    calibration: tuple[Bin, ...]
    classes: Mapping[str, ClassFigures]
    confusion: tuple[tuple[int, ...], ...]
    mistakes: tuple[Mistake, ...]
    corruptions: Mapping[str, Mapping[str, float]] | None
    acceptance: SelectiveClassification | None

    def mean_under(self, use: str) -> float:
        """Return the mean accuracy over the corruptions of one use, SHARED or HELD_OUT."""
        assert self.corruptions is not None
        return float(np.mean(list(self.corruptions[use].values())))

    def to_dict(self) -> dict[str, Any]:
        """Return the content of `evaluation.json`."""
        means = {use: self.mean_under(use) for use in self.corruptions} if self.corruptions else None
        intervals = {
            use: {name: interval_of(share, self.images) for name, share in under.items()}
            for use, under in (self.corruptions or {}).items()
        }
        return {**asdict(self), "corruption_means": means, "corruption_intervals": intervals or None}

    def table(self) -> str:
        """Format the metrics as a table."""
        lines = [
            f"{self.model} on {self.images:,} {self.part} images of {self.dataset['name']}",
            f"accuracy           {self.accuracy:>7.2%}  (95%: {format_interval(self.accuracy_interval)})",
            f"mean confidence    {self.confidence:>7.2%}",
            f"calibration error  {self.ece:>7.2%}",
            *self._acceptance(),
            "",
            *self._classes(),
            *self._corruptions(),
        ]
        warnings = (few_images_warning(self.images, self.part), self.dataset["warning"])
        lines += [f"\nWARNING: {warning}" for warning in warnings if warning]
        return "\n".join(lines)

    def _acceptance(self) -> Iterator[str]:
        if self.acceptance is None:
            return
        accepted = round(self.acceptance.accepted * self.images)
        wrong = f"{self.acceptance.wrong:.2%} wrong"
        if accepted:
            wrong += f", 95%: {format_interval(interval_of(self.acceptance.wrong, accepted))}"
        yield f"accepted           {self.acceptance.accepted:>7.2%}  (of these {wrong})"
        if self.acceptance.refused:
            yield f"refused            {', '.join(f'{kind} {s:.1%}' for kind, s in self.acceptance.refused.items())}"

    def _classes(self) -> Iterator[str]:
        rows = list(self.classes.items())
        if len(rows) > _MAX_CLASSES:
            rows = sorted(rows, key=lambda row: row[1].f1 or 0)[:_MAX_CLASSES]
            yield f"the {_MAX_CLASSES} of {len(self.classes)} classes with the lowest F1:"
        width = max(5, *(len(label) for label, _ in rows))
        yield f"{'class':<{width}}{'precision':>11}{'recall':>9}{'F1':>9}{'images':>9}"
        for label, figures in rows:
            shares = (figures.precision, figures.recall, figures.f1)
            precision, recall, f1 = ("-" if share is None else f"{share:.2%}" for share in shares)
            yield f"{label:<{width}}{precision:>11}{recall:>9}{f1:>9}{figures.images:>9,}"

    def _corruptions(self) -> Iterator[str]:
        if self.corruptions is None:
            return
        columns = [[*self.corruptions[use].items(), ("mean", self.mean_under(use))] for use in (SHARED, HELD_OUT)]
        yield ""
        yield f"{'shared with training':<27}held out from training"
        for pair in zip_longest(*columns):
            yield "   ".join(f"{row[0]:<16}{row[1]:>8.2%}" if row else 24 * " " for row in pair).rstrip()
        shares = [share for under in self.corruptions.values() for share in under.values()]
        widest = max(high - low for low, high in (interval_of(share, self.images) for share in shares))
        yield f"The 95% interval of each is at most {widest * 100:.2f} percentage points wide."
