from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mnist_edge_exporters.c_source import proof as proof_module
from mnist_edge_exporters.export import export_c as export_c_module
from mnist_edge_exporters.export.export import Exported
from mnist_edge_exporters.export.export_c import export_c
from mnist_edge_exporters.source import Source
from mnist_edge_runtime import ModelError, VerificationError


@pytest.fixture
def exported_file(exported: Mapping[str, Exported]) -> Exported:
    return exported["tflite-int8"]


@pytest.fixture
def few(exported_file: Exported, source: Source) -> tuple[Source, Exported]:
    """The first 300 test images, in which a fault is found as well."""
    assert exported_file.proof.logits is not None
    proof = replace(exported_file.proof, logits=exported_file.proof.logits[:300])
    images, labels = source.test
    return replace(source, test=(images[:300], labels[:300])), replace(exported_file, proof=proof)


@pytest.mark.long
@pytest.mark.parametrize("rounding", ["litert", "tflm"])
def test_a_folder_and_an_archive_are_published(
    rounding: str, exported_file: Exported, source: Source, few: tuple[Source, Exported], tmp_path: Path
) -> None:
    for data, outcome in (few, (source, exported_file)):  # the second replaces the first
        found = export_c(data, outcome, tmp_path, "digits", rounding)
        assert sorted(path.name for path in tmp_path.iterdir()) == ["digits-c", "digits-c.zip"]
        assert (tmp_path / "digits-c" / "src" / "digits.c").is_file()
        assert found.to_dict()["compared_logits"] == 10 * len(data.test[1])
    assert f"0 of {found.compared:,} logits differ" in found.lines()
    document = json.loads((tmp_path / "digits-c" / "digits.json").read_text())
    assert document["c"]["answers_unlike_litert"] == found.unlike == found.to_dict()["answers_unlike_litert"]
    assert found.unlike == 0 if rounding == "litert" else found.unlike <= len(source.test[1]) // 100


@pytest.mark.long
def test_a_rounding_that_changes_too_many_answers_publishes_nothing(
    few: tuple[Source, Exported], tmp_path: Path
) -> None:
    source, outcome = few
    assert outcome.proof.logits is not None
    other = replace(outcome, proof=replace(outcome.proof, logits=np.roll(outcome.proof.logits, 1, axis=1)))
    with pytest.raises(VerificationError, match="by this rounding 300 answers are others than the file's"):
        export_c(source, other, tmp_path, "digits", "tflm")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.long
def test_a_logit_that_differs_publishes_nothing(few: tuple[Source, Exported], tmp_path: Path) -> None:
    source, outcome = few
    proof = outcome.proof
    assert proof.logits is not None
    wrong = proof.logits.copy()
    wrong[0, 0] += np.float32(1)
    with pytest.raises(VerificationError, match=r"no C is published: 1 of [\d,]+ logits differ"):
        export_c(source, replace(outcome, proof=replace(proof, logits=wrong)), tmp_path, "digits", "litert")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.long
def test_an_answer_that_is_accepted_otherwise_publishes_nothing(
    few: tuple[Source, Exported], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = export_c_module.proof.answers

    def faulty(*arguments: Any) -> proof_module.Answers:
        found = answers(*arguments)
        found.accepted[0] ^= True
        return found

    monkeypatch.setattr(export_c_module.proof, "answers", faulty)
    with pytest.raises(VerificationError, match=r"no C is published: 1 of [\d,]+ answers are accepted otherwise"):
        export_c(*few, tmp_path, "digits", "litert")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.long
def test_a_picture_that_is_prepared_otherwise_publishes_nothing(
    few: tuple[Source, Exported], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One pixel of one picture, by one step; and a blank one that is not."""
    answers = export_c_module.proof.answers

    def faulty(*arguments: Any) -> proof_module.Answers:
        found = answers(*arguments)
        prepared = list(found.prepared)
        blank = prepared.index(None)
        image = next(each for each in prepared if each is not None)
        image[0, 0] ^= 1
        prepared[blank] = image
        return replace(found, prepared=tuple(prepared))

    monkeypatch.setattr(export_c_module.proof, "answers", faulty)
    with pytest.raises(VerificationError, match="no C is published: 2 of 300 pictures are prepared otherwise"):
        export_c(*few, tmp_path, "digits", "litert")
    assert list(tmp_path.iterdir()) == []


def test_a_network_without_a_formula_is_told(
    few: tuple[Source, Exported], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(payload: bytes) -> None:
        raise ModelError("layer lstm: operator WHILE has no exact formula")

    monkeypatch.setattr(export_c_module.tflite_reader, "read", refuse)
    with pytest.raises(ModelError, match="is exported, but no C can be made of it: layer lstm"):
        export_c(*few, tmp_path, "digits", "litert")
