from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import optuna
import pytest
from mnist_edge_trainer.tuning import results

Search = Callable[..., optuna.Study]


@pytest.mark.long
def test_several_objectives_end_in_a_front(search: Search, simulated: dict[str, Any], tmp_path: Path) -> None:
    goals = ("accuracy", "macs", "parameters")
    simulated["accuracies"] = lambda recipe: [0.9 if recipe.dropout else 0.8 + recipe.label_smoothing]
    searched = search(networks=(), objectives=goals, trials=12)
    found = results.collect(searched, goals)
    costs = [(row.accuracy, -row.macs, -row.parameters) for row in found.best]
    everything = [(trial.values[0], -trial.values[1], -trial.values[2]) for trial in searched.get_trials()]
    for row in costs:
        assert not [
            other for other in everything if other != row and all(a >= b for a, b in zip(other, row, strict=True))
        ]
    assert "the Pareto front" in found.table()
    files = results.save(found, searched, tmp_path / "s")
    assert [file.name for file in files] == ["history.png", "importances.png", "trade-off.png"]


def test_importances_name_what_accuracy_depends_on(search: Search, simulated: dict[str, Any]) -> None:
    simulated["accuracies"] = lambda recipe: [0.5 + 4 * recipe.label_smoothing]
    found = results.collect(search(trials=20), ("accuracy",))
    assert next(iter(found.importances)) == "nano.label_smoothing"
    assert found.best[0].accuracy > 0.85
    assert f"trial {found.best[0].trial}: --arch nano --learning-rate" in found.table()
