"""A study: where its trials are kept, what all of its workers agree on, and which of its trials are the best.

runs/studies/small/
├── journal.log   all trials, unless a database holds them
├── trial-7/      the checkpoint of a trial that runs, or that was cut short and will be repeated
└── *.png         history, importance of the parts, trade-off of the objectives
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import optuna
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

__all__ = ["NETWORK", "Found", "folder_of", "found", "join", "recall", "suggest"]

NETWORK = "network"
_AGREEMENT = "agreement"


@dataclass(frozen=True)
class Found:
    """A trial that is complete.

    Attributes:
        study: its name.
        trial: its number.
        architecture: the network.
        recipe: all parts of the recipe, and `searched` those of them that differ from trial to trial.
        seed: of the training.
        accuracy: on the validation images, 0 to 1.
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

    def training(
        self,
        architecture: str | None,
        seed: int | None,
        augment: str | None,
        tensorboard: Path | None,
        parts: Mapping[str, float],
    ) -> TrainConfig:
        """Return the options of a training by this trial's recipe; what is chosen replaces it."""
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
        UsageError: that cannot be its name.
    """
    check_name(name, "study")
    return runs_dir / STUDIES / name


def join(
    storage: BaseStorage, name: str, config: SearchConfig, agreement: Mapping[str, Any]
) -> tuple[optuna.Study, bool]:
    """Return the study of that name, begun where there is none, and whether it was begun here.

    Args:
        storage: from `storage.open_storage`.
        name: of the study.
        config: the options.
        agreement: what is the same for all of its workers, as JSON has it.

    Raises:
        UsageError: it was begun with other options or data.
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
    """Return a network and the parts of its recipe that are searched, as the study's sampler proposes them."""
    network = str(trial.suggest_categorical(NETWORK, networks))
    parts: dict[str, Any] = {}
    for part, where in config.space(network).items():
        name = f"{network}.{part}"
        if isinstance(where, Range):
            parts[part] = trial.suggest_float(name, where.low, where.high, log=where.log)
        else:
            parts[part] = trial.suggest_categorical(name, where.values)
    return network, parts


def found(study: optuna.Study, *, front: bool = False) -> list[Found]:
    """Return the complete trials, the most accurate first; with `front` those that none beats in everything."""
    trials = study.best_trials if front else study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    return sorted((_found(study, trial) for trial in trials), key=lambda each: (-each.accuracy, each.macs, each.trial))


def recall(runs_dir: Path, choice: str, url: str | None) -> Found:
    """Return the most accurate trial of a study, or another of its trials.

    Args:
        runs_dir: the folder of all runs.
        choice: NAME or NAME:TRIAL.
        url: of the database that holds it, or None.

    Raises:
        InputError: there is no such study, or no such trial is complete.
        UsageError: neither of the two.
    """
    name, _, number = choice.partition(":")
    if not number.isdigit() and ":" in choice:
        raise UsageError(f"--from-study {choice}: expected STUDY or STUDY:TRIAL")
    storage = open_storage(folder_of(runs_dir, name), url, create=False)
    known = optuna.get_all_study_names(storage)
    if name not in known:
        raise InputError(f"the storage holds no study {name!r}; it holds {', '.join(sorted(known)) or 'none'}")
    study = optuna.load_study(study_name=name, storage=storage)
    if _AGREEMENT not in study.user_attrs:
        raise InputError(f"study {name!r} is none of mnist-edge tune")
    trials = found(study)
    if number:
        trials = [each for each in trials if each.trial == int(number)]
    if not trials:
        raise InputError(f"study {name!r}: {f'trial {number} is not' if number else 'no trial is'} complete")
    return trials[0]


def _found(study: optuna.Study, trial: FrozenTrial) -> Found:
    attributes, architecture = trial.user_attrs, trial.params[NETWORK]
    return Found(
        study=study.study_name,
        trial=trial.number,
        architecture=architecture,
        recipe=attributes["recipe"],
        searched={name.partition(".")[2]: value for name, value in trial.params.items() if name != NETWORK},
        seed=study.user_attrs[_AGREEMENT]["seed"],
        accuracy=trial.values[0],
        parameters=attributes["parameters"],
        macs=attributes["macs"],
    )
