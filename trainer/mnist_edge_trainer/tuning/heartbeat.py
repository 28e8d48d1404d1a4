"""The workers of one study: signs of life of their trials, and what becomes of a trial whose worker died.

A worker leaves a sign of life in its trial every few seconds. The others watch whether it changes, each by its own
clock, so that neither the clocks of several machines nor the kind of storage matter.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from optuna import Study
from optuna.exceptions import StorageInternalError, UpdateFinishedTrialError
from optuna.trial import FrozenTrial, Trial, TrialState

__all__ = ["Watch", "beating", "checkpoint_of", "fail", "hand_back"]

_SIGN, _REPEATS, _DEATHS = "sign of life", "repeats", "deaths"
_MOST_DEATHS = 3  # a trial that takes one worker after another with it, as for want of memory, is given up


class Watch:
    """Repeats the trials whose workers have given no sign of life for `seconds`.

    Args:
        study: of the trials.
        folder: where their checkpoints lie.
        seconds: how long a worker may be silent.
    """

    def __init__(self, study: Study, folder: Path, seconds: float) -> None:
        self._study, self._folder, self._seconds = study, folder, seconds
        self._seen: dict[int, tuple[Any, float]] = {}

    def repeat_dead(self) -> None:
        """Fail each trial that has been silent for too long since it was first seen so, and queue it anew."""
        for trial in self._study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            sign, now = trial.user_attrs.get(_SIGN), time.monotonic()
            last, since = self._seen.get(trial.number, (None, now))
            if trial.number not in self._seen or last != sign:
                self._seen[trial.number] = sign, now
            elif now - since > self._seconds and fail(self._study, trial.number):
                deaths = trial.user_attrs.get(_DEATHS, 0) + 1
                again = deaths <= _MOST_DEATHS
                what = "it is repeated" if again else f"given up after {deaths} such ends"
                print(f"trial {trial.number}: its worker gives no sign of life; {what}", file=sys.stderr)
                if again:
                    _repeat(self._study, trial, deaths)
                else:
                    shutil.rmtree(_checkpoint(self._folder, trial.number), ignore_errors=True)


@contextmanager
def beating(trial: Trial, seconds: float) -> Iterator[None]:
    """Leave a sign of life in the trial, every so many seconds, while the block runs."""
    ended = threading.Event()

    def beat() -> None:
        while True:
            try:
                trial.set_user_attr(_SIGN, time.time())
            except UpdateFinishedTrialError:
                return  # others took this worker for dead; it finds out when it reports
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
    """Fail a trial that runs; return whether this worker did it, and nobody else had ended it before."""
    try:
        study.tell(number, state=TrialState.FAIL)
    except (UpdateFinishedTrialError, ValueError):
        return False
    return True


def hand_back(study: Study, number: int) -> None:
    """Give a trial that runs here up, for any worker to go on with."""
    if fail(study, number):
        trial = study.trials[number]
        _repeat(study, trial, trial.user_attrs.get(_DEATHS, 0))


def checkpoint_of(trial: Trial, folder: Path) -> Path:
    """Return the folder for the checkpoints of a trial, with those of the trial that it repeats, if they lie here."""
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
