"""Compute the field's measures of how far two sets of answers are apart."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtr

__all__ = ["changed_predictions", "comparable_logits", "kl_divergence", "lsb_histogram", "mcnemar", "sqnr_db"]

_TINY = 1e-30  # probability, below any that matters; keeps logarithms finite
_SMALLEST = 1e-37  # probability, below which float32 has no digits left
_HISTOGRAM_END = 8  # steps of the output


def mcnemar(lost: int, won: int) -> float:
    """Return the p-value of McNemar's exact test, whose null hypothesis is that both classifiers are equally good."""
    return min(1.0, 2 * float(bdtr(min(lost, won), lost + won, 0.5)))  # far quicker than scipy.stats.binomtest


def kl_divergence(reference: NDArray[np.float32], probabilities: NDArray[np.float32]) -> float:
    """Return the mean Kullback-Leibler divergence, in nats, of `probabilities` from `reference`, both (N, classes)."""
    p, q = (np.maximum(values.astype(np.float64), _TINY) for values in (reference, probabilities))
    return float((p * np.log(p / q)).sum(axis=1).mean())


def sqnr_db(reference: NDArray[Any], found: NDArray[Any]) -> float:
    """Return the signal to quantization noise ratio in dB; infinity without noise, minus infinity without signal."""
    signal = reference.astype(np.float64)
    noise = float(((signal - found) ** 2).sum())
    power = float((signal**2).sum())
    if not noise:
        return math.inf
    return 10 * math.log10(power / noise) if power else -math.inf


def comparable_logits(
    reference: NDArray[np.float32], logits: NDArray[np.float32]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the logits behind the reference's probabilities and those found, relative to the same logit, both (M,).

    Softmax keeps only differences of logits, so both sides are taken relative to the reference's answer, which is
    left out, as are probabilities for which float32 has no digits.

    Args:
        reference: probabilities, float32 (N, classes).
        logits: float32 (N, classes).
    """
    rows, answers = np.arange(len(reference)), reference.argmax(axis=1)
    known = (reference > _SMALLEST) & (np.arange(reference.shape[1]) != answers[:, np.newaxis])
    expected = np.log(np.maximum(reference.astype(np.float64), _SMALLEST))
    expected -= expected[rows, answers][:, np.newaxis]
    found = logits.astype(np.float64) - logits[rows, answers][:, np.newaxis]
    return expected[known], found[known]


def lsb_histogram(expected: NDArray[np.float64], found: NDArray[np.float64], scale: float) -> dict[str, int]:
    """Return the histogram of the logits' errors in steps of the output (LSB).

    Args:
        expected, found: as `comparable_logits` returns them.
        scale: one step of the output.

    Returns:
        "0" to "8" and "more" steps -> number of logits.
    """
    steps = np.rint(np.abs(found - expected) / scale).astype(np.int64)
    counts = np.bincount(np.minimum(steps, _HISTOGRAM_END + 1), minlength=_HISTOGRAM_END + 2)
    names = [*map(str, range(_HISTOGRAM_END + 1)), "more"]
    return {name: int(count) for name, count in zip(names, counts, strict=True)}


def changed_predictions(
    reference: NDArray[np.float32], probabilities: NDArray[np.float32], labels: NDArray[np.int64]
) -> list[dict[str, Any]]:
    """List the images whose answer changed, the largest margin first.

    The margin is that of the reference between its answer and the file's: where it is small, the images are close
    calls; a changed answer with a large one is a fault.
    """
    expected, answered = reference.argmax(axis=1), probabilities.argmax(axis=1)
    changed = np.flatnonzero(expected != answered)
    margins = reference[changed, expected[changed]] - reference[changed, answered[changed]]
    order = np.argsort(-margins, kind="stable")
    return [
        {
            "image": int(image),
            "true": int(labels[image]),
            "reference": int(expected[image]),
            "answer": int(answered[image]),
            "margin": float(margin),
        }
        for image, margin in zip(changed[order], margins[order], strict=True)
    ]
