from __future__ import annotations

import numpy as np
import pytest
from mnist_edge_exporters.pixels.answers import judge, paired
from numpy.typing import NDArray


def _answers(answered: NDArray[np.int64], classes: int) -> NDArray[np.float32]:
    """Return probabilities of 0.9 for each answer."""
    probabilities = np.full((len(answered), classes), 0.1 / (classes - 1), np.float32)
    probabilities[np.arange(len(answered)), answered] = 0.9
    return probabilities


def test_right_answers_need_no_other_order() -> None:
    truth = np.arange(300) % 10
    found = judge(_answers(truth, 10), truth)
    assert (found.accuracy, found.order) == (1, None)
    assert found.loss == pytest.approx(-np.log(0.9), rel=1e-5)


def test_exchanged_classes_are_found() -> None:
    truth = np.arange(300) % 10
    order = np.array([0, 1, 2, 3, 4, 5, 6, 8, 7, 9])
    found = judge(_answers(order[truth], 10), truth)
    assert found.accuracy == 1
    assert found.order is not None
    assert found.order.tolist() == order.tolist()
    assert found.loss == pytest.approx(-np.log(0.9), rel=1e-5)


def test_an_order_says_which_class_each_output_stands_for() -> None:
    """Folders sorted as words: the third output of a network of 12 classes is "10"."""
    names = sorted(map(str, range(12)))
    truth = np.arange(600) % 12
    answered = np.array([names.index(str(label)) for label in range(12)])[truth]
    found = judge(_answers(answered, 12), truth)
    assert found.order is not None
    assert [str(label) for label in found.order] == names


def test_chance_is_no_order_of_labels() -> None:
    """Whatever a network says that guesses, or that has few images of each class, an order fits some of it."""
    random = np.random.default_rng(0)
    for classes, count in ((10, 30), (10, 300), (100, 300), (1000, 2000)):
        truth, answered = random.integers(classes, size=(2, count))
        assert judge(_answers(answered, classes), truth).order is None


def test_too_few_images_show_no_order() -> None:
    truth = np.arange(30) % 10
    answered = np.array([0, 1, 2, 3, 4, 5, 6, 8, 7, 9])[truth]
    found = judge(_answers(answered, 10), truth)
    assert (found.order, found.accuracy) == (None, 0.8)


def test_a_class_without_images_keeps_its_label() -> None:
    truth = np.arange(200) % 4  # classes 4 and 5 are never seen
    found = judge(_answers(np.array([1, 0, 2, 3])[truth], 6), truth)
    assert found.order is not None
    assert found.order.tolist() == [1, 0, 2, 3, 4, 5]


def test_a_given_order_is_used_as_it_is() -> None:
    truth = np.arange(20) % 2
    found = judge(_answers(truth, 2), truth, np.array([1, 0]))
    assert found.accuracy == 0


def test_the_paired_test_is_exact() -> None:
    first, second = np.zeros(20, bool), np.zeros(20, bool)
    second[:15], first[15:16] = True, True
    won, lost, p = paired(first, second)
    assert (won, lost) == (15, 1)
    assert p == pytest.approx(2 * (1 + 16) / 2**16)
