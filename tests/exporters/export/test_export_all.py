from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from mnist_edge_exporters.export.export import Exported
from mnist_edge_exporters.export.export_all import export_all, export_best, table
from mnist_edge_exporters.export.selection import parse
from mnist_edge_exporters.source import Source
from mnist_edge_exporters.spec import Options, select
from mnist_edge_runtime.errors import InputError
from mnist_edge_runtime.model_file import sealed_model
from mnist_edge_trainer.runs.unchanged import sha256_of, unchanged


def test_a_line_a_file_with_aligned_figures(exported: Mapping[str, Exported]) -> None:
    header, *rows, published = table(list(exported.values())).splitlines()
    rows, compared = rows[: len(exported)], rows[len(exported) :]
    assert header.split() == ["file", "KB", "accuracy", "95%", "interval", "difference", "agreement", "verdict"]
    assert [row.split()[0] for row in rows] == [outcome.file.name for outcome in exported.values() if outcome.file]
    assert {row.index("passed") for row in rows} == {header.index("verdict")}
    assert [line.split(" give ")[0] for line in compared] == [
        f"tflite-{quantization} and onnx-{quantization}" for quantization in ("none", "float16", "int8")
    ]
    assert published.endswith("exports")
    assert max(map(len, (header, *rows))) <= 100
    for row, outcome in zip(rows, exported.values(), strict=True):
        assert outcome.proof.report is not None
        low, high = outcome.proof.report.accuracy_interval
        assert f" {low * 100:.2f} to {high * 100:.2f} " in row


def test_few_test_images_are_warned_of(exported: Mapping[str, Exported]) -> None:
    outcome = exported["tflite-int8"]
    assert outcome.proof.report is not None
    few = replace(outcome.proof, reports={"litert": replace(outcome.proof.report, images=32)})
    assert "WARNING: only 32 test images" in table([replace(outcome, proof=few)])
    assert "WARNING" not in table([outcome])


def test_what_was_not_published_says_so(exported: Mapping[str, Exported]) -> None:
    failed = replace(exported["onnx-int8"], file=None, counterpart=None, failures=("too far",))
    _, row = table([failed]).splitlines()
    assert row.startswith("onnx-int8 (not published)")
    assert row.endswith("FAILED")


@pytest.mark.long
def test_only_the_best_stays(own_source: Source, tmp_path: Path) -> None:
    exports = tmp_path / "exports"
    selected, published = export_best(own_source, select("onnx", "all"), exports, Options(), parse("kb<=100000"))
    (adopted,) = published
    assert len(selected.candidates) == len(select("onnx", "all"))
    assert adopted.file is not None
    assert sealed_model.read(adopted.file).contract.parity
    assert {path.name for path in exports.iterdir()} == {adopted.file.name, adopted.file.name + ".parity.json"}


@pytest.mark.long
def test_where_none_meets_the_constraints_nothing_stays(own_source: Source, tmp_path: Path) -> None:
    selected, published = export_best(own_source, select("onnx", "none"), tmp_path, Options(), parse("kb<=1"))
    assert published == []
    assert selected.reason is not None
    assert "kb<=1 cannot be met" in selected.reason
    assert list(tmp_path.iterdir()) == []


@pytest.mark.long
@pytest.mark.parametrize("constrained", [False, True])
def test_nothing_is_published_of_a_model_that_was_replaced(
    own_source: Source, own_file: Path, tmp_path: Path, constrained: bool
) -> None:
    """The run is replaced between the first file and the second."""
    model = tmp_path / "run" / "model.keras"
    model.parent.mkdir()
    shutil.copy(own_file, model)
    source, exports = replace(own_source, unchanged=partial(unchanged, model, sha256_of(model))), tmp_path / "exports"
    specs = select("onnx", "none")
    if constrained:
        model.write_bytes(b"another network")
        with pytest.raises(InputError, match=r"model.keras: was replaced .* nothing more"):
            export_best(source, specs, exports, Options(), parse("kb<=100000"))
        assert list(exports.iterdir()) == []
        return
    (published,) = export_all(source, specs, exports, Options())
    assert published.file
    before = {path.name: path.read_bytes() for path in exports.iterdir()}
    model.write_bytes(b"another network")
    with pytest.raises(InputError, match=r"model.keras: was replaced .* nothing more"):
        export_all(source, specs, exports, Options())
    assert {path.name: path.read_bytes() for path in exports.iterdir()} == before
