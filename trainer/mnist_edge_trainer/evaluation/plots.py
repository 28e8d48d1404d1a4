"""Plot an evaluation: worst mistakes, reliability diagram, robustness to corruptions."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ..runs.plots import TRAIN, VALIDATION, tiles
from .corruptions import SHARED, corrupt
from .results import Evaluation

__all__ = ["corruptions", "mistakes", "reliability"]

_EXAMPLES = 6


def mistakes(evaluation: Evaluation, images: NDArray[np.uint8]) -> Figure:
    """Draw the most confident mistakes, the worst first.

    Args:
        evaluation: the metrics.
        images: those evaluated on, uint8 (N, 28, 28).
    """
    worst = evaluation.mistakes
    wrong = evaluation.images - int(np.trace(evaluation.confusion))
    titles = [(f"{mistake.answer}, is {mistake.true}", mistake.confidence, False) for mistake in worst]
    heading = f"The {len(worst)} most confident of {wrong} mistakes on {evaluation.images:,} {evaluation.part} images"
    return tiles(heading, images[[mistake.image for mistake in worst]], titles)


def reliability(evaluation: Evaluation) -> Figure:
    """Draw the reliability diagram: accuracy of each bin of confidence, and below it the number of answers."""
    figure = Figure(figsize=(5.4, 6.2), layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    low, images, confidence, accuracy = np.array(
        [(each.low, each.images, each.confidence, each.accuracy) for each in evaluation.calibration]
    ).T
    style = {"width": [each.high - each.low for each in evaluation.calibration], "align": "edge", "alpha": 0.5}
    upper.plot([0, 1], [0, 1], "--", color="grey", label="perfect calibration")
    upper.bar(low, accuracy, color=TRAIN, **style)
    upper.plot(confidence, accuracy, "o", color=TRAIN, markersize=4, label="answers of a bin")
    upper.set(title=f"Expected calibration error {evaluation.ece:.2%}", ylabel="Share of right answers", ylim=(0, 1.02))
    lower.bar(low, images, color=TRAIN, **style)
    lower.set(xlabel="Confidence", ylabel="Answers", yscale="log", xlim=(0, 1), ylim=(0.7, None))
    figure.legend(loc="outside lower center", ncols=2)
    for axes in (upper, lower):
        axes.grid(alpha=0.3)
    return figure


def corruptions(evaluation: Evaluation, images: NDArray[np.uint8]) -> Figure:
    """Plot the accuracy under each corruption with examples, shared and held-out corruptions side by side.

    Args:
        evaluation: the metrics.
        images: those evaluated on, uint8 (N, 28, 28); the first six are shown.
    """
    assert evaluation.corruptions is not None
    figure = Figure(figsize=(13, 6.2), layout="constrained")
    places = figure.subplots(1, 4, width_ratios=(4, 3, 4, 3))
    for (bars, strip), (use, under) in zip((places[:2], places[2:]), evaluation.corruptions.items(), strict=True):
        rows, colour = range(len(under)), TRAIN if use == SHARED else VALIDATION
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
