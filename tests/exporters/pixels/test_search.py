from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from mnist_edge_exporters.pixels import search
from mnist_edge_exporters.pixels.readings import Reading
from mnist_edge_exporters.pixels.search import find_better
from numpy.typing import NDArray

CLASSES, IMAGES = 10, 4000
READINGS = [Reading(scale=name) for name in ("0..1", "0..255", "-1..1", "l2", "binary", "0..16", "l2-rows")]
TRUTH = np.arange(IMAGES) % CLASSES


@pytest.fixture
def images() -> NDArray[np.uint8]:
    """Return images of which each holds its own number in its first pixels."""
    images = np.zeros((IMAGES, 28, 28), np.uint8)
    numbers = np.arange(IMAGES)
    images[:, 0, 0], images[:, 0, 1] = numbers // 256, numbers % 256
    return images


class Network:
    """Answers as many images wrongly under each reading as `wrong` says, in steps over all images; counts its work."""

    def __init__(self, wrong: dict[str, int], confidence: Callable[[str], float] = lambda scale: 0.9) -> None:
        self.wrong, self.confidence, self.asked = wrong, confidence, 0

    def __call__(self, readings: Sequence[Reading], images: NDArray[np.uint8]) -> NDArray[np.float32]:
        self.asked += len(readings) * len(images)
        numbers = images[:, 0, 0].astype(np.int64) * 256 + images[:, 0, 1]
        found = []
        for reading in readings:
            share, right = self.wrong.get(reading.scale, IMAGES // 2) / IMAGES, self.confidence(reading.scale)
            is_wrong = np.floor((numbers + 1) * share) > np.floor(numbers * share)
            answers = np.full((len(images), CLASSES), (1 - right) / (CLASSES - 1), np.float32)
            answers[np.arange(len(images)), (TRUTH[numbers] + is_wrong) % CLASSES] = right
            found.append(answers)
        return np.stack(found)

    def find(self, images: NDArray[np.uint8]) -> list[tuple[str, float]]:
        reference = self(READINGS[:1], images)[0]
        self.asked = 0
        found = find_better(self, READINGS, images, TRUTH, reference)
        return [(str(each.reading), each.answers.accuracy) for each in found]


def test_the_better_reading_is_found_among_others(images: NDArray[np.uint8]) -> None:
    network = Network({"0..1": 400, "l2": 40, "-1..1": 400})
    assert network.find(images) == [("l2", 0.99)]


def test_a_good_network_costs_little(images: NDArray[np.uint8]) -> None:
    """A reading that cannot win is given up long before all images."""
    network = Network({"0..1": 40, "-1..1": 41, "0..255": 80})
    assert network.find(images) == []
    assert network.asked < len(READINGS) * 1000 + 200


def test_without_enough_wrong_answers_nothing_is_tried(images: NDArray[np.uint8]) -> None:
    network = Network({"0..1": 14})
    assert network.find(images) == []
    assert network.asked == 0


@pytest.mark.parametrize(("better", "found"), [(60, True), (390, False)])
def test_the_exact_test_on_all_images_decides(better: int, found: bool, images: NDArray[np.uint8]) -> None:
    network = Network({"0..1": 400, "l2": better})
    assert bool(network.find(images)) is found


def test_of_equally_good_readings_the_loss_decides_and_then_the_table(images: NDArray[np.uint8]) -> None:
    wrong = {"0..1": 2000, "0..255": 40, "-1..1": 40, "binary": 40}
    surest = Network(wrong, lambda scale: {"0..255": 0.6, "-1..1": 0.9}.get(scale, 0.5))
    assert [name for name, _ in surest.find(images)] == ["-1..1", "0..255", "binary"]
    alike = Network(wrong, lambda scale: 0.9)
    assert alike.find(images)[0][0] == "0..255"
    rare = Network(wrong, lambda scale: 0.9 if scale != "binary" else 0.905)
    assert rare.find(images)[0][0] == "0..255"


def test_the_same_images_give_the_same_answer(images: NDArray[np.uint8]) -> None:
    wrong = {"0..1": 300, "0..255": 200, "l2": 190, "binary": 180}
    assert Network(wrong).find(images) == Network(wrong).find(images)
    assert search._LAST == 1000
