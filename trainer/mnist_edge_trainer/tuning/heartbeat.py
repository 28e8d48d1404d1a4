"""Detect dead workers of a study by heartbeats, and repeat their trials.

A worker writes a heartbeat into its trial every few seconds. The others check by their own clocks whether it changes,
so that neither differing clocks of several machines nor the kind of storage matter.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mnist_edge_runtime.command_line import tell
from optuna import Study
from optuna.exceptions import StorageInternalError, UpdateFinishedTrialError
from optuna.trial import FrozenTrial, Trial, TrialState

__all__ = ["StaleTrialMonitor", "checkpoint_of", "fail", "heartbeat", "release"]

_HEARTBEAT, _REPEATS, _DEATHS = "heartbeat", "repeats", "deaths"
_MAX_DEATHS = 3  # workers that a trial may kill, such as by lack of memory, before it is not repeated


class StaleTrialMonitor:
    """Repeats the trials whose workers have sent no heartbeat for `seconds`.

    Args:
        study: of the trials.
        folder: of their checkpoints.
        seconds: that a worker may go without a heartbeat.
    """

    def __init__(self, study: Study, folder: Path, seconds: float) -> None:
        self._study, self._folder, self._seconds = study, folder, seconds
        self._seen: dict[int, tuple[Any, float]] = {}

    def repeat_stale(self) -> None:
        """Fail each trial whose heartbeat has not changed for too long, and queue it again."""
        for trial in self._study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            last_sent, now = trial.user_attrs.get(_HEARTBEAT), time.monotonic()
            last, since = self._seen.get(trial.number, (None, now))
            if trial.number not in self._seen or last != last_sent:
                self._seen[trial.number] = last_sent, now
            elif now - since > self._seconds and fail(self._study, trial.number):
                deaths = trial.user_attrs.get(_DEATHS, 0) + 1
                again = deaths <= _MAX_DEATHS
                what = "it is repeated" if again else f"not repeated after {deaths} dead workers"
                tell(f"trial {trial.number}: no heartbeat from its worker; {what}")
                if again:
                    _repeat(self._study, trial, deaths)
                else:
                    shutil.rmtree(_checkpoint(self._folder, trial.number), ignore_errors=True)


@contextmanager
def heartbeat(trial: Trial, seconds: float) -> Iterator[None]:
    """Write a heartbeat into the trial every `seconds` while the block runs."""
    ended = threading.Event()

    def beat() -> None:
        while True:
            try:
                trial.set_user_attr(_HEARTBEAT, time.time())
            except UpdateFinishedTrialError:
                return  # others took this worker for dead; it learns so when it reports
            except StorageInternalError:
                pass  # a database may come back; if it does not, the next report fails
            if ended.wait(seconds):
                return

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def fail(study: Study, number: int) -> bool:
    """Fail a running trial; return False if it had ended already."""
    try:
        study.tell(number, state=TrialState.FAIL)
    except (UpdateFinishedTrialError, ValueError):
        return False
    return True


def release(study: Study, number: int) -> None:
    """Release a trial that runs here, for any worker to continue."""
    if fail(study, number):
        trial = study.trials[number]
        _repeat(study, trial, trial.user_attrs.get(_DEATHS, 0))


def checkpoint_of(trial: Trial, folder: Path) -> Path:
    """Return the folder for a trial's checkpoint, with the checkpoint of the trial that it repeats, if that is here."""
    own = _checkpoint(folder, trial.number)
    if (before := trial.user_attrs.get(_REPEATS)) is not None:
        with contextlib.suppress(OSError):  # its worker was on another machine
            os.rename(_checkpoint(folder, before), own)
    own.mkdir(parents=True, exist_ok=True)
    return own


def _repeat(study: Study, trial: FrozenTrial, deaths: int) -> None:
    study.enqueue_trial(trial.params, user_attrs={_REPEATS: trial.number, _DEATHS: deaths})


def _checkpoint(folder: Path, number: int) -> Path:
    return folder / f"trial-{number}"
