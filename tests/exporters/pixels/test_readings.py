from __future__ import annotations

import keras
import numpy as np
import pytest
from mnist_edge_exporters.pixels import readings
from mnist_edge_exporters.pixels.readings import AS_AGREED, Reading
from mnist_edge_exporters.pixels.scales import Statistics
from mnist_edge_runtime import UsageError
from mnist_edge_trainer.data.datasets import Dataset


@pytest.fixture
def statistics(digits: Dataset) -> Statistics:
    return Statistics.of(digits.train_images)


@pytest.fixture
def pixels(digits: Dataset) -> np.ndarray:
    return digits.test_images[:5, ..., np.newaxis] / np.float32(255)


def test_the_contract_comes_first_and_every_reading_is_found_by_its_name(statistics: Statistics) -> None:
    every = readings.all_readings(statistics)
    assert every[0] == AS_AGREED
    assert str(AS_AGREED) == "0..1"
    assert len({str(reading) for reading in every}) == len(every) > 250
    assert [readings.parse(str(reading)) for reading in every] == every


def test_the_layers_of_each_reading_do_what_is_tried(statistics: Statistics, pixels: np.ndarray) -> None:
    """All orientations and polarities under a scale of each kind: a line, by image, by row, by pixel."""
    kinds = ("0..1", "standardized:0.1307:0.3081", "l2", "l2-rows", "standardized-per-pixel")
    for reading in readings.all_readings(statistics):
        if reading.scale in kinds and (reading.scale != "l2" or reading.orientation == "upright"):
            image = keras.Input((28, 28, 1))
            model = keras.Model(image, reading.apply(image, statistics))
            expected = np.asarray(reading.apply(pixels, statistics))
            np.testing.assert_allclose(np.asarray(model(pixels)), expected, atol=1e-5, err_msg=str(reading))


def test_images_are_turned_after_the_scale_as_well(statistics: Statistics, pixels: np.ndarray) -> None:
    for reading in readings.all_readings(statistics):
        assert reading.before_turning.orientation == "upright"
        found = reading.turn(np.asarray(reading.before_turning.apply(pixels, statistics)))
        expected = np.asarray(reading.apply(pixels, statistics))
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-4, err_msg=str(reading))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("transposed", lambda x: x.transpose(0, 2, 1, 3)),
        ("mirrored-left-right", lambda x: x[:, :, ::-1]),
        ("mirrored-top-bottom", lambda x: x[:, ::-1]),
        ("turned-left", lambda x: np.rot90(x, 1, (1, 2))),
        ("turned-right", lambda x: np.rot90(x, -1, (1, 2))),
        ("turned-180", lambda x: np.rot90(x, 2, (1, 2))),
        ("anti-transposed", lambda x: np.rot90(x, 2, (1, 2)).transpose(0, 2, 1, 3)),
        ("black-on-white", lambda x: 1 - x),
        ("black-on-white,0..255", lambda x: 255 - 255 * x),
        ("0..255,turned-180,black-on-white", lambda x: 255 - 255 * x[:, ::-1, ::-1]),
        ("black-on-white,-1..1", lambda x: 1 - 2 * x),
        ("black-on-white,standardized:0.8693:0.3081", lambda x: (1 - x - 0.8693) / 0.3081),
    ],
)
def test_a_reading_is_what_its_name_says(
    name: str, expected: object, statistics: Statistics, pixels: np.ndarray
) -> None:
    found = np.asarray(readings.parse(name).apply(pixels, statistics))
    np.testing.assert_allclose(found, expected(pixels), atol=1e-4)  # type: ignore[operator]


def test_a_name_is_in_a_fixed_order_and_leaves_out_what_the_contract_has() -> None:
    assert str(readings.parse("0..255,black-on-white,transposed")) == "transposed,black-on-white,0..255"
    assert str(readings.parse("upright,white-on-black,l2")) == "l2"
    assert readings.parse("upright") == AS_AGREED


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("sideways", "'sideways' is unknown"),
        ("", "'' is unknown"),
        ("0..255,-1..1", "'-1..1' is a second scale"),
        ("transposed,turned-left", "'turned-left' is a second orientation"),
        ("standardized:1", "'standardized:1' is unknown"),
    ],
)
def test_other_names_are_refused_with_all_that_there_are(name: str, message: str) -> None:
    with pytest.raises(UsageError, match=message) as refused:
        readings.parse(name)
    for word in ("mirrored-left-right", "black-on-white", "-0.5..0.5", "l2-columns", "standardized:MEAN:DEVIATION"):
        assert word in str(refused.value)


def test_statistics_by_pixel_are_turned_with_the_image(statistics: Statistics, pixels: np.ndarray) -> None:
    upright = np.asarray(Reading(scale="standardized-per-pixel").apply(pixels, statistics))
    turned = np.asarray(Reading("turned-left", "black-on-white", "standardized-per-pixel").apply(pixels, statistics))
    np.testing.assert_allclose(turned, -np.rot90(upright, 1, (1, 2)), atol=1e-3)
