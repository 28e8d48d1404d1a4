"""How good a reader is: right answers, honest confidence, its worst mistakes, and what is left under dirt."""

from __future__ import annotations

import json
import os
import secrets
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from mnist_edge_runtime import Classifier
from mnist_edge_runtime.errors import InputError, UsageError
from mnist_edge_runtime.output_capture import suppress_output
from numpy.typing import NDArray

from ..data import datasets
from ..progress import progress_bar
from ..runs.run import MODEL
from .corruptions import CORRUPTIONS, HELD_OUT, SHARED, corrupt
from .out_of_distribution import NON_DIGITS, seen
from .results import Acceptance, Bin, ClassFigures, Evaluation, Mistake

__all__ = ["Subject", "check_part", "evaluate", "save"]

_BINS = 15
_MISTAKES = 40  # kept and drawn


@dataclass(frozen=True)
class Subject:
    """A reader and the images it is to read.

    Attributes:
        model: the file it was loaded from.
        engine: what runs it: "keras", or an engine of the runtime.
        predict: uint8 (N, 28, 28) -> probabilities, float32 (N, classes).
        labels: the label of each class.
        dataset: what `Dataset.describe` says of the data.
        part: "test" or "validation".
        images, truth: uint8 (N, 28, 28), and the index of each image's class, int64 (N,).
        accepts: uint8 (N, 28, 28) -> which answers the file's contract accepts, bool (N,); None where it says nothing.
    """

    model: Path
    engine: str
    predict: Callable[[NDArray[np.uint8]], NDArray[np.float32]]
    labels: tuple[str, ...]
    dataset: Mapping[str, Any]
    part: str
    images: NDArray[np.uint8]
    truth: NDArray[np.int64]
    accepts: Callable[[NDArray[np.uint8]], NDArray[np.bool_]] | None = None

    @property
    def stem(self) -> Path:
        """What the paths of its evaluation begin with: in a run's folder, or beside the file."""
        name = "evaluation" if self.model.name == MODEL else f"{self.model.name}.evaluation"
        return self.model.with_name(name if self.part == "test" else f"{name}-{self.part}")

    @classmethod
    def of_file(cls, file: Path, choice: str | None, part: str) -> Subject:
        """Load an exported file, and the data it was trained on or that `choice` names.

        Raises:
            InputError: the file or the data cannot be had, or the data has other labels.
            ModelError: the file is damaged, carries no contract or runs on no engine here.
        """
        with suppress_output():
            classifier = Classifier.load(file)
        contract = classifier.contract
        if choice is None:
            choice = contract.origin["dataset"]["name"]
            if choice not in ("mnist", "digits"):
                raise InputError(f"{file}: was trained on data of its own; name that with --data")
        dataset = datasets.load(choice)
        if dataset.labels != contract.labels:
            raise InputError(
                f"{dataset.source}: its labels are {_listed(dataset.labels)}, those of {file} "
                f"{_listed(contract.labels)}; name other data with --data"
            )
        images, truth = dataset.test_images, dataset.test_labels
        if part == "validation":
            split = datasets.split(dataset)
            images, truth = split.validation_images, split.validation_labels
        described, threshold = dataset.describe(), contract.output.threshold
        return cls(
            model=file,
            engine=classifier.engine_name,
            predict=classifier.probabilities,
            labels=contract.labels,
            dataset=described,
            part=part,
            images=images,
            truth=truth,
            accepts=None if threshold is None else lambda some: classifier.scores(classifier.logits(some)) >= threshold,
        )


def check_part(part: str) -> None:
    """Raise UsageError unless `part` names images that can be evaluated on."""
    if part not in ("test", "validation"):
        raise UsageError(f"--on {part} is unknown; choose from test, validation")


def evaluate(subject: Subject, *, corruptions: bool = True) -> Evaluation:
    """Let the subject read its images, and once more under each corruption."""
    from scipy.stats import binomtest
    from sklearn.metrics import confusion_matrix

    with progress_bar("evaluating", 1 + len(CORRUPTIONS) * corruptions) as advance:
        probabilities = subject.predict(subject.images)
        advance(1)
        under: dict[str, dict[str, float]] = {SHARED: {}, HELD_OUT: {}}
        for name, row in CORRUPTIONS.items() if corruptions else ():
            answers = subject.predict(corrupt(subject.images, name)).argmax(axis=1)
            under[row.use][name] = float((answers == subject.truth).mean())
            advance(1, note=name)
    truth, predicted, confidence = subject.truth, probabilities.argmax(axis=1), probabilities.max(axis=1)
    right, count = int((predicted == truth).sum()), len(truth)
    interval = binomtest(right, count).proportion_ci(method="wilson")
    bins = _calibration(confidence, predicted == truth)
    return Evaluation(
        model=str(subject.model),
        engine=subject.engine,
        dataset=subject.dataset,
        part=subject.part,
        images=count,
        accuracy=right / count,
        accuracy_interval=(float(interval.low), float(interval.high)),
        confidence=float(confidence.mean(dtype=np.float64)),
        ece=sum(each.images / count * abs(each.accuracy - each.confidence) for each in bins),
        calibration=bins,
        classes=_classes(subject.labels, truth, predicted),
        confusion=tuple(map(tuple, confusion_matrix(truth, predicted, labels=range(len(subject.labels))).tolist())),
        mistakes=_mistakes(subject.labels, truth, predicted, confidence),
        corruptions=under if corruptions else None,
        acceptance=_acceptance(subject, predicted == truth),
    )


