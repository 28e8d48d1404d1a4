"""Choose the softmax temperature and the rejection threshold on validation images."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from mnist_edge_runtime.classifier import softmax
from numpy.typing import NDArray

__all__ = ["RejectionThreshold", "choose"]

_WRONG = 0.001  # largest share of wrong answers among the accepted validation images
# Times the temperature: of 1 to 8, the value that keeps 97 % of the digits and refuses most images of other things.
_SOFTENING = 5.0
_LEAST = 1e-30  # probability that stands in for one that is 0 in float32
_TEMPERATURES = (0.1, 10.0)


@dataclass(frozen=True)
class RejectionThreshold:
    """Temperature, softening and threshold as `OutputSpec` describes them, and how they were chosen."""

    temperature: float
    softening: float
    threshold: float | None
    chosen_on: str


def choose(probabilities: NDArray[np.float32], labels: NDArray[np.int64]) -> RejectionThreshold:
    """Choose the temperature of least log-loss, and the lowest threshold that lets few wrong answers through.

    Args:
        probabilities: the Keras model's for the validation images, float32 (N, classes).
        labels: the index of each image's true class, (N,).

    Source of the temperature: C. Guo et al., "On Calibration of Modern Neural Networks", 2017,
    https://arxiv.org/abs/1706.04599
    """
    logits = np.log(np.maximum(probabilities, _LEAST))
    temperature = _temperature(logits, labels)
    scores = softmax(logits / np.float32(temperature * _SOFTENING)).max(axis=1)
    threshold = _threshold(scores, probabilities.argmax(axis=1) == labels)
    how = f"{len(labels)} validation images: least log-loss"
    if threshold is not None:
        how += f"; {(scores >= threshold).mean():.2%} of them accepted, of these at most {_WRONG:.1%} wrong"
    return RejectionThreshold(temperature, _SOFTENING, threshold, how)


def _temperature(logits: NDArray[np.float32], labels: NDArray[np.int64]) -> float:
    from scipy.optimize import minimize_scalar

    def loss(exponent: float) -> float:
        given = softmax(logits / np.float32(np.exp(exponent)))[np.arange(len(labels)), labels]
        return float(-np.log(np.maximum(given, _LEAST)).mean())

    found = minimize_scalar(loss, bounds=np.log(_TEMPERATURES), method="bounded")
    return round(float(np.exp(found.x)), 3)


def _threshold(scores: NDArray[np.float32], right: NDArray[np.bool_]) -> float | None:
    """Return the lowest score down to which few enough answers are wrong; None where the most certain one is wrong."""
    order = np.argsort(-scores, kind="stable")
    wrong = np.cumsum(~right[order]) / np.arange(1, len(order) + 1)
    enough = np.flatnonzero(wrong <= _WRONG)
    return float(scores[order[enough[-1]]]) if len(enough) else None
