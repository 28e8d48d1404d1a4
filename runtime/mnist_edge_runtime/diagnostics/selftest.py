"""Run a model file's golden vectors on this machine, to verify that it answers as it did when it was proven."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..classifier import Classifier
from ..engines import registry
from ..errors import InputError
from ..model_file.golden import Golden
from ..prediction import softmax
from ..preprocessing import mnist

__all__ = ["SelfTestReport", "selftest"]

_ROUNDING = 0.01  # steps: logits are whole steps, except for float32's rounding of raw value times scale


@dataclass(frozen=True)
class SelfTestReport:
    """What the self-test found.

    Attributes:
        engine: the engine that ran.
        golden: the number of golden images.
        max_lsb: the largest difference of a logit from the expected one in steps of the output scale; None
            for a float file.
        max_difference: the same in logits; infinity where answers are missing or not finite.
        failures: one sentence for each check that failed; empty when all passed.
    """

    engine: str
    golden: int
    max_lsb: int | None
    max_difference: float
    failures: tuple[str, ...]

    @property
    def passed(self) -> bool:
        return not self.failures

    def to_dict(self) -> dict[str, Any]:
        """Return the report with the keys that `selftest --json` prints."""
        return {
            "engine": self.engine,
            "golden": self.golden,
            "max_lsb": self.max_lsb,
            "max_difference": self.max_difference if np.isfinite(self.max_difference) else None,
            "passed": self.passed,
            "failures": list(self.failures),
        }


def selftest(classifier: Classifier, golden: Golden) -> SelfTestReport:
    """Compare the answers of `classifier` on this machine with the golden vectors of its file."""
    contract, limits = classifier.contract, classifier.contract.selftest
    family = registry.ENGINES[classifier.engine_name].family
    logits = classifier.logits(golden.images)
    probabilities = softmax(logits)  # without the temperature, as the Keras model gives them
    labels = np.array(contract.labels)[logits.argmax(axis=1)]
    failures: list[str] = []

    difference = lsb = float("inf")
    if family not in golden.logits or family not in limits.logits:
        failures.append(f"the file has no expected logits for the {family} kernels of {classifier.engine_name}")
    else:
        difference = _largest(logits, golden.logits[family])
        lsb = difference / contract.output.scale
        limit = limits.logits[family]
        found, slack = (lsb, _ROUNDING) if limits.unit == "lsb" else (difference, 0.0)
        if not found <= limit + slack:
            failures.append(
                f"logits are up to {found:.3g} from the expected ones, allowed are {limit:g} ({limits.unit})"
            )
    from_keras = _largest(probabilities, golden.probabilities)
    if not from_keras <= limits.probability:
        failures.append(
            f"probabilities are up to {from_keras:.3g} from the Keras model's, allowed are {limits.probability:g}"
        )
    wrong = np.flatnonzero(labels != golden.predicted)
    if len(wrong):
        answers = ", ".join(f"{labels[i]} for {golden.predicted[i]}" for i in wrong[:5])
        failures.append(f"{len(wrong)} of {len(labels)} golden images get another class ({answers})")
    failures.extend(_picture_failures(classifier, golden))

    return SelfTestReport(
        engine=classifier.engine_name,
        golden=len(golden.images),
        max_lsb=round(lsb) if limits.unit == "lsb" and np.isfinite(lsb) else None,
        max_difference=difference,
        failures=tuple(failures),
    )


def _picture_failures(classifier: Classifier, golden: Golden) -> list[str]:
    """Classify one golden image drawn as a picture, preprocessing included, which gives the same bits everywhere."""
    expected = golden.predicted[golden.picture]
    try:
        image = mnist.to_mnist(mnist.to_picture(golden.images[golden.picture]))
    except InputError as error:
        return [f"the picture of a {expected} was refused: {error}"]
    if golden.prepared is not None and (wrong := np.count_nonzero(image != golden.prepared)):
        return [f"the picture of a {expected} was prepared differently, in {wrong} of {image.size} pixels"]
    label = classifier.classify(image).label
    return [] if label == expected else [f"the picture of a {expected} was read as {label}"]


def _largest(found: NDArray[np.float32], expected: NDArray[np.float32]) -> float:
    """Return the largest absolute difference; infinity where shapes differ or anything is not finite."""
    if found.shape != expected.shape or not np.isfinite(found).all():
        return float("inf")
    return float(np.abs(found.astype(np.float64) - expected).max())
