from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from mnist_edge_runtime import Classifier, load_picture, to_mnist
from mnist_edge_runtime.errors import InputError, ModelError
from mnist_edge_trainer.demo.demo import Reading, draw_readings, read_drawings
from PIL import Image


@pytest.fixture(scope="module")
def model(files: Mapping[str, Path]) -> Path:
    return files["tflite-int8"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demonstration") / "new" / "pictures"


@pytest.fixture(scope="module")
def readings(model: Path, folder: Path) -> list[Reading]:
    return read_drawings(model, folder)


def test_ten_pictures_and_one_of_it_all(readings: list[Reading], folder: Path) -> None:
    assert [reading.drawn for reading in readings] == list("0123456789")
    assert [reading.file for reading in readings] == [folder / f"{digit}.png" for digit in "0123456789"]
    assert sorted(path.name for path in folder.iterdir()) == sorted([*(f"{d}.png" for d in range(10)), "readings.png"])
    for path in folder.iterdir():
        with Image.open(path) as picture:
            assert picture.format == "PNG"
            assert min(picture.size) >= 100


def test_readings_are_what_the_file_says_of_the_pictures(readings: list[Reading], model: Path) -> None:
    with Classifier.load(model) as classifier:
        for reading in readings:
            prediction = classifier.classify(to_mnist(load_picture(reading.file)))
            assert (reading.label, reading.confidence) == (prediction.label, prediction.confidence)
            assert reading.accepted == prediction.accepted


def test_an_answer_that_is_not_accepted_is_told_as_unsure() -> None:
    sure, unsure = (Reading(Path("1.png"), "1", "1", 0.627, accepted) for accepted in (True, False))
    assert str(sure) == "1.png  ->  1  62.7%"
    assert str(unsure) == "1.png  ->  unsure  perhaps 1, 62.7%"


def test_most_drawings_are_read_right(readings: list[Reading]) -> None:
    assert sum(reading.label == reading.drawn for reading in readings) >= 8


def test_a_second_time_gives_the_same_and_leaves_no_more_files(
    readings: list[Reading], model: Path, folder: Path
) -> None:
    pictures = {path.name: path.read_bytes() for path in folder.glob("?.png")}
    assert read_drawings(model, folder) == readings
    assert {path.name: path.read_bytes() for path in folder.glob("?.png")} == pictures
    assert len(list(folder.iterdir())) == 11


@pytest.mark.parametrize(
    ("content", "error"), [(None, InputError), (b"no model", ModelError)], ids=["missing", "damaged"]
)
def test_without_a_model_there_is_no_demonstration(
    tmp_path: Path, content: bytes | None, error: type[Exception]
) -> None:
    model = tmp_path / "model.tflite"
    if content is not None:
        model.write_bytes(content)
    with pytest.raises(error):
        read_drawings(model, tmp_path / "pictures")


@pytest.mark.parametrize("count", [1, 4])
def test_readings(count: int) -> None:
    images = np.random.default_rng(count).integers(0, 256, (count, 28, 28), np.uint8)
    photos = [np.full((40 + number, 60), 200, np.uint8) for number in range(count)]
    said = [("7", 0.987, True, True), ("1", 0.5, True, False), ("0", 1.0, True, True), ("4", 0.627, False, True)][
        :count
    ]
    figure = draw_readings(photos, list(images), said)
    figure.savefig(io.BytesIO(), dpi=60)  # some mistakes show only then
    assert len(figure.axes) == 2 * count
    upper = [axes for axes in figure.axes if np.asarray(axes.images[0].get_array()).shape != (28, 28)]
    lower = [axes for axes in figure.axes if np.asarray(axes.images[0].get_array()).shape == (28, 28)]
    for axes, photo in zip(upper, photos, strict=True):
        np.testing.assert_array_equal(np.asarray(axes.images[0].get_array()), photo)
    for axes, image in zip(lower, images, strict=True):
        np.testing.assert_array_equal(np.asarray(axes.images[0].get_array()), image)
    assert [axes.get_xlabel() for axes in lower] == ["7\n98.7%", "1\n50.0%", "0\n99.9%", "unsure\n4? 62.7%"][:count]
    colours = [axes.xaxis.label.get_color() for axes in lower]
    assert colours[0] not in colours[1:2]
    assert len(set(colours)) == {1: 1, 4: 3}[count]  # right, wrong, unsure
    assert {axes.get_ylabel() for axes in figure.axes} == {"picture", "model input"} | ({""} if count > 1 else set())
