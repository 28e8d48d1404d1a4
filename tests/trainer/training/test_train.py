from __future__ import annotations

from pathlib import Path

import pytest
from mnist_edge_runtime.errors import InputError, UsageError
from mnist_edge_trainer.networks.config import TrainConfig
from mnist_edge_trainer.runs import locks
from mnist_edge_trainer.training import checkpoint, fit
from mnist_edge_trainer.training.train import train_run


@pytest.mark.long
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


def test_one_training_of_a_name(tmp_path: Path) -> None:
    """The second is told before it has loaded anything: its data does not even exist."""
    with (
        locks.training(tmp_path, "mine"),
        pytest.raises(InputError, match=r"mine: is being trained by process \d+ on .* since .*--name"),
    ):
        train_run(TrainConfig(), str(tmp_path / "nowhere"), "mine", tmp_path)


@pytest.mark.long
def test_a_full_disk_is_named_with_what_was_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second checkpoint does not fit; with --resume the training ends as it would have."""
    config = TrainConfig("nano", augment="none", parts={"epochs": 2, "batch_size": 256})
    write, full = checkpoint.write, OSError(28, "No space left on device")

    def until_full(folder: Path, state: checkpoint.State) -> None:
        if (folder / "checkpoint.npz").exists():
            raise full
        write(folder, state)

    monkeypatch.setattr(checkpoint, "write", until_full)
    with pytest.raises(InputError, match=r"runs: no space left on the disk; epoch 1 is kept: make room, .*--resume"):
        train_run(config, "digits", "mine", tmp_path / "runs")
    monkeypatch.undo()
    assert train_run(config, "digits", "mine", tmp_path / "runs", resume=True).name == "mine"
    assert sorted(path.name for path in (tmp_path / "runs").iterdir()) == ["latest", "mine"]


@pytest.mark.long
def test_a_full_disk_before_the_first_epoch_keeps_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(folder: Path, state: checkpoint.State) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoint, "write", full)
    with pytest.raises(InputError, match=r"nothing was kept of this training; make room"):
        train_run(TrainConfig("nano", parts={"epochs": 2}), "digits", "mine", tmp_path / "runs")
    assert not (tmp_path / "runs").exists()


def test_a_full_disk_of_tensorboard_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise RuntimeError("logs/events.out; No space left on device [Op:WriteSummary]")

    monkeypatch.setattr(fit, "train", full)
    config = TrainConfig("nano", fast=True, tensorboard=tmp_path / "logs")
    with pytest.raises(InputError, match=r"logs: no space left on the disk; nothing was kept"):
        train_run(config, "digits", "mine", tmp_path / "runs")
    with pytest.raises(RuntimeError, match="No space"):
        train_run(TrainConfig("nano", fast=True), "digits", "mine", tmp_path / "runs")
