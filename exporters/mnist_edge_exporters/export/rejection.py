"""Choose the softmax temperature and the rejection threshold on images that did not train."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from mnist_edge_runtime.prediction import softmax
from numpy.typing import NDArray

__all__ = ["RejectionThreshold", "choose"]

Answers = tuple[NDArray[np.float32], NDArray[np.int64]]  # probabilities (N, classes), index of the true class (N,)

_WRONG = 0.001  # largest share of wrong answers among the accepted images of each set
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


def choose(sets: Mapping[str, Answers]) -> RejectionThreshold:
    """Choose the temperature of least log-loss, and the lowest threshold that lets few wrong answers through.

    Args:
        sets: the name of each set of images, and the Keras model's probabilities for them with their true classes. Each
            set counts the same, whatever its size, and of each few accepted answers are wrong.

    Source of the temperature: C. Guo et al., "On Calibration of Modern Neural Networks", 2017,
    https://arxiv.org/abs/1706.04599
    """
    logits = {name: np.log(np.maximum(probabilities, _LEAST)) for name, (probabilities, _) in sets.items()}
    temperature = _temperature([(logits[name], labels) for name, (_, labels) in sets.items()])
    scores = {name: softmax(each / np.float32(temperature * _SOFTENING)).max(axis=1) for name, each in logits.items()}
    threshold = _threshold([(scores[name], given.argmax(axis=1) != labels) for name, (given, labels) in sets.items()])
    how = " and ".join(f"{len(labels)} {name}" for name, (_, labels) in sets.items()) + ": least log-loss"
    if threshold is not None:
        shares = " and ".join(f"{(each >= threshold).mean():.2%}" for each in scores.values())
        how += f"; {shares} of them accepted, of these at most {_WRONG:.1%} wrong"
    return RejectionThreshold(temperature, _SOFTENING, threshold, how)


def _temperature(sets: Sequence[tuple[NDArray[np.float32], NDArray[np.int64]]]) -> float:
    from scipy.optimize import minimize_scalar

    def loss(exponent: float) -> float:
        return sum(_log_loss(logits / np.float32(np.exp(exponent)), labels) for logits, labels in sets)

    found = minimize_scalar(loss, bounds=np.log(_TEMPERATURES), method="bounded")
    return round(float(np.exp(found.x)), 3)


def _log_loss(logits: NDArray[np.float32], labels: NDArray[np.int64]) -> float:
    given = softmax(logits)[np.arange(len(labels)), labels]
    return float(-np.log(np.maximum(given, _LEAST)).mean())


def _threshold(sets: Sequence[tuple[NDArray[np.float32], NDArray[np.bool_]]]) -> float | None:
    """Return the lowest score from which on few enough answers of each set are wrong; None where there is none."""
    candidates = np.unique(np.concatenate([scores for scores, _ in sets]))
    few = np.ones(len(candidates), np.bool_)
    for scores, wrong in sets:
        accepted, mistaken = (_count_from(candidates, each) for each in (scores, scores[wrong]))
        few &= (accepted > 0) & (mistaken <= _WRONG * accepted)
    return float(candidates[few.argmax()]) if few.any() else None


def _count_from(candidates: NDArray[np.float32], scores: NDArray[np.float32]) -> NDArray[np.int64]:
    """Count the scores that reach each candidate."""
    return len(scores) - np.searchsorted(np.sort(scores), candidates)
