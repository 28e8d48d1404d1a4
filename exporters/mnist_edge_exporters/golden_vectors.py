"""Choose the golden vectors of a file, and say how far another machine may be from them."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from mnist_edge_runtime import Classifier, InputError, VerificationError
from mnist_edge_runtime.contract import Contract, SelfTest
from mnist_edge_runtime.engines.litert import LiteRTEngine
from mnist_edge_runtime.golden import Golden
from mnist_edge_runtime.images import to_mnist
from mnist_edge_runtime.quiet import quiet
from mnist_edge_runtime.selftest import as_picture
from numpy.typing import NDArray

__all__ = ["choose", "family_logits", "tolerances"]

_PER_CLASS = 3
_MOST_OF_CLASSES = 300  # so that a file with a thousand classes stays small
_NARROW = 10
_FLOAT_TOLERANCE = 1e-3  # of a logit: a hundred times what other float kernels were seen to differ by
_MARGIN_LSB = 2.5  # two outputs that each move by one step can still not change places
_CLEAR = 0.01  # the same for float logits


def family_logits(classifier: Classifier, payload: bytes, images: NDArray[np.uint8]) -> dict[str, NDArray[np.float32]]:
    """Return the logits, float32 (N, classes), that each family of kernels gives for uint8 images (N, 28, 28)."""
    logits = classifier.logits(images)
    if classifier.engine_name == "onnxruntime":
        return {"onnxruntime": logits}
    from ai_edge_litert.interpreter import OpResolverType

    # The kernels of tflite-runtime, which cannot be loaded beside TensorFlow in one process.
    with quiet():
        builtin = LiteRTEngine(
            payload,
            classifier.contract,
            threads=1,
            library="ai_edge_litert.interpreter",
            experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
        )
    return {"xnnpack": logits, "builtin": builtin.run(images)}


def choose(
    classifier: Classifier,
    logits: Mapping[str, NDArray[np.float32]],
    reference: NDArray[np.float32],
    images: NDArray[np.uint8],
    labels: NDArray[np.int64],
) -> Golden:
    """Choose three images a class and the ten of the smallest margins that are no ties.

    Only images on which every family of kernels clearly gives the Keras model's answer qualify: a golden image
    must have one right answer on every machine.

    Args:
        classifier: the file, on its first engine.
        logits: for each family, float32 (N, classes).
        reference: the Keras model's probabilities, float32 (N, classes).
        images: the test images, uint8 (N, 28, 28).
        labels: the index of each image's true class, (N,).

    Raises:
        VerificationError: no image qualifies, or none is still read rightly when it is sent as a picture.
    """
    contract = classifier.contract
    clear = _MARGIN_LSB * contract.output.scale if contract.selftest.unit == "lsb" else _CLEAR
    answers = reference.argmax(axis=1)
    eligible = np.ones(len(images), bool)
    for values in logits.values():
        best = np.sort(values, axis=1)[:, -2:]
        eligible &= (values.argmax(axis=1) == answers) & (best[:, 1] - best[:, 0] > clear)
    candidates = np.flatnonzero(eligible)
    per_class = max(1, min(_PER_CLASS, _MOST_OF_CLASSES // len(contract.labels)))
    usual = np.concatenate([candidates[labels[candidates] == c][:per_class] for c in range(len(contract.labels))])
    best = np.sort(reference, axis=1)[:, -2:]
    by_margin = candidates[np.argsort((best[:, 1] - best[:, 0])[candidates], kind="stable")]
    narrow = by_margin[~np.isin(by_margin, usual)][:_NARROW]
    chosen = np.concatenate([usual, narrow])
    if len(chosen) == 0:
        raise VerificationError("there is no test image on which the file clearly gives the Keras model's answer")
    names = np.array(contract.labels)
    return Golden(
        images=images[chosen],
        labels=names[labels[chosen]],
        predicted=names[answers[chosen]],
        probabilities=reference[chosen],
        logits={family: values[chosen] for family, values in logits.items()},
        picture=_survivor(classifier, images[chosen], names[answers[chosen]], reference[chosen]),
    )


def tolerances(contract: Contract, golden: Golden) -> SelfTest:
    """Return what the contract promises of other machines.

    Within a family int8 logits are the same to the bit; tflite-runtime's built-in kernels are of another version
    than those that gave the expected ones, so there one step is allowed. Probabilities may be a quarter further
    from the Keras model's than the worst family here.
    """
    limits = {family: float(family == "builtin") for family in golden.logits}
    if contract.selftest.unit == "absolute":
        limits = dict.fromkeys(golden.logits, _FLOAT_TOLERANCE)
    worst = 0.0
    for logits in golden.logits.values():
        exponentials = np.exp(logits.astype(np.float64) - logits.max(axis=1, keepdims=True))
        probabilities = exponentials / exponentials.sum(axis=1, keepdims=True)
        worst = max(worst, float(np.abs(probabilities - golden.probabilities).max()))
    return SelfTest(contract.selftest.unit, limits, probability=math.ceil(worst * 1.25 * 1e4 + 1) / 1e4)


def _survivor(
    classifier: Classifier, images: NDArray[np.uint8], answers: NDArray[np.str_], reference: NDArray[np.float32]
) -> int:
    """Return the index of the most confident image that is still read rightly when it is sent as a picture."""
    for index in np.argsort(-reference.max(axis=1), kind="stable"):
        try:
            if classifier.classify(to_mnist(as_picture(images[index]))).label == answers[index]:
                return int(index)
        except InputError:
            continue
    raise VerificationError("no golden image is still read rightly when it is sent as a picture")
