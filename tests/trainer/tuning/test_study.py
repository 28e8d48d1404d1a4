from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import optuna
import pytest
from mnist_edge_runtime.errors import InputError, UsageError
from mnist_edge_trainer.tuning import study

Search = Callable[..., optuna.Study]


@pytest.mark.long
def test_other_options_are_another_study(search: Search) -> None:
    search(trials=1)
    for chosen in ({"seed": 1}, {"objectives": ("accuracy", "macs")}, {"parts": {"epochs": 9}}, {"networks": ()}):
        with pytest.raises(UsageError, match="study 's' was begun with"):
            search(**chosen)
    assert len(search(trials=2, stale_after=9).get_trials()) == 2


class TestFindTrial:
    def test_the_best_trial_or_another(self, search: Search, tmp_path: Path) -> None:
        trials = search(study.folder_of(Path(), "s").as_posix(), trials=4, seed=7, networks=("nano",)).get_trials()
        best = max(trials, key=lambda trial: (trial.value or 0, -trial.number))
        found = study.find_trial(tmp_path, "s", None)
        assert (found.trial, found.accuracy, found.seed) == (best.number, best.value, 7)
        assert study.find_trial(tmp_path, "s:1", None).recipe == trials[1].user_attrs["recipe"]
        for choice in ("s:9", "t"):
            with pytest.raises(InputError, match=r"trial 9 is not complete|no study 't'; there are s"):
                study.find_trial(tmp_path, choice, None)

    def test_its_recipe_is_the_default(self, search: Search) -> None:
        found, *_ = study.complete_trials(search())
        config = found.training(None, None, None, None, {})
        assert vars(config.recipe(55_000)) == found.recipe == vars(config.recipe(300))
        config = found.training("tiny", 5, "strong", None, {"shift": 1.0})
        recipe = config.recipe(300)
        assert (config.architecture, config.seed, recipe.shift, recipe.rotation) == ("tiny", 5, 1.0, 20.0)
        assert recipe.learning_rate == found.recipe["learning_rate"]
