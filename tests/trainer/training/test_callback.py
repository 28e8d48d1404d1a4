"""Early stopping, and a loss that is no number, in real trainings."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from mnist_edge_runtime.errors import UsageError
from mnist_edge_trainer.data.datasets import Dataset, Split
from mnist_edge_trainer.networks.config import TrainConfig
from mnist_edge_trainer.training import checkpoint, fit


@pytest.mark.long
class TestPatience:
    def test_it_stops_and_keeps_the_best_epoch(self, small: tuple[Dataset, Split], tmp_path: Path) -> None:
        """A learning rate far too high: the loss soon rises and stays high."""
        parts = {"epochs": 40, "batch_size": 64, "learning_rate": 0.03, "patience": 2}
        config = TrainConfig("classic", parts=parts)
        stopped = fit.train(config, *small, tmp_path)
        losses = stopped.history["val_loss"]
        assert len(losses) == int(np.argmin(losses)) + 1 + 2 < 40
        assert stopped.record["metrics"]["validation"]["loss"] == pytest.approx(min(losses), rel=1e-4)
        again = fit.train(config, *small, tmp_path)
        assert again.history == stopped.history
        for array, expected in zip(again.model.get_weights(), stopped.model.get_weights(), strict=True):
            np.testing.assert_array_equal(array, expected)

    def test_the_averaged_weights_are_those_that_are_judged(self, small: tuple[Dataset, Split]) -> None:
        parts = {"epochs": 5, "batch_size": 64, "ema": 0.2, "patience": 5}
        found = fit.train(TrainConfig("classic", parts=parts), *small)
        best = min(found.history["val_loss"])
        assert found.record["metrics"]["validation"]["loss"] == pytest.approx(best, rel=1e-4)


@pytest.mark.long
def test_a_loss_that_is_no_number_leaves_no_checkpoint(small: tuple[Dataset, Split], tmp_path: Path) -> None:
    config = TrainConfig("classic", parts={"epochs": 3, "learning_rate": 10.0, "batch_size": 8, "weight_decay": 10.0})
    with pytest.raises(UsageError, match="NaN or infinite"):
        fit.train(config, *small, tmp_path)
    state = checkpoint.read(tmp_path)
    assert state is None or all(np.isfinite(values).all() for values in state.history.values())
