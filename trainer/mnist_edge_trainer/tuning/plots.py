"""Plot a study: history, importances, trade-off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import optuna
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter
from optuna.trial import TrialState

from .study import TrialResult

__all__ = ["history", "importances", "trade_off"]

_COMPLETE, _PRUNED, _BEST = "#1565c0", "#c62828", "#2e7d32"
_MAX_PARTS = 20  # in the plot of importances


def history(study: optuna.Study) -> Figure:
    """Plot the accuracy of each trial in the order they began, and the best so far."""
    figure = Figure(figsize=(9, 4), layout="constrained")
    axes = figure.subplots()
    for state, marker, colour, label in (
        (TrialState.COMPLETE, "o", _COMPLETE, "complete"),
        (TrialState.PRUNED, "x", _PRUNED, "pruned, its last accuracy"),
    ):
        trials = study.get_trials(deepcopy=False, states=(state,))
        points = [(trial.number, trial.values[0]) for trial in trials if trial.values]
        if points:
            axes.plot(*zip(*points, strict=True), marker, color=colour, markersize=4, label=label)
        if points and state == TrialState.COMPLETE:
            numbers, accuracies = zip(*points, strict=True)
            axes.step(numbers, np.maximum.accumulate(accuracies), where="post", color=_BEST, label="the best so far")
    axes.set(title=f"Study {study.study_name}", xlabel="Trial", ylabel="Accuracy on validation images")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.yaxis.set_major_formatter(PercentFormatter(1))
    axes.grid(alpha=0.3)
    if axes.lines:
        axes.legend()
    return figure


def importances(shares: Mapping[str, float]) -> Figure:
    """Plot the importance of each part of each network's recipe, 0 to 1; the largest 20."""
    rows = [(name, share) for name, share in shares.items() if share][:_MAX_PARTS]
    figure = Figure(figsize=(7, 0.3 * len(rows) + 1.2), layout="constrained")
    axes = figure.subplots()
    axes.barh(range(len(rows)), [share for _, share in rows], color=_COMPLETE, alpha=0.5)
    axes.set_yticks(range(len(rows)), [name for name, _ in rows])
    axes.invert_yaxis()
    axes.set(title="What accuracy depends on (PED-ANOVA)", xlabel="Share")
    axes.grid(alpha=0.3)
    return figure


def trade_off(trials: Sequence[TrialResult], front: Sequence[TrialResult], costs: Sequence[str]) -> Figure:
    """Plot accuracy over each cost, "macs" or "parameters", and mark the Pareto front."""
    figure = Figure(figsize=(5.4 * len(costs), 4), layout="constrained")
    titles = {"macs": "Multiply-accumulates", "parameters": "Parameters"}
    for axes, cost in zip(figure.subplots(1, len(costs), squeeze=False).flat, costs, strict=True):
        for chosen, colour, label in ((trials, _COMPLETE, "trials"), (front, _BEST, "Pareto front")):
            points = [(getattr(each, cost), each.accuracy) for each in chosen]
            axes.plot(*zip(*points, strict=True), "o", color=colour, markersize=5, label=label)
        for each in {each.architecture: each for each in reversed(front)}.values():
            axes.annotate(
                each.architecture,
                (getattr(each, cost), each.accuracy),
                textcoords="offset points",
                xytext=(6, 4),
            )
        axes.set(xlabel=titles[cost], ylabel="Accuracy on validation images", xscale="log")
        axes.margins(0.1)
        axes.yaxis.set_major_formatter(PercentFormatter(1))
        axes.grid(alpha=0.3)
        axes.legend()
    return figure
