"""The limits of a file's distance from the Keras model: one for each figure, and a table by quantization."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from mnist_edge_runtime.errors import UsageError

from ..spec import Quantization

__all__ = ["TOLERANCES", "Tolerance"]


@dataclass(frozen=True)
class Tolerance:
    """The limits of a file's distance from the Keras model.

    Attributes:
        agreement: the least share of images with the same answer, 0 to 1.
        accuracy_loss: the largest absolute difference of the two accuracies, 0 to 1.
        probability_difference: the largest absolute difference of any probability, 0 to 1.
        sqnr_db: the least signal to quantization noise ratio of the logits, in dB. It is the figure that a wrong scale
            of the output cannot pass, however many answers stay the same: 5 % too large is 26 dB.
        counts_small_sets: whether an inexact file on a small test set is judged by counts instead of shares, as it is
            unless a person named a share.
    """

    agreement: float
    accuracy_loss: float
    probability_difference: float
    sqnr_db: float
    counts_small_sets: bool = True

    @property
    def figures(self) -> dict[str, float]:
        """The limits by name."""
        figures: dict[str, float] = asdict(self)
        del figures["counts_small_sets"]
        return figures

    def doubled(self) -> Tolerance:
        """Return the limits for the difference of two files that are each within this tolerance."""
        return Tolerance(
            agreement=max(0.0, 2 * self.agreement - 1),
            accuracy_loss=2 * self.accuracy_loss,
            probability_difference=2 * self.probability_difference,
            sqnr_db=self.sqnr_db - 6,  # half the ratio of amplitudes
            counts_small_sets=self.counts_small_sets,
        )

    def replaced(self, figures: Sequence[str]) -> Tolerance:
        """Return the tolerance with some figures replaced, each as "agreement=0.99".

        Raises:
            UsageError: an unknown figure, or a value out of its range.
        """
        changes: dict[str, Any] = {}
        for figure in figures:
            name, _, value = figure.partition("=")
            name = name.replace("-", "_")
            if name not in self.figures:
                known = ", ".join(known.replace("_", "-") for known in self.figures)
                raise UsageError(f"--tolerance {figure}: unknown figure; choose from {known}")
            try:
                changes[name] = float(value)
            except ValueError:
                raise UsageError(f"--tolerance {figure}: expected NAME=NUMBER") from None
            highest = 200 if name == "sqnr_db" else 1
            if not 0 <= changes[name] <= highest:
                raise UsageError(f"--tolerance {figure}: expected a number from 0 to {highest}")
        if not changes.keys().isdisjoint(("agreement", "accuracy_loss")):
            changes["counts_small_sets"] = False
        return replace(self, **changes)


# Probabilities of a quantized file may differ by much where two classes are close, hence the limits of 1.
TOLERANCES: Mapping[Quantization, Tolerance] = {
    Quantization.NONE: Tolerance(agreement=1.0, accuracy_loss=0.0, probability_difference=1e-4, sqnr_db=80),
    Quantization.FLOAT16: Tolerance(agreement=0.999, accuracy_loss=0.001, probability_difference=0.02, sqnr_db=45),
    Quantization.INT16X8: Tolerance(agreement=0.999, accuracy_loss=0.001, probability_difference=0.1, sqnr_db=25),
    Quantization.DYNAMIC: Tolerance(agreement=0.997, accuracy_loss=0.002, probability_difference=1.0, sqnr_db=25),
    Quantization.INT8: Tolerance(agreement=0.995, accuracy_loss=0.003, probability_difference=1.0, sqnr_db=25),
    Quantization.INT4: Tolerance(agreement=0.98, accuracy_loss=0.01, probability_difference=1.0, sqnr_db=12),
}
