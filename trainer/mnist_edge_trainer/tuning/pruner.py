"""When a trial is given up."""

from __future__ import annotations

from statistics import median

from optuna import Study
from optuna.pruners import BasePruner
from optuna.trial import FrozenTrial, TrialState

from .study import NETWORK

__all__ = ["NetworkPruner"]

_FEWEST = 5  # complete trials that a median is taken of


class NetworkPruner(BasePruner):
    """The median rule among the trials of one network: another learns faster or slower at first.

    From a third of its epochs on, a trial is pruned whose best accuracy so far is below the median of what the complete
    trials of its network had after as many epochs.
    """

    def prune(self, study: Study, trial: FrozenTrial) -> bool:
        epoch = trial.last_step
        if epoch is None or 3 * epoch <= trial.user_attrs["recipe"]["epochs"]:
            return False
        others = [
            other.intermediate_values[epoch]
            for other in study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
            if other.params[NETWORK] == trial.params[NETWORK] and epoch in other.intermediate_values
        ]
        return len(others) >= _FEWEST and max(trial.intermediate_values.values()) < median(others)
