"""Extend Optuna: a sampler seeded by trial, and a pruner that compares trials of the same network."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from statistics import median
from typing import Any

import numpy as np
from optuna import Study
from optuna.distributions import BaseDistribution
from optuna.exceptions import ExperimentalWarning
from optuna.pruners import BasePruner
from optuna.samplers import BaseSampler, TPESampler
from optuna.trial import FrozenTrial, TrialState

from .study import NETWORK

__all__ = ["NetworkPruner", "SeededSampler"]

_MIN_TRIALS = 5  # complete trials for a median


class SeededSampler(BaseSampler):
    """Optuna's TPE sampler, seeded for each trial by the seed and the trial's number.

    So workers with the same seed propose different trials, and a resumed study continues as without interruption.

    Source: S. Watanabe, "Tree-Structured Parzen Estimator", 2023, https://arxiv.org/abs/2304.11127
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._number: int | None = None
        self._sampler: BaseSampler | None = None

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        return self._of(trial).infer_relative_search_space(study, trial)

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        return self._of(trial).sample_relative(study, trial, search_space)

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        return self._of(trial).sample_independent(study, trial, param_name, param_distribution)

    def before_trial(self, study: Study, trial: FrozenTrial) -> None:
        self._of(trial).before_trial(study, trial)

    def after_trial(self, study: Study, trial: FrozenTrial, state: TrialState, values: Sequence[float] | None) -> None:
        self._of(trial).after_trial(study, trial, state, values)

    def _of(self, trial: FrozenTrial) -> BaseSampler:
        if self._sampler is None or self._number != trial.number:
            seed = int(np.random.SeedSequence((self._seed, trial.number)).generate_state(1)[0])
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ExperimentalWarning)
                # Grouped: the parts of each network are modelled together.
                self._sampler = TPESampler(seed=seed, multivariate=True, group=True)
            self._number = trial.number
        return self._sampler


class NetworkPruner(BasePruner):
    """The median rule among the trials of one network, since networks differ in their early learning speed.

    From a third of its epochs on, a trial is pruned if its best accuracy so far is below the median accuracy of the
    complete trials of its network after as many epochs.
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
        return len(others) >= _MIN_TRIALS and max(trial.intermediate_values.values()) < median(others)
