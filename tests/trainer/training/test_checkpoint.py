"""A checkpoint, and that a training that is killed resumes to the same weights, bit by bit."""

from __future__ import annotations

import contextlib
import dataclasses
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mnist_edge_runtime.errors import InputError, UsageError
from mnist_edge_trainer.data import datasets
from mnist_edge_trainer.data.datasets import Dataset, Split
from mnist_edge_trainer.networks.config import TrainConfig
from mnist_edge_trainer.runs.run import Run, TrainedRun
from mnist_edge_trainer.training import checkpoint, fit
from mnist_edge_trainer.training.checkpoint import State, working_folder
from mnist_edge_trainer.training.trained_network import TrainedNetwork, of_run

# Everything that has a state of its own: moments, averaged weights, dropout, best weights, soft targets.
PARTS = {"epochs": 4, "batch_size": 64, "dropout": 0.3, "patience": 9, "variants": 2, "clean": 0.5}
CONFIG = TrainConfig("nano", seed=7, augment="strong", parts=PARTS)
HISTORY = {"loss": [0.1 + 0.2, 1 / 3], "val_loss": [1e-17, 2.0]}


def state(best: int = 0) -> State:
    random = np.random.default_rng(0)
    variables = [random.random(shape).astype(np.float32) for shape in ((3, 4), (), (5,))]
    return State(HISTORY, 12.5, (*variables, np.array(7, np.int64)), tuple(np.full(2, n) for n in range(best)))


def assert_same(found: State | None, expected: State) -> None:
    assert found
    assert (found.history, found.seconds) == (expected.history, expected.seconds)
    for kind in ("variables", "best"):
        for array, other in zip(getattr(found, kind), getattr(expected, kind), strict=True):
            np.testing.assert_array_equal(array, other)
            assert array.dtype == other.dtype


@pytest.mark.parametrize("best", [0, 12])
def test_a_state_is_read_as_it_was_written(tmp_path: Path, best: int) -> None:
    checkpoint.write(tmp_path, state())
    checkpoint.write(tmp_path, state(best))
    assert_same(checkpoint.read(tmp_path), state(best))
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint.npz"]


def test_where_nothing_was_written_there_is_nothing(tmp_path: Path) -> None:
    assert checkpoint.read(tmp_path) is None


