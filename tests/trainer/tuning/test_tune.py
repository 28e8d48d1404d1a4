"""A study and its workers: real ones that train and are killed, and one whose trainings are played."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import optuna
import pytest
from mnist_edge.cli import app
from mnist_edge_runtime.errors import InputError, UsageError, VerificationError
from mnist_edge_trainer.data.datasets import Dataset, Split
from mnist_edge_trainer.data.idx import Arrays
from mnist_edge_trainer.networks.config import TrainConfig
from mnist_edge_trainer.training import fit
from mnist_edge_trainer.training.callback import DivergedError
from mnist_edge_trainer.tuning import results, study, tune
from mnist_edge_trainer.tuning.search_space import SearchConfig
from mnist_edge_trainer.tuning.storage import open_storage
from numpy.typing import NDArray
from optuna.trial import TrialState
from typer.testing import CliRunner

FINISHED = (TrialState.COMPLETE, TrialState.PRUNED)


def worker(*options: object, cwd: Path, trials_in_a_process: int = tune.TRIALS_IN_A_PROCESS) -> subprocess.Popen[str]:
    """Start `mnist-edge tune`."""
    code = (
        "from mnist_edge import cli; from mnist_edge_trainer import tune; "
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
    """Where four workers made one study of five trials, although one of them was killed amid its first."""
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
        (best, *_) = study.found(load(home / "runs/studies/classic"))
        assert record["study"] == {"name": "classic", "trial": best.trial, "accuracy": best.accuracy}
        assert record["recipe"] == {**best.recipe, "photometric": 0.5}
        assert (record["architecture"], record["seed"]) == ("classic", 0)


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Play trainings: `accuracies`, a function of the recipe, in place of epochs; `measured` are the images read."""
    play: dict[str, Any] = {"accuracies": lambda recipe: [0.5, 0.6, 0.7 + recipe.label_smoothing], "measured": []}

    def fitted(
        config: TrainConfig,
        split: Split,
        classes: int,
        folder: Path,
        watch: Callable[[Sequence[float]], None] | None = None,
    ) -> Any:
        assert folder.is_dir()
        accuracies = play["accuracies"](config.recipe(len(split.train_images)))
        for epoch in range(len(accuracies)):
            if watch:
                watch(accuracies[: epoch + 1])

        def measure(images: NDArray[np.uint8], labels: NDArray[np.int64]) -> Mapping[str, float]:
            play["measured"].append(images)
            return {"accuracy": accuracies[-1]}

        return SimpleNamespace(measure=measure)

    monkeypatch.setattr(fit, "fit", fitted)
    monkeypatch.setattr(tune, "TRIALS_IN_A_PROCESS", 100)
    return play


Search = Callable[..., optuna.Study]


@pytest.fixture
def search(played: dict[str, Any], small: tuple[Dataset, Split], tmp_path: Path) -> Search:
    """Work on the study `name` in this process, its trainings played."""

    def work(name: str = "s", **chosen: Any) -> optuna.Study:
        config = SearchConfig(**{"networks": ("nano",), "trials": 3, **chosen})
        searched = tune.tune(config, *small, open_storage(tmp_path / name, None, create=True), tmp_path / name)
        assert searched
        return searched

    return work


def test_only_validation_images_are_read(search: Search, played: dict[str, Any], small: tuple[Dataset, Split]) -> None:
    search()
    assert len(played["measured"]) == 3
    assert all(images is small[1].validation_images for images in played["measured"])


def test_the_search_begins_with_each_networks_own_recipe(search: Search) -> None:
    trials = search(networks=("tiny", "nano"), parts={"epochs": 4}).get_trials()
    for trial, network in zip(trials, ("tiny", "nano"), strict=False):
        recipe = vars(TrainConfig(network, parts={"epochs": 4}).recipe(300))
        assert (trial.params["network"], trial.user_attrs["recipe"]) == (network, recipe)
    assert trials[2].user_attrs["recipe"]["learning_rate"] != recipe["learning_rate"]


def test_a_study_that_is_resumed_goes_on_as_it_would_have(search: Search) -> None:
    whole = [trial.params for trial in search("whole", trials=13).get_trials()]
    search("parted", trials=4)
    assert [trial.params for trial in search("parted", trials=13).get_trials()] == whole
    assert len({json.dumps(params) for params in whole}) == 13
    assert [trial.params for trial in search("other", trials=3, seed=1).get_trials()][1:] != whole[1:3]


def test_bad_trials_are_pruned_and_divergence_is_one_of_them(search: Search, played: dict[str, Any]) -> None:
    fates = iter([*([[0.5, 0.6, 0.7]] * 5), [0.5, 0.1, 0.9], DivergedError("NaN")])

    def next_fate(recipe: Any) -> list[float]:
        fate = next(fates)
        if isinstance(fate, Exception):
            raise fate
        return fate

    played["accuracies"] = next_fate
    trials = search(trials=7, parts={"epochs": 3}).get_trials()
    assert [trial.state.name for trial in trials] == ["COMPLETE"] * 5 + ["PRUNED"] * 2
    assert trials[5].intermediate_values == {1: 0.5, 2: 0.1}
    assert len(played["measured"]) == 5


