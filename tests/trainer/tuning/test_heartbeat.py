"""Trials of dead workers, on a journal that two workers have open."""

from __future__ import annotations

import time
from pathlib import Path

import optuna
import pytest
from mnist_edge_trainer.tuning import heartbeat
from mnist_edge_trainer.tuning.storage import open_storage
from optuna import Study


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Study, Study]:
    """One study as two workers see it."""
    first = optuna.create_study(storage=open_storage(tmp_path, None, create=True), study_name="s")
    return first, optuna.load_study(storage=open_storage(tmp_path, None, create=False), study_name="s")


def states(study: Study) -> list[str]:
    return [trial.state.name for trial in study.get_trials()]


def test_a_silent_trial_is_repeated_once_by_whichever_worker_notices_first(
    pair: tuple[Study, Study], tmp_path: Path
) -> None:
    trial = pair[0].ask()
    value = trial.suggest_float("x", 0, 1)
    (heartbeat.checkpoint_of(trial, tmp_path) / "checkpoint.npz").write_text("half way")
    monitors = [heartbeat.StaleTrialMonitor(study, tmp_path, 0.05) for study in pair]
    for monitor in monitors:
        monitor.repeat_stale()
    assert states(pair[0]) == ["RUNNING"]  # silence is counted from when it was first heard
    time.sleep(0.1)
    for monitor in monitors:
        monitor.repeat_stale()
    assert states(pair[1]) == ["FAIL", "WAITING"]
    again = pair[1].ask()
    assert (again.number, again.suggest_float("x", 0, 1)) == (1, value)
    assert (heartbeat.checkpoint_of(again, tmp_path) / "checkpoint.npz").read_text() == "half way"
    assert not (tmp_path / "trial-0").exists()


def test_a_trial_that_beats_is_left_alone(pair: tuple[Study, Study], tmp_path: Path) -> None:
    monitor = heartbeat.StaleTrialMonitor(pair[1], tmp_path, 0.4)
    with heartbeat.heartbeat(pair[0].ask(), 0.05):
        for _ in range(8):
            monitor.repeat_stale()
            time.sleep(0.1)
    assert states(pair[1]) == ["RUNNING"]


def test_heartbeats_end_when_others_took_the_trial_over(pair: tuple[Study, Study]) -> None:
    trial = pair[0].ask()
    with heartbeat.heartbeat(trial, 0.01):
        assert heartbeat.fail(pair[1], trial.number)
        time.sleep(0.1)
    assert not heartbeat.fail(pair[0], trial.number)


def test_a_trial_that_kills_its_workers_is_given_up(pair: tuple[Study, Study], tmp_path: Path) -> None:
    monitor = heartbeat.StaleTrialMonitor(pair[1], tmp_path, 0.02)
    for repetition in range(4):
        trial = pair[0].ask()
        assert trial.user_attrs.get("repeats", -1) == repetition - 1
        heartbeat.checkpoint_of(trial, tmp_path)
        monitor.repeat_stale()
        time.sleep(0.05)
        monitor.repeat_stale()
    assert states(pair[0]) == ["FAIL"] * 4
    assert not list(tmp_path.glob("trial-*"))


def test_a_trial_that_is_released_is_repeated_however_often(pair: tuple[Study, Study], tmp_path: Path) -> None:
    for repetition in range(6):
        trial = pair[0].ask()
        assert trial.number == repetition
        heartbeat.checkpoint_of(trial, tmp_path)
        heartbeat.release(pair[0], trial.number)
    assert states(pair[0]) == ["FAIL"] * 6 + ["WAITING"]
    assert [path.name for path in tmp_path.glob("trial-*")] == ["trial-5"]
