"""The pictures of a run, of an evaluation and of a demonstration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from .corruptions import SHARED, corrupt
from .data import Dataset
from .evaluation import Evaluation

__all__ = [
    "confusion_matrix",
    "corruptions",
    "learning_curves",
    "mistakes",
    "readings",
    "reliability",
    "sample_predictions",
    "write_all",
]

_RIGHT, _WRONG, _TRAIN, _VALIDATION = "#2e7d32", "#c62828", "#1565c0", "#ef6c00"
_COLUMNS, _SAMPLES, _MISTAKES, _EXAMPLES = 8, 24, 8, 6
_PREDICTION_BATCH = 500
_MOST_LABELS = 30  # beyond that, names and numbers in a confusion matrix are too small to read


def write_all(folder: Path, model: Any, history: Mapping[str, list[float]], dataset: Dataset) -> None:
    """Write the three PNG files of a run into `folder`."""
    from sklearn import metrics

    pixels = dataset.test_images[..., np.newaxis] / np.float32(255)
    probabilities = model.predict(pixels, batch_size=_PREDICTION_BATCH, verbose=0)
    classes = range(len(dataset.labels))
    counts = metrics.confusion_matrix(dataset.test_labels, probabilities.argmax(axis=1), labels=classes)
    figures = {
        "learning_curves.png": learning_curves(history),
        "sample_predictions.png": sample_predictions(dataset, probabilities),
        "confusion_matrix.png": confusion_matrix(dataset.labels, counts, "test"),
    }
    for name, figure in figures.items():
        figure.savefig(folder / name, dpi=120)


def learning_curves(history: Mapping[str, list[float]]) -> Figure:
    """Draw loss and accuracy of each epoch, on training and validation images."""
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    epochs = np.arange(1, len(history["loss"]) + 1)
    for axes, key, title in zip(figure.subplots(1, 2), ("loss", "accuracy"), ("Loss", "Accuracy"), strict=True):
        axes.plot(epochs, history[key], "o-", color=_TRAIN, markersize=4, label="training (during the epoch)")
        axes.plot(epochs, history[f"val_{key}"], "o-", color=_VALIDATION, markersize=4, label="validation (after it)")
        axes.set(title=title, xlabel="Epoch")
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.grid(alpha=0.3)
        axes.legend()
    return figure


def sample_predictions(dataset: Dataset, probabilities: NDArray[np.float32]) -> Figure:
    """Draw the first test images with their answers, then the most confident mistakes of the whole test set."""
    predicted, confidence = probabilities.argmax(axis=1), probabilities.max(axis=1)
    wrong = np.flatnonzero(predicted != dataset.test_labels)
    worst = wrong[np.argsort(-confidence[wrong], kind="stable")][:_MISTAKES]
    chosen = [*range(min(_SAMPLES, len(predicted))), *worst]
    first = len(chosen) - len(worst)
    titles = []
    for index in chosen:
        answer, truth = dataset.labels[predicted[index]], dataset.labels[dataset.test_labels[index]]
        titles.append((answer if answer == truth else f"{answer}, is {truth}", confidence[index], answer == truth))
    heading = f"The first {first} test images, then the {len(worst)} most confident of {len(wrong)} mistakes"
    return _tiles(heading, dataset.test_images[chosen], titles)


def mistakes(evaluation: Evaluation, images: NDArray[np.uint8]) -> Figure:
    """Draw the most confident mistakes, the worst first.

    Args:
        evaluation: the figures.
        images: what was read, uint8 (N, 28, 28).
    """
    worst = evaluation.mistakes
    wrong = evaluation.images - int(np.trace(evaluation.confusion))
    titles = [(f"{mistake.answer}, is {mistake.true}", mistake.confidence, False) for mistake in worst]
    heading = f"The {len(worst)} most confident of {wrong} mistakes on {evaluation.images:,} {evaluation.part} images"
    return _tiles(heading, images[[mistake.image for mistake in worst]], titles)


def confusion_matrix(labels: Sequence[str], counts: NDArray[np.int64], part: str) -> Figure:
    """Draw how often each class was taken for each; colours are the share of the true class.

    Args:
        labels: the label of each class.
        counts: (classes, classes), the true class down and the answer across.
        part: "test" or "validation", for the title.
    """
    classes = len(labels)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    figure = Figure(figsize=(6.6, 6.2), layout="constrained")
    axes = figure.subplots()
    # Mistakes are the news: the colour scale ends at 5 % so that a rare one shows.
    axes.imshow(np.where(np.eye(classes, dtype=bool), 0, shares), cmap="Reds", vmin=0, vmax=0.05)
    title = f"{np.trace(counts):,} of {counts.sum():,} {part} images right"
    axes.set(title=title, xlabel="Answer of the network", ylabel="True class")
    axes.set(xticks=[], yticks=[])
    if classes <= _MOST_LABELS:
        axes.set_xticks(range(classes), labels)
        axes.set_yticks(range(classes), labels)
        for row, column in zip(*np.nonzero(counts), strict=True):
            colour = _RIGHT if row == column else "white" if shares[row, column] > 0.03 else "black"
            axes.text(column, row, str(counts[row, column]), ha="center", va="center", color=colour, fontsize=9)
    return figure


def reliability(evaluation: Evaluation) -> Figure:
    """Draw for each bin of confidence the share of right answers, and below it how many answers lie there."""
    figure = Figure(figsize=(5.4, 6.2), layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    low, images, confidence, accuracy = np.array(
        [(each.low, each.images, each.confidence, each.accuracy) for each in evaluation.calibration]
    ).T
    style = {"width": [each.high - each.low for each in evaluation.calibration], "align": "edge", "alpha": 0.5}
    upper.plot([0, 1], [0, 1], "--", color="grey", label="as right as confident")
    upper.bar(low, accuracy, color=_TRAIN, **style)
    upper.plot(confidence, accuracy, "o", color=_TRAIN, markersize=4, label="answers of a bin")
    upper.set(title=f"Expected calibration error {evaluation.ece:.2%}", ylabel="Share of right answers", ylim=(0, 1.02))
    lower.bar(low, images, color=_TRAIN, **style)
    lower.set(xlabel="Confidence", ylabel="Answers", yscale="log", xlim=(0, 1), ylim=(0.7, None))
    figure.legend(loc="outside lower center", ncols=2)
    for axes in (upper, lower):
        axes.grid(alpha=0.3)
    return figure


def corruptions(evaluation: Evaluation, images: NDArray[np.uint8]) -> Figure:
    """Draw the accuracy under each corruption and what it looks like, the shared ones apart from those held out.

    Args:
        evaluation: the figures.
        images: what was read, uint8 (N, 28, 28); the first six are shown.
    """
    assert evaluation.corruptions is not None
    figure = Figure(figsize=(13, 6.2), layout="constrained")
    places = figure.subplots(1, 4, width_ratios=(4, 3, 4, 3))
    for (bars, strip), (use, under) in zip((places[:2], places[2:]), evaluation.corruptions.items(), strict=True):
        rows, colour = range(len(under)), _TRAIN if use == SHARED else _VALIDATION
        bars.barh(rows, list(under.values()), color=colour, alpha=0.5)
        for row, accuracy in zip(rows, under.values(), strict=True):
            bars.text(0.02, row, f"{accuracy:.1%}", va="center")
        bars.axvline(evaluation.accuracy, color="grey", linestyle="--")
        title = f"{use.capitalize()}: mean {evaluation.mean_under(use):.1%}, clean {evaluation.accuracy:.1%}"
        bars.set(title=title, xlim=(0, 1), xlabel="Accuracy")
        bars.set_yticks(rows, list(under))
        shown = [np.hstack(list(corrupt(images[:_EXAMPLES], name))) for name in under]
        strip.imshow(np.vstack(shown), cmap="gray", vmin=0, vmax=255, extent=(0, _EXAMPLES, len(under) - 0.5, -0.5))
        strip.set(aspect="auto", xticks=[], yticks=[])
        for axes in (bars, strip):
            axes.set_ylim(len(under) - 0.5, -0.5)
    return figure


def readings(pictures: Sequence[NDArray[np.uint8]], inputs: Sequence[NDArray[np.uint8]], answers: Any) -> Figure:
    """Draw pictures, below each the 28 x 28 that the network sees, and below that its answer.

    Args:
        pictures: grey, uint8 (H, W).
        inputs: uint8 (28, 28), white on black.
        answers: for each (label, confidence, whether it is right).
    """
    figure = Figure(figsize=(1.2 * len(pictures), 3.1), layout="constrained")
    columns = figure.subplots(2, len(pictures), squeeze=False).T
    for (upper, lower), picture, image, (label, confidence, right) in zip(
        columns, pictures, inputs, answers, strict=True
    ):
        upper.imshow(picture, cmap="gray", vmin=0, vmax=255)
        lower.imshow(image, cmap="gray", vmin=0, vmax=255)
        lower.set_xlabel(f"{label}\n{confidence:.1%}", color=_RIGHT if right else _WRONG, fontsize=12)
        for axes in (upper, lower):
            axes.set(xticks=[], yticks=[])
    columns[0][0].set_ylabel("picture")
    columns[0][1].set_ylabel("model input")
    return figure


def _tiles(heading: str, images: NDArray[np.uint8], titles: Sequence[tuple[str, float, bool]]) -> Figure:
    """Draw images (N, 28, 28) in rows of eight, above each the answer, its confidence and by its colour the verdict."""
    rows = max(1, -(-len(images) // _COLUMNS))
    figure = Figure(figsize=(9, 1.32 * rows + 0.5), layout="constrained")
    figure.suptitle(heading)
    places = figure.subplots(rows, _COLUMNS, squeeze=False).flat
    for axes in places:
        axes.set_axis_off()
    for axes, image, (title, confidence, right) in zip(figure.axes, images, titles, strict=False):
        axes.imshow(image, cmap="gray_r", vmin=0, vmax=255)
        axes.set_title(f"{title}  {confidence:.0%}", color=_RIGHT if right else _WRONG, fontsize=9)
    return figure
