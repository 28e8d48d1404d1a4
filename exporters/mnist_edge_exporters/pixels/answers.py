"""Compare a network's answers under different readings: right answers, the best order of its labels, the exact test."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from ..parity.metrics import mcnemar

__all__ = ["SIGNIFICANCE", "Answers", "judge", "paired"]

SIGNIFICANCE = 1e-4  # p-value, below which one reading or order is taken for better than another
_SEED = 0  # of the halves of the images
_TINY = 1e-7  # probability, below which a wrong answer costs no more


@dataclass(frozen=True)
class Answers:
    """The answers to some images under one reading.

    Attributes:
        right: whether each is right, bool (N,).
        order: for each output the index of the class that it stands for, (classes,); None where it is its own.
        loss: the mean cross-entropy in nats; of readings with as many right answers, that which the network was
            trained on has the lowest.
    """

    right: NDArray[np.bool_]
    order: NDArray[np.int64] | None
    loss: float

    @property
    def accuracy(self) -> float:
        return float(self.right.mean())


def judge(
    probabilities: NDArray[np.float32], truth: NDArray[np.int64], order: NDArray[np.int64] | None = None
) -> Answers:
    """Count right answers, under the given order of the labels or else the best one.

    Another order than the network's counts only if it is better by the exact test where it was not chosen: one
    from each half of the images is tested on the other half.

    Args:
        probabilities: float32 (N, classes).
        truth: the index of each image's class, (N,).
        order: as in `Answers`; None to look for it.
    """
    answered = probabilities.argmax(axis=1)
    if order is None:
        order, reordered = _best_order(answered, truth, probabilities.shape[1])
        won, lost, p = paired(answered == truth, reordered)
        order = order if won > lost and p < SIGNIFICANCE else None
    right = (answered if order is None else order[answered]) == truth
    output = truth if order is None else np.argsort(order)[truth]  # the output that should have answered
    answer = np.maximum(probabilities[np.arange(len(truth)), output], _TINY)
    return Answers(right, order, float(-np.log(answer).mean()))


def paired(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> tuple[int, int, float]:
    """Return how many answers only the second and only the first has right, and the p-value of McNemar's exact test."""
    won, lost = int((second & ~first).sum()), int((first & ~second).sum())
    return won, lost, mcnemar(lost, won)


def _best_order(
    answered: NDArray[np.int64], truth: NDArray[np.int64], classes: int
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return the best order of the labels, and the right answers under the orders that the other half of them chose."""
    right = np.zeros(len(truth), bool)
    first = np.random.default_rng(_SEED).permutation(len(truth)) < len(truth) // 2
    for half in (first, ~first):
        right[half] = _assign(answered[~half], truth[~half], classes)[answered[half]] == truth[half]
    return _assign(answered, truth, classes), right


def _assign(answered: NDArray[np.int64], truth: NDArray[np.int64], classes: int) -> NDArray[np.int64]:
    """Assign a class to each output so that most answers are right; where nothing tells, an output keeps its own."""
    counts = np.bincount(answered * classes + truth, minlength=classes**2).reshape(classes, classes)
    return np.asarray(linear_sum_assignment(counts + 0.5 * np.eye(classes), maximize=True)[1], np.int64)
