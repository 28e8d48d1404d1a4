"""Decide in integers whether an answer with logits of 8 bits is accepted: the same in Python, C and JavaScript.

A logit d steps below the largest has the weight round(2**20 * exp(-d * scale / (temperature * softening))). An answer
is accepted if the weights of all its logits add up to at most floor(2**20 / threshold): its score, the largest
softened probability, reaches the threshold then. The contract's numbers are taken as they are, and rounded is the exact
value: there is one table for each contract.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .model_file.contract import OutputSpec

__all__ = ["ONE", "Acceptance", "acceptance"]

ONE = 1 << 20  # the weight of the largest logit
_LARGEST = (1 << 32) - 1 - ONE  # a limit, so that a sum in 32 bits can stop above it
_STEPS = 256
# Distance from a half within which 64-bit floats, which err by 1e-8, do not decide; more digits do.
_UNCERTAIN = 1e-6
_DIGITS = 60


class Acceptance:
    """The rule of a file; a plain class, since every start waits for a named tuple to be made.

    Attributes:
        weights: of a logit that is 0 to 255 steps below the largest.
        limit: the largest sum that is accepted.
        scale: the real value of a step.
    """

    def __init__(self, weights: tuple[int, ...], limit: int, scale: float) -> None:
        self.weights, self.limit, self.scale = weights, limit, scale

    def accepts(self, raw: NDArray[Any]) -> bool:
        """Return whether an answer is accepted, of its raw logits, (classes,) of 8 bits."""
        values, weights = raw.tolist(), self.weights  # for few classes quicker than numpy
        largest = max(values)
        return sum([weights[largest - value] for value in values]) <= self.limit

    def accepts_each(self, logits: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Return whether each answer is accepted, bool (N,), of the real values of its logits, (N, classes)."""
        steps = (logits.max(axis=1, keepdims=True) - logits) / np.float32(self.scale)
        steps += np.float32(0.5)  # they are whole but for the rounding of float32
        accepted: NDArray[np.bool_] = np.array(self.weights).take(steps.astype(np.uint8)).sum(axis=1) <= self.limit
        return accepted


def acceptance(output: OutputSpec) -> Acceptance | None:
    """Return the rule of an output of 8 bits; None for a float output, and for one without a threshold."""
    if output.dtype == "float32" or output.threshold is None:
        return None
    exact = ONE * np.exp(np.arange(_STEPS) * (-output.scale / (output.temperature * output.softening)))
    if (np.abs(exact % 1 - 0.5) < _UNCERTAIN).any():
        exact = _of_many_digits(output)
    numerator, denominator = float(output.threshold).as_integer_ratio()
    limit = min(ONE * denominator // numerator, _LARGEST) if numerator else _LARGEST
    return Acceptance(tuple(np.rint(exact).astype(np.int64).tolist()), limit, output.scale)


def _of_many_digits(output: OutputSpec) -> NDArray[np.float64]:
    """Return the weights, rounded after they were computed with many digits."""
    from decimal import Decimal, localcontext

    with localcontext() as context:
        context.prec = _DIGITS
        step = Decimal(output.scale) / (Decimal(output.temperature) * Decimal(output.softening))
        return np.array([float((ONE * (-step * steps).exp()).to_integral_value()) for steps in range(_STEPS)])
