from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from mnist_edge_exporters.report import provenance
from mnist_edge_exporters.report.evidence import collect
from mnist_edge_runtime.host import Host
from mnist_edge_runtime.model_file import sealed_model
from mnist_edge_trainer.runs.run import Run


def test_the_run_is_told_but_for_the_place_of_its_data(run: Run) -> None:
    tables = {table.title: dict(table.rows) for table in provenance.run_tables(run.record)}
    assert tables["Run"]["MACs"] == f"{run.record['macs']:,}"
    assert tables["Recipe"]["batch size"] == str(run.record["recipe"]["batch_size"])
    assert tables["Metrics"]["test accuracy"] == f"{run.record['metrics']['test']['accuracy']:.6g}"
    assert tables["Dataset"]["SHA-256"] == run.record["dataset"]["sha256"]
    assert "source" not in tables["Dataset"]
    assert {"Split", "Versions"} <= tables.keys()


def test_a_file_is_told_by_its_contract(files: Mapping[str, Path], weights: str) -> None:
    evidence = collect(files["tflite-int8"].parent, weights)
    tables = {table.title: dict(table.rows) for table in provenance.file_tables(evidence)}
    contract = sealed_model.read(files["tflite-int8"]).contract
    table = tables["classic-tflite-int8.tflite"]
    assert table["payload SHA-256"] == contract.payload.sha256
    assert table["weights SHA-256"] == contract.origin["weights_sha256"]
    assert table["image"] == "uint8, scale 0.00392157, zero point 0"
    assert f"tensorflow {contract.origin['versions']['tensorflow']}" in table["made with"]
    assert tables["classic-tflite-none.tflite"]["image"] == "float32"


def test_files_that_share_a_calibration_set_share_its_table(files: Mapping[str, Path], weights: str) -> None:
    evidence = [each for each in collect(files["tflite-int8"].parent, weights) if each.variant in files]
    (record,) = provenance.calibrations(evidence)
    recorded = sealed_model.read(files["tflite-int8"]).contract.origin["calibration"]
    assert record.variants == ("tflite-int8", "tflite-int16x8", "onnx-int8")
    assert record.per_class == recorded["per_class"]
    rows = dict(record.table.rows)
    assert rows["SHA-256"] == recorded["sha256"]
    assert rows["samples"] == str(recorded["samples"])
    assert "per class" not in rows


def test_the_machine_is_the_host_with_the_cores_that_this_process_may_use(monkeypatch: pytest.MonkeyPatch) -> None:
    here = Host.here()
    monkeypatch.setattr(Host, "here", lambda: replace(here, cpu="Cortex-A72", cores=1))
    assert provenance.machine() == f"Cortex-A72, 1 core, {here.system} {here.processor}"
