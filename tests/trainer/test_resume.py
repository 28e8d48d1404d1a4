"""A training that is killed goes on to the same weights, to the bit, as one that is not."""

from __future__ import annotations

import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from mnist_edge_runtime.errors import InputError, UsageError
from mnist_edge_trainer.data.datasets import Dataset, Split
from mnist_edge_trainer.networks.config import TrainConfig
from mnist_edge_trainer.runs import run
from mnist_edge_trainer.runs.run import Run, TrainedRun
from mnist_edge_trainer.training import checkpoint, fit
from mnist_edge_trainer.training.augmentation import move
from mnist_edge_trainer.training.distillation import answers
from mnist_edge_trainer.training.input_pipeline import TAUGHT_SEED, variant_maps

# Everything that has a state of its own: moments, averaged weights, dropped features, best weights, answers.
PARTS = {"epochs": 6, "batch_size": 64, "dropout": 0.3, "patience": 9, "variants": 2, "clean": 0.34}
CONFIG = TrainConfig("nano", seed=7, augment="strong", parts=PARTS)


@pytest.fixture(scope="module")
def teacher(trained: TrainedRun, small: tuple[Dataset, Split], tmp_path_factory: pytest.TempPathFactory) -> Run:
    return run.save(trained, small[0], tmp_path_factory.mktemp("teacher"), "teacher")


@pytest.fixture(scope="module")
def whole(small: tuple[Dataset, Split], teacher: Run) -> TrainedRun:
    """The training that nothing cut short."""
    return fit.train(CONFIG, *small, teachers=[teacher])


def assert_same(one: TrainedRun, other: TrainedRun) -> None:
    assert one.history == other.history
    assert one.record["metrics"] == other.record["metrics"]
    for array, expected in zip(one.model.get_weights(), other.model.get_weights(), strict=True):
        np.testing.assert_array_equal(array, expected)


CUT_SHORT = """
import dataclasses, sys
from dataclasses import replace
from pathlib import Path
from mnist_edge_trainer import data, fit, run
from mnist_edge_trainer.augmentation import move
from mnist_edge_trainer.config import TrainConfig
digits = data.load("digits")
few = dataclasses.replace(digits, train_images=digits.train_images[:500], train_labels=digits.train_labels[:500],
                          test_images=digits.test_images[:100], test_labels=digits.test_labels[:100])
teacher = run.load(Path(sys.argv[1]), "teacher")
fit.train(TrainConfig("nano", seed=7, augment="strong", parts=eval(sys.argv[3])), few, data.split(few),
          Path(sys.argv[2]), [teacher])
"""


