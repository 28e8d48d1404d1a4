"""Evaluate a model: accuracy, calibration, worst mistakes and robustness to corruptions."""

from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path

import numpy as np
from mnist_edge_runtime.confidence_interval import wilson
from mnist_edge_runtime.files import atomic_path
from numpy.typing import NDArray

from ..progress import progress_bar
from . import out_of_distribution
from .corruptions import CORRUPTIONS, HELD_OUT, SHARED, corrupt
from .results import Bin, ClassFigures, Evaluation, Mistake, SelectiveClassification
from .subject import Subject

__all__ = ["evaluate", "save"]

_BINS = 15  # of confidence
_MISTAKES = 40  # most confident ones, recorded and drawn


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
