from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from mnist_edge_exporters import golden_vectors
from mnist_edge_exporters.export import Source
from mnist_edge_exporters.parity import reference_probabilities
from mnist_edge_runtime import Classifier, VerificationError, sealing

CELLS = ["tflite-none", "tflite-int8", "onnx-none", "onnx-int8"]


@pytest.mark.parametrize("cell", CELLS)
def test_three_a_class_and_the_ten_narrowest(cell: str, files: Mapping[str, Path], source: Source) -> None:
    golden = sealing.read(files[cell]).golden
    usual, narrow = slice(None, -10), slice(-10, None)
    assert np.unique(golden.labels[usual], return_counts=True)[1].tolist() == [3] * len(source.labels)
    best = np.sort(golden.probabilities, axis=1)[:, -2:]
    margins = best[:, 1] - best[:, 0]
    assert (np.diff(margins[narrow]) >= 0).all()
    reference = reference_probabilities(source.model, source.test[0])
    best = np.sort(reference, axis=1)[:, -2:]
    # Only ties and changed answers are passed over, and there are few of them.
    assert margins[narrow].max() <= np.sort(best[:, 1] - best[:, 0])[60]


@pytest.mark.parametrize("cell", CELLS)
def test_every_family_clearly_gives_the_keras_answer(cell: str, files: Mapping[str, Path]) -> None:
    sealed = sealing.read(files[cell])
    golden, contract = sealed.golden, sealed.contract
    families = {"tflite": {"xnnpack", "builtin"}, "onnx": {"onnxruntime"}}[contract.format]
    assert set(golden.logits) == set(contract.selftest.logits) == families
    for logits in golden.logits.values():
        assert (np.array(contract.labels)[logits.argmax(axis=1)] == golden.predicted).all()
        best = np.sort(logits, axis=1)[:, -2:]
        if contract.selftest.unit == "lsb":
            assert (best[:, 1] - best[:, 0] > 2 * contract.output.scale).all()


@pytest.mark.parametrize("cell", CELLS)
def test_tolerances_are_strict(cell: str, files: Mapping[str, Path]) -> None:
    contract = sealing.read(files[cell]).contract
    if contract.quantization == "int8":
        assert contract.selftest.unit == "lsb"
        assert all(limit == (family == "builtin") for family, limit in contract.selftest.logits.items())
        assert contract.selftest.probability < 0.3
    else:
        assert contract.selftest.unit == "absolute"
        assert contract.selftest.probability < 1e-3


def test_a_file_that_never_agrees_has_no_golden_vectors(files: Mapping[str, Path], source: Source) -> None:
    images, labels = (array[:50] for array in source.test)
    with Classifier.load(files["tflite-int8"]) as classifier:
        logits = classifier.logits(images)
        contrary = np.eye(10, dtype=np.float32)[(logits.argmax(axis=1) + 1) % 10]
        with pytest.raises(VerificationError, match="clearly gives"):
            golden_vectors.choose(classifier, {"xnnpack": logits}, contrary, images, labels)
