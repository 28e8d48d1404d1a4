from __future__ import annotations

import numpy as np
import pytest
from mnist_edge_runtime.errors import InputError
from mnist_edge_trainer.data import checks
from mnist_edge_trainer.data.parts import Part, Parts

RANDOM = np.random.default_rng(3)
IMAGES = np.pad(RANDOM.integers(0, 256, (12, 20, 20), np.uint8), ((0, 0), (4, 4), (4, 4)))


def part(*labels: object) -> Part:
    return Part(IMAGES[: len(labels)], np.array(labels))


@pytest.mark.parametrize(
    ("given", "names"),
    [((10, 9, 2, 9), ("2", "9", "10")), (("10", "b", "9", "a"), ("9", "10", "a", "b")), ((-7, 300), ("-7", "300"))],
)
def test_classes_are_numbered_in_their_order(given: tuple[object, ...], names: tuple[str, ...]) -> None:
    found = checks.numbered(Parts(part(*given), None), part(*given[1:]), "x")
    assert found.names == names
    assert [found.names[label] for label in found.train.labels] == [str(label) for label in given]
    assert [found.names[label] for label in found.test.labels] == [str(label) for label in given[1:]]
    assert found.train.labels.dtype == np.int64


def test_numbers_and_text_are_not_mixed() -> None:
    with pytest.raises(InputError, match="x: labels are numbers in one part and text in another"):
        checks.numbered(Parts(part(1, 2), None), part("1", "2"), "x")


def test_validation_labels_are_checked_as_well() -> None:
    with pytest.raises(InputError, match=r"x: the validation labels \[3\] are not among the training labels"):
        checks.numbered(Parts(part(1, 2), None, part(3)), part(1), "x")


def test_class_names_are_checked() -> None:
    with pytest.raises(InputError, match="x: the class name 'a\\\\nb' has a line break"):
        checks.numbered(Parts(part("a\nb", "c"), None), part("c"), "x")


@pytest.mark.parametrize("brightest", [1, 15, 127])
def test_images_that_are_nearly_black_are_refused(brightest: int) -> None:
    dark = Part(np.minimum(IMAGES[:2], np.uint8(brightest)), np.array([0, 1]))
    with pytest.raises(InputError, match=f"no pixel of the training images is above {brightest} of 255"):
        checks.numbered(Parts(dark, None), dark, "x")


def test_copies_are_counted() -> None:
    train, other = Part(IMAGES[:8], np.arange(8) % 2), Part(IMAGES[5:12], np.array([1, 1, 1, 0, 0, 0, 0]))
    sentence = checks.duplicates(train, other, "test")
    assert sentence is not None
    assert "test images that are training images too, pixel by pixel: 3 of 7, 1 of them under another label" in sentence
    assert checks.duplicates(Part(IMAGES[:5], np.zeros(5)), Part(IMAGES[5:], np.zeros(7)), "test") is None


def test_a_class_needs_an_image_to_train_and_one_to_validate() -> None:
    checks.check_split(np.array([0, 0, 1, 1]), ("a", "b"), "x")
    with pytest.raises(InputError, match=r"x: cannot be split .*too few are those of b \(1\)"):
        checks.check_split(np.array([0, 0, 1]), ("a", "b"), "x")
