"""Find images that are turned, inverted or wrongly labelled, by the network that ships with the runtime."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from mnist_edge_runtime import Classifier
from mnist_edge_runtime.errors import MnistEdgeError
from mnist_edge_runtime.orientation import ORIENTATIONS, UPRIGHT, turned
from mnist_edge_runtime.output_capture import suppress_output
from numpy.typing import NDArray

from .parts import TRAIN

__all__ = ["objection"]

_IMAGES = 1000
_GAIN = 0.03  # accuracy that another way must gain; whole data sets of unusual handwriting gain less by chance
_SIGNIFICANCE = 1e-4  # p-value of McNemar's exact test
_READS = 0.5  # accuracy that it must reach; images that are no digits are read no better by chance
# Of each orientation, how a sentence says it.
_PHRASES = {
    "transposed": "transposed (rows and columns exchanged)",
    "mirrored-left-right": "mirrored left to right",
    "mirrored-top-bottom": "mirrored top to bottom",
    "turned-left": "turned left",
    "turned-right": "turned right",
    "turned-180": "turned by 180 degrees",
    "anti-transposed": "transposed along the other diagonal",
}


@dataclass(frozen=True)
class _Way:
    """Images turned, or with black and white exchanged, and the answers to them.

    Attributes:
        orientation: into which the images are turned.
        is_inverted: whether black and white are exchanged.
        right: whether each answer is that of the label, bool (N,).
        assigned: for each answer the label that it goes with best, (10,).
        right_assigned: whether each answer is right if the labels are exchanged like that, bool (N,).
    """

    orientation: str
    is_inverted: bool
    right: NDArray[np.bool_]
    assigned: NDArray[np.int64]
    right_assigned: NDArray[np.bool_]


def objection(
    images: NDArray[np.uint8], labels: NDArray[np.int64], names: Sequence[str], part: str = TRAIN
) -> str | None:
    """Return a sentence where the digits are read significantly better in another way than they are; else None.

    Only digits are looked at, and only where an engine is installed that runs the runtime's own network.

    Args:
        images: uint8 (N, 28, 28).
        labels: the index of each image's class, (N,).
        names: of the classes.
        part: of the data, whose images these are.
    """
    if sorted(names) != list("0123456789"):
        return None
    places = np.unique(np.linspace(0, len(images) - 1, _IMAGES).astype(np.int64))
    some, truth = images[places], labels[places]
    try:
        with suppress_output(), Classifier.load(accept_all=True) as classifier:
            order = np.array([names.index(label) for label in classifier.contract.labels])
            ways = [
                _way(orientation, is_inverted, order[classifier.logits(tried).argmax(axis=1)], truth)
                for is_inverted, polarity in ((False, some), (True, 255 - some))
                for orientation, tried in ((name, turned(polarity, name)) for name in ORIENTATIONS)
            ]
    except MnistEdgeError:
        return None
    as_is, best = ways[0], max(ways, key=lambda way: way.right.mean())
    exchanged = max(ways, key=lambda way: way.right_assigned.mean())
    if _p_if_better(best.right, exchanged.right_assigned) and (
        p := _p_if_better(as_is.right, exchanged.right_assigned)
    ):
        return _sentence(part, exchanged, names, as_is.right, exchanged.right_assigned, p)
    if p := _p_if_better(as_is.right, best.right):
        return _sentence(part, best, None, as_is.right, best.right, p)
    return None


def _way(orientation: str, is_inverted: bool, answered: NDArray[np.int64], truth: NDArray[np.int64]) -> _Way:
    assigned = _assigned(answered, truth)
    return _Way(orientation, is_inverted, answered == truth, assigned, assigned[answered] == truth)


def _assigned(answered: NDArray[np.int64], truth: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return for each answer the label that it goes with best, each label once; its own where nothing tells."""
    from scipy.optimize import linear_sum_assignment  # heavy, like the other import inside a function

    counts = np.bincount(answered * 10 + truth, minlength=100).reshape(10, 10)
    return np.asarray(linear_sum_assignment(counts + 0.5 * np.eye(10), maximize=True)[1], np.int64)


def _p_if_better(as_is: NDArray[np.bool_], other: NDArray[np.bool_]) -> float | None:
    won, lost = int((other & ~as_is).sum()), int((as_is & ~other).sum())
    if won - lost < _GAIN * len(as_is) or other.mean() < _READS:
        return None
    from scipy.stats import binomtest

    p = float(binomtest(won, won + lost).pvalue)
    return p if p < _SIGNIFICANCE else None


def _sentence(
    part: str, way: _Way, names: Sequence[str] | None, as_is: NDArray[np.bool_], other: NDArray[np.bool_], p: float
) -> str:
    """Return what would be read better; `names` are those of the labels where they are to be exchanged, too."""
    how, advice = [], []
    if way.orientation != UPRIGHT:
        how.append(f"when they are {_PHRASES[way.orientation]}")
        advice.append("turn the images")
    if way.is_inverted:
        how.append("when black and white are exchanged")
        advice.append("give them white on black")
    if names:
        pairs = [f"{names[a]} is labelled {names[b]}" for a, b in enumerate(way.assigned) if a != b]
        how.append(f"if {', '.join(pairs)}")
        advice.append("put the labels right")
    said = "p < 1e-300" if p < 1e-300 else f"p = {p:.0e}"
    follows = (
        "a network that is trained on them reads other people's digits wrongly"
        if part == TRAIN
        else "an accuracy on them says little of other people's digits"
    )
    return (
        f"the network that ships with mnist-edge-runtime reads {other.mean():.1%} of {len(as_is):,} {part} images "
        f"{' and '.join(how)}, and {as_is.mean():.1%} as they are (exact McNemar test, {said}); "
        f"{follows}: {' and '.join(advice)}, unless they are meant so"
    )