def test_what_breaks_a_trial_is_told_and_does_not_count(search: Search, played: dict[str, Any], tmp_path: Path) -> None:
    working = played["accuracies"]
    played["accuracies"] = lambda recipe: 1 / 0
    with pytest.raises(ZeroDivisionError):
        search()
    played["accuracies"] = working
    assert [trial.state.name for trial in search().get_trials()] == ["FAIL"] + ["COMPLETE"] * 3
    assert not list((tmp_path / "s").glob("trial-*"))


def test_what_a_person_interrupts_is_gone_on_with(search: Search, played: dict[str, Any], tmp_path: Path) -> None:
    working = played["accuracies"]

    def interrupted(recipe: Any) -> list[float]:
        raise KeyboardInterrupt

    played["accuracies"] = interrupted
    with pytest.raises(KeyboardInterrupt):
        search()
    (tmp_path / "s" / "trial-0" / "checkpoint.npz").touch()
    seen = []
    played["accuracies"] = lambda recipe: [seen.append(sorted((tmp_path / "s").glob("trial-*/*"))) or 0.5]  # type: ignore[func-returns-value]
    search(trials=1)
    assert [[path.parent.name for path in paths] for paths in seen] == [["trial-1"]]
    played["accuracies"] = working
    trials = search().get_trials()
    assert [trial.state.name for trial in trials] == ["FAIL"] + ["COMPLETE"] * 3
    assert trials[0].params == trials[1].params