def test_a_kill_changes_nothing(whole: TrainedRun, small: tuple[Dataset, Split], teacher: Run, tmp_path: Path) -> None:
    command = [sys.executable, "-c", CUT_SHORT, str(teacher.folder.parent), str(tmp_path), repr(PARTS)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        for line in process.stderr:
            if line.startswith("epoch 4/"):
                process.kill()
        assert process.wait(30) == -signal.SIGKILL
    state = checkpoint.read(tmp_path)
    assert state
    assert len(state.history["loss"]) in (3, 4)  # the fourth line comes a moment before its checkpoint
    assert_same(fit.train(CONFIG, *small, tmp_path, [teacher]), whole)


def test_a_kill_after_the_last_epoch_changes_nothing(
    whole: TrainedRun, small: tuple[Dataset, Split], teacher: Run, tmp_path: Path
) -> None:
    fit.train(CONFIG, *small, tmp_path, [teacher])
    assert_same(fit.train(CONFIG, *small, tmp_path, [teacher]), whole)


def test_a_network_of_another_shape_is_not_resumed(small: tuple[Dataset, Split], tmp_path: Path) -> None:
    checkpoint.write(tmp_path, checkpoint.State({"loss": [1.0], "val_loss": [1.0]}, 1.0, (np.zeros(3),)))
    with pytest.raises(InputError, match="without --resume"):
        fit.train(TrainConfig("nano", parts={"epochs": 1}), *small, tmp_path)


class TestPatience:
    def test_it_stops_and_keeps_the_best_epoch(self, small: tuple[Dataset, Split], tmp_path: Path) -> None:
        """A learning rate far too high: the loss soon rises and stays high."""
        parts = {"epochs": 40, "batch_size": 64, "learning_rate": 0.03, "patience": 2}
        config = TrainConfig("classic", parts=parts)
        stopped = fit.train(config, *small, tmp_path)
        losses = stopped.history["val_loss"]
        assert len(losses) == int(np.argmin(losses)) + 1 + 2 < 40
        assert stopped.record["metrics"]["validation"]["loss"] == pytest.approx(min(losses), rel=1e-4)
        assert_same(fit.train(config, *small, tmp_path), stopped)

    def test_the_averaged_weights_are_those_that_are_judged(self, small: tuple[Dataset, Split]) -> None:
        parts = {"epochs": 5, "batch_size": 64, "ema": 0.2, "patience": 5}
        found = fit.train(TrainConfig("classic", parts=parts), *small)
        best = min(found.history["val_loss"])
        assert found.record["metrics"]["validation"]["loss"] == pytest.approx(best, rel=1e-4)


class TestTeachers:
    def test_they_change_what_is_learnt(self, small: tuple[Dataset, Split], teacher: Run, whole: TrainedRun) -> None:
        assert whole.record["teachers"] == ["teacher"]
        alone = fit.train(CONFIG, *small)
        assert alone.record["teachers"] == []
        assert alone.history["loss"] != whole.history["loss"]

    def test_answers_are_those_of_the_moved_images(self, small: tuple[Dataset, Split], teacher: Run) -> None:
        images = small[1].train_images
        recipe = CONFIG.recipe(len(images))
        said = answers([teacher, teacher], images, recipe)
        assert said is not None
        assert (said(0).shape, said(0).dtype) == ((300, 10), np.float32)
        model: Any = keras.models.load_model(teacher.model_file)
        pixels = images[..., np.newaxis] / np.float32(255)
        np.testing.assert_allclose(said(-1), model(pixels), atol=1e-3)
        for variant in range(2):
            moved = move(pixels, variant_maps(recipe, 300, TAUGHT_SEED, variant))
            np.testing.assert_allclose(said(variant), model(moved), atol=1e-3)
        assert not np.allclose(said(0), said(1), atol=1e-2)

    def test_a_teacher_is_asked_once_for_all_its_students(
        self, small: tuple[Dataset, Split], teacher: Run, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        images, recipe = small[1].train_images, CONFIG.recipe(300)
        first = answers([teacher], images, recipe)
        monkeypatch.setattr(keras.models, "load_model", lambda *unused, **options: pytest.fail("asked again"))
        second = answers([teacher], images, replace(recipe, epochs=7, batch_size=9))
        assert first
        assert second
        np.testing.assert_array_equal(first(1), second(1))
        with pytest.raises(pytest.fail.Exception, match="asked again"):
            answers([teacher], images, replace(recipe, rotation=recipe.rotation + 1))
        assert not list(teacher.folder.glob(".answers*"))

    def test_without_augmentation_there_is_one_answer(self, small: tuple[Dataset, Split], teacher: Run) -> None:
        said = answers([teacher], small[1].train_images, TrainConfig(augment="none").recipe(300))
        assert said
        np.testing.assert_array_equal(said(0), said(-1))
        assert fit.train(TrainConfig(augment="none", parts={"epochs": 1}), *small, teachers=[teacher]).record[
            "teachers"
        ]

    def test_one_who_saw_other_images_is_refused(
        self, small: tuple[Dataset, Split], teacher: Run, digits: Dataset
    ) -> None:
        from mnist_edge_trainer.data import datasets

        with pytest.raises(InputError, match="run 'teacher' was trained on other data"):
            fit.train(TrainConfig(), digits, datasets.split(digits), teachers=[teacher])


def test_a_loss_that_is_no_number_leaves_no_checkpoint(small: tuple[Dataset, Split], tmp_path: Path) -> None:
    config = TrainConfig("classic", parts={"epochs": 3, "learning_rate": 10.0, "batch_size": 8, "weight_decay": 10.0})
    with pytest.raises(UsageError, match="NaN or infinite"):
        fit.train(config, *small, tmp_path)
    state = checkpoint.read(tmp_path)
    assert state is None or all(np.isfinite(values).all() for values in state.history.values())
