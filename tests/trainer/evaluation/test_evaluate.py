from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from mnist_edge_trainer.data.datasets import Dataset
from mnist_edge_trainer.evaluation.corruptions import CORRUPTIONS, HELD_OUT, SHARED
from mnist_edge_trainer.evaluation.evaluate import evaluate, save
from mnist_edge_trainer.evaluation.results import Evaluation
from mnist_edge_trainer.evaluation.subject import Subject
from numpy.typing import NDArray
from PIL import Image


def reader(answers: list[int], confidence: list[float], truth: list[int], classes: int = 3) -> Subject:
    """A reader that gives these answers, whatever it sees."""
    rows = np.arange(len(answers))
    probabilities = np.repeat((1 - np.array([confidence]).T) / (classes - 1), classes, axis=1)
    probabilities[rows, answers] = confidence

    def predict(images: NDArray[np.uint8]) -> NDArray[np.float32]:
        assert (images.dtype, images.shape) == (np.uint8, (len(answers), 28, 28))
        return probabilities.astype(np.float32)

    images = np.random.default_rng(0).integers(0, 256, (len(answers), 28, 28), np.uint8)
    labels = tuple("abcdefghij"[:classes])
    described = {"name": "custom", "warning": None}
    return Subject(Path("made.keras"), "keras", predict, labels, described, "test", images, np.array(truth))


@pytest.fixture(scope="module")
def found() -> Evaluation:
    return evaluate(reader([0, 0, 1, 1, 0], [0.9, 0.75, 0.7, 0.55, 0.99], [0, 0, 1, 0, 1]), corruptions=False)


class TestFigures:
    def test_accuracy_and_its_wilson_interval(self, found: Evaluation) -> None:
        """The interval by Wilson's formula, with z = 1.959964."""
        assert found.accuracy == 0.6
        z, p, n = 1.959964, 0.6, 5
        middle, half = p + z**2 / (2 * n), z * (p * (1 - p) / n + z**2 / (4 * n**2)) ** 0.5
        expected = ((middle - half) / (1 + z**2 / n), (middle + half) / (1 + z**2 / n))
        assert found.accuracy_interval == pytest.approx(expected, rel=1e-6)

    def test_classes(self, found: Evaluation) -> None:
        assert list(found.classes) == ["a", "b", "c"]
        a, b, c = found.classes.values()
        assert (a.precision, a.recall, a.f1, a.images) == pytest.approx((2 / 3, 2 / 3, 2 / 3, 3))
        assert (b.precision, b.recall, b.f1, b.images) == pytest.approx((1 / 2, 1 / 2, 1 / 2, 2))
        assert (c.precision, c.recall, c.f1, c.images) == (None, None, None, 0)

    def test_confusion(self, found: Evaluation) -> None:
        assert found.confusion == ((2, 1, 0), (1, 1, 0), (0, 0, 0))

    def test_mistakes_the_most_confident_first(self, found: Evaluation) -> None:
        shown = [(mistake.image, mistake.true, mistake.answer) for mistake in found.mistakes]
        assert shown == [(4, "b", "a"), (3, "a", "b")]
        assert [mistake.confidence for mistake in found.mistakes] == pytest.approx([0.99, 0.55])

    def test_calibration_in_fifteen_bins(self, found: Evaluation) -> None:
        """By hand: 0.9, 0.75 and 0.7 are right, 0.55 and 0.99 wrong, no two in one bin."""
        assert found.ece == pytest.approx((0.1 + 0.25 + 0.3 + 0.55 + 0.99) / 5)
        assert [round(each.low * 15) for each in found.calibration] == [8, 10, 11, 13, 14]
        assert all(each.high - each.low == pytest.approx(1 / 15) for each in found.calibration)
        assert [each.accuracy for each in found.calibration] == [0, 1, 1, 1, 0]
        assert found.confidence == pytest.approx(3.89 / 5)

    def test_answers_of_one_bin_weigh_together(self) -> None:
        half_right = evaluate(reader([0, 0], [0.95, 0.96], [0, 1], classes=2), corruptions=False)
        assert half_right.ece == pytest.approx(0.955 - 0.5)
        certain = evaluate(reader([0, 1], [1.0, 1.0], [0, 1], classes=2), corruptions=False)
        assert certain.ece == 0
        assert certain.calibration[-1].high == 1

    def test_no_more_than_forty_mistakes(self) -> None:
        found = evaluate(reader([0] * 60, [0.5 + n / 200 for n in range(60)], [1] * 60), corruptions=False)
        assert [mistake.image for mistake in found.mistakes] == list(range(59, 19, -1))


class TestCorruptions:
    def test_each_in_its_column(self, digits: Dataset) -> None:
        images = digits.test_images[:60]
        clean = images.mean(axis=(1, 2))

        def predict(images: NDArray[np.uint8]) -> NDArray[np.float32]:
            """Answer 1 where the picture is lighter than it was."""
            lighter = images.mean(axis=(1, 2)) > clean + 0.5
            return np.eye(2, dtype=np.float32)[lighter.astype(int)]

        described = {"name": "custom", "warning": None}
        subject = Subject(Path("m"), "keras", predict, ("0", "1"), described, "test", images, np.zeros(60, np.int64))
        found = evaluate(subject)
        assert found.corruptions is not None
        for use in (SHARED, HELD_OUT):
            assert list(found.corruptions[use]) == [name for name, row in CORRUPTIONS.items() if row.use == use]
        assert found.accuracy == 1
        shared, held_out = found.corruptions[SHARED], found.corruptions[HELD_OUT]
        assert [shared[name] for name in ("contrast", "inversion", "brightness", "gradient")] == [1, 0, 0, 0]
        assert [held_out[name] for name in ("fog", "thick-pen", "pixelation")] == [0, 0, 1]
        assert found.mean_under(SHARED) == pytest.approx(np.mean(list(shared.values())))


class TestSave:
    def test_pictures_and_figures(self, tmp_path: Path) -> None:
        subject = reader([0, 0, 1], [0.9, 0.8, 0.7], [0, 1, 1])
        found = evaluate(subject)
        written = save(found, subject.images, tmp_path / "evaluation")
        names = ["confusion", "corruptions", "mistakes", "reliability"]
        assert sorted(path.name for path in written) == [
            *(f"evaluation-{name}.png" for name in names),
            "evaluation.json",
        ]
        assert sorted(tmp_path.iterdir()) == sorted(written)
        assert json.loads((tmp_path / "evaluation.json").read_text()) == json.loads(json.dumps(found.to_dict()))
        for name in names:
            with Image.open(tmp_path / f"evaluation-{name}.png") as picture:
                picture.load()

    def test_again_without_corruptions_leaves_no_old_picture_of_them(self, tmp_path: Path) -> None:
        subject = reader([0, 0, 1], [0.9, 0.8, 0.7], [0, 1, 1])
        save(evaluate(subject), subject.images, tmp_path / "evaluation")
        written = save(evaluate(subject, corruptions=False), subject.images, tmp_path / "evaluation")
        assert sorted(tmp_path.iterdir()) == sorted(written)
        assert not (tmp_path / "evaluation-corruptions.png").exists()

    def test_what_fails_leaves_nothing(self, tmp_path: Path) -> None:
        subject = reader([0, 0, 1], [0.9, 0.8, 0.7], [0, 1, 1])
        found = evaluate(subject, corruptions=False)
        (tmp_path / "evaluation.json").mkdir()
        with pytest.raises(OSError, match=r"evaluation\.json"):
            save(found, subject.images, tmp_path / "evaluation")
        assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]
