"""What a study found, as a table, as JSON and as pictures."""

from __future__ import annotations

import os
import secrets
import shutil
import warnings
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import optuna
from optuna.trial import TrialState

from ..networks.recipe import option
from . import study as studies
from .study import Found

__all__ = ["Results", "collect", "save"]

_ROWS = 10
_ENOUGH = 10  # complete trials; what fewer seem to depend on is chance
_HISTORY, _IMPORTANCES, _TRADE_OFF = "history.png", "importances.png", "trade-off.png"


@dataclass(frozen=True)
class Results:
    """What a study found.

    Attributes:
        study: its name.
        objectives: the names of what was sought.
        trials: how many are complete, pruned and failed.
        best: the most accurate trials; with several objectives those that no other beats in everything.
        importances: for each part of each network its share in how accuracies differ; empty below ten trials.
    """

    study: str
    objectives: tuple[str, ...]
    trials: dict[str, int]
    best: tuple[Found, ...]
    importances: dict[str, float]

    def to_dict(self) -> dict[str, Any]:
        """Return the results as JSON has them."""
        return asdict(self)

    def table(self) -> str:
        """Return the best trials as a person reads them, and how to train by them."""
        complete, pruned, failed = self.trials.values()
        counts = f"{complete} trials complete, {pruned} pruned, {failed} failed or cut short"
        if not self.best:
            return f"study {self.study}: {counts}"
        chosen = self.best[0]
        options = " ".join(f"{option(part)} {value:.4g}" for part, value in chosen.searched.items())
        which = "the most accurate" if len(self.objectives) == 1 else "those that no other beats in everything"
        lines = [
            f"study {self.study}: {counts}; {which}:",
            f"{'trial':>6}  {'network':<8}{'accuracy':>9}{'parameters':>12}{'MACs':>12}",
        ]
        lines += [
            f"{row.trial:>6}  {row.architecture:<8}{row.accuracy:>9.2%}{row.parameters:>12,}{row.macs:>12,}"
            for row in self.best
        ]
        lines += [
            "Accuracy is that on the validation images, on which the best of many looks a little better than it is.",
            f"trial {chosen.trial}: --arch {chosen.architecture} {options}",
            "To train by it:" if len(self.best) == 1 else "To train by it, or by another:",
        ]
        choices = [self.study, *(f"{self.study}:{row.trial}" for row in self.best[1:2])]
        return "\n".join([*lines, *(f"  mnist-edge train --from-study {choice}" for choice in choices)])


def collect(study: optuna.Study, objectives: tuple[str, ...]) -> Results:
    """Return what a study found so far."""
    states = [trial.state for trial in study.get_trials(deepcopy=False)]
    counted = {"complete": TrialState.COMPLETE, "pruned": TrialState.PRUNED, "failed": TrialState.FAIL}
    several = len(objectives) > 1
    found = studies.found(study, front=several)
    return Results(
        study=study.study_name,
        objectives=objectives,
        trials={name: states.count(state) for name, state in counted.items()},
        best=tuple(found if several else found[:_ROWS]),
        importances=_importances(study),
    )


def save(results: Results, study: optuna.Study, folder: Path) -> list[Path]:
    """Write the pictures of a study into its folder, each at once; return their paths."""
    from . import plots  # matplotlib

    figures = {_HISTORY: plots.history(study)}
    if results.importances:
        figures[_IMPORTANCES] = plots.importances(results.importances)
    if len(results.objectives) > 1 and results.best:
        figures[_TRADE_OFF] = plots.trade_off(studies.found(study), results.best, results.objectives[1:])
    temporary = folder / f".pictures.{secrets.token_hex(4)}"
    temporary.mkdir(parents=True)
    try:
        for name, figure in figures.items():
            figure.savefig(temporary / name, dpi=120)
            os.replace(temporary / name, folder / name)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return [folder / name for name in figures]


def _importances(study: optuna.Study) -> dict[str, float]:
    """Return PED-ANOVA's shares, the largest first.

    Source: S. Watanabe et al., "PED-ANOVA", 2023, https://arxiv.org/abs/2304.10255
    """
    complete = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    if len(complete) < _ENOUGH or len({trial.values[0] for trial in complete}) == 1:
        return {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it reminds everyone that with a target of one's own, low is good
        return optuna.importance.get_param_importances(study, target=lambda trial: -trial.values[0])
