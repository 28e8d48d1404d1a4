"""Search for the best recipe: one worker of a study, which may have many."""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import keras
import optuna
from mnist_edge_runtime.command_line import tell
from mnist_edge_runtime.confidence_interval import format_accuracy
from mnist_edge_runtime.errors import InputError, VerificationError
from optuna.exceptions import StorageInternalError, TrialPruned
from optuna.storages import BaseStorage
from optuna.trial import Trial, TrialState

from ..data.datasets import Dataset, Split
from ..networks import architectures
from ..networks.recipe import option
from ..training import fit
from ..training.callback import DivergedError
from . import heartbeat
from . import study as studies
from .optuna_extras import NetworkPruner, SeededSampler
from .search_space import SearchConfig

__all__ = ["TRIALS_IN_A_PROCESS", "tune"]

TRIALS_IN_A_PROCESS = 16  # trials; TensorFlow leaks some 60 MB in each training on MNIST
_FINISHED = (TrialState.COMPLETE, TrialState.PRUNED)
_POLL_INTERVAL = 0.5  # seconds between two queries of what other workers do


@dataclass(frozen=True)
class _WorkerContext:
    """Inputs of every trial of this worker; `sizes` has each network's parameters and multiply-accumulates (MACs)."""

    config: SearchConfig
    split: Split
    labels: tuple[str, ...]
    sizes: Mapping[str, Mapping[str, int]]
    folder: Path


def tune(
    config: SearchConfig, dataset: Dataset, split: Split, storage: BaseStorage, folder: Path
) -> optuna.Study | None:
    """Work on a study until it has its number of finished trials, including those of other workers.

    Returns None when this process has had its share of trials and a new process must continue.

    A trial trains a network and measures it on the validation images; the test images are not used. With a single
    objective, trials are pruned by `NetworkPruner`.

    Args:
        config: the options.
        dataset: the source of the split.
        split: the training and the validation images.
        storage: from `storage.open_storage`.
        folder: from `study.folder_of`, for checkpoints.

    Raises:
        VerificationError: no network is within the limits.
        UsageError: the study was created with other options or data.
        InputError: the storage was lost.
    """
    sizes = _within_limits(config, len(dataset.labels))
    agreement = {
        "objectives": list(config.objectives),
        "networks": list(sizes),
        "parts": config.fixed,
        "seed": config.seed,
        "data": [dataset.sha256, split.sha256],
    }
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study, created_here = studies.join(storage, folder.name, config, agreement)
    images = len(split.train.images)
    recipes = {network: asdict(config.training(network).recipe(images)) for network in sizes}
    if created_here:
        for network, recipe in recipes.items():  # the search begins with the default recipes
            parts = {f"{network}.{part}": recipe[part] for part in config.space(network)}
            study.enqueue_trial({studies.NETWORK: network, **parts})
    study.sampler = SeededSampler(config.seed)
    study.pruner = NetworkPruner()
    try:
        ended = _work(study, _WorkerContext(config, split, dataset.labels, sizes, folder))
    except StorageInternalError as error:
        raise InputError(
            f"the storage of study {folder.name!r} was lost: {error}; repeat the command to continue"
        ) from None
    return study if ended else None


def _within_limits(config: SearchConfig, classes: int) -> dict[str, dict[str, int]]:
    """Return the networks within the limits, each with its parameters and multiply-accumulates."""
    limits = {"parameters": config.max_parameters, "macs": config.max_macs}
    sizes, skipped = {}, []
    for network, row in architectures.ARCHITECTURES.items():
        if config.networks and network not in config.networks:
            continue
        model = row.build(classes)
        size = {"parameters": model.count_params(), "macs": architectures.count_macs(model)}
        if all(limit is None or size[name] <= limit for name, limit in limits.items()):
            sizes[network] = size
        else:
            skipped.append(f"{network} ({size['parameters']:,} parameters, {size['macs']:,} MACs)")
    keras.utils.clear_session(free_memory=False)
    if not sizes:
        raise VerificationError(f"no network is within the limits: {', '.join(skipped)}")
    if skipped:
        tell(f"skipped, larger than the limits: {', '.join(skipped)}")
    return sizes


