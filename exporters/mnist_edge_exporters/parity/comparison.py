"""Compare an exported file's answers with those of the Keras model, on the whole test set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from mnist_edge_runtime.confidence_interval import format_accuracy, wilson
from mnist_edge_runtime.errors import ModelError
from mnist_edge_runtime.prediction import softmax
from numpy.typing import NDArray

from ..output_head import gives_probabilities
from . import metrics
from .tolerance import Tolerance

__all__ = ["SMALL_TEST_SET", "ParityReport", "compare", "reference_probabilities"]

SMALL_TEST_SET = 5_000  # images, below which a percentage says little
_SIGNIFICANCE = 0.05  # p-value
_BATCH = 500  # images


@dataclass(frozen=True)
class ParityReport:
    """The figures of one file on one runtime, and the verdict.

    Attributes:
        images: the size of the test set.
        accuracy, reference_accuracy: of the file and of the Keras model, with their 95 % Wilson intervals.
        agreement: the share of images with the same answer; `changed` is the number of the others.
        lost, won: answers that got worse and better; `mcnemar_p` is the exact McNemar test on them.
        max_abs_difference, mean_abs_difference: of probabilities; None where any is not finite.
        mean_kl: the mean Kullback-Leibler divergence in nats.
        compared_logits: how many logits the reference's probabilities still show; where they are all exactly 0 or 1,
            none, and the scale of the output cannot be judged.
        sqnr_db: of the logits, in dB; None where there is no noise at all.
        lsb_histogram: by how many output steps the logits are off; None for float outputs.
        non_finite: how many probabilities are NaN or infinite.
        changed_predictions: the changed answers, the largest margin first.
        tolerance: the limits that applied.
        failures: a sentence for each figure out of tolerance.
    """

    images: int
    accuracy: float
    accuracy_interval: tuple[float, float]
    reference_accuracy: float
    reference_interval: tuple[float, float]
    agreement: float
    changed: int
    lost: int
    won: int
    mcnemar_p: float
    max_abs_difference: float | None
    mean_abs_difference: float | None
    mean_kl: float | None
    compared_logits: int
    sqnr_db: float | None
    lsb_histogram: Mapping[str, int] | None
    non_finite: int
    changed_predictions: tuple[Mapping[str, Any], ...]
    tolerance: Mapping[str, float]
    failures: tuple[str, ...]

    @property
    def passed(self) -> bool:
        return not self.failures

    def to_dict(self) -> dict[str, Any]:
        """Return the report as the file beside the export holds it."""
        return {**asdict(self), "passed": self.passed}

    def summary(self) -> list[str]:
        """Return the figures as a person reads them."""
        file, keras = (format_accuracy(share, self.images) for share in (self.accuracy, self.reference_accuracy))
        return [
            f"{file} of {self.images:,} test images right",
            f"{keras} by the Keras model",
            f"{self.agreement:.2%} the same answer, {self.lost} worse, {self.won} better, "
            f"McNemar p {self.mcnemar_p:.2g}",
        ]


def reference_probabilities(model: Any, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the Keras model's probabilities, float32 (N, classes), for uint8 images (N, 28, 28).

    The pixels are scaled here, whatever an exported file claims about them. A model that ends in logits gets its
    softmax here.

    Raises:
        ModelError: an answer is NaN or infinite.
    """
    pixels = images.astype(np.float32)[..., np.newaxis] / np.float32(255)
    answers: NDArray[np.float32] = model.predict(pixels, batch_size=_BATCH, verbose=0)
    if not np.isfinite(answers).all():
        raise ModelError("the Keras model itself answers with NaN or infinity; train it again")
    return answers if gives_probabilities(model) else softmax(answers)


