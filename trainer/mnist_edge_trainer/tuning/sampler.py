"""How the next trial of a study is proposed."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from optuna import Study
from optuna.distributions import BaseDistribution
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import BaseSampler, TPESampler
from optuna.trial import FrozenTrial, TrialState

__all__ = ["SeededSampler"]


class SeededSampler(BaseSampler):
    """Optuna's TPE, drawing for each trial from the seed and the trial's number.

    So workers with one seed draw different trials, and a study that one worker resumes goes on as it would have.

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
                # Grouped: each network has parts of its own, which are modelled together.
                self._sampler = TPESampler(seed=seed, multivariate=True, group=True)
            self._number = trial.number
        return self._sampler
