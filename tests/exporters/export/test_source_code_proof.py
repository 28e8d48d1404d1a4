from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from mnist_edge_exporters.export import source_code_proof
from mnist_edge_exporters.integer import tflite_reader
from mnist_edge_exporters.integer.evaluate import evaluate
from mnist_edge_runtime import Classifier, VerificationError, models, to_mnist
from mnist_edge_runtime.model_file import sealed_model
from numpy.typing import NDArray

(FILE,) = models.bundled_models("litert", "small")
SEALED = sealed_model.read(FILE)
IMAGES = SEALED.golden.images
EXPECTED = np.asarray(evaluate(tflite_reader.read(SEALED.payload), IMAGES[..., np.newaxis]), np.uint8)
PICTURES = [255 - IMAGES[0], np.full((40, 60), 200, np.uint8)]  # a digit on paper, and none


class Found(NamedTuple):
    logits: NDArray[np.uint8]
    accepted: NDArray[np.bool_]
    prepared: tuple[NDArray[np.uint8] | None, ...]


@pytest.fixture
def found() -> Found:
    """What code without a fault answers."""
    with Classifier.load(FILE) as classifier:
        accepted = np.array([classifier.classify(image).accepted for image in IMAGES])
    return Found(EXPECTED.copy(), accepted, (to_mnist(PICTURES[0]), None))


def _check(found: Found, engine_logits: NDArray[np.float32] | None = None) -> None:
    source_code_proof.check("C", found, SEALED.contract.output, EXPECTED, engine_logits, PICTURES)


def _engine_logits() -> NDArray[np.float32]:
    with Classifier.load(FILE) as classifier:
        return classifier.logits(IMAGES)


def test_code_that_answers_as_the_file_is_published(found: Found) -> None:
    _check(found)
    _check(found, _engine_logits())


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ({"logits": lambda value: np.bitwise_xor(value, np.eye(*value.shape, dtype=np.uint8))}, "10 of 300 logits"),
        ({"accepted": lambda value: value ^ (np.arange(len(value)) == 3)}, "1 of 30 answers are accepted otherwise"),
        ({"prepared": lambda value: (value[0] ^ 1, None)}, "1 of 2 pictures are prepared otherwise"),
        ({"prepared": lambda value: (value[0], value[0])}, "1 of 2 pictures are prepared otherwise"),
        ({"prepared": lambda value: (None, None)}, "1 of 2 pictures are prepared otherwise"),
    ],
    ids=["logits", "acceptance", "a pixel", "an image of nothing", "no image"],
)
def test_each_difference_is_counted(found: Found, fault: dict[str, Any], message: str) -> None:
    ((name, change),) = fault.items()
    with pytest.raises(VerificationError, match=f"^no C is published: {message}"):
        _check(found._replace(**{name: change(getattr(found, name))}))


def test_logits_are_compared_with_the_engine_too(found: Found) -> None:
    others = _engine_logits()
    others[0, 0] += np.float32(1)
    with pytest.raises(VerificationError, match="1 of 300 logits differ"):
        _check(found, others)


def test_the_code_names_its_file(tmp_path: Path) -> None:
    file = tmp_path / "net.tflite"
    file.write_bytes(b"bytes")
    digest = hashlib.sha256(b"bytes").hexdigest()
    said = source_code_proof.origin(file, 7)

    assert said | {"version": ""} == {"file": "net.tflite", "sha256": digest, "version": "", "images": 7}
