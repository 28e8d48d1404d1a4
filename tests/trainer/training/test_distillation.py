from __future__ import annotations

import errno
import io
import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from mnist_edge_runtime.errors import InputError
from mnist_edge_trainer.data import datasets
from mnist_edge_trainer.data.datasets import Dataset, Split
from mnist_edge_trainer.handwriting.pool import for_training, load
from mnist_edge_trainer.networks.config import TrainConfig
from mnist_edge_trainer.networks.published import weights_file
from mnist_edge_trainer.runs.run import Run
from mnist_edge_trainer.training import distillation, fit
from mnist_edge_trainer.training.augmentation import apply_affine
from mnist_edge_trainer.training.distillation import soft_targets
from mnist_edge_trainer.training.input_pipeline import TEACHER_SEED, variant_transforms
from mnist_edge_trainer.training.trained_network import find, of_run

CONFIG = TrainConfig("nano", augment="strong", parts={"epochs": 1, "batch_size": 100, "variants": 2})


@pytest.mark.long
def test_teachers_change_what_is_learnt(small: tuple[Dataset, Split], teacher: Run) -> None:
    taught, alone = (fit.train(CONFIG, *small, teachers=teachers) for teachers in ([of_run(teacher)], []))
    assert (taught.record["teachers"], alone.record["teachers"]) == ([of_run(teacher).describe()], [])
    assert taught.history["loss"] != alone.history["loss"]


def test_soft_targets_are_the_answers_to_the_augmented_images(small: tuple[Dataset, Split], teacher: Run) -> None:
    images = small[1].train.images
    recipe = CONFIG.recipe(len(images))
    targets = soft_targets([of_run(teacher)] * 2, images, recipe)
    assert targets is not None
    assert (targets(0).shape, targets(0).dtype) == ((300, 10), np.float32)
    model: Any = keras.models.load_model(teacher.model_file)
    pixels = images[..., np.newaxis] / np.float32(255)
    np.testing.assert_allclose(targets(-1), model(pixels), atol=1e-3)
    for variant in range(2):
        moved = apply_affine(pixels, variant_transforms(recipe, 300, TEACHER_SEED, variant))
        np.testing.assert_allclose(targets(variant), model(moved), atol=1e-3)
    assert not np.allclose(targets(0), targets(1), atol=1e-2)


def test_a_teacher_is_asked_once_for_all_its_students(
    small: tuple[Dataset, Split], teacher: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    images, recipe = small[1].train.images, CONFIG.recipe(300)
    first = soft_targets([of_run(teacher)], images, recipe)
    monkeypatch.setattr(keras.models, "load_model", lambda *unused, **options: pytest.fail("asked again"))
    second = soft_targets([of_run(teacher)], images, replace(recipe, epochs=7, batch_size=9))
    assert first
    assert second
    np.testing.assert_array_equal(first(1), second(1))
    with pytest.raises(pytest.fail.Exception, match="asked again"):
        soft_targets([of_run(teacher)], images, replace(recipe, rotation=recipe.rotation + 1))
    assert not list(teacher.folder.glob(".*"))


def test_teachers_answer_the_handwriting_too(
    small: tuple[Dataset, Split], teacher: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    images, pool = small[1].train.images, load(40)
    recipe = CONFIG.recipe(len(images))
    alone = soft_targets([of_run(teacher)], images, recipe)
    both = np.concatenate([images, pool.images])
    targets = soft_targets([of_run(teacher)], both, recipe, pool)
    assert alone
    assert targets
    assert alone(-1).shape == (300, 10), "kept apart from the answers without it"
    model: Any = keras.models.load_model(teacher.model_file)
    np.testing.assert_allclose(targets(-1), model(both[..., np.newaxis] / np.float32(255)), atol=1e-3)
    other = load(40, seed=1)
    monkeypatch.setattr(keras.models, "load_model", lambda *unused, **options: pytest.fail("asked again"))
    with pytest.raises(pytest.fail.Exception, match="asked again"):
        soft_targets([of_run(teacher)], np.concatenate([images, other.images]), recipe, other)


@pytest.mark.long
def test_a_student_of_handwriting(small: tuple[Dataset, Split], teacher: Run) -> None:
    config = TrainConfig("nano", parts={"epochs": 1, "batch_size": 100, "variants": 2, "handwriting": 0.25})
    record = fit.train(config, *small, teachers=[of_run(teacher)]).record
    assert record["recipe"]["handwriting"] == 0.25
    assert record["handwriting"] == for_training(300, tuple("0123456789")).describe()


@pytest.mark.long
def test_without_augmentation_there_is_one_answer(small: tuple[Dataset, Split], teacher: Run) -> None:
    targets = soft_targets([of_run(teacher)], small[1].train.images, TrainConfig(augment="none").recipe(300))
    assert targets
    np.testing.assert_array_equal(targets(0), targets(-1))
    plain = TrainConfig("nano", augment="none", parts={"epochs": 1, "batch_size": 100})
    assert fit.train(plain, *small, teachers=[of_run(teacher)]).record["teachers"][0]["name"] == "teacher"


def test_a_teacher_with_other_images_is_refused(teacher: Run, digits: Dataset, tmp_path: Path) -> None:
    file = shutil.copy(teacher.model_file, tmp_path / "mine.keras")
    for other in (of_run(teacher), find("--teacher", "pico", tmp_path), find("--teacher", file, tmp_path)):
        with pytest.raises(InputError, match=f"--teacher {other.name}: may have seen images .* with --data"):
            fit.train(TrainConfig(), digits, datasets.split(digits), teachers=[other])


def test_a_published_teacher_keeps_its_answers_beside_the_runs(tmp_path: Path) -> None:
    images = np.arange(3 * 28 * 28, dtype=np.uint8).reshape(3, 28, 28)
    targets = soft_targets([find("--teacher", "pico", tmp_path)], images, TrainConfig(augment="none").recipe(3))
    assert targets
    model: Any = keras.models.load_model(weights_file("pico"), compile=False)
    np.testing.assert_allclose(targets(-1), model(images[..., np.newaxis] / np.float32(255)), atol=1e-3)
    assert [file.name[:8] for file in (tmp_path / ".answers").iterdir()] == ["answers-"]


def test_a_full_disk_is_an_error_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Full(io.BytesIO):
        def write(self, content: Any) -> int:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(distillation, "open", lambda *unused: Full(), raising=False)
    with pytest.raises(OSError, match=r"No space left on device: '.*\.answers'"):
        soft_targets([find("--teacher", "pico", tmp_path)], np.zeros((3, 28, 28), np.uint8), TrainConfig().recipe(3))
    assert list((tmp_path / ".answers").iterdir()) == []
