"""One worker of a study, with simulated trainings."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import optuna
import pytest
from mnist_edge_runtime.errors import VerificationError
from mnist_edge_trainer.data.datasets import Dataset, Split
from mnist_edge_trainer.networks.config import TrainConfig
from mnist_edge_trainer.training.callback import DivergedError
from mnist_edge_trainer.tuning import tune
from mnist_edge_trainer.tuning.search_space import SearchConfig
from mnist_edge_trainer.tuning.storage import open_storage
from optuna.trial import TrialState

Search = Callable[..., optuna.Study]


def test_only_validation_images_are_read(
    search: Search, simulated: dict[str, Any], small: tuple[Dataset, Split]
) -> None:
    search()
    assert len(simulated["measured"]) == 3
    assert all(images is small[1].validation.images for images in simulated["measured"])


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


def test_bad_trials_are_pruned_and_divergence_is_one_of_them(search: Search, simulated: dict[str, Any]) -> None:
    fates = iter([*([[0.5, 0.6, 0.7]] * 5), [0.5, 0.1, 0.9], DivergedError("NaN")])

    def next_fate(recipe: Any) -> list[float]:
        fate = next(fates)
        if isinstance(fate, Exception):
            raise fate
        return fate

    simulated["accuracies"] = next_fate
    trials = search(trials=7, parts={"epochs": 3}).get_trials()
    assert [trial.state.name for trial in trials] == ["COMPLETE"] * 5 + ["PRUNED"] * 2
    assert trials[5].intermediate_values == {1: 0.5, 2: 0.1}
    assert len(simulated["measured"]) == 5


def test_what_breaks_a_trial_is_told_and_does_not_count(
    search: Search, simulated: dict[str, Any], tmp_path: Path
) -> None:
    working = simulated["accuracies"]
    simulated["accuracies"] = lambda recipe: 1 / 0
    with pytest.raises(ZeroDivisionError):
        search()
    simulated["accuracies"] = working
    assert [trial.state.name for trial in search().get_trials()] == ["FAIL"] + ["COMPLETE"] * 3
    assert not list((tmp_path / "s").glob("trial-*"))


def test_an_interrupted_trial_is_continued(search: Search, simulated: dict[str, Any], tmp_path: Path) -> None:
    working = simulated["accuracies"]

    def interrupted(recipe: Any) -> list[float]:
        raise KeyboardInterrupt

    simulated["accuracies"] = interrupted
    with pytest.raises(KeyboardInterrupt):
        search()
    (tmp_path / "s" / "trial-0" / "checkpoint.npz").touch()
    seen = []
    simulated["accuracies"] = lambda recipe: [seen.append(sorted((tmp_path / "s").glob("trial-*/*"))) or 0.5]  # type: ignore[func-returns-value]
    search(trials=1)
    assert [[path.parent.name for path in paths] for paths in seen] == [["trial-1"]]
    simulated["accuracies"] = working
    trials = search().get_trials()
    assert [trial.state.name for trial in trials] == ["FAIL"] + ["COMPLETE"] * 3
    assert trials[0].params == trials[1].params


def test_a_worker_that_was_taken_for_dead_leaves_its_trial_to_the_other(
    search: Search, simulated: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    working = simulated["accuracies"]

    def taken_over(recipe: Any) -> list[float]:
        storage = open_storage(tmp_path / "s", None, create=False)
        optuna.load_study(storage=storage, study_name="s").tell(0, state=TrialState.FAIL)
        simulated["accuracies"] = working
        return [0.9]

    simulated["accuracies"] = taken_over
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


def test_networks_beyond_the_limits_are_not_tried(search: Search, capsys: pytest.CaptureFixture[str]) -> None:
    trials = search("within", networks=(), max_parameters=10_000, max_macs=500_000, trials=4).get_trials()
    assert {trial.params["network"] for trial in trials} == {"nano", "pico"}
    assert "skipped, larger than the limits: classic (110,474 parameters" in capsys.readouterr().err
    with pytest.raises(VerificationError, match=r"no network is within the limits: nano \(4,898 parameters"):
        search(max_parameters=100)