def test_a_write_that_fails_leaves_the_state_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checkpoint.write(tmp_path, state())

    def half(file: Path, content: Any) -> None:
        with file.open("wb") as opened:
            opened.write(b"PK")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", half)
    with pytest.raises(OSError, match="No space"):
        checkpoint.write(tmp_path, state(3))
    monkeypatch.undo()
    assert_same(checkpoint.read(tmp_path), state())
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("spoil", [lambda b: b[: len(b) // 2], lambda b: b"", lambda b: b"\0" * len(b)])
def test_a_damaged_file_is_named(tmp_path: Path, spoil: Any) -> None:
    checkpoint.write(tmp_path, state())
    file = tmp_path / "checkpoint.npz"
    file.write_bytes(spoil(file.read_bytes()))
    with pytest.raises(InputError, match="without --resume") as caught:
        checkpoint.read(tmp_path)
    assert str(file) in str(caught.value)


ONE, OTHER = "0123456789abcde0", "0123456789abcde1"  # fingerprints


class TestWorkingFolder:
    def test_it_is_hidden_and_goes_when_all_went_well(self, tmp_path: Path) -> None:
        with working_folder(tmp_path / "runs", "mine", ONE, resume=False) as folder:
            assert folder.is_dir()
            assert folder.parent == tmp_path / "runs"
            assert folder.name.startswith(".mine.")
            checkpoint.write(folder, state())
        assert list((tmp_path / "runs").iterdir()) == []

    def left(self, runs: Path, name: str = "mine", fingerprint: str = ONE) -> Path:
        """Return the folder of a training that was interrupted."""
        with contextlib.suppress(KeyboardInterrupt), working_folder(runs, name, fingerprint, resume=False) as folder:
            checkpoint.write(folder, state())
            raise KeyboardInterrupt
        return folder

    def test_what_was_cut_short_is_found_again(self, tmp_path: Path) -> None:
        left = self.left(tmp_path)
        with working_folder(tmp_path, "mine", ONE, resume=True) as folder:
            assert folder == left
            assert_same(checkpoint.read(folder), state())

    def test_without_resume_it_begins_anew(self, tmp_path: Path) -> None:
        self.left(tmp_path)
        with working_folder(tmp_path, "mine", ONE, resume=False) as folder:
            assert checkpoint.read(folder) is None

    def test_other_options_are_told(self, tmp_path: Path) -> None:
        left = self.left(tmp_path)
        with (
            pytest.raises(UsageError, match="interrupted training of 'mine' had other options or data"),
            working_folder(tmp_path, "mine", OTHER, resume=True),
        ):
            pytest.fail("it went on")
        assert checkpoint.read(left)

    @pytest.mark.parametrize("name", ["min", "mine-2", "yours", "mine.2", "mi"])
    def test_with_nothing_to_resume_it_begins(self, tmp_path: Path, name: str) -> None:
        self.left(tmp_path)
        self.left(tmp_path, "mi.1")
        with working_folder(tmp_path, name, OTHER, resume=True) as folder:
            assert checkpoint.read(folder) is None

    def test_what_killed_processes_left_goes_and_checkpoints_stay(self, tmp_path: Path) -> None:
        """An unfinished write goes, and so does a folder without a checkpoint."""
        left = self.left(tmp_path, fingerprint="0123456789abcdef")
        (left / ".89abcdef.checkpoint.npz").write_bytes(b"PK")
        empty = tmp_path / ".mine.fedcba9876543210"
        empty.mkdir()
        with working_folder(tmp_path, "mine", "0123456789abcdef", resume=True) as folder:
            assert [path.name for path in folder.iterdir()] == ["checkpoint.npz"]
        assert list(tmp_path.iterdir()) == []

    def test_a_failure_before_the_first_checkpoint_leaves_nothing(self, tmp_path: Path) -> None:
        with pytest.raises(ZeroDivisionError), working_folder(tmp_path, "mine", ONE, resume=False):
            raise ZeroDivisionError
        assert list(tmp_path.iterdir()) == []


class TestFingerprint:
    @pytest.fixture
    def teacher(self, tmp_path: Path) -> TrainedNetwork:
        return TrainedNetwork("file", "teacher", "classic", tmp_path / "model.keras", "SHA-256 of the weights")

    @pytest.mark.long
    def test_it_depends_on_all_that_the_weights_depend_on(
        self, small: tuple[Dataset, Split], teacher: TrainedNetwork
    ) -> None:
        dataset, split = small
        relabelled = dataclasses.replace(dataset, labels=tuple("abcdefghij"))
        resplit = datasets.split(dataclasses.replace(dataset, train_labels=dataset.train_labels[::-1]))
        config = TrainConfig()
        found = [
            checkpoint.fingerprint(config, dataset, split, []),
            checkpoint.fingerprint(TrainConfig("nano"), dataset, split, []),
            checkpoint.fingerprint(TrainConfig(seed=1), dataset, split, []),
            checkpoint.fingerprint(TrainConfig(augment="strong"), dataset, split, []),
            checkpoint.fingerprint(TrainConfig(parts={"ema": 0.5}), dataset, split, []),
            checkpoint.fingerprint(TrainConfig(parts={"handwriting": 0.5}), dataset, split, []),
            checkpoint.fingerprint(config, relabelled, split, []),
            checkpoint.fingerprint(config, dataset, resplit, []),
            checkpoint.fingerprint(config, dataset, split, [teacher]),
            checkpoint.fingerprint(config, dataset, split, [teacher, teacher]),
        ]
        other = dataclasses.replace(teacher, sha256="of other weights")
        found.append(checkpoint.fingerprint(config, dataset, split, [other]))
        assert len(set(found)) == len(found)

    def test_and_on_nothing_else(self, small: tuple[Dataset, Split]) -> None:
        explicit = TrainConfig(augment="light", parts={"epochs": TrainConfig().recipe(300).epochs})
        assert checkpoint.fingerprint(TrainConfig(), *small, []) == checkpoint.fingerprint(explicit, *small, [])


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the checkpoint of a training that nothing interrupted."""
    return tmp_path_factory.mktemp("finished")


@pytest.fixture(scope="module")
def whole(small: tuple[Dataset, Split], teacher: Run, finished: Path) -> TrainedRun:
    """The training that nothing interrupted."""
    return fit.train(CONFIG, *small, finished, [of_run(teacher)])


def assert_same_training(one: TrainedRun, other: TrainedRun) -> None:
    assert one.history == other.history
    assert one.record["metrics"] == other.record["metrics"]
    for array, expected in zip(one.model.get_weights(), other.model.get_weights(), strict=True):
        np.testing.assert_array_equal(array, expected)


CUT_SHORT = """
import dataclasses, sys
from pathlib import Path
from mnist_edge_trainer.data import datasets
from mnist_edge_trainer.networks.config import TrainConfig
from mnist_edge_trainer import progress
from mnist_edge_trainer.training import fit, trained_network
progress.LOG_INTERVAL = 0  # each epoch has its line
digits = datasets.load("digits")
few = dataclasses.replace(digits, train_images=digits.train_images[:500], train_labels=digits.train_labels[:500],
                          test_images=digits.test_images[:100], test_labels=digits.test_labels[:100])
teacher = trained_network.find("--teacher", "teacher", Path(sys.argv[1]))
fit.train(TrainConfig("nano", seed=7, augment="strong", parts=eval(sys.argv[3])), few, datasets.split(few),
          Path(sys.argv[2]), [teacher])
"""


@pytest.mark.long
def test_a_kill_changes_nothing(whole: TrainedRun, small: tuple[Dataset, Split], teacher: Run, tmp_path: Path) -> None:
    command = [sys.executable, "-c", CUT_SHORT, str(teacher.folder.parent), str(tmp_path), repr(PARTS)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        for line in process.stderr:
            if line.startswith("epoch 2/"):
                process.kill()
        assert process.wait(30) == -signal.SIGKILL
    state = checkpoint.read(tmp_path)
    assert state
    assert len(state.history["loss"]) in (1, 2)  # the second line comes a moment before its checkpoint
    assert_same_training(fit.train(CONFIG, *small, tmp_path, [of_run(teacher)]), whole)


@pytest.mark.long
def test_a_kill_after_the_last_epoch_changes_nothing(
    whole: TrainedRun, small: tuple[Dataset, Split], teacher: Run, finished: Path
) -> None:
    assert_same_training(fit.train(CONFIG, *small, finished, [of_run(teacher)]), whole)


def test_a_network_of_another_shape_is_not_resumed(small: tuple[Dataset, Split], tmp_path: Path) -> None:
    checkpoint.write(tmp_path, checkpoint.State({"loss": [1.0], "val_loss": [1.0]}, 1.0, (np.zeros(3),)))
    with pytest.raises(InputError, match="without --resume"):
        fit.train(TrainConfig("nano", parts={"epochs": 1}), *small, tmp_path)
