from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from mnist_edge_exporters.export import golden_vectors
from mnist_edge_exporters.parity.comparison import reference_probabilities
from mnist_edge_exporters.source import Source
from mnist_edge_exporters.spec import select
from mnist_edge_runtime import Classifier, VerificationError
from mnist_edge_runtime.model_file import sealed_model

VARIANTS = [str(spec) for spec in select("all", "all")]


@pytest.mark.parametrize("variant", VARIANTS)
def test_two_a_class_and_the_ten_narrowest(variant: str, files: Mapping[str, Path], source: Source) -> None:
    golden = sealed_model.read(files[variant]).golden
    usual, narrow = slice(None, -10), slice(-10, None)
    assert np.unique(golden.labels[usual], return_counts=True)[1].tolist() == [2] * len(source.labels)
    best = np.sort(golden.probabilities, axis=1)[:, -2:]
    margins = best[:, 1] - best[:, 0]
    assert (np.diff(margins[narrow]) >= 0).all()
    reference = reference_probabilities(source.model, source.test[0])
    best = np.sort(reference, axis=1)[:, -2:]
    # Only changed answers and what a step or two of the output could change are passed over: few in a hundred images.
    assert margins[narrow].max() <= np.sort(best[:, 1] - best[:, 0])[100]


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_family_clearly_gives_the_keras_answer(variant: str, files: Mapping[str, Path]) -> None:
    sealed = sealed_model.read(files[variant])
    golden, contract = sealed.golden, sealed.contract
    families = {"tflite": {"xnnpack", "builtin"}, "onnx": {"onnxruntime"}}[contract.format]
    assert set(golden.logits) == set(contract.selftest.logits) == families
    for logits in golden.logits.values():
        assert (np.array(contract.labels)[logits.argmax(axis=1)] == golden.predicted).all()
        best = np.sort(logits, axis=1)[:, -2:]
        if contract.selftest.unit == "lsb":
            assert (best[:, 1] - best[:, 0] > 2 * max(contract.selftest.logits.values()) * contract.output.scale).all()
        elif variant == "onnx-float16":  # half precision moves a logit by 0.04
            assert (best[:, 1] - best[:, 0] > 2 * 0.04).all()


@pytest.mark.parametrize("variant", VARIANTS)
def test_tolerances_are_strict(variant: str, files: Mapping[str, Path]) -> None:
    sealed = sealed_model.read(files[variant])
    contract, limits, golden = sealed.contract, sealed.contract.selftest.logits, sealed.golden.logits
    if contract.quantization == "int8":
        assert contract.selftest.unit == "lsb"
        assert {limit for family, limit in limits.items() if family != "builtin"} == {0.0}
        if "builtin" in limits:
            apart = np.abs(golden["builtin"] - golden["xnnpack"]).max() / contract.output.scale
            assert limits["builtin"] == pytest.approx(max(1.0, apart), abs=0.01)
            assert apart < 3
    else:
        assert contract.selftest.unit == "absolute"
        assert set(limits.values()) == {1e-3 if variant in ("tflite-none", "tflite-float16", "onnx-none") else 0.25}
    most = {"tflite-none": 1e-3, "onnx-none": 1e-3, "tflite-float16": 5e-3, "onnx-float16": 0.02}
    assert contract.selftest.probability <= most.get(variant, 0.3)


def test_a_file_that_never_agrees_has_no_golden_vectors(files: Mapping[str, Path], source: Source) -> None:
    images, labels = (array[:50] for array in source.test)
    sealed = sealed_model.read(files["tflite-int8"])
    with Classifier(sealed) as classifier:
        contrary = np.eye(10, dtype=np.float32)[(classifier.logits(images).argmax(axis=1) + 1) % 10]
        with pytest.raises(VerificationError, match="clearly gives"):
            golden_vectors.choose(classifier, sealed.payload, contrary, images, labels)
