from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import optuna
import pytest
from mnist_edge_runtime.errors import InputError, UsageError
from mnist_edge_trainer.data.datasets import Dataset, Split
from mnist_edge_trainer.tuning import study, tune
from mnist_edge_trainer.tuning.search_space import SearchConfig
from mnist_edge_trainer.tuning.storage import open_storage
from optuna.trial import TrialState


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


@pytest.mark.long
def test_postgresql_holds_the_study_of_four_workers(
    postgresql: str,
    simulated: dict[str, Any],
    small: tuple[Dataset, Split],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip("psycopg", reason="psycopg is not installed: pip install 'psycopg[binary]'")
    simulated["accuracies"] = lambda recipe: [0.5, 0.6 + recipe.label_smoothing]
    # The workers are threads here and processes in use: it would clear the layer names of all threads.
    monkeypatch.setattr(keras.utils, "clear_session", lambda free_memory: None)
    config = SearchConfig(networks=("nano",), trials=8)
    folder = study.folder_of(tmp_path, "s")

    def work(number: int) -> optuna.Study | None:
        storage = open_storage(folder, postgresql, create=True)  # simultaneously: each of them would create the tables
        return tune.tune(config, *small, storage, folder)

    with ThreadPoolExecutor(4) as pool:
        studies = list(pool.map(work, range(4)))
    found = studies[0]
    assert found
    assert [trial.state for trial in found.get_trials()].count(TrialState.COMPLETE) == 8

    killed = found.ask()
    parts = study.suggest(killed, config, ("nano",))
    tune.tune(replace(config, trials=9, stale_after=1), *small, open_storage(folder, postgresql, create=True), folder)
    trials = found.get_trials()
    assert trials[killed.number].state == TrialState.FAIL
    assert trials[-1].user_attrs["repeats"] == killed.number
    assert (
        trials[-1].params
        == killed.params
        == {"network": "nano", **{f"nano.{name}": parts[1][name] for name in parts[1]}}
    )
    assert study.find_trial(tmp_path, "s", postgresql).accuracy == max(
        trial.values[0] for trial in trials if trial.values
    )
    assert not list(folder.glob("*"))
    optuna.create_study(storage=open_storage(folder, postgresql, create=True), study_name="foreign")
    with pytest.raises(InputError, match="study 'foreign' was not created by mnist-edge tune"):
        study.find_trial(tmp_path, "foreign", postgresql)
    with pytest.raises(InputError, match="the storage has no study 't'; it has foreign, s"):
        study.find_trial(tmp_path, "t", postgresql)


@pytest.mark.parametrize(
    ("url", "error", "message"),
    [
        ("nowhere", UsageError, "expected a URL"),
        ("nosuchdatabase://host/x", UsageError, "cannot be used"),
        ("postgresql+psycopg://me:secret@127.0.0.1:1/x", InputError, r"me:\*\*\*@127\.0\.0\.1:1/x: cannot be used"),
    ],
)
def test_a_database_that_is_not_available(url: str, error: type[Exception], message: str, tmp_path: Path) -> None:
    with pytest.raises(error, match=message) as caught:
        open_storage(tmp_path, url, create=True)
    assert "secret" not in str(caught.value)


def test_a_damaged_journal_is_named(tmp_path: Path) -> None:
    (tmp_path / "journal.log").write_text("no journal\nat all\n")
    with pytest.raises(InputError, match=r"journal\.log: damaged"):
        open_storage(tmp_path, None, create=True)


def test_a_line_that_was_left_unfinished_is_removed(tmp_path: Path) -> None:
    first = optuna.create_study(storage=open_storage(tmp_path, None, create=True), study_name="s")
    second = optuna.load_study(storage=open_storage(tmp_path, None, create=False), study_name="s")
    first.ask()
    with open(tmp_path / "journal.log", "a") as journal:
        journal.write('{"op_code":4,"worker')
    second.ask()
    found = optuna.load_study(storage=open_storage(tmp_path, None, create=False), study_name="s")
    assert [trial.state for trial in found.trials] == [TrialState.RUNNING] * 2
