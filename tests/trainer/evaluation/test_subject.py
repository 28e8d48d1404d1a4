from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mnist_edge_runtime import Classifier
from mnist_edge_runtime.errors import InputError, ModelError, UsageError
from mnist_edge_runtime.model_file import sealed_model
from mnist_edge_trainer.data import datasets
from mnist_edge_trainer.data.datasets import Dataset
from mnist_edge_trainer.data.idx import Arrays
from mnist_edge_trainer.evaluation.evaluate import evaluate
from mnist_edge_trainer.evaluation.out_of_distribution import NON_DIGITS
from mnist_edge_trainer.evaluation.subject import Subject, check_part


@pytest.fixture(scope="module")
def letters_file(letters: Arrays, write_npz: Callable[[Path, Arrays], Path], tmp_path_factory: Any) -> Path:
    return write_npz(tmp_path_factory.mktemp("letters") / "letters.npz", letters)


class TestOfFile:
    @pytest.mark.long
    def test_it_reads_through_the_runtime(self, files: Mapping[str, Path], dataset: Dataset) -> None:
        file = files["tflite-int8"]
        subject = Subject.of_file(file, None if dataset.name == "digits" else dataset.source, "test")
        assert (subject.engine, subject.part, subject.labels) == ("litert", "test", dataset.labels)
        np.testing.assert_array_equal(subject.images, dataset.test_images)
        with Classifier.load(file) as classifier:
            right = (classifier.logits(dataset.test_images[:200]).argmax(axis=1) == dataset.test_labels[:200]).mean()
            accepted = np.mean([classifier.classify(image).accepted for image in dataset.test_images[:200]])
        found = evaluate(replace(subject, images=subject.images[:200], truth=subject.truth[:200]), corruptions=False)
        assert found.accuracy == pytest.approx(right)
        assert found.acceptance
        assert found.acceptance.accepted == accepted
        assert found.acceptance.refused.keys() == NON_DIGITS.keys()
        assert found.acceptance.refused["blanks"] > 0.8

    @pytest.mark.long
    def test_validation_images(self, files: Mapping[str, Path], dataset: Dataset) -> None:
        subject = Subject.of_file(
            files["onnx-int8"], None if dataset.name == "digits" else dataset.source, "validation"
        )
        split = datasets.split(dataset)
        np.testing.assert_array_equal(subject.images, split.validation.images)
        np.testing.assert_array_equal(subject.truth, split.validation.labels)
        assert subject.engine == "onnxruntime"

    def test_all_images_of_data_that_is_new_to_it(self, files: Mapping[str, Path], tmp_path: Path) -> None:
        images, labels = np.zeros((40, 28, 28), np.uint8), np.arange(40) % 10
        images[:, 4:20, 10:14] = np.arange(210, 250).reshape(-1, 1, 1)
        np.savez(own := tmp_path / "own.npz", x_train=images, y_train=labels, x_test=images[:20], y_test=labels[:20])
        subject = Subject.of_file(files["tflite-int8"], str(own), "all")
        np.testing.assert_array_equal(subject.images, np.concatenate([images, images[:20]]))
        np.testing.assert_array_equal(subject.truth, [*labels, *labels[:20]])

    @pytest.mark.long
    def test_all_images_are_not_those_it_was_trained_on(self, files: Mapping[str, Path], dataset: Dataset) -> None:
        with pytest.raises(InputError, match=r"--on all: .* was trained on images of"):
            Subject.of_file(files["tflite-int8"], None if dataset.name == "digits" else dataset.source, "all")

    def test_nor_those_that_its_base_was_trained_on(self, files: Mapping[str, Path], tmp_path: Path) -> None:
        """As of a network that pictures of one's own trained, too: its data is both together."""
        sealed = sealed_model.read(files["tflite-int8"])
        joined = {"name": "custom", "sha256": "of both", "base": {"sha256": datasets.load("digits").sha256}}
        contract = replace(sealed.contract, origin={**sealed.contract.origin, "dataset": joined})
        file = tmp_path / "own.tflite"
        file.write_bytes(sealed_model.seal(sealed.payload, contract, sealed.golden))
        with pytest.raises(InputError, match=r"--on all: .* was trained on images of"):
            Subject.of_file(file, "digits", "all")

    def test_data_with_other_labels(self, files: Mapping[str, Path], letters_file: Path) -> None:
        with pytest.raises(InputError, match=r"its labels are 1, 2, 3, .* \.\.\. \(26\), those of .* 0, 1, 2"):
            Subject.of_file(files["tflite-int8"], str(letters_file), "test")

    @pytest.mark.parametrize(("content", "error"), [(None, InputError), (b"no model", ModelError)])
    def test_no_model(self, tmp_path: Path, content: bytes | None, error: type[Exception]) -> None:
        file = tmp_path / "model.tflite"
        if content:
            file.write_bytes(content)
        with pytest.raises(error, match=r"model\.tflite"):
            Subject.of_file(file, "digits", "test")


@pytest.mark.parametrize(
    ("model", "part", "stem"),
    [
        ("runs/a/model.keras", "test", "runs/a/evaluation"),
        ("runs/a/model.keras", "validation", "runs/a/evaluation-validation"),
        ("x/a-tflite-int8.tflite", "test", "x/a-tflite-int8.tflite.evaluation"),
        ("yours.keras", "validation", "yours.keras.evaluation-validation"),
    ],
)
def test_where_it_is_kept(model: str, part: str, stem: str) -> None:
    nothing = np.empty((0, 28, 28), np.uint8)
    subject = Subject(Path(model), "keras", lambda _: nothing, (), {}, part, nothing, np.empty(0, np.int64))
    assert subject.stem == Path(stem)


def test_parts() -> None:
    check_part("validation")
    with pytest.raises(UsageError, match="--on train is unknown; choose from test, validation, all"):
        check_part("train")
