"""Does the exported file still answer as the Keras model does? Counted on the whole test set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from mnist_edge_runtime.errors import ModelError
from numpy.typing import NDArray
from scipy.stats import binomtest

from .network import ends_in_softmax
from .spec import Quantization

__all__ = ["SMALL_TEST_SET", "TOLERANCES", "ParityReport", "Tolerance", "compare", "reference_probabilities"]

SMALL_TEST_SET = 5_000  # below this many images a percentage says little
_SIGNIFICANCE = 0.05
_BATCH = 500


@dataclass(frozen=True)
class Tolerance:
    """How far a file may be from the Keras model.

    Attributes:
        agreement: the least share of images with the same answer.
        accuracy_loss: the largest absolute difference of the two accuracies, 0 to 1.
        probability_difference: the largest absolute difference of any probability; None for no limit.
    """

    agreement: float
    accuracy_loss: float
    probability_difference: float | None


TOLERANCES: Mapping[Quantization, Tolerance] = {
    Quantization.NONE: Tolerance(agreement=1.0, accuracy_loss=0.0, probability_difference=1e-4),
    Quantization.INT8: Tolerance(agreement=0.995, accuracy_loss=0.003, probability_difference=None),
}


@dataclass(frozen=True)
class ParityReport:
    """The figures and the verdict; `failures` has one sentence for each figure out of tolerance."""

    images: int
    accuracy: float
    reference_accuracy: float
    agreement: float
    changed: int
    mcnemar_p: float
    max_abs_difference: float | None
    mean_abs_difference: float | None
    non_finite: int
    failures: tuple[str, ...]

    @property
    def passed(self) -> bool:
        return not self.failures

    def to_dict(self) -> dict[str, Any]:
        """Return the report as the contract and the file beside the export hold it."""
        return {**asdict(self), "failures": list(self.failures), "passed": self.passed, "summary": self.summary()}

    def summary(self) -> list[str]:
        """Return the figures as a person reads them."""
        return [
            f"{self.accuracy:.2%} of {self.images:,} test images right, the Keras model {self.reference_accuracy:.2%}",
            f"{self.agreement:.2%} the same answer",
        ]


def reference_probabilities(model: Any, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return what the Keras model says, float32 (N, classes), of uint8 images (N, 28, 28).

    The pixels are scaled here, whatever an exported file claims of them. A model that ends in logits gets its
    softmax here.

    Raises:
        ModelError: an answer is NaN or infinite.
    """
    pixels = images.astype(np.float32)[..., np.newaxis] / np.float32(255)
    answers: NDArray[np.float32] = model.predict(pixels, batch_size=_BATCH, verbose=0)
    if not np.isfinite(answers).all():
        raise ModelError("the Keras model itself answers with NaN or infinity; train it again")
    if not ends_in_softmax(model):
        exponentials = np.exp(answers - answers.max(axis=1, keepdims=True))
        answers = exponentials / exponentials.sum(axis=1, keepdims=True)
    return answers


def compare(
    reference: NDArray[np.float32],
    probabilities: NDArray[np.float32],
    labels: NDArray[np.int64],
    tolerance: Tolerance,
) -> ParityReport:
    """Hold a file's probabilities against the Keras model's.

    Args:
        reference: those of the Keras model, float32 (N, classes).
        probabilities: those of the file, float32 (N, classes).
        labels: the index of each image's true class, (N,).
        tolerance: what is allowed; an inexact file on a small test set is judged by the exact McNemar test and the
            number of changed answers instead of by shares.
    """
    count = len(labels)
    answered, expected = probabilities.argmax(axis=1), reference.argmax(axis=1)
    right, right_before = answered == labels, expected == labels
    changed = int((answered != expected).sum())
    lost, won = int((right_before & ~right).sum()), int((~right_before & right).sum())
    # Exact McNemar test: under equal skill each change of right and wrong is a coin toss.
    p_value = float(binomtest(lost, lost + won).pvalue) if lost + won else 1.0
    non_finite = int((~np.isfinite(probabilities)).sum())
    difference = np.abs(probabilities.astype(np.float64) - reference)
    agreement, loss = 1 - changed / count, abs(float(right.mean()) - float(right_before.mean()))

    failures = []
    if non_finite:
        failures.append(f"{non_finite} probabilities are NaN or infinite")
    if count < SMALL_TEST_SET and tolerance.agreement < 1:
        most = max(3, count * 2 // 100)
        if changed > most:
            failures.append(f"{changed} of {count} answers changed, allowed are {most}")
        if p_value < _SIGNIFICANCE:
            failures.append(
                f"{lost} answers got worse and {won} better, McNemar p = {p_value:.4f}, below {_SIGNIFICANCE}"
            )
    else:
        if agreement < tolerance.agreement:
            failures.append(f"{agreement:.2%} of the answers are the same, expected {tolerance.agreement:.2%}")
        if loss > tolerance.accuracy_loss + 1e-12:
            failures.append(f"accuracy differs by {loss:.2%}, allowed is {tolerance.accuracy_loss:.2%}")
    limit = tolerance.probability_difference
    if limit is not None and not difference.max() <= limit:
        failures.append(f"a probability differs by {difference.max():.2g}, allowed is {limit:g}")
    return ParityReport(
        images=count,
        accuracy=float(right.mean()),
        reference_accuracy=float(right_before.mean()),
        agreement=agreement,
        changed=changed,
        mcnemar_p=p_value,
        max_abs_difference=None if non_finite else float(difference.max()),
        mean_abs_difference=None if non_finite else float(difference.mean()),
        non_finite=non_finite,
        failures=tuple(failures),
    )
