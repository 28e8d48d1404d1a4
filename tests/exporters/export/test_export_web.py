from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mnist_edge_exporters.export import export_web as export_web_module
from mnist_edge_exporters.export.export import Exported
from mnist_edge_exporters.export.export_web import export_web
from mnist_edge_exporters.javascript import template
from mnist_edge_exporters.source import Source
from mnist_edge_exporters.templates import Templates
from mnist_edge_runtime import ModelError, VerificationError

pytest.importorskip("py_mini_racer", reason="mini-racer is not installed")
pytest.importorskip("minify", reason="tdewolff-minify is not installed")


@pytest.fixture(autouse=True)
def few_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """300 take ten seconds; tests/exporters/javascript/test_proof.py compares 200."""
    monkeypatch.setattr(export_web_module, "COUNT", 40)


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
def test_a_folder_is_published(
    exported_file: Exported, source: Source, few: tuple[Source, Exported], tmp_path: Path
) -> None:
    for data, outcome in (few, (source, exported_file)):  # the second replaces the first
        found = export_web(data, outcome, tmp_path, "digits")
        assert [path.name for path in tmp_path.iterdir()] == ["digits-web"]
        names = sorted(path.name for path in found.folder.iterdir())
        assert names == ["README.md", "digits.d.mts", "digits.html", "digits.mjs"]
    assert found.to_dict()["compared_logits"] == 10 * len(data.test[1])
    assert f"0 of {found.compared:,} logits differ" in found.lines()
    assert found.to_dict()["module_bytes"] == (found.folder / "digits.mjs").stat().st_size


@pytest.mark.long
def test_a_logit_that_differs_publishes_nothing(few: tuple[Source, Exported], tmp_path: Path) -> None:
    source, outcome = few
    proof = outcome.proof
    assert proof.logits is not None
    wrong = proof.logits.copy()
    wrong[0, 0] += np.float32(1)
    with pytest.raises(VerificationError, match=r"no page is published: 1 of [\d,]+ logits differ"):
        export_web(source, replace(outcome, proof=replace(proof, logits=wrong)), tmp_path, "digits")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.long
@pytest.mark.parametrize(
    ("file", "before", "after", "message"),
    [
        ("preprocessing/mnist.js", "29 * sum", "27 * sum", "of 40 pictures are prepared otherwise"),
        ("accepted.js", "<= @limit@", "> @limit@", "answers are accepted otherwise"),
        ("kernels/layer.js", "rint(limited", "floor(limited", "logits of the self-test differ"),
    ],
)
def test_a_fault_in_the_javascript_publishes_nothing(
    file: str,
    before: str,
    after: str,
    message: str,
    few: tuple[Source, Exported],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read = template.read
    assert before in read(file)

    def changed(*given: Any) -> str:
        return read(given[-1]).replace(before, after) if given[-1] == file else read(given[-1])

    monkeypatch.setattr(template, "read", changed)
    monkeypatch.setattr(Templates, "read", changed)  # which `fill` calls
    with pytest.raises(VerificationError, match=message):
        export_web(*few, tmp_path, "digits")
    assert list(tmp_path.iterdir()) == []


def test_a_network_without_a_formula_is_told(
    few: tuple[Source, Exported], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(payload: bytes) -> None:
        raise ModelError("layer lstm: operator WHILE has no exact formula")

    monkeypatch.setattr(export_web_module.tflite_reader, "read", refuse)
    with pytest.raises(ModelError, match="is exported, but no JavaScript can be made of it: layer lstm"):
        export_web(*few, tmp_path, "digits")
