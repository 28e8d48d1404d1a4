from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from mnist_edge_exporters.integer import tflite_reader
from mnist_edge_exporters.parity import integer_meaning
from mnist_edge_exporters.parity.prove import verify
from mnist_edge_exporters.parity.targets import Target, targets_for
from mnist_edge_exporters.source import Source
from mnist_edge_exporters.spec import Options
from mnist_edge_runtime import Classifier, ModelError
from mnist_edge_runtime.model_file import sealed_model


@pytest.mark.long
def test_a_file_is_verified_on_its_integer_network(files: Mapping[str, Path], source: Source) -> None:
    proof = verify(files["tflite-int8"], source, Options())
    assert proof.failures == ()
    assert proof.reports["integer==1"].accuracy == proof.reports[str(_litert())].accuracy
    count = 10 * len(source.test[1])
    assert f"  0 of {count:,} logits differ from {_litert()}" in proof.lines()
    assert "integer==1: passed" in proof.lines()


def _litert() -> Target:
    (target,) = targets_for("tflite", ["litert"])
    return target


def test_other_files_have_none(files: Mapping[str, Path]) -> None:
    found = {
        name: integer_meaning.has_integer_meaning(sealed_model.read(file).contract) for name, file in files.items()
    }
    assert [name for name, has in found.items() if has] == ["tflite-int8"]


@pytest.mark.long
def test_a_logit_that_differs_fails_the_verification(
    files: Mapping[str, Path], source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = integer_meaning.evaluate

    def wrong(network: object, tensors: object) -> object:
        found = right(network, tensors)
        found[0, 0] ^= 1
        return found

    monkeypatch.setattr(integer_meaning, "evaluate", wrong)
    monkeypatch.setattr(integer_meaning, "_STEP", 1_000_000)
    (failure,) = verify(files["tflite-int8"], source, Options()).failures
    assert failure.startswith("1 of ")
    assert "does not compute the one meaning of the file" in failure


def test_a_file_without_a_formula_says_so_and_still_passes(
    files: Mapping[str, Path], source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(payload: bytes) -> None:
        raise ModelError("layer lstm: operator WHILE has no exact formula")

    monkeypatch.setattr(tflite_reader, "read", refuse)
    proof = verify(files["tflite-int8"], source, Options())
    assert proof.failures == ()
    assert proof.runtimes[-1]["status"] == "no formula"
    assert "  layer lstm: operator WHILE has no exact formula" in proof.lines()


def test_logits_are_those_of_the_engine(files: Mapping[str, Path], source: Source) -> None:
    sealed, images = sealed_model.read(files["tflite-int8"]), source.test[0][:50]
    found = integer_meaning.answers(sealed, images, {})
    assert found.line == "not compared with LiteRT, which did not run it here"
    with Classifier.load(files["tflite-int8"], engine="litert") as classifier:
        np.testing.assert_array_equal(found.logits, classifier.logits(images))
    assert replace(found, logits=None).runtime["images"] == 50