def test_a_worker_that_was_taken_for_dead_leaves_its_trial_to_the_other(
    search: Search, played: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    working, other = played["accuracies"], tmp_path / "s"

    def taken_over(recipe: Any) -> list[float]:
        load(other).tell(0, state=TrialState.FAIL)
        played["accuracies"] = working
        return [0.9]

    played["accuracies"] = taken_over
    trials = search().get_trials()
    assert [trial.state.name for trial in trials] == ["FAIL"] + ["COMPLETE"] * 3
    assert "trial 0: left to another worker" in capsys.readouterr().err


def test_a_process_ends_after_its_share_of_trials(
    search: Search, small: tuple[Dataset, Split], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tune, "TRIALS_IN_A_PROCESS", 2)
    config, storage = SearchConfig(("nano",), trials=3), open_storage(tmp_path / "s", None, create=True)
    assert tune.tune(config, *small, storage, tmp_path / "s") is None
    assert len(search().get_trials()) == 3


def test_other_options_are_another_study(search: Search) -> None:
    search(trials=1)
    for chosen in ({"seed": 1}, {"objectives": ("accuracy", "macs")}, {"parts": {"epochs": 9}}, {"networks": ()}):
        with pytest.raises(UsageError, match="study 's' was begun with"):
            search(**chosen)
    assert len(search(trials=2, stale_after=9).get_trials()) == 2


def test_networks_beyond_the_limits_are_not_tried(search: Search, capsys: pytest.CaptureFixture[str]) -> None:
    trials = search("within", networks=(), max_parameters=10_000, max_macs=500_000, trials=4).get_trials()
    assert {trial.params["network"] for trial in trials} == {"nano"}
    assert "beyond the limits: classic (110,474 parameters" in capsys.readouterr().err
    with pytest.raises(VerificationError, match=r"no network is within the limits: nano \(4,898 parameters"):
        search(max_parameters=100)


def test_several_objectives_end_in_a_front(search: Search, played: dict[str, Any], tmp_path: Path) -> None:
    goals = ("accuracy", "macs", "parameters")
    played["accuracies"] = lambda recipe: [0.9 if recipe.dropout else 0.8 + recipe.label_smoothing]
    searched = search(networks=(), objectives=goals, trials=12)
    found = results.collect(searched, goals)
    costs = [(row.accuracy, -row.macs, -row.parameters) for row in found.best]
    everything = [(trial.values[0], -trial.values[1], -trial.values[2]) for trial in searched.get_trials()]
    for row in costs:
        assert not [
            other for other in everything if other != row and all(a >= b for a, b in zip(other, row, strict=True))
        ]
    assert "those that no other beats in everything" in found.table()
    files = results.save(found, searched, tmp_path / "s")
    assert [file.name for file in files] == ["history.png", "importances.png", "trade-off.png"]


def test_importances_name_what_accuracy_depends_on(search: Search, played: dict[str, Any]) -> None:
    played["accuracies"] = lambda recipe: [0.5 + 4 * recipe.label_smoothing]
    found = results.collect(search(trials=20), ("accuracy",))
    assert next(iter(found.importances)) == "nano.label_smoothing"
    assert found.best[0].accuracy > 0.85
    assert f"trial {found.best[0].trial}: --arch nano --learning-rate" in found.table()


class TestRecall:
    def test_the_best_trial_or_another(self, search: Search, tmp_path: Path) -> None:
        trials = search(study.folder_of(Path(), "s").as_posix(), trials=4, seed=7, networks=("nano",)).get_trials()
        best = max(trials, key=lambda trial: (trial.value or 0, -trial.number))
        found = study.recall(tmp_path, "s", None)
        assert (found.trial, found.accuracy, found.seed) == (best.number, best.value, 7)
        assert study.recall(tmp_path, "s:1", None).recipe == trials[1].user_attrs["recipe"]
        for choice in ("s:9", "t"):
            with pytest.raises(InputError, match=r"trial 9 is not complete|no study 't'; there are s"):
                study.recall(tmp_path, choice, None)

    def test_its_recipe_is_the_default(self, search: Search) -> None:
        found, *_ = study.found(search())
        config = found.training(None, None, None, None, {})
        assert vars(config.recipe(55_000)) == found.recipe == vars(config.recipe(300))
        config = found.training("tiny", 5, "strong", None, {"shift": 1.0})
        recipe = config.recipe(300)
        assert (config.architecture, config.seed, recipe.shift, recipe.rotation) == ("tiny", 5, 1.0, 20.0)
        assert recipe.learning_rate == found.recipe["learning_rate"]


@pytest.fixture
def postgresql(closed_port: int) -> Iterator[str]:
    """The URL of a database on a server of the test's own."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not programs:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    # The server refuses to run as root, and others may not enter pytest's folders.
    account = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"] if os.geteuid() == 0 else []
    with tempfile.TemporaryDirectory(prefix="mnist-edge-postgresql-") as folder:
        if account:
            shutil.chown(folder, "nobody", "nogroup")

        def run(program: str, *arguments: str) -> None:
            command = [*account, programs[-1] / program, "-D", f"{folder}/data", *arguments]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=folder)

        run("initdb", "--username=maker", "--auth=trust", "--no-sync")
        server = f"-F -p {closed_port} -h 127.0.0.1 -k {folder}"
        run("pg_ctl", "start", "--wait", "-l", f"{folder}/log", "-o", server)
        try:
            yield f"postgresql+psycopg://maker@127.0.0.1:{closed_port}/postgres"
        finally:
            run("pg_ctl", "stop", "--wait", "-m", "immediate")


def test_postgresql_holds_the_study_of_four_workers(
    postgresql: str, played: dict[str, Any], small: tuple[Dataset, Split], tmp_path: Path
) -> None:
    pytest.importorskip("psycopg", reason="psycopg is not installed: pip install 'psycopg[binary]'")
    played["accuracies"] = lambda recipe: [0.5, 0.6 + recipe.label_smoothing]
    config = SearchConfig(networks=("nano",), trials=8, stale_after=1)
    folder = study.folder_of(tmp_path, "s")

    def work(number: int) -> optuna.Study | None:
        storage = open_storage(folder, postgresql, create=True)  # at once: each of them would make the tables
        return tune.tune(config, *small, storage, folder)

    with ThreadPoolExecutor(4) as pool:
        studies = list(pool.map(work, range(4)))
    found = studies[0]
    assert found
    assert [trial.state for trial in found.get_trials()].count(TrialState.COMPLETE) == 8

    killed = found.ask()
    parts = study.suggest(killed, config, ("nano",))
    tune.tune(replace(config, trials=9), *small, open_storage(folder, postgresql, create=True), folder)
    trials = found.get_trials()
    assert trials[killed.number].state == TrialState.FAIL
    assert trials[-1].user_attrs["repeats"] == killed.number
    assert (
        trials[-1].params
        == killed.params
        == {"network": "nano", **{f"nano.{name}": parts[1][name] for name in parts[1]}}
    )
    assert study.recall(tmp_path, "s", postgresql).accuracy == max(trial.values[0] for trial in trials if trial.values)
    assert not list(folder.glob("*"))
    optuna.create_study(storage=open_storage(folder, postgresql, create=True), study_name="foreign")
    with pytest.raises(InputError, match="study 'foreign' is none of mnist-edge tune"):
        study.recall(tmp_path, "foreign", postgresql)
    with pytest.raises(InputError, match="the storage holds no study 't'; it holds foreign, s"):
        study.recall(tmp_path, "t", postgresql)


@pytest.mark.parametrize(
    ("url", "error", "message"),
    [
        ("nowhere", UsageError, "expected a URL"),
        ("nosuchdatabase://host/x", UsageError, "cannot be used"),
        ("postgresql+psycopg://me:secret@127.0.0.1:1/x", InputError, r"me:\*\*\*@127\.0\.0\.1:1/x: cannot be used"),
    ],
)
def test_a_database_that_cannot_be_had(url: str, error: type[Exception], message: str, tmp_path: Path) -> None:
    with pytest.raises(error, match=message) as caught:
        open_storage(tmp_path, url, create=True)
    assert "secret" not in str(caught.value)


def test_a_damaged_journal_is_named(tmp_path: Path) -> None:
    (tmp_path / "journal.log").write_text("no journal\nat all\n")
    with pytest.raises(InputError, match=r"journal\.log: damaged"):
        open_storage(tmp_path, None, create=True)
