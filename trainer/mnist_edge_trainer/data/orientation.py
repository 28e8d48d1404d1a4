"""Find training images that lie on their side, or have exchanged labels, by the network that ships with the runtime."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from mnist_edge_runtime import Classifier
from mnist_edge_runtime.errors import MnistEdgeError
from mnist_edge_runtime.output_capture import suppress_output
from numpy.typing import NDArray

__all__ = ["objection"]

_IMAGES = 1000
_GAIN = 0.03  # accuracy that another way must gain; whole data sets of unusual handwriting gain less by chance
_SIGNIFICANCE = 1e-4  # p-value of McNemar's exact test
# How the images would have to be turned, and what does it: whether rows and columns are exchanged, then reversed.
_WAYS = {
    "transposed (rows and columns exchanged)": (True, False, False),
    "mirrored left to right": (False, False, True),
    "mirrored top to bottom": (False, True, False),
    "turned left": (True, True, False),
    "turned right": (True, False, True),
    "turned by 180 degrees": (False, True, True),
    "transposed along the other diagonal": (True, True, True),
}


def objection(images: NDArray[np.uint8], labels: NDArray[np.int64], names: Sequence[str]) -> str | None:
    """Return a sentence where the digits are read significantly better in another way than they are; else None.

    Only digits are looked at, and only where an engine is installed that runs the runtime's own network.

    Args:
        images: uint8 (N, 28, 28).
        labels: the index of each image's class, (N,).
        names: of the classes.
    """
    if sorted(names) != list("0123456789"):
        return None
    places = np.unique(np.linspace(0, len(images) - 1, _IMAGES).astype(np.int64))
    some, truth = images[places], labels[places]
    try:
        with suppress_output(), Classifier.load(accept_all=True) as classifier:
            order = np.array([names.index(label) for label in classifier.contract.labels])
            as_is = order[classifier.logits(some).argmax(axis=1)]
            turned = {
                way: order[classifier.logits(_turned(some, *moves)).argmax(axis=1)] for way, moves in _WAYS.items()
            }
    except MnistEdgeError:
        return None
    way, answered = max(turned.items(), key=lambda found: (found[1] == truth).mean())
    if p := _p_if_better(as_is == truth, answered == truth):
        return _sentence(f"when they are {way}", as_is == truth, answered == truth, p, "turn the images")
    assigned = _assigned(as_is, truth)
    if p := _p_if_better(as_is == truth, assigned[as_is] == truth):
        pairs = ", ".join(f"{names[a]} is labelled {names[b]}" for a, b in enumerate(assigned) if a != b)
        return _sentence(f"if {pairs}", as_is == truth, assigned[as_is] == truth, p, "put the labels right")
    return None


def _turned(images: NDArray[np.uint8], transposed: bool, rows: bool, columns: bool) -> NDArray[np.uint8]:
    images = images.swapaxes(1, 2) if transposed else images
    return images[:, :: -1 if rows else 1, :: -1 if columns else 1]


def _assigned(answered: NDArray[np.int64], truth: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return for each answer the label that it goes with best, each label once; its own where nothing tells."""
    from scipy.optimize import linear_sum_assignment  # heavy, like the other import inside a function

    counts = np.bincount(answered * 10 + truth, minlength=100).reshape(10, 10)
    return np.asarray(linear_sum_assignment(counts + 0.5 * np.eye(10), maximize=True)[1], np.int64)


def _p_if_better(as_is: NDArray[np.bool_], other: NDArray[np.bool_]) -> float | None:
    won, lost = int((other & ~as_is).sum()), int((as_is & ~other).sum())
    if won - lost < _GAIN * len(as_is):
        return None
    from scipy.stats import binomtest

    p = float(binomtest(won, won + lost).pvalue)
    return p if p < _SIGNIFICANCE else None


def _sentence(how: str, as_is: NDArray[np.bool_], other: NDArray[np.bool_], p: float, advice: str) -> str:
    said = "p < 1e-300" if p < 1e-300 else f"p = {p:.0e}"
    return (
        f"the network that ships with mnist-edge-runtime reads {other.mean():.1%} of {len(as_is):,} training images "
        f"{how}, and {as_is.mean():.1%} as they are (exact McNemar test, {said}); a network that is "
        f"trained on them reads other people's digits wrongly: {advice}, unless they are meant so"
    )
