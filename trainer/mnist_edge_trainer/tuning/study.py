"""Join a study, sample its recipes, and find its best trials.

runs/studies/small/
├── journal.log   all trials, unless they are in a database
├── trial-7/      checkpoint of a trial that is running or will be repeated
└── *.png         history, importance of the parts, trade-off of the objectives
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import optuna
from mnist_edge_runtime.confidence_interval import interval_of
from mnist_edge_runtime.errors import InputError, UsageError
from optuna.exceptions import DuplicatedStudyError
from optuna.storages import BaseStorage
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, Trial, TrialState

from ..networks.config import TrainConfig
from ..networks.recipe import AUGMENTATIONS
from ..runs.run import STUDIES, check_name
from .search_space import OBJECTIVES, Range, SearchConfig
from .storage import open_storage

__all__ = ["NETWORK", "VALIDATION", "TrialResult", "complete_trials", "find_trial", "folder_of", "join", "suggest"]

NETWORK = "network"
VALIDATION = "validation_images"
_AGREEMENT = "agreement"


@dataclass(frozen=True)
class TrialResult:
    """The result of a complete trial.

    Attributes:
        study: its name.
        trial: its number.
        architecture: the network.
        recipe: all parts of the recipe; `searched` has those that differ between trials.
        seed: of the training.
        accuracy: on the validation images, 0 to 1.
        accuracy_interval: its 95 % confidence interval; None of a trial of an earlier release.
        parameters, macs: of the network.
    """

    study: str
    trial: int
    architecture: str
    recipe: Mapping[str, Any]
    searched: Mapping[str, Any]
    seed: int
    accuracy: float
    parameters: int
    macs: int
    accuracy_interval: tuple[float, float] | None = None

    def training(
        self,
        architecture: str | None,
        seed: int | None,
        augment: str | None,
        tensorboard: Path | None,
        parts: Mapping[str, float],
    ) -> TrainConfig:
        """Return the options of a training by this trial's recipe, with the given ones in place of its own."""
        replaced = AUGMENTATIONS.get(augment or "", {})
        recipe = {part: value for part, value in self.recipe.items() if part not in replaced}
        return TrainConfig(
            architecture or self.architecture,
            self.seed if seed is None else seed,
            augment,
            tensorboard=tensorboard,
            parts={**recipe, **parts},
            study={"name": self.study, "trial": self.trial, "accuracy": self.accuracy},
        )


def folder_of(runs_dir: Path, name: str) -> Path:
    """Return the folder of a study.

    Raises:
        UsageError: the name is not allowed.
    """
    check_name(name, "study")
    return runs_dir / STUDIES / name


def join(
    storage: BaseStorage, name: str, config: SearchConfig, agreement: Mapping[str, Any]
) -> tuple[optuna.Study, bool]:
    """Join the study of that name, or create it; return it, and whether it was created here.

    Args:
        storage: from `storage.open_storage`.
        name: of the study.
        config: the options.
        agreement: options that all of its workers must share, as JSON.

    Raises:
        UsageError: it was created with other options or data.
    """
    try:
        directions = [StudyDirection[OBJECTIVES[objective].upper()] for objective in config.objectives]
        study, begun_here = optuna.create_study(storage=storage, study_name=name, directions=directions), True
    except DuplicatedStudyError:
        study, begun_here = optuna.load_study(storage=storage, study_name=name), False
    if _AGREEMENT not in study.user_attrs:
        study.set_user_attr(_AGREEMENT, dict(agreement))
    began = study.user_attrs[_AGREEMENT]
    if differing := [
        f"{key} {began.get(key)}, not {value}" for key, value in agreement.items() if began.get(key) != value
    ]:
        raise UsageError(f"study {name!r} was begun with {'; '.join(differing)}; name another with --study")
    return study, begun_here


def suggest(trial: Trial, config: SearchConfig, networks: tuple[str, ...]) -> tuple[str, dict[str, Any]]:
    """Sample a network and the searched parts of its recipe."""
    network = str(trial.suggest_categorical(NETWORK, networks))
    parts: dict[str, Any] = {}
    for part, domain in config.space(network).items():
        name = f"{network}.{part}"
        if isinstance(domain, Range):
            parts[part] = trial.suggest_float(name, domain.low, domain.high, log=domain.log)
        else:
            parts[part] = trial.suggest_categorical(name, domain.values)
    return network, parts


def complete_trials(study: optuna.Study, *, front: bool = False) -> list[TrialResult]:
    """Return the complete trials, the most accurate first; with `front`, those of the Pareto front."""
    trials = study.best_trials if front else study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    return sorted((_result(study, trial) for trial in trials), key=lambda each: (-each.accuracy, each.macs, each.trial))


def find_trial(runs_dir: Path, choice: str, url: str | None) -> TrialResult:
    """Return the most accurate trial of a study, or the named one.

    Args:
        runs_dir: the folder of all runs.
        choice: NAME or NAME:TRIAL.
        url: of its database, or None for a journal file.

    Raises:
        InputError: there is no such study, or no such trial is complete.
        UsageError: `choice` has another form.
    """
    name, _, number = choice.partition(":")
    if not number.isdigit() and ":" in choice:
        raise UsageError(f"--from-study {choice}: expected STUDY or STUDY:TRIAL")
    storage = open_storage(folder_of(runs_dir, name), url, create=False)
    known = optuna.get_all_study_names(storage)
    if name not in known:
        raise InputError(f"the storage has no study {name!r}; it has {', '.join(sorted(known)) or 'none'}")
    study = optuna.load_study(study_name=name, storage=storage)
    if _AGREEMENT not in study.user_attrs:
        raise InputError(f"study {name!r} was not created by mnist-edge tune")
    trials = complete_trials(study)
    if number:
        trials = [each for each in trials if each.trial == int(number)]
    if not trials:
        raise InputError(f"study {name!r}: {f'trial {number} is not' if number else 'no trial is'} complete")
    return trials[0]


def _result(study: optuna.Study, trial: FrozenTrial) -> TrialResult:
    attributes, architecture = trial.user_attrs, trial.params[NETWORK]
    return TrialResult(
        study=study.study_name,
        trial=trial.number,
        architecture=architecture,
        recipe=attributes["recipe"],
        searched={name.partition(".")[2]: value for name, value in trial.params.items() if name != NETWORK},
        seed=study.user_attrs[_AGREEMENT]["seed"],
        accuracy=trial.values[0],
        parameters=attributes["parameters"],
        macs=attributes["macs"],
        accuracy_interval=interval_of(trial.values[0], images) if (images := attributes.get(VALIDATION)) else None,
    )
