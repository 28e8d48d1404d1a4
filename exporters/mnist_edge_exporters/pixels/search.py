"""Search for readings under which a network answers better: a race on few images, then the best three on all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..parity.metrics import mcnemar
from .answers import SIGNIFICANCE, Answers, judge, paired
from .readings import Reading
from .scales import COMMON

__all__ = ["Better", "Predict", "find_better"]

# Images (N, 28, 28) under each reading -> probabilities, float32 (readings, N, classes).
Predict = Callable[[Sequence[Reading], NDArray[np.uint8]], NDArray[np.float32]]

_FIRST, _SECOND, _LAST = 32, 200, 1000  # images, after which readings leave the race
_MOST = (48, 12)  # readings that stay after the first and the second
_TRIED = 3  # readings that are tried on all images
_SEED = 0  # of the order in which the images come
_WORSE = 1e-3  # p-value, below which a reading leaves the race because it is worse than the best
_AS_GOOD = 0.01  # p-value, from which two readings are equally good
_SAME_LOSS, _RARE_LOSS = 1.02, 1.25  # ratios of two losses that tell nothing; of a common scale to another one
_CHUNK = 1000  # images


@dataclass(frozen=True)
class Better:
    """A reading of the pixels, or an order of the labels, under which a network answers significantly better.

    Attributes:
        reading: of the pixels.
        answers: to all test images.
        p: that of McNemar's exact test against the answers as they are.
    """

    reading: Reading
    answers: Answers
    p: float


def find_better(
    predict: Predict,
    readings: Sequence[Reading],
    images: NDArray[np.uint8],
    truth: NDArray[np.int64],
    reference: NDArray[np.float32],
) -> list[Better]:
    """Return the readings, of pixels and labels, that are significantly better than the first, the best one first.

    Args:
        predict: the network.
        readings: those to try; the first is that of the reference.
        images: uint8 (N, 28, 28).
        truth: the index of each image's class, (N,).
        reference: the probabilities of the network as it is, float32 (N, classes).
    """
    as_is = reference.argmax(axis=1) == truth
    if not _can_win(0, int((~as_is).sum())):
        return []  # with so few wrong answers nothing can be significantly better
    tried = {readings[0]: judge(reference, truth)}
    for reading, order in _race(predict, readings, images, truth):
        probabilities = _on_all(predict, reading, order, images, truth, as_is)
        if probabilities is not None:
            tried[reading] = judge(probabilities, truth, order)
    found = {}
    for reading, answers in tried.items():
        won, lost, p = paired(as_is, answers.right)
        if won > lost and p < SIGNIFICANCE:
            found[reading] = Better(reading, answers, p)
    ranked = _ranked({reading: each.answers for reading, each in found.items()}, readings)
    return [found[reading] for reading in ranked]


def _race(
    predict: Predict, readings: Sequence[Reading], images: NDArray[np.uint8], truth: NDArray[np.int64]
) -> list[tuple[Reading, NDArray[np.int64] | None]]:
    """Return the best three readings but the first, each with the order of labels that it needs.

    Up to 1,000 images, evenly spread since they may be sorted by class, are answered under all readings that are not
    significantly worse than the best so far.
    """
    spread = np.unique(np.linspace(0, len(images) - 1, _LAST).astype(np.int64))
    places = np.random.default_rng(_SEED).permutation(spread)
    first = min(_SECOND, max(_FIRST, 3 * (int(truth.max()) + 1)))
    known: dict[Reading, NDArray[np.float32]] = {}
    racing, start = list(readings), 0
    for end, most in ((first, _MOST[0]), (_SECOND, _MOST[1]), (_LAST, _TRIED + 1)):
        heat = places[start:end]
        if len(heat):
            new = predict(racing, images[heat])
            known = {r: np.concatenate([known[r], p]) if start else p for r, p in zip(racing, new, strict=True)}
        start = end
        answers = {reading: judge(known[reading], truth[places[:end]]) for reading in racing}
        racing = _ranked(answers, readings, without=_WORSE)[:most]
    return [(reading, answers[reading].order) for reading in racing if reading != readings[0]][:_TRIED]


def _ranked(
    answers: dict[Reading, Answers], readings: Sequence[Reading], *, without: float | None = None
) -> list[Reading]:
    """Return the readings from the best on; those that are worse than it with a p-value below `without` are left out.

    Of those that are as good as the most accurate one, the first of all readings leads, else that with the lowest
    loss; where losses are about the same, a common scale, and that which comes first in the table.
    """
    if not answers:
        return []
    accurate = max(answers.values(), key=lambda each: each.accuracy)
    p = {reading: paired(each.right, accurate.right)[2] for reading, each in answers.items()}
    as_good = [reading for reading in answers if p[reading] >= _AS_GOOD]
    lowest = min(answers[reading].loss for reading in as_good)
    common = [r for r in as_good if r.scale in COMMON and answers[r].loss <= lowest * _RARE_LOSS] or as_good
    lowest = min(answers[reading].loss for reading in common)
    alike = [r for r in as_good if r == readings[0]] or [r for r in common if answers[r].loss <= lowest * _SAME_LOSS]
    best = min(alike, key=readings.index)
    rest = sorted(as_good, key=lambda r: answers[r].loss)
    rest += sorted((r for r in answers if r not in as_good), key=lambda r: -answers[r].accuracy)
    return [best, *(r for r in rest if r != best and (without is None or p[r] >= without))]


def _on_all(
    predict: Predict,
    reading: Reading,
    order: NDArray[np.int64] | None,
    images: NDArray[np.uint8],
    truth: NDArray[np.int64],
    as_is: NDArray[np.bool_],
) -> NDArray[np.float32] | None:
    """Return the probabilities for all images, or None as soon as they cannot be significantly better.

    The images that are answered wrongly as they are come first: they tell how many answers can be won.
    """
    wrong, right = np.flatnonzero(~as_is), np.flatnonzero(as_is)
    found: list[NDArray[np.float32]] = []
    won = lost = 0
    for places in (wrong, *np.split(right, range(_CHUNK, len(right), _CHUNK))):
        found.append(predict([reading], images[places])[0])
        answered = found[-1].argmax(axis=1)
        hits = int(((answered if order is None else order[answered]) == truth[places]).sum())
        won, lost = (hits, 0) if places is wrong else (won, lost + len(places) - hits)
        if not _can_win(lost, won):
            return None
    probabilities = np.empty((len(images), found[0].shape[1]), np.float32)
    probabilities[np.concatenate([wrong, right])] = np.concatenate(found)
    return probabilities


def _can_win(lost: int, won: int) -> bool:
    return won > lost and mcnemar(lost, won) < SIGNIFICANCE
