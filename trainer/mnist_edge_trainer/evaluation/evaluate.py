"""Evaluate a model: accuracy, calibration, worst mistakes and robustness to corruptions."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from mnist_edge_runtime import Classifier
from mnist_edge_runtime.confidence_interval import wilson
from mnist_edge_runtime.errors import InputError, UsageError
from mnist_edge_runtime.files import atomic_path
from mnist_edge_runtime.output_capture import suppress_output
from mnist_edge_runtime.time_limit import model_limit
from numpy.typing import NDArray

from ..data import datasets
from ..data.parts import Part
from ..progress import progress_bar
from ..runs.run import MODEL
from ..runs.unchanged import sha256_of, unchanged
from . import out_of_distribution
from .corruptions import CORRUPTIONS, HELD_OUT, SHARED, corrupt
from .results import Bin, ClassFigures, Evaluation, Mistake, SelectiveClassification

__all__ = ["Subject", "check_part", "evaluate", "save"]

_BINS = 15  # of confidence
_MISTAKES = 40  # most confident ones, recorded and drawn
_STEP = 32  # images, a multiple of every engine's batch, so that all are run as in one call


@dataclass(frozen=True)
class Subject:
    """A model and the images to evaluate it on.

    Attributes:
        model: its file.
        engine: what runs it: "keras", or an engine of the runtime.
        predict: uint8 (N, 28, 28) -> probabilities, float32 (N, classes).
        labels: the label of each class.
        dataset: from `Dataset.describe`.
        part: "test", "validation" or "all".
        images, truth: uint8 (N, 28, 28), and the indices of their classes, int64 (N,).
        accepts: uint8 (N, 28, 28) -> whether the contract accepts each answer, bool (N,); None without a threshold.
        unchanged: keeps the file as it was read while the block writes beside it, or raises InputError if it was
            replaced since.
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
    unchanged: Callable[[], AbstractContextManager[None]] = nullcontext

    @property
    def stem(self) -> Path:
        """Common beginning of the paths of its evaluation: in the run's folder, or beside the file."""
        name = "evaluation" if self.model.name == MODEL else f"{self.model.name}.evaluation"
        return self.model.with_name(name if self.part == "test" else f"{name}-{self.part}")

    @classmethod
    def of_file(cls, file: Path, choice: str | None, part: str) -> Subject:
        """Load an exported file, and the data it was trained on or that `choice` names.

        Raises:
            InputError: the file or the data cannot be read, or the data has other labels.
            ModelError: the file is damaged, has no contract or runs on no engine here.
        """
        sha256 = sha256_of(file)
        with model_limit(file, "load"), suppress_output():
            classifier = Classifier.load(file)
        contract = classifier.contract
        trained_on = contract.origin.get("dataset") or {}
        if choice is None:
            choice = str(trained_on.get("name"))
            if choice not in ("mnist", "digits"):
                raise InputError(f"{file}: was trained on custom data; name that with --data")
        dataset = datasets.load(choice)
        if sorted(dataset.labels) != sorted(contract.labels):
            raise InputError(
                f"{dataset.source}: its labels are {_listed(dataset.labels)}, those of {file} "
                f"{_listed(contract.labels)}; name other data with --data"
            )
        described = dataset.describe()
        if part == "all" and described["sha256"] == trained_on.get("sha256"):
            raise InputError(f"--on all: {file} was trained on images of {dataset.source}; take --on test")
        images, truth = _part(dataset, part)
        places = np.array([contract.labels.index(label) for label in dataset.labels])  # its outputs may be in any order
        return cls(
            model=file,
            engine=classifier.engine_name,
            predict=partial(_in_steps, file, classifier.probabilities),
            labels=contract.labels,
            dataset=described,
            part=part,
            images=images,
            truth=places[truth],
            accepts=None
            if contract.output.threshold is None
            else lambda some: classifier.accepts(_in_steps(file, classifier.logits, some)),
            unchanged=partial(unchanged, file, sha256),
        )


def _in_steps(
    file: Path, run: Callable[[NDArray[np.uint8]], NDArray[np.float32]], images: NDArray[np.uint8]
) -> NDArray[np.float32]:
    """Run a file on images, with a limit on the time of each step."""
    answers = []
    with model_limit(file, f"answer {_STEP} images") as limit:
        for start in range(0, len(images), _STEP):
            answers.append(run(images[start : start + _STEP]))
            limit.again()
    return np.concatenate(answers)


