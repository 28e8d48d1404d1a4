from __future__ import annotations

import numpy as np
import pytest
from mnist_edge_runtime.errors import InputError
from mnist_edge_trainer.data import parts


@pytest.mark.parametrize(
    ("part", "names"),
    [
        (
            parts.TRAIN,
            ["train", "Train", "TRAIN", "training", "trainingSet", "mnist_train", "x_train", "xtrain", "trainX"],
        ),
        (parts.VALIDATION, ["val", "valid", "Validation", "dev", "val_images"]),
        (parts.TEST, ["test", "testing", "Test", "testSet", "t10k-images", "emnist-letters-test", "y_test"]),
        (None, ["a", "7", "trained", "contest", "latest", "value", "train_test", "training validation", "attest", ""]),
    ],
)
def test_names_of_parts(part: str | None, names: list[str]) -> None:
    assert {name: parts.part_of(name) for name in names} == dict.fromkeys(names, part)


def test_a_seventh_of_each_class_is_drawn_and_always_the_same() -> None:
    labels = np.repeat([0, 1, 2], [14, 7, 3])
    drawn = parts.draw_test(labels, "x")
    assert np.bincount(labels[drawn]).tolist() == [2, 1, 1]
    np.random.seed(5)
    np.testing.assert_array_equal(parts.draw_test(labels, "x"), drawn)


@pytest.mark.parametrize("labels", [["a", "a", "b"], ["a", "b", "c", "c"]])
def test_a_class_of_one_image_is_named(labels: list[str]) -> None:
    with pytest.raises(InputError, match=r"x: (class b: has one picture|2 classes have one picture \(a, b\)); a class"):
        parts.draw_test(np.array(labels), "x")


def test_numbers_are_in_the_order_of_their_values() -> None:
    names = ["10", "b", "9", "a", "01", "1", "B"]
    assert parts.ordered(names) == ["01", "1", "9", "10", "B", "a", "b"]


def test_a_long_list_says_how_many_more() -> None:
    assert parts.listed(["a", "b"], 2) == "a, b"
    assert parts.listed(["a", "b", "c", "d"], 2) == "a, b and 2 more"