def _work(study: optuna.Study, context: _WorkerContext) -> bool:
    """Return True when the study has all its trials, False when this process has had its share of them."""
    monitor, waiting, tried = heartbeat.StaleTrialMonitor(study, context.folder, context.config.stale_after), False, 0
    while True:
        monitor.repeat_stale()
        trials = study.get_trials(deepcopy=False)
        finished = sum(trial.state in _FINISHED for trial in trials)
        running = [trial.number for trial in trials if trial.state == TrialState.RUNNING]
        if finished >= context.config.trials:
            return True
        if tried >= TRIALS_IN_A_PROCESS:
            return False
        if finished + len(running) < context.config.trials:
            waiting = False
            tell(f"{finished} of {context.config.trials} trials finished, {len(running)} running elsewhere")
            trial = study.ask()
            if _is_needed(study, trial.number, context.config.trials):
                _try(study, trial, context)
                tried += 1
            else:
                heartbeat.fail(study, trial.number)
            continue
        if not waiting:
            waiting = True
            tell(f"{finished} trials finished, waiting for {len(running)} that run elsewhere")
        time.sleep(_POLL_INTERVAL)


def _is_needed(study: optuna.Study, number: int, wanted: int) -> bool:
    """Return whether a new trial is needed, or one too many because another worker began one simultaneously."""
    trials = study.get_trials(deepcopy=False)
    earlier = [trial for trial in trials if trial.state == TrialState.RUNNING and trial.number < number]
    return sum(trial.state in _FINISHED for trial in trials) + len(earlier) < wanted


def _try(study: optuna.Study, trial: Trial, context: _WorkerContext) -> None:
    """Run a trial and tell the study its result."""
    number = trial.number
    checkpoint = heartbeat.checkpoint_of(trial, context.folder)
    try:
        with heartbeat.heartbeat(trial, context.config.stale_after / 5):
            values, outcome = _outcome(trial, checkpoint, context)
        study.tell(number, values, state=TrialState.COMPLETE if values else TrialState.PRUNED)
    except StorageInternalError:
        raise
    except Exception:
        if heartbeat.fail(study, number):
            shutil.rmtree(checkpoint, ignore_errors=True)
            raise
        outcome = "left to another worker, which took this one for dead"
    except BaseException:  # Ctrl-C, SIGTERM
        heartbeat.release(study, number)
        tell(f"trial {number}: interrupted; repeat the command to continue it")
        raise
    finally:
        keras.utils.clear_session(free_memory=False)
    shutil.rmtree(checkpoint, ignore_errors=True)
    tell(f"trial {number}: {outcome}")


def _outcome(trial: Trial, checkpoint: Path, context: _WorkerContext) -> tuple[list[float] | None, str]:
    """Return the value of each objective, or None if the trial was pruned, and a line for the log."""
    try:
        values = _values(trial, checkpoint, context)
        return values, f"validation accuracy {format_accuracy(values[0], len(context.split.validation.labels))}"
    except TrialPruned:
        return None, "pruned, below the median of its network"
    except DivergedError:
        return None, "pruned, the loss became NaN or infinite"


def _values(trial: Trial, checkpoint: Path, context: _WorkerContext) -> list[float]:
    """Train by the trial's recipe and return the value of each objective."""
    config, split = context.config, context.split
    network, parts = studies.suggest(trial, config, tuple(context.sizes))
    training, size = config.training(network, parts), context.sizes[network]
    recipe = asdict(training.recipe(len(split.train.images)))
    for name, value in {"recipe": recipe, studies.VALIDATION: len(split.validation.labels), **size}.items():
        trial.set_user_attr(name, value)
    chosen = " ".join(f"{option(part)} {value:.4g}" for part, value in parts.items())
    tell(f"trial {trial.number}: --arch {network} {chosen}")
    reported = 0

    def watch(accuracies: Sequence[float]) -> None:
        nonlocal reported
        for epoch in range(reported, len(accuracies)):
            trial.report(accuracies[epoch], epoch + 1)
        reported = len(accuracies)
        if trial.should_prune():
            raise TrialPruned

    prunes = len(config.objectives) == 1
    fitted = fit.fit(training, split, context.labels, checkpoint, watch=watch if prunes else None)
    accuracy = fitted.measure(*split.validation)["accuracy"]
    figures: Mapping[str, Any] = {"accuracy": accuracy, **size}
    return [float(figures[objective]) for objective in config.objectives]