def save(evaluation: Evaluation, images: NDArray[np.uint8], stem: Path) -> list[Path]:
    """Write the pictures STEM-*.png and then STEM.json, each at once; return their paths.

    Args:
        evaluation: what `evaluate` returned.
        images: the subject's, of which some are drawn.
        stem: what all paths begin with.
    """
    from ..runs.plots import confusion_matrix
    from . import plots

    figures = {
        "confusion": confusion_matrix(list(evaluation.classes), np.array(evaluation.confusion), evaluation.part),
        "mistakes": plots.mistakes(evaluation, images),
        "reliability": plots.reliability(evaluation),
    }
    if evaluation.corruptions:
        figures["corruptions"] = plots.corruptions(evaluation, images)
    temporary = stem.with_name(f".{stem.name}.{secrets.token_hex(4)}")
    temporary.mkdir()
    try:
        for name, figure in figures.items():
            figure.savefig(temporary / f"{stem.name}-{name}.png", dpi=120)
        text = json.dumps(evaluation.to_dict(), indent=2, ensure_ascii=False, allow_nan=False)
        (temporary / f"{stem.name}.json").write_text(text + "\n", encoding="utf-8")
        names = [*(f"{stem.name}-{name}.png" for name in figures), f"{stem.name}.json"]
        for name in names:
            os.replace(temporary / name, stem.with_name(name))
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    if not evaluation.corruptions:  # those of an earlier evaluation belong to other figures
        stem.with_name(f"{stem.name}-corruptions.png").unlink(missing_ok=True)
    return [stem.with_name(name) for name in names]


def _acceptance(subject: Subject, right: NDArray[np.bool_]) -> Acceptance | None:
    if subject.accepts is None:
        return None
    accepted = subject.accepts(subject.images)
    refused = {}
    for kind in NON_DIGITS if subject.labels == tuple("0123456789") else ():
        images, count = seen(kind)
        refused[kind] = 1 - int(subject.accepts(images).sum()) / count
    return Acceptance(float(accepted.mean()), int((~right & accepted).sum()) / max(1, int(accepted.sum())), refused)


def _calibration(confidence: NDArray[np.float32], right: NDArray[np.bool_]) -> tuple[Bin, ...]:
    edges = np.linspace(0, 1, _BINS + 1)
    places = np.digitize(confidence, edges[1:-1], right=True)
    bins = []
    for place in np.unique(places):
        inside = places == place
        low, high = edges[place : place + 2].tolist()
        mean = float(confidence[inside].mean(dtype=np.float64))
        bins.append(Bin(low, high, int(inside.sum()), mean, float(right[inside].mean())))
    return tuple(bins)


def _classes(
    labels: tuple[str, ...], truth: NDArray[np.int64], predicted: NDArray[np.int64]
) -> dict[str, ClassFigures]:
    from sklearn.metrics import precision_recall_fscore_support

    *shares, counts = precision_recall_fscore_support(truth, predicted, labels=range(len(labels)), zero_division=np.nan)
    precision, recall, f1 = ([None if np.isnan(share) else float(share) for share in column] for column in shares)
    return dict(zip(labels, map(ClassFigures, precision, recall, f1, counts.tolist()), strict=True))


def _mistakes(
    labels: tuple[str, ...], truth: NDArray[np.int64], predicted: NDArray[np.int64], confidence: NDArray[np.float32]
) -> tuple[Mistake, ...]:
    wrong = np.flatnonzero(predicted != truth)
    worst = wrong[np.argsort(-confidence[wrong], kind="stable")][:_MISTAKES]
    return tuple(
        Mistake(int(image), labels[truth[image]], labels[predicted[image]], float(confidence[image])) for image in worst
    )


def _listed(labels: tuple[str, ...]) -> str:
    return ", ".join(labels) if len(labels) <= 10 else f"{', '.join(labels[:10])} ... ({len(labels)})"
