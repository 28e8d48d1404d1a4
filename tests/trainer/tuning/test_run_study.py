"""Real workers of a study, that train and are killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import optuna
import pytest
from mnist_edge.cli import app
from mnist_edge_trainer.data.datasets import Dataset, Split
from mnist_edge_trainer.data.idx import Arrays
from mnist_edge_trainer.tuning import study, tune
from mnist_edge_trainer.tuning.storage import open_storage
from optuna.trial import TrialState
from typer.testing import CliRunner

FINISHED = (TrialState.COMPLETE, TrialState.PRUNED)


def worker(*options: object, cwd: Path, trials_in_a_process: int = tune.TRIALS_IN_A_PROCESS) -> subprocess.Popen[str]:
    """Start `mnist-edge tune`."""
    code = (
        "from mnist_edge import cli; from mnist_edge_trainer.tuning import tune; "
        f"tune.TRIALS_IN_A_PROCESS = {trials_in_a_process}; cli.main()"
    )
    command = [sys.executable, "-c", code, "tune", *map(str, options)]
    pipe = subprocess.PIPE
    environment = {**os.environ, "TF_NUM_INTRAOP_THREADS": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}
    return subprocess.Popen(command, cwd=cwd, env=environment, stdout=pipe, stderr=pipe, text=True)


def load(folder: Path) -> optuna.Study:
    return optuna.load_study(storage=open_storage(folder, None, create=False), study_name=folder.name)


@pytest.fixture(scope="module")
def home(
    small: tuple[Dataset, Split],
    write_folder: Callable[[Path, Arrays], Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """Where four workers made one study of five trials, although one of them was killed during its first."""
    home, data = tmp_path_factory.mktemp("tune"), small[0]
    write_folder(home / "data", Arrays(data.train_images, data.train_labels, data.test_images, data.test_labels))
    options = ["--data", "data", "--arch", "classic", "--epochs", 2, "--trials", 5, "--stale-after", 5, "--json"]
    victim, *others = (worker(*options, cwd=home) for _ in range(3))
    others.append(worker(*options, cwd=home, trials_in_a_process=1))  # a new process for each trial
    assert victim.stderr
    for line in victim.stderr:
        if line.startswith("epoch 1/"):
            victim.kill()
    assert victim.wait(30) == -signal.SIGKILL
    victim.communicate()
    for survivor in others:
        out, log = survivor.communicate(timeout=300)
        assert survivor.returncode == 0, log
        processes, tried = log.count("training, "), log.count(": --arch")  # each process tells what data it found
        assert processes in ((tried, tried + 1) if tried and survivor is others[-1] else (1,)), log
        (home / f"{survivor.pid}.json").write_text(out)
    return home


@pytest.mark.long
class TestFourWorkersOneOfThemKilled:
    def test_nothing_is_lost(self, home: Path) -> None:
        trials = load(home / "runs/studies/classic").get_trials()
        assert sum(trial.state in FINISHED for trial in trials) == 5
        assert not [trial for trial in trials if trial.state in (TrialState.RUNNING, TrialState.WAITING)]
        (repeated,) = (trial for trial in trials if "repeats" in trial.user_attrs)
        before = repeated.user_attrs["repeats"]
        assert trials[before].state == TrialState.FAIL
        assert trials[before].params == repeated.params
        assert repeated.state in FINISHED
        distinct = {json.dumps(trial.params) for trial in trials if trial.state in FINISHED}
        assert len(distinct) == 5

    def test_every_worker_tells_the_same(self, home: Path) -> None:
        documents = [json.loads(file.read_text()) for file in home.glob("*.json")]
        assert documents[0] == documents[1] == documents[2]
        document = documents[0]
        assert (document["study"], document["objectives"]) == ("classic", ["accuracy"])
        assert document["trials"]["complete"] + document["trials"]["pruned"] == 5
        trials = load(home / "runs/studies/classic").get_trials(states=(TrialState.COMPLETE,))
        best = document["best"][0]
        assert best["accuracy"] == max(trial.values[0] for trial in trials)
        assert (best["architecture"], best["parameters"]) == ("classic", 110_474)
        assert "runs/studies/classic/history.png" in document["files"]
        assert all((home / file).stat().st_size > 5_000 for file in document["files"])
        left = [path.name for path in (home / "runs/studies/classic").iterdir() if path.suffix != ".png"]
        assert left == ["journal.log"]

    def test_train_by_the_best_trial(self, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(home)
        options = ["--from-study", "classic", "--data", "data", "--photometric", "0.5", "--json"]
        record = json.loads(CliRunner().invoke(app, ["train", *options], catch_exceptions=False).stdout)
        (best, *_) = study.complete_trials(load(home / "runs/studies/classic"))
        assert record["study"] == {"name": "classic", "trial": best.trial, "accuracy": best.accuracy}
        assert record["recipe"] == {**best.recipe, "photometric": 0.5}
        assert (record["architecture"], record["seed"]) == ("classic", 0)
