from __future__ import annotations

import numpy as np
import pytest
from mnist_edge_runtime import Classifier, EngineError
from mnist_edge_trainer.data import datasets, orientation

DATA = datasets.load("digits")
IMAGES, LABELS, NAMES = DATA.train_images, DATA.train_labels, DATA.labels


@pytest.mark.long
def test_digits_as_they_should_be_are_left_alone() -> None:
    assert orientation.objection(IMAGES, LABELS, NAMES) is None
    assert orientation.objection(IMAGES[:30], LABELS[:30], NAMES) is None


@pytest.mark.long
@pytest.mark.parametrize(
    ("turned", "message"),
    [
        (IMAGES.swapaxes(1, 2), "when they are transposed"),
        (IMAGES[:, :, ::-1], "when they are mirrored left to right"),
        (IMAGES[:, ::-1], "when they are mirrored top to bottom"),
        (np.rot90(IMAGES, axes=(1, 2)), "when they are turned right"),
        (np.rot90(IMAGES, -1, axes=(1, 2)), "when they are turned left"),
        (np.rot90(IMAGES, 2, axes=(1, 2)), "when they are turned by 180 degrees"),
        (np.rot90(IMAGES, 2, axes=(1, 2)).swapaxes(1, 2), "when they are transposed along the other diagonal"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_images_that_do_not_stand_upright_are_told(turned: np.ndarray, message: str) -> None:
    found = orientation.objection(turned, LABELS, NAMES)
    assert found
    assert message in found
    assert "of 1,000 training images" in found
    assert "turn the images" in found


def test_test_images_are_told_as_such() -> None:
    found = orientation.objection(DATA.test_images.swapaxes(1, 2), DATA.test_labels, NAMES, "test")
    assert found
    assert "of 300 test images when they are transposed" in found
    assert "an accuracy on them says little of other people's digits: turn the images" in found


@pytest.mark.long
def test_black_on_white_is_told() -> None:
    found = orientation.objection(255 - IMAGES, LABELS, NAMES)
    assert found
    assert "when black and white are exchanged, and" in found
    assert "give them white on black, unless" in found


@pytest.mark.long
def test_all_that_is_wrong_is_told_together() -> None:
    exchanged = np.array([0, 1, 2, 3, 4, 5, 6, 8, 7, 9])[LABELS]
    found = orientation.objection(255 - IMAGES.swapaxes(1, 2), exchanged, NAMES)
    assert found
    assert (
        "when they are transposed (rows and columns exchanged) and when black and white are exchanged and if 7 is "
        "labelled 8, 8 is labelled 7, and" in found
    )
    assert "turn the images and give them white on black and put the labels right, unless" in found


@pytest.mark.long
def test_images_that_are_no_digits_are_left_alone() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (1000, 28, 28)).astype(np.uint8)
    assert orientation.objection(noise, np.arange(1000) % 10, NAMES) is None
    mixed = np.random.default_rng(0).permutation(784)
    assert orientation.objection(IMAGES.reshape(-1, 784)[:, mixed].reshape(-1, 28, 28), LABELS, NAMES) is None


@pytest.mark.long
def test_exchanged_labels_are_told() -> None:
    exchanged = np.array([0, 1, 2, 3, 4, 5, 6, 8, 7, 9])[LABELS]
    found = orientation.objection(IMAGES, exchanged, NAMES)
    assert found
    assert "if 7 is labelled 8, 8 is labelled 7" in found
    assert orientation.objection(IMAGES, 9 - LABELS, tuple(reversed(NAMES))) is None


@pytest.mark.long
def test_other_classes_and_machines_without_an_engine_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    turned = IMAGES[:, ::-1]
    assert orientation.objection(turned, LABELS, tuple("abcdefghij")) is None
    assert orientation.objection(turned, LABELS, NAMES)

    def no_engine(**options: object) -> Classifier:
        raise EngineError("no engine")

    monkeypatch.setattr(orientation.Classifier, "load", no_engine)
    assert orientation.objection(turned, LABELS, NAMES) is None
