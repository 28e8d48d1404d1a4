"""Plot a run: learning curves, sample predictions, confusion matrix."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from mnist_edge_runtime.text_output import percent
from numpy.typing import NDArray

from ..data.datasets import Dataset

__all__ = [
    "RIGHT",
    "TRAIN",
    "VALIDATION",
    "WRONG",
    "confusion_counts",
    "confusion_matrix",
    "learning_curves",
    "sample_predictions",
    "tiles",
    "write_all",
]

RIGHT, WRONG, TRAIN, VALIDATION = "#2e7d32", "#c62828", "#1565c0", "#ef6c00"
_COLUMNS, _SAMPLES, _MISTAKES = 8, 24, 8
_PREDICTION_BATCH = 500  # images
_MAX_LABELS = 30  # classes; with more, names and numbers in a confusion matrix are too small to read


def write_all(folder: Path, model: Any, history: Mapping[str, list[float]], dataset: Dataset) -> None:
    """Write the three PNG files of a run into `folder`."""
    pixels = dataset.test_images[..., np.newaxis] / np.float32(255)
    probabilities = model.predict(pixels, batch_size=_PREDICTION_BATCH, verbose=0)
    counts = confusion_counts(dataset.test_labels, probabilities.argmax(axis=1), len(dataset.labels))
    figures = {
        "learning_curves.png": learning_curves(history),
        "sample_predictions.png": sample_predictions(dataset, probabilities),
        "confusion_matrix.png": confusion_matrix(dataset.labels, counts, "test"),
    }
    for name, figure in figures.items():
        figure.savefig(folder / name, dpi=120)


def confusion_counts(truth: NDArray[np.int64], predicted: NDArray[np.int64], classes: int) -> NDArray[np.int64]:
    """Count each predicted class of each true class, (classes, classes): true classes in rows, answers in columns."""
    from sklearn import metrics

    counts: NDArray[np.int64] = metrics.confusion_matrix(truth, predicted, labels=range(classes))
    return counts


def learning_curves(history: Mapping[str, list[float]]) -> Figure:
    """Plot loss and accuracy of each epoch, on training and validation images."""
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    epochs = np.arange(1, len(history["loss"]) + 1)
    for axes, key, title in zip(figure.subplots(1, 2), ("loss", "accuracy"), ("Loss", "Accuracy"), strict=True):
        axes.plot(epochs, history[key], "o-", color=TRAIN, markersize=4, label="training (during the epoch)")
        axes.plot(epochs, history[f"val_{key}"], "o-", color=VALIDATION, markersize=4, label="validation (after it)")
        axes.set(title=title, xlabel="Epoch")
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.grid(alpha=0.3)
        axes.legend()
    return figure


def sample_predictions(dataset: Dataset, probabilities: NDArray[np.float32]) -> Figure:
    """Draw the first test images with their answers, then the most confident mistakes on the whole test set."""
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
    return tiles(heading, dataset.test_images[chosen], titles)


def confusion_matrix(labels: Sequence[str], counts: NDArray[np.int64], part: str) -> Figure:
    """Draw a confusion matrix; colours are shares of the true class.

    Args:
        labels: the label of each class.
        counts: from `confusion_counts`.
        part: "test" or "validation", for the title.
    """
    classes = len(labels)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    figure = Figure(figsize=(6.6, 6.2), layout="constrained")
    axes = figure.subplots()
    # The colour scale ends at 5 % so that a rare mistake is visible.
    axes.imshow(np.where(np.eye(classes, dtype=bool), 0, shares), cmap="Reds", vmin=0, vmax=0.05)
    title = f"{np.trace(counts):,} of {counts.sum():,} {part} images right"
    axes.set(title=title, xlabel="Answer of the network", ylabel="True class")
    axes.set(xticks=[], yticks=[])
    if classes <= _MAX_LABELS:
        axes.set_xticks(range(classes), labels)
        axes.set_yticks(range(classes), labels)
        for row, column in zip(*np.nonzero(counts), strict=True):
            colour = RIGHT if row == column else "white" if shares[row, column] > 0.03 else "black"
            axes.text(column, row, str(counts[row, column]), ha="center", va="center", color=colour, fontsize=9)
    return figure


def tiles(heading: str, images: NDArray[np.uint8], titles: Sequence[tuple[str, float, bool]]) -> Figure:
    """Draw images (N, 28, 28) in rows of eight, titled by answer and confidence, in green if right and red if wrong."""
    rows = max(1, -(-len(images) // _COLUMNS))
    figure = Figure(figsize=(9, 1.32 * rows + 0.5), layout="constrained")
    figure.suptitle(heading)
    places = figure.subplots(rows, _COLUMNS, squeeze=False).flat
    for axes in places:
        axes.set_axis_off()
    for axes, image, (title, confidence, right) in zip(figure.axes, images, titles, strict=False):
        axes.imshow(image, cmap="gray_r", vmin=0, vmax=255)
        axes.set_title(f"{title}  {percent(confidence, decimals=0)}", color=RIGHT if right else WRONG, fontsize=9)
    return figure