def compare(
    reference: NDArray[np.float32],
    logits: NDArray[np.float32],
    labels: NDArray[np.int64],
    tolerance: Tolerance,
    *,
    step: float | None = None,
) -> ParityReport:
    """Compare a file's answers with those of the Keras model.

    Args:
        reference: the Keras model's probabilities, float32 (N, classes).
        logits: those of the file, float32 (N, classes).
        labels: the index of each image's true class, (N,).
        tolerance: the limits; an inexact file on a small test set is judged by the exact McNemar test and the
            number of changed answers instead of by shares.
        step: the scale of a quantized output, None for a float one.
    """
    with np.errstate(invalid="ignore"):  # NaN is counted below, not warned of
        probabilities = softmax(logits)
        difference = np.abs(probabilities.astype(np.float64) - reference)
        wanted, found = metrics.comparable_logits(reference, logits)
    count = len(labels)
    answered, expected = probabilities.argmax(axis=1), reference.argmax(axis=1)
    right, right_before = answered == labels, expected == labels
    lost, won = int((right_before & ~right).sum()), int((~right_before & right).sum())
    non_finite = int((~np.isfinite(probabilities)).sum())
    sqnr = None if non_finite else metrics.sqnr_db(wanted, found)
    return _judged(
        tolerance,
        images=count,
        accuracy=float(right.mean()),
        accuracy_interval=wilson(int(right.sum()), count),
        reference_accuracy=float(right_before.mean()),
        reference_interval=wilson(int(right_before.sum()), count),
        agreement=float((answered == expected).mean()),
        changed=int((answered != expected).sum()),
        lost=lost,
        won=won,
        mcnemar_p=metrics.mcnemar(lost, won),
        max_abs_difference=None if non_finite else float(difference.max()),
        mean_abs_difference=None if non_finite else float(difference.mean()),
        mean_kl=None if non_finite else metrics.kl_divergence(reference, probabilities),
        compared_logits=int(np.count_nonzero(wanted)),
        sqnr_db=sqnr if sqnr is not None and np.isfinite(sqnr) else None,
        lsb_histogram=metrics.lsb_histogram(wanted, found, step) if step and not non_finite else None,
        non_finite=non_finite,
        changed_predictions=tuple(metrics.changed_predictions(reference, probabilities, labels)),
    )


def _judged(tolerance: Tolerance, **figures: Any) -> ParityReport:
    """Return the report with a sentence for each figure out of tolerance."""
    figures["tolerance"] = tolerance.figures
    report = ParityReport(failures=(), **figures)
    failures = []
    if report.non_finite:
        failures.append(f"{report.non_finite} probabilities are NaN or infinite")
    if report.images < SMALL_TEST_SET and tolerance.agreement < 1 and tolerance.counts_small_sets:
        most = max(3, report.images * 2 // 100)
        if report.changed > most:
            failures.append(f"{report.changed} of {report.images} answers changed, allowed are {most}")
        if report.mcnemar_p < _SIGNIFICANCE:
            failures.append(
                f"{report.lost} answers got worse and {report.won} better, McNemar p = {report.mcnemar_p:.4f}, "
                f"below {_SIGNIFICANCE}"
            )
    else:
        if report.agreement < tolerance.agreement:
            failures.append(f"{report.agreement:.2%} of the answers are the same, expected {tolerance.agreement:.2%}")
        loss = abs(report.accuracy - report.reference_accuracy)
        if loss > tolerance.accuracy_loss + 1e-12:
            failures.append(f"accuracy differs by {loss:.2%}, allowed is {tolerance.accuracy_loss:.2%}")
    largest = report.max_abs_difference
    if largest is not None and largest > tolerance.probability_difference:
        failures.append(f"a probability differs by {largest:.2g}, allowed is {tolerance.probability_difference:g}")
    if not report.compared_logits:
        failures.append("the reference's probabilities are all exactly 0 or 1, so the output's scale cannot be judged")
    if report.sqnr_db is not None and report.sqnr_db < tolerance.sqnr_db:
        failures.append(
            f"the logits' SQNR is {report.sqnr_db:.1f} dB, expected {tolerance.sqnr_db:g}; is the output's scale right?"
        )
    return ParityReport(failures=tuple(failures), **figures)
