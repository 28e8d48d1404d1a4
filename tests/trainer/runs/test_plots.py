from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from mnist_edge_trainer.data.datasets import Dataset, Split
from mnist_edge_trainer.runs import plots
from mnist_edge_trainer.runs.run import TrainedRun
from numpy.typing import NDArray
from PIL import Image

HISTORY = {
    "loss": [0.9, 0.4, 0.2],
    "accuracy": [0.7, 0.85, 0.9],
    "val_loss": [0.6, 0.5, 0.45],
    "val_accuracy": [0.8, 0.84, 0.86],
}


def made(count: int, classes: int) -> Dataset:
    """Test images of noise, whose classes are called "101", "102" and so on."""
    images = np.random.default_rng(count).integers(0, 256, (count, 28, 28), np.uint8)
    truth = np.arange(count, dtype=np.int64) % classes
    labels = tuple(str(101 + number) for number in range(classes))
    return Dataset("custom", "made here", images, truth, images, truth, labels)


def answers(dataset: Dataset, wrong: tuple[int, ...] = (), surety: tuple[float, ...] = ()) -> NDArray[np.float32]:
    """Return probabilities that are right but for the images `wrong`, there taken for the next class."""
    count, classes = len(dataset.test_labels), len(dataset.labels)
    predicted = dataset.test_labels.copy()
    predicted[list(wrong)] = (predicted[list(wrong)] + 1) % classes
    confidence = np.full(count, 0.9)
    confidence[list(wrong)] = surety or 0.8
    probabilities = np.repeat((1 - confidence)[:, np.newaxis] / (classes - 1), classes, axis=1)
    probabilities[np.arange(count), predicted] = confidence
    return probabilities.astype(np.float32)


def drawn(figure: Figure) -> None:
    """Draw it as `write_all` does: some mistakes show only then."""
    assert isinstance(figure, Figure)
    target = io.BytesIO()
    figure.savefig(target, dpi=60)
    with Image.open(target) as picture:
        assert len(np.unique(np.asarray(picture))) > 2


def pictures(figure: Figure) -> list[Axes]:
    return [axes for axes in figure.axes if axes.images]


def pixels(axes: Axes) -> NDArray[Any]:
    """Return the one image drawn there."""
    [image] = axes.images
    return np.asarray(image.get_array())


def colour(text: Any) -> tuple[float, ...]:
    return to_rgba(text.get_color())


class TestLearningCurves:
    def test_loss_and_accuracy_of_both_parts(self) -> None:
        figure = plots.learning_curves(HISTORY)
        drawn(figure)
        assert [axes.get_title() for axes in figure.axes] == ["Loss", "Accuracy"]
        for axes, key in zip(figure.axes, ("loss", "accuracy"), strict=True):
            assert axes.get_xlabel() == "Epoch"
            training, validation = axes.lines
            for line, values in ((training, HISTORY[key]), (validation, HISTORY[f"val_{key}"])):
                np.testing.assert_array_equal(line.get_xdata(), [1, 2, 3])
                np.testing.assert_array_equal(line.get_ydata(), values)
            assert colour(training) != colour(validation)
            legend = axes.get_legend()
            assert legend is not None
            words = [text.get_text().split()[0] for text in legend.get_texts()]
            assert words == ["training", "validation"]

    def test_a_single_epoch_shows(self) -> None:
        figure = plots.learning_curves({key: values[:1] for key, values in HISTORY.items()})
        drawn(figure)
        assert all(line.get_marker() not in ("", "None") for axes in figure.axes for line in axes.lines)


class TestSamplePredictions:
    @pytest.mark.parametrize("classes", [2, 10, 40])
    def test_the_first_images_then_the_mistakes(self, classes: int) -> None:
        dataset = made(120, classes)
        figure = plots.sample_predictions(dataset, answers(dataset, wrong=(3, 50, 77)))
        drawn(figure)
        shown = pictures(figure)
        order = [*range(24), 3, 50, 77]
        assert len(shown) == len(order)
        for axes, number in zip(shown, order, strict=True):
            np.testing.assert_array_equal(pixels(axes), dataset.test_images[number])

    def test_titles_tell_answer_truth_and_confidence(self) -> None:
        dataset = made(60, 10)
        shown = pictures(plots.sample_predictions(dataset, answers(dataset, wrong=(2, 40))))
        assert shown[1].get_title() == "102  90%"
        for mistake in (shown[2], shown[24]):
            assert mistake.get_title() == "104, is 103  80%"
        assert shown[25].get_title() == "102, is 101  80%"

    def test_wrong_answers_have_another_colour(self) -> None:
        dataset = made(60, 10)
        shown = pictures(plots.sample_predictions(dataset, answers(dataset, wrong=(2, 40))))
        wrong = {colour(axes.title) for axes in shown if ", is " in axes.get_title()}
        right = {colour(axes.title) for axes in shown if ", is " not in axes.get_title()}
        assert len(wrong) == len(right) == 1
        assert wrong != right

    def test_the_surest_mistakes_come_first_and_not_all_of_many(self) -> None:
        dataset = made(60, 10)
        wrong = tuple(range(30, 42))
        surety = tuple(0.4 + 0.01 * (number * 5 % 12) for number in range(12))
        figure = plots.sample_predictions(dataset, answers(dataset, wrong, surety))
        mistakes = pictures(figure)[24:]
        assert len(mistakes) == 8
        percents = [int(axes.get_title().split()[-1].rstrip("%")) for axes in mistakes]
        assert percents == list(range(51, 43, -1))
        assert "8 most confident of 12 mistakes" in figure.get_suptitle()

    def test_nothing_wrong(self) -> None:
        dataset = made(60, 10)
        figure = plots.sample_predictions(dataset, answers(dataset))
        drawn(figure)
        assert len(pictures(figure)) == 24
        assert not any(", is " in axes.get_title() for axes in figure.axes)

    def test_fewer_images_than_places(self) -> None:
        dataset = made(5, 2)
        figure = plots.sample_predictions(dataset, answers(dataset, wrong=(4,)))
        drawn(figure)
        assert len(pictures(figure)) == 6
        assert "24" not in figure.get_suptitle()


