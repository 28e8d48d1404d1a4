from __future__ import annotations

from pathlib import Path

import pytest
from mnist_edge_runtime.errors import InputError, UsageError
from mnist_edge_trainer.networks.config import TrainConfig
from mnist_edge_trainer.training.train import train_run


def test_a_run_is_written_and_the_working_folder_goes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = TrainConfig("nano", augment="none", parts={"epochs": 1, "batch_size": 256})
    run = train_run(config, "digits", "mine", tmp_path / "runs")
    assert (run.name, run.record["architecture"], run.record["dataset"]["name"]) == ("mine", "nano", "digits")
    assert sorted(path.name for path in (tmp_path / "runs").iterdir()) == ["latest", "mine"]
    assert "digits from scikit-learn: 1,297 training, 200 validation, 300 test images" in capsys.readouterr().err


def test_what_is_missing_is_told_before_anything_is_written(tmp_path: Path) -> None:
    for error, data, name, teachers in (
        (UsageError, "digits", "../up", ()),
        (InputError, "digits", "mine", ("nobody",)),
        (InputError, str(tmp_path / "nowhere"), "mine", ()),
    ):
        with pytest.raises(error):
            train_run(TrainConfig(), data, name, tmp_path / "runs", teachers)
    assert not (tmp_path / "runs").exists()