def _part(dataset: datasets.Dataset, part: str) -> Part:
    """Return the images and labels of a part of the data."""
    test = Part(dataset.test_images, dataset.test_labels)
    if part == "test":
        return test
    if part == "validation":
        split = datasets.split(dataset)
        return Part(split.validation_images, split.validation_labels)
    parts = [(dataset.train_images, dataset.train_labels), *([dataset.validation] if dataset.validation else []), test]
    return Part(*map(np.concatenate, zip(*parts, strict=True)))


def check_part(part: str) -> None:
    """Raise UsageError unless `part` is "test", "validation" or "all"."""
    if part not in ("test", "validation", "all"):
        raise UsageError(f"--on {part} is unknown; choose from test, validation, all")


def evaluate(subject: Subject, *, corruptions: bool = True) -> Evaluation:
    """Evaluate the subject on its images, and again under each corruption."""
    from ..runs.plots import confusion_counts

    with progress_bar("evaluating", 1 + len(CORRUPTIONS) * corruptions, log=True) as advance:
        probabilities = subject.predict(subject.images)
        advance(1)
        under: dict[str, dict[str, float]] = {SHARED: {}, HELD_OUT: {}}
        for name, row in CORRUPTIONS.items() if corruptions else ():
            answers = subject.predict(corrupt(subject.images, name)).argmax(axis=1)
            under[row.use][name] = float((answers == subject.truth).mean())
            advance(1, note=name)
    truth, predicted, confidence = subject.truth, probabilities.argmax(axis=1), probabilities.max(axis=1)
    right, count = int((predicted == truth).sum()), len(truth)
    bins = _calibration(confidence, predicted == truth)
    return Evaluation(
        model=str(subject.model),
        engine=subject.engine,
        dataset=subject.dataset,
        part=subject.part,
        images=count,
        accuracy=right / count,
        accuracy_interval=wilson(right, count),
        confidence=float(confidence.mean(dtype=np.float64)),
        ece=sum(each.images / count * abs(each.accuracy - each.confidence) for each in bins),
        calibration=bins,
        classes=_classes(subject.labels, truth, predicted),
        confusion=tuple(map(tuple, confusion_counts(truth, predicted, len(subject.labels)).tolist())),
        mistakes=_mistakes(subject.labels, truth, predicted, confidence),
        corruptions=under if corruptions else None,
        acceptance=_selective(subject, predicted == truth),
    )


def save(evaluation: Evaluation, images: NDArray[np.uint8], stem: Path) -> list[Path]:
    """Write the plots STEM-*.png and then STEM.json, each atomically; return their paths.

    Args:
        evaluation: from `evaluate`.
        images: of the subject; some are drawn.
        stem: common beginning of all paths.
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
    plotted = {stem.with_name(f"{stem.name}-{name}.png"): figure for name, figure in figures.items()}
    document = stem.with_name(f"{stem.name}.json")
    text = json.dumps(evaluation.to_dict(), indent=2, ensure_ascii=False, allow_nan=False)
    with ExitStack() as files:  # renames in reverse order when all are written: the JSON file last
        files.enter_context(atomic_path(document)).write_text(text + "\n", encoding="utf-8")
        for file, figure in plotted.items():
            figure.savefig(files.enter_context(atomic_path(file)), dpi=120)
    if not evaluation.corruptions:  # those of an earlier evaluation have other metrics
        stem.with_name(f"{stem.name}-corruptions.png").unlink(missing_ok=True)
    return [*plotted, document]


def _selective(subject: Subject, right: NDArray[np.bool_]) -> SelectiveClassification | None:
    if subject.accepts is None:
        return None
    accepted = subject.accepts(subject.images)
    refused = {}
    for kind in out_of_distribution.NON_DIGITS if sorted(subject.labels) == list("0123456789") else ():
        images, count = out_of_distribution.load(kind)
        refused[kind] = 1 - int(subject.accepts(images).sum()) / count
    wrong = int((~right & accepted).sum()) / max(1, int(accepted.sum()))
    return SelectiveClassification(float(accepted.mean()), wrong, refused)


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
