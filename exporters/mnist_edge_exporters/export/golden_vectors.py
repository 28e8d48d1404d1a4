"""Choose the golden vectors of a file, and the tolerances for other machines."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from mnist_edge_runtime import Classifier, InputError, VerificationError
from mnist_edge_runtime.engines.registry import ENGINES
from mnist_edge_runtime.model_file.contract import IMAGE_SHAPE, Contract, SelfTest
from mnist_edge_runtime.model_file.golden import Golden
from mnist_edge_runtime.prediction import softmax
from mnist_edge_runtime.preprocessing.mnist import to_mnist, to_picture
from numpy.typing import NDArray

from ..converters.registry import CONVERTERS
from ..parity.tolerance import TOLERANCES
from ..spec import Quantization, variant_info

__all__ = ["NONE", "choose", "tolerances"]

_PER_CLASS = 2  # images
_MOST_OF_CLASSES = 300  # images, so that a file with a thousand classes stays small
_NARROW = 10  # images
_FLOAT_TOLERANCE = 1e-3  # of a logit: a hundred times the differences seen among other float kernels
_ROUNDING_TOLERANCE = 0.25  # of a logit, where activations are rounded on the way to a float output
_USUAL_LOGIT = 100.0  # where a network's logits are larger, so are the errors of float32
_SPARE = 8  # times the images needed that are tried
_CLEAR = 0.01  # the same margin in logits, for float outputs
_CLEAR_ROUNDED = 0.1  # and where activations are rounded: half precision moved logits by 0.04 on a Cortex-A76
# Of a file whose proof is still to come.
NONE = Golden(
    images=np.empty((0, *IMAGE_SHAPE), np.uint8),
    labels=np.empty(0, np.str_),
    predicted=np.empty(0, np.str_),
    probabilities=np.empty((0, 0), np.float32),
    logits={},
    picture=0,
)


def choose(
    classifier: Classifier,
    payload: bytes,
    reference: NDArray[np.float32],
    images: NDArray[np.uint8],
    labels: NDArray[np.int64],
) -> Golden:
    """Choose two images of each class, and the ten with the smallest margins that are no ties.

    Only images on which every family of kernels clearly gives the Keras model's answer qualify: a golden image
    must have one correct answer on every machine.

    Args:
        classifier: the file, on its first engine.
        payload: its plain bytes.
        reference: the Keras model's probabilities, float32 (N, classes).
        images: the candidates, uint8 (N, 28, 28).
        labels: the index of each image's true class, (N,).

    Raises:
        VerificationError: no image qualifies, or none is still classified correctly when it is read from a picture.
    """
    names = np.array(classifier.contract.labels)
    per_class = max(1, min(_PER_CLASS, _MOST_OF_CLASSES // len(names)))
    best = np.sort(reference, axis=1)[:, -2:]
    by_margin = np.argsort(best[:, 1] - best[:, 0], kind="stable")
    # Every family of kernels runs a few more than needed; all of them would take minutes on reference kernels.
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
    picture = _survivor(classifier, images[chosen], answers, reference[chosen])
    places = np.searchsorted(drawn, chosen)
    return Golden(
        images=images[chosen],
        labels=names[labels[chosen]],
        predicted=answers,
        probabilities=reference[chosen],
        logits={family: values[places] for family, values in logits.items()},
        picture=picture,
        prepared=to_mnist(to_picture(images[chosen[picture]])),
    )


def _family_logits(classifier: Classifier, payload: bytes, images: NDArray[np.uint8]) -> dict[str, NDArray[np.float32]]:
    """Return the logits, float32 (N, classes), of each family of kernels for uint8 images (N, 28, 28)."""
    contract = classifier.contract
    others = CONVERTERS[contract.format].other_kernels
    return {
        ENGINES[classifier.engine_name].family: classifier.logits(images),
        **{family: load(payload, contract).run(images) for family, load in others.items()},
    }


def _clearly_agree(
    contract: Contract, logits: Mapping[str, NDArray[np.float32]], answers: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Return for which images every family gives the answer by a margin that no small error can close."""
    clear = _CLEAR if _is_exact(contract) else _CLEAR_ROUNDED
    if contract.selftest.unit == "lsb":  # the order of two outputs survives an error in each
        clear = (2 * _steps_apart(contract, logits) + 0.5) * contract.output.scale
    agree = np.ones(len(answers), bool)
    for values in logits.values():
        best = np.sort(values, axis=1)[:, -2:]
        agree &= (values.argmax(axis=1) == answers) & (best[:, 1] - best[:, 0] > clear)
    return agree


def _steps_apart(contract: Contract, logits: Mapping[str, NDArray[np.float32]]) -> float:
    """Return by how many steps of the output the families of kernels differ at most; at least 1."""
    values = np.stack(list(logits.values())) / contract.output.scale
    return max(1.0, float(np.rint(values.max(axis=0) - values.min(axis=0)).max()))


def tolerances(contract: Contract, golden: Golden) -> SelfTest:
    """Return the tolerances of the self-test on other machines.

    Within a family int8 logits are the same to the bit; tflite-runtime's built-in kernels are of another version
    than those that computed the expected logits, and may differ from them as these do from other kernels.
    Probabilities may be a quarter further from the Keras model's than those of the worst family here; where other
    machines compute in half precision, as far as parity allows.
    """
    if contract.selftest.unit == "lsb":
        apart = _steps_apart(contract, golden.logits)
        limits = {family: apart if family == "builtin" else 0.0 for family in golden.logits}
    else:
        largest = max(float(np.abs(logits).max()) for logits in golden.logits.values())
        tolerance = (_FLOAT_TOLERANCE if _is_exact(contract) else _ROUNDING_TOLERANCE) * max(
            1.0, largest / _USUAL_LOGIT
        )
        limits = dict.fromkeys(golden.logits, tolerance)
    differences = (np.abs(softmax(logits) - golden.probabilities) for logits in golden.logits.values())
    worst = max(float(difference.max()) for difference in differences)
    probability = min(1.0, math.ceil(worst * 1.25 * 1e4 + 1) / 1e4)
    if variant_info(contract.format, contract.quantization).computes_in_half:
        probability = max(probability, TOLERANCES[Quantization.FLOAT16].probability_difference)
    return SelfTest(contract.selftest.unit, limits, probability)


def _is_exact(contract: Contract) -> bool:
    """Return whether the only rounding on the way to the logits is that of float32, on any machine."""
    in_half = variant_info(contract.format, contract.quantization).computes_in_half
    return contract.quantization in (Quantization.NONE, Quantization.FLOAT16) and not in_half


def _survivor(
    classifier: Classifier, images: NDArray[np.uint8], answers: NDArray[np.str_], reference: NDArray[np.float32]
) -> int:
    """Return the index of the most confident image that is classified correctly from a picture, too."""
    for index in np.argsort(-reference.max(axis=1), kind="stable"):
        try:
            if classifier.classify(to_mnist(to_picture(images[index]))).label == answers[index]:
                return int(index)
        except InputError:
            continue
    raise VerificationError("no golden image is still classified correctly when it is read from a picture")
