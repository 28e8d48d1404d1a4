from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
from mnist_edge_runtime import models
from mnist_edge_runtime.errors import InputError
from mnist_edge_trainer.runs import listing


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """Two runs, the older one with a whole export and a damaged one."""
    for age, name in ((100, "older"), (0, "newer")):
        folder = tmp_path / name
        (folder / "exports").mkdir(parents=True)
        (folder / "model.keras").write_bytes(bytes(12_345))
        dataset = {"name": "digits", "sha256": "0", "warning": None, "test": 1_000}
        record = dict.fromkeys(("parameters", "macs", "seed", "split", "labels", "seconds"), 0)
        metrics = {"test": {"accuracy": 0.98}}
        text = json.dumps({**record, "architecture": "small", "dataset": dataset, "metrics": metrics})
        (folder / "run.json").write_text(text)
        os.utime(folder / "run.json", (1_000_000_000 - age,) * 2)
    for file in models.bundled_models(network="small"):
        shutil.copy(file, tmp_path / "older" / "exports")
    damaged = tmp_path / "older" / "exports" / "small-int8.onnx"
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"?")
    return tmp_path


def test_runs_with_their_exports_the_newest_first(runs: Path) -> None:
    newer, older = listing.list_runs(runs)
    assert (newer.name, newer.network, newer.data, newer.accuracy, newer.images) == (
        "newer",
        "small",
        "digits",
        0.98,
        1000,
    )
    assert (newer.bytes, newer.exports) == (12_345, ())
    whole, damaged = older.exports
    assert whole.verdict.startswith("passed on litert ")
    assert "altered" in damaged.verdict
    assert whole.bytes == Path(whole.file).stat().st_size


def test_the_table_has_a_line_a_run_and_a_file(runs: Path) -> None:
    header, newer, older, whole, damaged = listing.table(listing.list_runs(runs)).splitlines()
    assert header.split()[:3] == ["run", "date", "KB"]
    assert newer.startswith("newer  2001-09-0")
    assert "   12.3  small, digits, 98.00% (95%: 96.9" in newer
    assert newer.endswith(" of 1,000")
    assert "small-int8.tflite: passed on litert" in whole
    assert "small-int8.onnx: the file was altered" in damaged
    assert older.startswith("older  ")


def test_a_damaged_record_does_not_hide_the_others(runs: Path) -> None:
    (runs / "newer" / "run.json").write_text("{")
    found = {run.name: run.problem for run in listing.list_runs(runs)}
    assert found["older"] is None
    assert found["newer"]
    assert "cannot be read" in found["newer"]
    assert "cannot be read" in listing.table(listing.list_runs(runs))


def test_no_run_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no run yet"):
        listing.list_runs(tmp_path)
