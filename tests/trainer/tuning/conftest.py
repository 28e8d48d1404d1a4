"""A study with simulated trainings."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import optuna
import pytest
from mnist_edge_trainer.data.datasets import Dataset, Split
from mnist_edge_trainer.networks.config import TrainConfig
from mnist_edge_trainer.training import fit
from mnist_edge_trainer.tuning import tune
from mnist_edge_trainer.tuning.search_space import SearchConfig
from mnist_edge_trainer.tuning.storage import open_storage
from numpy.typing import NDArray

Search = Callable[..., optuna.Study]


@pytest.fixture
def simulated(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Simulate trainings: `accuracies` maps a recipe to those of its epochs; `measured` collects the images used."""
    simulation: dict[str, Any] = {"accuracies": lambda recipe: [0.5, 0.6, 0.7 + recipe.label_smoothing], "measured": []}

    def fitted(
        config: TrainConfig,
        split: Split,
        classes: int,
        folder: Path,
        watch: Callable[[Sequence[float]], None] | None = None,
    ) -> Any:
        assert folder.is_dir()
        accuracies = simulation["accuracies"](config.recipe(len(split.train.images)))
        for epoch in range(len(accuracies)):
            if watch:
                watch(accuracies[: epoch + 1])

        def measure(images: NDArray[np.uint8], labels: NDArray[np.int64]) -> Mapping[str, float]:
            simulation["measured"].append(images)
            return {"accuracy": accuracies[-1]}

        return SimpleNamespace(measure=measure)

    monkeypatch.setattr(fit, "fit", fitted)
    monkeypatch.setattr(tune, "TRIALS_IN_A_PROCESS", 100)
    return simulation


@pytest.fixture
def search(simulated: dict[str, Any], small: tuple[Dataset, Split], tmp_path: Path) -> Search:
    """Work on the study `name` in this process, with simulated trainings."""

    def work(name: str = "s", **chosen: Any) -> optuna.Study:
        config = SearchConfig(**{"networks": ("nano",), "trials": 3, **chosen})
        searched = tune.tune(config, *small, open_storage(tmp_path / name, None, create=True), tmp_path / name)
        assert searched
        return searched

    return work
