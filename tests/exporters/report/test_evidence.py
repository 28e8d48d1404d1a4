from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from mnist_edge_exporters.parity.targets import Target
from mnist_edge_exporters.report import page
from mnist_edge_exporters.report.evidence import Evidence, Verdict, collect
from mnist_edge_runtime import InputError, models
from mnist_edge_runtime.engines.registry import ENGINES
from mnist_edge_runtime.model_file import sealed_model


def _copy(file: Path, folder: Path) -> Path:
    """Copy an export and its proof into `folder`."""
    for path in (file, file.with_name(file.name + ".parity.json")):
        shutil.copy(path, folder)
    return folder / file.name


def test_every_file_is_collected_with_its_proof(files: Mapping[str, Path], weights: str) -> None:
    evidence = collect(files["tflite-int8"].parent, weights)
    assert [each.variant for each in evidence if each.variant in files] == list(files)
    for each in evidence:
        report = json.loads(each.file.with_name(each.file.name + ".parity.json").read_text())
        assert each.problem == ""
        assert each.is_proven
        assert each.size == report["bytes"]
        assert each.sha256 == hashlib.sha256(each.file.read_bytes()).hexdigest()
        assert [verdict.figures for verdict in each.verdicts if verdict.figures] == list(report["reports"].values())
        on_engines = [bool(verdict.figures) and verdict.target.engine in ENGINES for verdict in each.verdicts]
        assert [verdict.is_timed for verdict in each.verdicts] == on_engines


def test_a_file_of_a_renamed_run_keeps_its_variant(files: Mapping[str, Path], tmp_path: Path, weights: str) -> None:
    for name in ("a-tflite-b-tflite-int8-float32-io", "renamed"):
        shutil.copy(files["tflite-int8"], tmp_path / f"{name}.tflite")
    assert [each.variant for each in collect(tmp_path, weights)] == ["tflite-int8-float32-io", "renamed"]


def test_a_folder_that_is_not_there_holds_nothing(tmp_path: Path, weights: str) -> None:
    assert collect(tmp_path / "exports", weights) == ()


def test_a_damaged_file_is_shown_and_proves_nothing(files: Mapping[str, Path], tmp_path: Path, weights: str) -> None:
    file = _copy(files["onnx-int8"], tmp_path)
    file.write_bytes(file.read_bytes()[:-1])
    (each,) = collect(tmp_path, weights)
    assert "cut short" in each.problem
    assert each.contract is None
    assert each.verdicts == ()
    assert not each.is_proven


def test_a_proof_that_is_missing_or_anothers_proves_nothing(
    files: Mapping[str, Path], tmp_path: Path, weights: str
) -> None:
    file = _copy(files["tflite-int8"], tmp_path)
    file.write_bytes(files["tflite-none"].read_bytes())
    (each,) = collect(tmp_path, weights)
    assert "is the proof of another file" in each.problem
    file.with_name(file.name + ".parity.json").unlink()
    (each,) = collect(tmp_path, weights)
    assert each.problem == "there is no classic-tflite-int8.tflite.parity.json beside it; export it again"
    assert not each.is_proven


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"sha256": 1}'])
def test_a_proof_that_cannot_be_read_is_an_error(
    text: str, files: Mapping[str, Path], tmp_path: Path, weights: str
) -> None:
    file = _copy(files["tflite-int8"], tmp_path)
    if text == '{"sha256": 1}':
        text = json.dumps({"sha256": hashlib.sha256(file.read_bytes()).hexdigest(), "runtimes": [{}]})
    file.with_name(file.name + ".parity.json").write_text(text)
    with pytest.raises(InputError, match=r"parity\.json: cannot be read .*; export the file again"):
        collect(tmp_path, weights)


def test_a_file_is_proven_only_where_it_ran_and_passed() -> None:
    target = Target("litert", "0.0.0")  # installed nowhere
    words = {"ran": {"passed": True}, "table only": None, "refused": None}
    passed, tabled, refused = (Verdict(target, status, figures) for status, figures in words.items())
    failed = Verdict(target, "ran", {"passed": False})
    assert [verdict.word for verdict in (passed, tabled, refused, failed)] == [
        "passed",
        "table only",
        "refused",
        "FAILED",
    ]

    def is_proven(*verdicts: Verdict) -> bool:
        return Evidence(Path("a.tflite"), "a", 1, "", None, verdicts, None, "").is_proven

    assert is_proven(passed, tabled)
    assert not is_proven(tabled)
    assert not is_proven(passed, failed)
    assert not is_proven(passed, refused)
    assert not passed.is_timed  # another version may be here, whose time would not be this one's


def test_a_file_of_other_weights_proves_nothing(files: Mapping[str, Path], tmp_path: Path) -> None:
    _copy(files["tflite-int8"], tmp_path)
    (each,) = collect(tmp_path, "0" * 64)
    assert "other weights" in each.problem
    assert not each.is_proven


def test_the_warnings_of_an_export_are_those_of_its_contract() -> None:
    contract = sealed_model.read(models.bundled_models()[0]).contract
    each = Evidence(Path("a.tflite"), "tflite-int8", 1, "", contract, (), None, "")
    assert (each.pixels, each.warnings) == ({}, ())
    pixels = {"reading": "-1..1", "warnings": ["it reads <few> of them", "it never answers 7"]}
    warned = replace(each, contract=replace(contract, origin={**contract.origin, "pixels": pixels}))
    assert warned.pixels == pixels
    assert warned.warnings == ("it reads <few> of them", "it never answers 7")
    for odd in ("text", {"warnings": "text"}, None):
        assert replace(each, contract=replace(contract, origin={"pixels": odd})).warnings == ()
    other = replace(warned, variant="onnx-int8")
    assert page._warnings([each, warned, other]) == {
        warning: ["tflite-int8", "onnx-int8"] for warning in warned.warnings
    }