def confusion(dataset: Dataset, wrong: tuple[int, ...] = ()) -> Figure:
    counts = np.zeros((len(dataset.labels),) * 2, np.int64)
    np.add.at(counts, (dataset.test_labels, answers(dataset, wrong).argmax(axis=1)), 1)
    return plots.confusion_matrix(dataset.labels, counts, "test")


class TestConfusionMatrix:
    def test_counts(self) -> None:
        dataset = made(60, 3)
        figure = confusion(dataset, wrong=(0, 3, 7))
        drawn(figure)
        [axes] = figure.axes
        assert axes.get_title() == "57 of 60 test images right"
        assert axes.get_xlabel() == "Answer of the network"
        assert axes.get_ylabel() == "True class"
        assert [label.get_text() for label in axes.get_xticklabels()] == list(dataset.labels)
        assert [label.get_text() for label in axes.get_yticklabels()] == list(dataset.labels)
        found = {text.get_position()[::-1]: text.get_text() for text in axes.texts}
        assert found == {(0, 0): "18", (0, 1): "2", (1, 1): "19", (1, 2): "1", (2, 2): "20"}

    def test_right_and_wrong_have_other_colours(self) -> None:
        dataset = made(60, 3)
        figure = confusion(dataset, wrong=(0, 3, 7))
        texts = {text.get_position(): colour(text) for text in figure.axes[0].texts}
        right = {shade for (x, y), shade in texts.items() if x == y}
        assert len(right) == 1
        assert right.isdisjoint(shade for (x, y), shade in texts.items() if x != y)

    def test_a_rare_mistake_shows(self) -> None:
        """One of 100 is not to be as white as none."""
        dataset = made(1000, 10)
        figure = confusion(dataset, wrong=(0,))
        [image] = figure.axes[0].images
        shade = image.to_rgba(pixels(figure.axes[0]))
        assert np.abs(shade[0, 1] - shade[0, 2]).sum() > 0.1
        np.testing.assert_array_equal(shade[0, 0], shade[0, 2])

    @pytest.mark.parametrize("classes", [2, 40])
    def test_two_classes_or_forty(self, classes: int) -> None:
        dataset = made(200, classes)
        figure = confusion(dataset, wrong=(1, 2))
        drawn(figure)
        [axes] = figure.axes
        assert axes.get_title() == "198 of 200 test images right"
        assert pixels(axes).shape == (classes, classes)

    def test_where_names_would_be_too_small_no_numbers_stand_in_for_them(self) -> None:
        dataset = made(200, 40)
        figure = confusion(dataset)
        drawn(figure)
        shown = {
            label.get_text() for axis in (figure.axes[0].xaxis, figure.axes[0].yaxis) for label in axis.get_ticklabels()
        }
        assert shown <= {*dataset.labels, ""}

    def test_nothing_wrong(self) -> None:
        dataset = made(30, 3)
        figure = confusion(dataset)
        drawn(figure)
        assert figure.axes[0].get_title() == "30 of 30 test images right"
        assert len(figure.axes[0].texts) == 3

    def test_a_class_without_test_images(self) -> None:
        dataset = made(2, 3)
        figure = confusion(dataset)
        drawn(figure)
        assert np.isfinite(pixels(figure.axes[0])).all()

    def test_the_title_names_the_part(self) -> None:
        figure = plots.confusion_matrix(["a", "b"], np.array([[700, 1], [2, 600]]), "validation")
        assert figure.axes[0].get_title() == "1,300 of 1,303 validation images right"


def test_write_all(tmp_path: Path, trained: TrainedRun, small: tuple[Dataset, Split]) -> None:
    plots.write_all(tmp_path, trained.model, trained.history, small[0])
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "confusion_matrix.png",
        "learning_curves.png",
        "sample_predictions.png",
    ]
    for path in tmp_path.iterdir():
        with Image.open(path) as picture:
            assert picture.format == "PNG"
            picture.load()
