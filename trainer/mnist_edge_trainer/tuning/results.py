"""Collect the results of a study, and save its plots."""

from __future__ import annotations

import warnings
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import optuna
from mnist_edge_runtime.confidence_interval import format_interval
from mnist_edge_runtime.files import atomic_path
from optuna.trial import TrialState

from ..networks.recipe import option
from . import study as studies
from .study import TrialResult

__all__ = ["Results", "collect", "save"]

_MAX_ROWS = 10  # trials in the table
_MIN_TRIALS = 10  # complete trials; the importances of fewer are chance
_HISTORY, _IMPORTANCES, _TRADE_OFF = "history.png", "importances.png", "trade-off.png"


@dataclass(frozen=True)
class Results:
    """The results of a study.

    Attributes:
        study: its name.
        objectives: their names.
        trials: the numbers of complete, pruned and failed ones.
        best: the most accurate trials; with several objectives, the Pareto front.
        importances: of each part of each network, its share in the variance of accuracy; empty below ten trials.
    """

    study: str
    objectives: tuple[str, ...]
    trials: dict[str, int]
    best: tuple[TrialResult, ...]
    importances: dict[str, float]

    def to_dict(self) -> dict[str, Any]:
        """Return the results for JSON."""
        return asdict(self)

    def table(self, options: str = "") -> str:
        """Format the best trials as a table, with the commands that train by them.

        Args:
            options: that the commands need to find the study, from `options.repeated`.
        """
        complete, pruned, failed = self.trials.values()
        counts = f"{complete} trials complete, {pruned} pruned, {failed} failed or interrupted"
        if not self.best:
            return f"study {self.study}: {counts}"
        chosen = self.best[0]
        recipe = " ".join(f"{option(part)} {value:.4g}" for part, value in chosen.searched.items())
        which = (
            "the most accurate"
            if len(self.objectives) == 1
            else "the Pareto front, of trials that no other beats in every objective"
        )
        lines = [
            f"study {self.study}: {counts}; {which}:",
            f"{'trial':>6}  {'network':<8}{'accuracy':>9}{'95% interval':>17}{'parameters':>12}{'MACs':>12}",
        ]
        lines += [
            f"{row.trial:>6}  {row.architecture:<8}{row.accuracy:>9.2%}"
            f"{format_interval(row.accuracy_interval) if row.accuracy_interval else '-':>17}"
            f"{row.parameters:>12,}{row.macs:>12,}"
            for row in self.best
        ]
        lines += [
            "Accuracy is on the validation images, and for the best of many trials a little optimistic.",
            f"trial {chosen.trial}: --arch {chosen.architecture} {recipe}",
            "To train by it:" if len(self.best) == 1 else "To train by it, or by another:",
        ]
        choices = [self.study, *(f"{self.study}:{row.trial}" for row in self.best[1:2])]
        return "\n".join([*lines, *(f"  mnist-edge train --from-study {choice}{options}" for choice in choices)])


def collect(study: optuna.Study, objectives: tuple[str, ...]) -> Results:
    """Collect the results of a study so far."""
    states = [trial.state for trial in study.get_trials(deepcopy=False)]
    counted = {"complete": TrialState.COMPLETE, "pruned": TrialState.PRUNED, "failed": TrialState.FAIL}
    several = len(objectives) > 1
    found = studies.complete_trials(study, front=several)
    return Results(
        study=study.study_name,
        objectives=objectives,
        trials={name: states.count(state) for name, state in counted.items()},
        best=tuple(found if several else found[:_MAX_ROWS]),
        importances=_importances(study),
    )


def save(results: Results, study: optuna.Study, folder: Path) -> list[Path]:
    """Write the plots of a study into its folder, each atomically; return their paths."""
    from . import plots  # matplotlib

    figures = {_HISTORY: plots.history(study)}
    if results.importances:
        figures[_IMPORTANCES] = plots.importances(results.importances)
    if len(results.objectives) > 1 and results.best:
        figures[_TRADE_OFF] = plots.trade_off(studies.complete_trials(study), results.best, results.objectives[1:])
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as files:
        for name, figure in figures.items():
            figure.savefig(files.enter_context(atomic_path(folder / name)), dpi=120)
    return [folder / name for name in figures]


def _importances(study: optuna.Study) -> dict[str, float]:
    """Return the importances by PED-ANOVA, the largest first.

    Source: S. Watanabe et al., "PED-ANOVA", 2023, https://arxiv.org/abs/2304.10255
    """
    complete = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    if len(complete) < _MIN_TRIALS or len({trial.values[0] for trial in complete}) == 1:
        return {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Optuna warns that with a custom target, lower is better
        return optuna.importance.get_param_importances(study, target=lambda trial: -trial.values[0])
