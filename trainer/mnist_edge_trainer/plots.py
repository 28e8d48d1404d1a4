"""The pictures of a run: learning curves, sample predictions, the confusion matrix; and of a demonstration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from .data import Dataset

__all__ = ["confusion_matrix", "learning_curves", "readings", "sample_predictions", "write_all"]

_RIGHT, _WRONG, _TRAIN, _VALIDATION = "#2e7d32", "#c62828", "#1565c0", "#ef6c00"
_COLUMNS, _SAMPLES, _MISTAKES = 8, 24, 8
_PREDICTION_BATCH = 500
_MOST_LABELS = 30  # beyond that, names and numbers in a confusion matrix are too small to read


def write_all(folder: Path, model: Any, history: Mapping[str, list[float]], dataset: Dataset) -> None:
    """Write the three PNG files of a run into `folder`."""
    pixels = dataset.test_images[..., np.newaxis] / np.float32(255)
    probabilities = model.predict(pixels, batch_size=_PREDICTION_BATCH, verbose=0)
    figures = {
        "learning_curves.png": learning_curves(history),
        "sample_predictions.png": sample_predictions(dataset, probabilities),
        "confusion_matrix.png": confusion_matrix(dataset, probabilities.argmax(axis=1)),
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
    mistakes = np.flatnonzero(predicted != dataset.test_labels)
    worst = mistakes[np.argsort(-confidence[mistakes], kind="stable")][:_MISTAKES]
    chosen = [*range(min(_SAMPLES, len(predicted))), *worst]
    rows = -(-len(chosen) // _COLUMNS)
    figure = Figure(figsize=(9, 1.32 * rows + 0.5), layout="constrained")
    first = len(chosen) - len(worst)
    figure.suptitle(f"The first {first} test images, then the {len(worst)} most confident of {len(mistakes)} mistakes")
    for position, axes in enumerate(figure.subplots(rows, _COLUMNS, squeeze=False).flat):
        axes.set_axis_off()
        if position < len(chosen):
            index = chosen[position]
            right = predicted[index] == dataset.test_labels[index]
            answer, truth = dataset.labels[predicted[index]], dataset.labels[dataset.test_labels[index]]
            axes.imshow(dataset.test_images[index], cmap="gray_r", vmin=0, vmax=255)
            axes.set_title(
                f"{answer}  {confidence[index]:.0%}" if right else f"{answer}, is {truth}  {confidence[index]:.0%}",
                color=_RIGHT if right else _WRONG,
                fontsize=9,
            )
    return figure


def confusion_matrix(dataset: Dataset, predicted: NDArray[np.int64]) -> Figure:
    """Draw how often each class was taken for each; colours are the share of the true class."""
    classes = len(dataset.labels)
    counts = np.zeros((classes, classes), np.int64)
    np.add.at(counts, (dataset.test_labels, predicted), 1)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    figure = Figure(figsize=(6.6, 6.2), layout="constrained")
    axes = figure.subplots()
    # Mistakes are the news: the colour scale ends at 5 % so that a rare one shows.
    axes.imshow(np.where(np.eye(classes, dtype=bool), 0, shares), cmap="Reds", vmin=0, vmax=0.05)
    right = int(np.trace(counts))
    axes.set(
        title=f"{right:,} of {len(predicted):,} test images right", xlabel="Answer of the network", ylabel="True class"
    )
    axes.set(xticks=[], yticks=[])
    if classes <= _MOST_LABELS:
        axes.set_xticks(range(classes), dataset.labels)
        axes.set_yticks(range(classes), dataset.labels)
        for row, column in zip(*np.nonzero(counts), strict=True):
            colour = _RIGHT if row == column else "white" if shares[row, column] > 0.03 else "black"
            axes.text(column, row, str(counts[row, column]), ha="center", va="center", color=colour, fontsize=9)
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
