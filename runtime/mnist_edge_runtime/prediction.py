"""The answer to an image: what a prediction holds, and how probabilities come from logits."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .errors import EngineError

__all__ = ["NAN", "Prediction", "finite", "softmax"]

NAN = "the model answers with NaN or infinity, so it is damaged or was never trained; export it again"
_ONE = np.float32(1)
_exp, _sum = np.exp, np.add.reduce  # looked up once: a single image is a matter of microseconds


class Prediction(NamedTuple):
    """The network's answer to one image; a named tuple, since a frozen dataclass takes a microsecond to make.

    Attributes:
        label: the most probable class.
        confidence: its probability, 0 to 1.
        probabilities: float32 (classes,), in the order of the contract's labels.
        accepted: False where the score is below the contract's threshold; True where it has none.
        reason: why it was not accepted, else None.
    """

    label: str
    confidence: float
    probabilities: NDArray[np.float32]
    accepted: bool
    reason: str | None


def softmax(logits: NDArray[np.float32], temperature: np.float32 = _ONE) -> NDArray[np.float32]:
    """Return the probabilities, float32, of logits of the same shape, (classes,) or (N, classes)."""
    exponentials = _exp((logits - np.maximum.reduce(logits, axis=-1, keepdims=True)) / temperature)
    probabilities: NDArray[np.float32] = exponentials / _sum(exponentials, axis=-1, keepdims=True)
    return probabilities


def finite(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the logits, of any shape.

    Raises:
        EngineError: there is NaN or infinity among them.
    """
    if not np.isfinite(logits).all():
        raise EngineError(NAN)
    return logits
