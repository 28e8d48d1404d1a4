from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from mnist_edge_runtime import models
from mnist_edge_trainer.evaluation import side_by_side
from mnist_edge_trainer.evaluation.side_by_side import Paired
from mnist_edge_trainer.evaluation.subject import Subject


def subject(folder: Path, name: str, wrong: tuple[int, ...]) -> Subject:
    """Return a model of two classes that misreads the images of these indices, of 100."""
    file = folder / name / "model.keras"
    file.parent.mkdir()
    file.write_bytes(bytes(1000))
    truth = np.arange(100) % 2
    answers = np.where(np.isin(np.arange(100), wrong), 1 - truth, truth)
    images = np.zeros((100, 28, 28), np.uint8)
    probabilities = np.eye(2, dtype=np.float32)[answers]
    return Subject(file, "keras", lambda _: probabilities, ("a", "b"), {"name": "own"}, "test", images, truth)


def test_the_paired_test_counts_what_only_one_reads(tmp_path: Path) -> None:
    one, other = subject(tmp_path, "one", (0, 1)), subject(tmp_path, "other", (1, 2, 3, 4, 5, 6))
    settings = {"seed": 0, "recipe.epochs": 5}
    found = side_by_side.compare((one, settings), (other, {"seed": 1, "recipe.epochs": 5, "study": "x"}))
    assert found.paired == Paired(100, 5, 1, pytest.approx(14 / 64))  # two-sided, 5 of 6
    assert [side.accuracy for side in found.sides] == [0.98, 0.94]
    assert found.differing == {"seed": (0, 1), "study": (None, "x")}
    text = found.table()
    assert text.splitlines()[0].split() == ["one", "other"]
    assert "98.00%" in text
    assert "recipe.epochs" not in text
    assert "of 100 images, 5 only the first reads right and 1 only the second: the difference could be chance" in text


def test_equal_ones_have_no_difference(tmp_path: Path) -> None:
    found = side_by_side.compare((subject(tmp_path, "one", (3,)), {}), (subject(tmp_path, "other", (3,)), {}))
    assert found.paired == Paired(100, 0, 0, 1.0)


def test_other_images_have_no_paired_test(tmp_path: Path) -> None:
    one = subject(tmp_path, "one", (3,))
    other = replace(subject(tmp_path, "other", ()), images=np.ones((100, 28, 28), np.uint8))
    found = side_by_side.compare((one, {}), (other, {}))
    assert found.paired is None
    assert [side.accuracy for side in found.sides] == [0.99, 1.0]
    assert found.table().splitlines()[-1].startswith("each on its own test images, so that accuracies do not compare")


def test_settings_of_a_file_are_those_of_its_contract() -> None:
    settings = side_by_side.settings_of_file(models.bundled_models(network="small")[0])
    assert settings["quantization"] == "int8"
    assert settings["architecture"] == "small"
    assert settings["dataset.name"] == "mnist"
    assert side_by_side.settings_of_file(Path("own.keras")) == {}
