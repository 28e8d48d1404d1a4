"""Choose the golden vectors of a file, and say how far another machine may be from them."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from mnist_edge_runtime import Classifier, InputError, VerificationError
from mnist_edge_runtime.classifier import softmax
from mnist_edge_runtime.engines import litert
from mnist_edge_runtime.model_file.contract import Contract, SelfTest
from mnist_edge_runtime.model_file.golden import Golden
from mnist_edge_runtime.output_capture import suppress_output
from mnist_edge_runtime.preprocessing.mnist import to_mnist, to_picture
from numpy.typing import NDArray

from ..parity.tolerance import TOLERANCES
from ..spec import Quantization

__all__ = ["choose", "tolerances"]

_PER_CLASS = 3
_MOST_OF_CLASSES = 300  # so that a file with a thousand classes stays small
_NARROW = 10
_FLOAT_TOLERANCE = 1e-3  # of a logit: a hundred times what other float kernels were seen to differ by
_ROUNDING_TOLERANCE = 0.25  # the same where activations are rounded on the way to a float output
_USUAL_LOGIT = 100.0  # where a network's logits are larger, so is what float32 rounds off them
_SPARE = 8
_MARGIN_LSB = 2.5  # two outputs that each move by one step can still not change places
_CLEAR = 0.01  # the same for logits that are floats
_CLEAR_ROUNDED = (
    0.1  # and where activations are rounded; half precision moved a logit by 0.04 on an emulated Cortex-A76
)


def choose(
    classifier: Classifier,
    payload: bytes,
    reference: NDArray[np.float32],
    images: NDArray[np.uint8],
    labels: NDArray[np.int64],
) -> Golden:
    """Choose three images a class and the ten of the smallest margins that are no ties.

    Only images on which every family of kernels clearly gives the Keras model's answer qualify: a golden image
    must have one right answer on every machine.

    Args:
        classifier: the file, on its first engine.
        payload: its plain bytes.
        reference: the Keras model's probabilities, float32 (N, classes).
        images: of which to choose, uint8 (N, 28, 28).
        labels: the index of each image's true class, (N,).

    Raises:
        VerificationError: no image qualifies, or none is still read rightly when it is sent as a picture.
    """
    names = np.array(classifier.contract.labels)
    per_class = max(1, min(_PER_CLASS, _MOST_OF_CLASSES // len(names)))
    best = np.sort(reference, axis=1)[:, -2:]
    by_margin = np.argsort(best[:, 1] - best[:, 0], kind="stable")
    # A few more than needed go before every family of kernels: all of them would take minutes on reference kernels.
    drawn = np.concatenate(
        [*(np.flatnonzero(labels == c)[: per_class * _SPARE] for c in range(len(names))), by_margin[: _NARROW * _SPARE]]
    )
    drawn = np.unique(drawn)
    logits = _family_logits(classifier, payload, images[drawn])
    eligible = drawn[_clearly_agree(classifier.contract, logits, reference[drawn].argmax(axis=1))]
    usual = np.concatenate([eligible[labels[eligible] == c][:per_class] for c in range(len(names))])
    narrow = by_margin[np.isin(by_margin, eligible) & ~np.isin(by_margin, usual)][:_NARROW]
    chosen = np.concatenate([usual, narrow])
    if len(chosen) == 0:
        raise VerificationError("there is no image on which the file clearly gives the Keras model's answer")
    answers = names[reference[chosen].argmax(axis=1)]
    places = np.searchsorted(drawn, chosen)
    return Golden(
        images=images[chosen],
        labels=names[labels[chosen]],
        predicted=answers,
        probabilities=reference[chosen],
        logits={family: values[places] for family, values in logits.items()},
        picture=_survivor(classifier, images[chosen], answers, reference[chosen]),
    )


def _family_logits(classifier: Classifier, payload: bytes, images: NDArray[np.uint8]) -> dict[str, NDArray[np.float32]]:
    """Return the logits, float32 (N, classes), that each family of kernels gives for uint8 images (N, 28, 28)."""
    logits = classifier.logits(images)
    if classifier.engine_name == "onnxruntime":
        return {"onnxruntime": logits}
    from ai_edge_litert.interpreter import OpResolverType

    # The kernels of tflite-runtime, which cannot be loaded beside TensorFlow in one process.
    with suppress_output():
        builtin = litert.load(
            payload,
            classifier.contract,
            threads=1,
            library="ai_edge_litert.interpreter",
            experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
        )
    return {"xnnpack": logits, "builtin": builtin.run(images)}


def _clearly_agree(
    contract: Contract, logits: Mapping[str, NDArray[np.float32]], answers: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Return for which images every family gives the answer, and no small step could change it."""
    clear = _CLEAR if _is_exact(contract) else _CLEAR_ROUNDED
    if contract.selftest.unit == "lsb":
        clear = _MARGIN_LSB * contract.output.scale
    agree = np.ones(len(answers), bool)
    for values in logits.values():
        best = np.sort(values, axis=1)[:, -2:]
        agree &= (values.argmax(axis=1) == answers) & (best[:, 1] - best[:, 0] > clear)
    return agree


def tolerances(contract: Contract, golden: Golden) -> SelfTest:
    """Return what the contract promises of other machines.

    Within a family int8 logits are the same to the bit; tflite-runtime's built-in kernels are of another version
    than those that gave the expected ones, so there one step is allowed. Probabilities may be a quarter further
    from the Keras model's than the worst family here; those of a file that this machine may not round as others do, as
    far as parity allows.
    """
    if contract.selftest.unit == "lsb":
        limits = {family: float(family == "builtin") for family in golden.logits}
    else:
        largest = max(float(np.abs(logits).max()) for logits in golden.logits.values())
        tolerance = (_FLOAT_TOLERANCE if _is_exact(contract) else _ROUNDING_TOLERANCE) * max(
            1.0, largest / _USUAL_LOGIT
        )
        limits = dict.fromkeys(golden.logits, tolerance)
    differences = (np.abs(softmax(logits) - golden.probabilities) for logits in golden.logits.values())
    worst = max(float(difference.max()) for difference in differences)
    probability = math.ceil(worst * 1.25 * 1e4 + 1) / 1e4
    if _is_halved(contract):
        probability = max(probability, TOLERANCES[Quantization.FLOAT16].probability_difference)
    return SelfTest(contract.selftest.unit, limits, probability)


def _is_exact(contract: Contract) -> bool:
    """Return whether no more than float32 is rounded on the way to the logits, on any machine."""
    return contract.quantization in ("none", "float16") and not _is_halved(contract)


def _is_halved(contract: Contract) -> bool:
    """Return whether processors with half precision compute in it, as onnxruntime lets them, and others in float32."""
    return (contract.format, contract.quantization) == ("onnx", "float16")


def _survivor(
    classifier: Classifier, images: NDArray[np.uint8], answers: NDArray[np.str_], reference: NDArray[np.float32]
) -> int:
    """Return the index of the most confident image that is still read rightly when it is sent as a picture."""
    for index in np.argsort(-reference.max(axis=1), kind="stable"):
        try:
            if classifier.classify(to_mnist(to_picture(images[index]))).label == answers[index]:
                return int(index)
        except InputError:
            continue
    raise VerificationError("no golden image is still read rightly when it is sent as a picture")
